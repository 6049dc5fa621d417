//! Snapshots of partitions that wait until the offsets that they belong to are committed: never before is one
//! saved. Pure but for the time of a snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::alert::AlertsSnapshot;
use crate::clock;
use crate::run::delivery::SavedPartition;
use crate::run::state_inbox::StateInbox;
use crate::source::kafka::Progress;
use crate::state::{StateHeader, StateIdentity, StateSnapshot, TopicPosition};

/// Holds snapshots until they may be saved.
pub(crate) struct WaitingStates {
    identity: StateIdentity,
    topics: Vec<String>,
    first_stream: u16,
    inboxes: Vec<Arc<StateInbox>>,
    /// By partition, the newest one that waits.
    waiting: BTreeMap<i32, WaitingState>,
}

struct WaitingState {
    saved: SavedPartition,
    alerts: Option<AlertsSnapshot>,
}

impl WaitingStates {
    /// Those of a run of this identity, whose shards look into these inboxes.
    pub(crate) fn new(
        identity: StateIdentity,
        (topics, first_stream): (Vec<String>, u16),
        inboxes: Vec<Arc<StateInbox>>,
    ) -> Self {
        Self {
            identity,
            topics,
            first_stream,
            inboxes,
            waiting: BTreeMap::new(),
        }
    }

    /// Takes what is to be saved of a partition.
    pub(crate) fn take(&mut self, saved: SavedPartition, alerts: Option<AlertsSnapshot>) {
        self.waiting
            .insert(saved.partition, WaitingState { saved, alerts });
    }

    /// Forgets a partition that was given up or begins anew.
    pub(crate) fn forget(&mut self, partition: i32) {
        if self.waiting.remove(&partition).is_some() && self.waiting.is_empty() {
            self.inboxes.iter().for_each(|inbox| inbox.end_save());
        }
    }

    /// All that waits, once the offsets of all of it are committed; none before.
    pub(crate) fn take_committed(&mut self, progress: &Progress) -> Option<Vec<StateSnapshot>> {
        if self.waiting.is_empty() || progress.is_lost() {
            return None;
        }
        let are_committed = self.waiting.values().all(|one| is_committed(one, progress));
        are_committed.then(|| self.take_all())
    }

    /// At the end of a run: those whose offsets are committed.
    pub(crate) fn take_last(&mut self, progress: &Progress) -> Option<Vec<StateSnapshot>> {
        self.waiting.retain(|_, one| is_committed(one, progress));
        (!progress.is_lost() && !self.waiting.is_empty()).then(|| self.take_all())
    }

    fn take_all(&mut self) -> Vec<StateSnapshot> {
        let waiting = std::mem::take(&mut self.waiting);
        let snapshots = waiting.into_values().map(|one| self.snapshot(one));
        snapshots.collect()
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

fn is_committed(waiting: &WaitingState, progress: &Progress) -> bool {
    let mut positions = waiting.saved.positions.iter();
    positions.all(|&at| progress.is_committed(at))
}
