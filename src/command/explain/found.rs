//! A signal that was found.

use super::rows::Window;
use crate::signal::Signal;

/// A signal that was found, with the window that it was made of.
pub(super) struct Found {
    pub(super) signal: Signal,
    pub(super) instrument: String,
    pub(super) window: Window,
}
