//! Saves the snapshots of partitions once the offsets that they belong to are committed, on a thread of its
//! own: a slow or full disk delays no signal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use crossbeam::channel::{Sender, bounded};
use tracing::{Span, debug, error};

use crate::alert::AlertsSnapshot;
use crate::clock;
use crate::run::delivery::SavedPartition;
use crate::run::error::RunError;
use crate::run::state_counts::StateCounts;
use crate::run::state_inbox::StateInbox;
use crate::source::kafka::Progress;
use crate::state::{StateFolder, StateHeader, StateIdentity, StateSnapshot, TopicPosition};

/// Holds snapshots until they may be saved.
pub(super) struct StateKeeper {
    identity: StateIdentity,
    topics: Vec<String>,
    first_stream: u16,
    inboxes: Vec<Arc<StateInbox>>,
    /// By partition, the newest one that waits.
    waiting: BTreeMap<i32, WaitingState>,
    /// None once the thread is to end.
    save: Option<Sender<Vec<StateSnapshot>>>,
    thread: Option<JoinHandle<()>>,
}

struct WaitingState {
    saved: SavedPartition,
    alerts: Option<AlertsSnapshot>,
}

impl StateKeeper {
    /// Makes the folder, and starts the thread.
    ///
    /// # Errors
    /// Where the folder cannot be written, or the system gives no thread.
    pub(super) fn start(
        folder: StateFolder,
        identity: StateIdentity,
        (topics, first_stream): (Vec<String>, u16),
        inboxes: Vec<Arc<StateInbox>>,
        counts: Arc<StateCounts>,
    ) -> Result<Self, RunError> {
        folder.create()?;
        let (save, to_save) = bounded::<Vec<StateSnapshot>>(1);
        let (span, all) = (Span::current(), inboxes.clone());
        let thread = std::thread::Builder::new()
            .name("state".into())
            .spawn(move || {
                let _inside = span.entered();
                for snapshots in to_save {
                    for snapshot in &snapshots {
                        write(&folder, snapshot, &counts);
                    }
                    all.iter().for_each(|inbox| inbox.end_save());
                }
            });
        Ok(Self {
            identity,
            topics,
            first_stream,
            inboxes,
            waiting: BTreeMap::new(),
            save: Some(save),
            thread: Some(thread.map_err(RunError::Thread)?),
        })
    }

    /// Takes what is to be saved of a partition.
    pub(super) fn take(&mut self, saved: SavedPartition, alerts: Option<AlertsSnapshot>) {
        self.waiting
            .insert(saved.partition, WaitingState { saved, alerts });
    }

    /// Forgets a partition that was given up or begins anew.
    pub(super) fn forget(&mut self, partition: i32) {
        if self.waiting.remove(&partition).is_some() && self.waiting.is_empty() {
            self.inboxes.iter().for_each(|inbox| inbox.end_save());
        }
    }

    /// Hands what belongs to committed offsets to the thread, all at once: never before.
    pub(super) fn save_committed(&mut self, progress: &Progress) {
        if self.waiting.is_empty() || progress.is_lost() {
            return;
        }
        let are_committed = |waiting: &WaitingState| {
            let mut positions = waiting.saved.positions.iter();
            positions.all(|&at| progress.is_committed(at))
        };
        if !self.waiting.values().all(are_committed) {
            return;
        }
        let waiting = std::mem::take(&mut self.waiting);
        let snapshots = waiting
            .into_values()
            .map(|one| self.snapshot(one))
            .collect();
        if let Some(save) = &self.save
            && save.try_send(snapshots).is_err()
        {
            // Cannot be: a shard asks for no save before the last one has ended, but at the end.
            debug!("states are still being written: these are left out");
        }
    }

    /// Saves what may be saved, and ends the thread.
    pub(super) fn close(mut self, progress: &Progress) {
        // The one before it is written first.
        let uncommitted = |waiting: &WaitingState| {
            let mut positions = waiting.saved.positions.iter();
            !positions.all(|&at| progress.is_committed(at))
        };
        self.waiting.retain(|_, waiting| !uncommitted(waiting));
        if !progress.is_lost() && !self.waiting.is_empty() {
            let waiting = std::mem::take(&mut self.waiting);
            let snapshots = waiting
                .into_values()
                .map(|one| self.snapshot(one))
                .collect();
            if let Some(save) = &self.save {
                drop(save.send(snapshots));
            }
        }
        self.save = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            error!("the thread that writes states has panicked; this is a bug, please report it");
        }
    }

    fn snapshot(&self, waiting: WaitingState) -> StateSnapshot {
        let WaitingState { saved, alerts } = waiting;
        let topic = |stream: u16| {
            let at = usize::from(stream.saturating_sub(self.first_stream));
            self.topics.get(at).cloned().unwrap_or_default()
        };
        let positions = saved.positions.iter().map(|at| TopicPosition {
            topic: topic(at.stream),
            next: at.next,
        });
        let alerts = alerts.as_ref().map(serde_json::to_vec);
        StateSnapshot {
            header: StateHeader {
                identity: self.identity.clone(),
                partition: saved.partition,
                positions: positions.collect(),
                saved_at: clock::now().0,
                instruments: saved.instruments,
            },
            states: saved.states,
            alerts: alerts.transpose().expect("alerts can be written as JSON"),
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
