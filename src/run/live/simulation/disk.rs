//! The folder of snapshots of a simulated run: files that are torn where a process is killed while it writes.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::brokers::SimulatedBrokers;
use crate::source::kafka::Progress;
use crate::state::{SavedFile, StateError, StateSnapshot, StateStore};

/// The files of all partitions; all instances share them.
#[derive(Default)]
pub(super) struct Disk(Mutex<BTreeMap<i32, Files>>);

/// The newest file of a partition, and the one before it.
#[derive(Default)]
struct Files {
    newest: Option<Vec<u8>>,
    before: Option<Vec<u8>>,
}

/// The folder, as one process sees it.
pub(super) struct DiskOfProcess {
    pub(super) disk: Arc<Disk>,
    pub(super) brokers: Arc<SimulatedBrokers>,
    pub(super) process: Process,
}

/// A process, which may be killed at any moment.
#[derive(Clone)]
pub(super) struct Process {
    /// Once it is false, nothing that the process does has an effect.
    pub(super) alive: Arc<AtomicBool>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) progress: Arc<Progress>,
}

impl Process {
    /// Kills it: what is under way has no effect any more, and does not wait.
    pub(super) fn kill(&self) {
        self.alive.store(false, Ordering::Relaxed);
        self.stop.store(true, Ordering::Relaxed);
        self.progress.abandon();
    }

    pub(super) fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Relaxed)
    }
}

impl StateStore for DiskOfProcess {
    fn save(&self, snapshot: &StateSnapshot) -> Result<usize, StateError> {
        let path = || Path::new("disk").to_owned();
        let bytes = snapshot.write().expect("memory takes it");
        let dice = &self.brokers.dice;
        let is_troubled = self.brokers.lock().is_troubled;
        if !self.process.is_alive() {
            return Ok(0);
        }
        if is_troubled && dice.one_in(15) {
            return Err(StateError::File {
                doing: "writing state",
                path: path(),
                cause: io::ErrorKind::StorageFull.into(),
            });
        }
        let mut files = self.disk.0.lock().unwrap_or_else(PoisonError::into_inner);
        let files = files.entry(snapshot.header.partition).or_default();
        // The process is killed here; the file may be whole, cut, changed, or as before.
        let is_killed = is_troubled && dice.one_in(15);
        if is_killed {
            self.process.kill();
        }
        match is_killed.then(|| dice.below(5)) {
            Some(0) => return Ok(0),
            Some(1) => files.before = files.newest.clone(),
            Some(2) => {
                files.before = files.newest.take();
                files.newest = Some(bytes[..dice.below(bytes.len())].to_vec());
            }
            Some(3) => {
                files.before = files.newest.take();
                let mut changed = bytes.clone();
                changed[dice.below(bytes.len())] ^= 1 << dice.below(8);
                files.newest = Some(changed);
            }
            _ => {
                files.before = files.newest.take();
                files.newest = Some(bytes.clone());
            }
        }
        Ok(bytes.len())
    }

    fn of_partition(&self, partition: i32) -> Vec<SavedFile> {
        let files = self.disk.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(files) = files.get(&partition) else {
            return vec![];
        };
        let both = [("newest", &files.newest), ("before", &files.before)];
        let read = |(name, bytes): (&str, &Option<Vec<u8>>)| {
            let (path, bytes) = (Path::new(name), bytes.as_ref()?);
            Some(SavedFile {
                path: path.to_owned(),
                bytes: bytes.len() as u64,
                snapshot: StateSnapshot::read(bytes, path),
            })
        };
        both.into_iter().filter_map(read).collect()
    }
}
