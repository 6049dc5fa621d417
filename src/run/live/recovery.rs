//! Where partitions begin, and from what state: from the newest snapshot that may be used, or by reading the
//! topics again.
//!
//! Either way records before the committed offsets are read without publishing, so that what is held of each
//! instrument is what an undisturbed run would hold. Called inside a rebalance, on the source's thread.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::error::KafkaError;
use tracing::{info, warn};

use crate::alert::AlertsSnapshot;
use crate::engine::saved::SavedStates;
use crate::frame::Position;
use crate::pipeline::Recovery;
use crate::run::state_inbox::{StateChange, StateInbox};
use crate::source::kafka::starts::{Assigned, Begin, OffsetsSince, Starts};
use crate::state::usable::{PartitionOffsets, check};
use crate::state::{SavedFile, StateIdentity, StateStore};

/// Brings state back to the shards of a run.
pub(crate) struct StateRecovery {
    how: Recovery,
    /// Where snapshots are, if there are any.
    store: Option<Arc<dyn StateStore>>,
    identity: StateIdentity,
    topics: Vec<String>,
    first_stream: u16,
    inboxes: Vec<Arc<StateInbox>>,
    /// What says where partitions begin whose records are read again for a stated time.
    timed: Box<dyn Starts>,
    /// The streams that are assigned, by the number of the partition.
    held: Mutex<BTreeMap<i32, BTreeSet<u16>>>,
}

/// A snapshot that may be used.
struct Usable {
    states: Box<SavedStates>,
    alerts: Option<AlertsSnapshot>,
    /// The offset of each topic.
    positions: BTreeMap<String, i64>,
}

/// How the partitions of one number begin.
struct BeginPlan {
    partition: i32,
    change: StateChange,
    begins: Vec<Begin>,
}

impl StateRecovery {
    /// The recovery of a run of this identity, whose shards look into these inboxes. `timed` says where
    /// partitions begin where the settings say how far back they are read. Snapshots come from `store`.
    pub(crate) fn new(
        how: Recovery,
        store: Option<Arc<dyn StateStore>>,
        identity: StateIdentity,
        (topics, first_stream): (Vec<String>, u16),
        inboxes: Vec<Arc<StateInbox>>,
        timed: Box<dyn Starts>,
    ) -> Self {
        Self {
            how,
            store,
            identity,
            topics,
            first_stream,
            inboxes,
            timed,
            held: Mutex::default(),
        }
    }

    /// Where the partitions of one number begin, and from what.
    fn plan(
        &self,
        partition: i32,
        assigned: &[Assigned],
        since: &OffsetsSince<'_>,
    ) -> Result<BeginPlan, KafkaError> {
        let usable = self.usable(partition, assigned);
        let is_new = assigned.iter().all(|at| at.committed.is_none());
        let begins: Vec<Begin> = match (&self.how, &usable) {
            (_, Some(usable)) => {
                let of = |at: &Assigned| usable.positions.get(self.topic(at.stream)).copied();
                assigned
                    .iter()
                    .map(|at| begin(at, of(at).unwrap_or(at.next)))
                    .collect()
            }
            (Recovery::Snapshots(_) | Recovery::ReadAgain, None) if !is_new => {
                let begun = |at: &Assigned| at.begun.unwrap_or(at.low).max(at.low);
                assigned.iter().map(|at| begin(at, begun(at))).collect()
            }
            (Recovery::Stateless, None) => vec![],
            // A group that has committed nothing has published nothing: only a stated time is read before.
            (_, None) => self.timed.begin(assigned, since)?,
        };
        let begin_of = |at: &Assigned| {
            let found = begins.iter().find(|one| one.stream == at.stream);
            found.copied().unwrap_or_else(|| begin(at, at.next))
        };
        let begins: Vec<Begin> = assigned.iter().map(begin_of).collect();
        let again: i64 = begins.iter().map(|one| one.new_from - one.offset).sum();
        if again > 0 || usable.is_some() {
            info!(
                partition,
                records = again,
                from_snapshot = usable.is_some(),
                "reading published records again to bring state back"
            );
        }
        let (states, alerts) =
            usable.map_or((None, None), |usable| (Some(usable.states), usable.alerts));
        let is_gap = |one: &Begin| {
            let mut of = assigned.iter().filter(|at| at.stream == one.stream);
            of.any(|at| at.committed.is_some_and(|committed| committed != at.next))
        };
        // The frame that tells of missing records has the offset before the first that is there.
        let position = |one: &Begin| Position {
            stream: one.stream,
            partition: one.partition,
            next: one.offset - i64::from(is_gap(one)),
        };
        let change = StateChange::Begin {
            partition,
            states,
            alerts,
            positions: begins.iter().map(position).collect(),
        };
        Ok(BeginPlan {
            partition,
            change,
            begins,
        })
    }

    /// The newest snapshot of a partition that may be used. Says why others may not.
    fn usable(&self, partition: i32, assigned: &[Assigned]) -> Option<Usable> {
        let store = self.store.as_ref()?;
        let of = |at: &Assigned| PartitionOffsets {
            topic: self.topic(at.stream).to_owned(),
            committed: at.committed,
            low: at.low,
            high: at.high,
        };
        let offsets: Vec<PartitionOffsets> = assigned.iter().map(of).collect();
        for file in store.of_partition(partition) {
            let path = file.path.clone();
            match self.read(file, partition, &offsets) {
                Ok(usable) => return Some(usable),
                Err(why) => {
                    warn!(partition, path = %path.display(), why, "a saved state is not used");
                }
            }
        }
        None
    }

    fn read(
        &self,
        file: SavedFile,
        partition: i32,
        offsets: &[PartitionOffsets],
    ) -> Result<Usable, String> {
        let snapshot = file.snapshot.map_err(|error| error.to_string())?;
        check(&snapshot.header, &self.identity, partition, offsets)?;
        let states = SavedStates::read(&snapshot.states).map_err(|error| error.to_string())?;
        let alerts = snapshot.alerts.as_deref().map(serde_json::from_slice);
        let alerts = alerts.transpose().map_err(|error| error.to_string())?;
        let positions = snapshot.header.positions.into_iter();
        Ok(Usable {
            states: Box::new(states),
            alerts,
            positions: positions.map(|at| (at.topic, at.next)).collect(),
        })
    }

    fn is_held(&self, partition: i32) -> bool {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.contains_key(&partition)
    }

    fn topic(&self, stream: u16) -> &str {
        let at = usize::from(stream.saturating_sub(self.first_stream));
        self.topics.get(at).map_or("", |topic| topic)
    }

    /// The inbox of the shard that works on a partition.
    fn inbox(&self, partition: i32) -> &StateInbox {
        &self.inboxes[partition.unsigned_abs() as usize % self.inboxes.len()]
    }
}

impl Starts for StateRecovery {
    fn begin(
        &self,
        assigned: &[Assigned],
        since: &OffsetsSince<'_>,
    ) -> Result<Vec<Begin>, KafkaError> {
        let mut by_number: BTreeMap<i32, Vec<Assigned>> = BTreeMap::new();
        for at in assigned {
            by_number.entry(at.partition).or_default().push(*at);
        }
        // Where other topics of this number are read already, their state goes on.
        by_number.retain(|partition, _| !self.is_held(*partition));
        // All questions come before the first change: they may be asked again.
        let plans = by_number.iter();
        let plans = plans.map(|(&partition, assigned)| self.plan(partition, assigned, since));
        let plans = plans.collect::<Result<Vec<_>, _>>()?;
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for at in assigned {
            held.entry(at.partition).or_default().insert(at.stream);
        }
        drop(held);
        let mut begins = vec![];
        for plan in plans {
            self.inbox(plan.partition).put(plan.change);
            begins.extend(plan.begins);
        }
        Ok(begins)
    }

    fn revoked(&self, partitions: &[(u16, i32)]) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for &(stream, partition) in partitions {
            let Some(streams) = held.get_mut(&partition) else {
                continue;
            };
            streams.remove(&stream);
            if streams.is_empty() {
                held.remove(&partition);
                self.inbox(partition).put(StateChange::End { partition });
            }
        }
    }
}

/// A partition that begins at an offset, or where it is new.
fn begin(at: &Assigned, offset: i64) -> Begin {
    Begin {
        stream: at.stream,
        partition: at.partition,
        offset: offset.min(at.next),
        new_from: at.next,
    }
}
