//! Saves snapshots of partitions on a thread of its own: a slow or full disk delays no signal.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use crossbeam::channel::{Sender, bounded};
use tracing::{Span, debug, error};

use crate::run::error::RunError;
use crate::run::state_counts::StateCounts;
use crate::run::state_inbox::StateInbox;
use crate::state::{StateFolder, StateSnapshot};

/// The thread that saves.
pub(super) struct StateKeeper {
    /// None once the thread is to end.
    save: Option<Sender<Vec<StateSnapshot>>>,
    thread: Option<JoinHandle<()>>,
}

impl StateKeeper {
    /// Makes the folder, and starts the thread, which tells these inboxes when a save has ended.
    ///
    /// # Errors
    /// Where the folder cannot be written, or the system gives no thread.
    pub(super) fn start(
        folder: StateFolder,
        inboxes: Vec<Arc<StateInbox>>,
        counts: Arc<StateCounts>,
    ) -> Result<Self, RunError> {
        folder.create()?;
        let (save, to_save) = bounded::<Vec<StateSnapshot>>(1);
        let span = Span::current();
        let thread = std::thread::Builder::new()
            .name("state".into())
            .spawn(move || {
                let _inside = span.entered();
                for snapshots in to_save {
                    for snapshot in &snapshots {
                        write(&folder, snapshot, &counts);
                    }
                    inboxes.iter().for_each(|inbox| inbox.end_save());
                }
            });
        Ok(Self {
            save: Some(save),
            thread: Some(thread.map_err(RunError::Thread)?),
        })
    }

    /// Hands snapshots to the thread.
    pub(super) fn save(&self, snapshots: Vec<StateSnapshot>) {
        if let Some(save) = &self.save
            && save.try_send(snapshots).is_err()
        {
            // Cannot be: a shard asks for no save before the last one has ended, but at the end.
            debug!("states are still being written: these are left out");
        }
    }

    /// Saves these, and ends the thread.
    pub(super) fn close(mut self, last: Option<Vec<StateSnapshot>>) {
        // The ones before them are written first.
        if let (Some(save), Some(last)) = (self.save.take(), last) {
            drop(save.send(last));
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            error!("the thread that writes states has panicked; this is a bug, please report it");
        }
    }
}

fn write(folder: &StateFolder, snapshot: &StateSnapshot, counts: &StateCounts) {
    match folder.save(snapshot) {
        Ok(bytes) => {
            counts.saved.fetch_add(1, Ordering::Relaxed);
            counts.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
        Err(why) => {
            // Told at first, and then less and less often.
            let before = counts.failures.fetch_add(1, Ordering::Relaxed);
            if (before + 1).is_power_of_two() {
                error!(%why, "the state of a partition is not saved: a restart reads more of the topics again");
            }
        }
    }
}
