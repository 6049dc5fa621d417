//! The request to end a run, shared by threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request to end that a signal of the system, a timer or a test can make. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Requests the end.
    pub fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether the end was requested.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
