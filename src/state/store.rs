//! Where snapshots are kept: a folder, or the memory of a simulation.

use super::error::StateError;
use super::file::StateSnapshot;
use super::folder::{SavedFile, StateFolder};

/// Keeps, for each partition, the newest snapshot and the one before it.
pub trait StateStore: Send + Sync {
    /// Saves a snapshot in place of the newest of its partition. Returns its size in bytes.
    ///
    /// # Errors
    /// [`StateError::File`]; what was there before is then still there.
    fn save(&self, snapshot: &StateSnapshot) -> Result<usize, StateError>;

    /// The snapshots of a partition, newest first, and what is damaged.
    fn of_partition(&self, partition: i32) -> Vec<SavedFile>;
}

impl StateStore for StateFolder {
    fn save(&self, snapshot: &StateSnapshot) -> Result<usize, StateError> {
        Self::save(self, snapshot)
    }

    fn of_partition(&self, partition: i32) -> Vec<SavedFile> {
        Self::of_partition(self, partition)
    }
}
