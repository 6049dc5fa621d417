//! The partitions that a shard works on, and their states: taken over, given up, saved.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use rustc_hash::FxHashMap;
use tracing::{error, warn};

use super::delivery::{PartitionState, SavedPartition};
use super::shard::Shard;
use super::state_inbox::{StateChange, StateInbox};
use crate::clock;
use crate::frame::Position;

/// By stream and partition, the offset that comes next.
pub(super) type NextOffsets = FxHashMap<(u16, i32), i64>;

/// The partitions of a shard.
pub(super) struct PartitionStates {
    inbox: Arc<StateInbox>,
    partitions: BTreeSet<i32>,
    saved_at: Instant,
    /// The positions that were saved last.
    saved: Vec<Position>,
}

impl PartitionStates {
    /// No partitions yet.
    pub(super) fn new(inbox: Arc<StateInbox>) -> Self {
        Self {
            inbox,
            partitions: BTreeSet::new(),
            saved_at: clock::instant(),
            saved: vec![],
        }
    }

    /// Makes the changes that the source asks for. Returns what the writer must know of them.
    pub(super) fn change(
        &mut self,
        shard: &mut Shard,
        next: &mut NextOffsets,
    ) -> Vec<PartitionState> {
        let mut states = vec![];
        for change in self.inbox.take() {
            match change {
                StateChange::Begin {
                    partition,
                    states: saved,
                    alerts,
                    positions,
                } => {
                    self.forget(partition, shard, next);
                    self.partitions.insert(partition);
                    for at in positions {
                        next.insert((at.stream, at.partition), at.next);
                    }
                    if let Some(saved) = saved
                        && let Err(error) = shard.restore(partition, *saved)
                    {
                        // The source has checked it: only a list of instruments that has changed is left.
                        warn!(partition, %error, "the instruments of a partition begin without a past");
                    }
                    states.push(PartitionState::Begun { partition, alerts });
                }
                StateChange::End { partition } => {
                    self.forget(partition, shard, next);
                    states.push(PartitionState::Ended { partition });
                }
            }
        }
        states
    }

    /// What is to be saved now, if it is time or `last` is true: all partitions at one moment.
    pub(super) fn save(
        &mut self,
        shard: &Shard,
        next: &NextOffsets,
        last: bool,
    ) -> Option<Vec<PartitionState>> {
        let every = self.inbox.save_every()?;
        if !last && clock::elapsed(self.saved_at) < every {
            return None;
        }
        let mut positions: Vec<Position> = next
            .iter()
            .filter(|((_, partition), _)| self.partitions.contains(partition))
            .map(|(&(stream, partition), &next)| Position {
                stream,
                partition,
                next,
            })
            .collect();
        positions.sort_unstable_by_key(|at| (at.partition, at.stream));
        if positions == self.saved || !(self.inbox.begin_save() || last) {
            return None;
        }
        self.saved_at = clock::instant();
        let mut states = vec![];
        for &partition in &self.partitions {
            match shard.save(partition) {
                Ok(Some((bytes, instruments))) => {
                    let of = positions.iter().filter(|at| at.partition == partition);
                    let saved = SavedPartition {
                        partition,
                        positions: of.copied().collect(),
                        states: bytes,
                        instruments,
                    };
                    states.push(PartitionState::Saved(saved));
                }
                Ok(None) => {}
                Err(error) => error!(partition, %error, "the state of a partition is not saved"),
            }
        }
        self.saved = positions;
        if states.is_empty() {
            self.inbox.end_save();
            return None;
        }
        Some(states)
    }

    fn forget(&mut self, partition: i32, shard: &mut Shard, next: &mut NextOffsets) {
        shard.forget(partition);
        next.retain(|&(_, of), _| of != partition);
        self.partitions.remove(&partition);
    }
}
