//! The snapshots that a run has saved, counted.

use std::sync::atomic::AtomicU64;

/// What was saved, and failed to be.
#[derive(Debug, Default)]
pub struct StateCounts {
    /// Snapshots written.
    pub saved: AtomicU64,
    /// Bytes of these.
    pub bytes: AtomicU64,
    /// Snapshots that could not be written.
    pub failures: AtomicU64,
}
