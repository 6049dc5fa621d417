//! The error of a saved state that belongs to other windows.

/// A saved state cannot be continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the saved sliding windows are of another model, window length or stride; discard the saved state to \
     begin with new windows"
)]
pub struct StateMismatch;
