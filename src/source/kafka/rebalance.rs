//! What a member does when its group gives it partitions and takes them back.
//!
//! Runs inside the poll of the source's thread. Nothing goes into a ring meanwhile, so a revocation can wait
//! until what is in them is done; all other work is left to the reader's loop, as a list of changes. Knows no
//! client: [`GroupClient`] is one, real or simulated.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::error::{KafkaError, KafkaResult};
use rustc_hash::FxHashMap;
use tracing::{debug, info, warn};

use super::partition::PartitionKey;
use super::progress::Progress;
use super::queries::OffsetQueries;
use super::settings::CommitBy;
use super::starts::Starts;
use super::take_over::{OffsetToCommit, PlacedPartition, TakeOver};
use crate::clock;
use crate::source::status::{FeedStatus, count};

/// The client of a member, inside a rebalance.
pub(crate) trait GroupClient: OffsetQueries {
    /// Whether the partitions that are taken back may have a new owner already.
    fn is_assignment_lost(&self) -> bool;

    /// Whether an assignment adds to the partitions that are held, instead of replacing them.
    fn is_incremental(&self) -> bool;

    /// Reads the partitions from where they are placed; all that are assigned, where it is not known.
    ///
    /// # Errors
    /// Where the client refuses.
    fn assign(&self, placed: Option<&[PlacedPartition]>) -> KafkaResult<()>;

    /// Reads the partitions no more that are taken back.
    ///
    /// # Errors
    /// Where the client refuses.
    fn unassign(&self) -> KafkaResult<()>;

    /// Commits offsets, and waits for the answer.
    ///
    /// # Errors
    /// Where the brokers refuse, or do not answer.
    fn commit_now(&self, offsets: Vec<OffsetToCommit>) -> KafkaResult<()>;

    /// Commits what is done of these partitions, where the source commits, and waits for the answer.
    fn commit_done(&self, keys: &[PartitionKey]);
}

/// How a member takes over and gives back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RebalanceSettings {
    /// Who commits.
    pub(crate) commits: CommitBy,
    /// Whether a group without any commit begins at the oldest record.
    pub(crate) from_beginning: bool,
    /// How long the brokers may leave a question unanswered. The group removes a member that does not poll
    /// for longer than three times this.
    pub(crate) wait_max: Duration,
    /// How long frames on their way are waited for.
    pub(crate) drain_timeout: Duration,
}

/// The partitions that a member holds, and what has changed.
pub(crate) struct Rebalance {
    settings: RebalanceSettings,
    starts: Arc<dyn Starts>,
    progress: Arc<Progress>,
    status: Arc<FeedStatus>,
    stop: Arc<AtomicBool>,
    changes: Mutex<Vec<Change>>,
    /// Where the assigned partitions began.
    begins: Mutex<FxHashMap<PartitionKey, i64>>,
    failure: Mutex<Option<KafkaError>>,
    /// The partitions that were assigned and not revoked since.
    held: Mutex<BTreeSet<PartitionKey>>,
}

/// A partition that was assigned or revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Assigned(PlacedPartition),
    Revoked(PartitionKey),
    /// All changes of a rebalance have been listed.
    Settled,
}

impl Rebalance {
    /// A member without partitions.
    pub(crate) fn new(
        settings: RebalanceSettings,
        starts: Arc<dyn Starts>,
        progress: Arc<Progress>,
        status: Arc<FeedStatus>,
        stop: Arc<AtomicBool>,
    ) -> Self {
        Self {
            settings,
            starts,
            progress,
            status,
            stop,
            changes: Mutex::default(),
            begins: Mutex::default(),
            failure: Mutex::default(),
            held: Mutex::default(),
        }
    }

    /// The changes since the last call, in order.
    pub(crate) fn take_changes(&self) -> Vec<Change> {
        std::mem::take(&mut *lock(&self.changes))
    }

    /// Where reading of each assigned partition began.
    pub(super) fn begins(&self) -> FxHashMap<PartitionKey, i64> {
        lock(&self.begins).clone()
    }

    /// Why partitions could not be taken over: the run must end.
    pub(crate) fn take_failure(&self) -> Option<KafkaError> {
        lock(&self.failure).take()
    }

    fn list_changes(&self, all: impl IntoIterator<Item = Change> + Clone) {
        let mut begins = lock(&self.begins);
        for change in all.clone() {
            match change {
                Change::Assigned(placed) => drop(begins.insert(placed.key, placed.begin)),
                Change::Revoked(key) => drop(begins.remove(&key)),
                Change::Settled => {}
            }
        }
        self.status.partitions.set_partitions(begins.len());
        drop(begins);
        let mut changes = lock(&self.changes);
        changes.extend(all);
        changes.push(Change::Settled);
    }
}

/// Partitions that are taken over.
impl Rebalance {
    /// The group gives these partitions.
    ///
    /// # Errors
    /// Where the client refuses to read them.
    pub(crate) fn assign(
        &self,
        client: &impl GroupClient,
        keys: &[PartitionKey],
    ) -> KafkaResult<()> {
        if self.holds_others(client.is_incremental(), keys) {
            self.progress.set_lost();
            warn!(
                count = keys.len(),
                "partitions were assigned before the ones held were revoked: going on at the committed offsets"
            );
            return client.unassign();
        }
        let placed = self.place_in_time(client, keys);
        client.assign(placed.as_deref())?;
        count(&self.status.connections);
        let Some(placed) = placed else {
            return Ok(());
        };
        self.status.set_healthy(true);
        info!(count = placed.len(), "partitions were assigned");
        self.list_changes(placed.into_iter().map(Change::Assigned));
        Ok(())
    }

    /// Whether partitions are held that should have been revoked before these are assigned; now these are
    /// held. The client does that where a rebalance begins while it waits for an answer to the last one.
    /// Frames of both assignments would meet in a ring, and those of a partition that another member has now
    /// would be committed.
    fn holds_others(&self, is_incremental: bool, keys: &[PartitionKey]) -> bool {
        let mut held = lock(&self.held);
        let is_left = !is_incremental && !held.is_empty();
        let again = keys.iter().filter(|&&key| !held.insert(key)).count();
        is_left || again > 0
    }

    /// Asks the brokers where the partitions begin until they answer; none where the run is stopped, or ends
    /// because they do not answer.
    fn place_in_time(
        &self,
        client: &impl GroupClient,
        keys: &[PartitionKey],
    ) -> Option<Vec<PlacedPartition>> {
        // A question about no partition is never answered.
        if keys.is_empty() {
            return Some(vec![]);
        }
        let since = clock::instant();
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return None;
            }
            let commit = |offsets| client.commit_now(offsets);
            let take_over = TakeOver {
                brokers: client,
                from_beginning: self.settings.from_beginning,
                starts: &*self.starts,
                commit: match self.settings.commits {
                    CommitBy::Source => Some(&commit),
                    CommitBy::Sink => None,
                },
            };
            let error = match take_over.place(keys) {
                Ok(placed) => return Some(placed),
                Err(error) => error,
            };
            count(&self.status.failures);
            if client.is_assignment_lost() || clock::elapsed(since) > self.settings.wait_max {
                *lock(&self.failure) = Some(error);
                return None;
            }
            debug!(%error, "the brokers do not say where partitions begin: asking again");
            clock::sleep(ASK_AGAIN);
        }
    }
}

/// Partitions that are given back.
impl Rebalance {
    /// The group takes these partitions back.
    ///
    /// # Errors
    /// Where the client refuses to give them back.
    pub(crate) fn revoke(
        &self,
        client: &impl GroupClient,
        keys: &[PartitionKey],
    ) -> KafkaResult<()> {
        // A lost partition may have a new owner, whose commits ours must not overwrite.
        if client.is_assignment_lost() {
            self.progress.set_lost();
            self.status.set_healthy(false);
            warn!(count = keys.len(), "partitions were lost");
        } else {
            self.wait_until_done(keys);
            client.commit_done(keys);
            info!(count = keys.len(), "partitions were revoked");
        }
        lock(&self.held).retain(|key| !keys.contains(key));
        // After a loss the run begins again: frames on their way must not meet a state without a past.
        if !self.progress.is_lost() {
            self.starts.revoked(keys);
        }
        let given_back = client.unassign();
        self.list_changes(keys.iter().copied().map(Change::Revoked));
        given_back
    }

    /// Waits until what went into the rings is done, so that the next owner reads nothing again.
    fn wait_until_done(&self, keys: &[PartitionKey]) {
        let since = clock::instant();
        let wait_max = self.settings.wait_max.min(self.settings.drain_timeout);
        while !self.progress.is_done(keys) {
            if clock::elapsed(since) > wait_max {
                self.progress.set_lost();
                warn!(
                    waited = ?wait_max,
                    "partitions are given back with frames still on their way: they will be read again"
                );
                return;
            }
            clock::sleep(DONE_STEP);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Pause between two questions where partitions begin.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// How often it is looked whether what was read is done.
const DONE_STEP: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::queries::{CommittedByPartition, OffsetsByPartition};
    use super::super::starts::ReadAgain;
    use super::*;

    /// A client of a group that has committed nothing.
    #[derive(Default)]
    struct NewGroup {
        is_incremental: bool,
        is_unassigned: Cell<bool>,
        commits: Cell<usize>,
    }

    impl OffsetQueries for NewGroup {
        fn committed(&self, _keys: &[PartitionKey]) -> KafkaResult<CommittedByPartition> {
            Ok(CommittedByPartition::default())
        }

        fn spans(&self, keys: &[PartitionKey]) -> KafkaResult<Vec<(i64, i64)>> {
            Ok(vec![(3, 9); keys.len()])
        }

        fn since(&self, _keys: &[PartitionKey], _millis: i64) -> KafkaResult<OffsetsByPartition> {
            Ok(OffsetsByPartition::default())
        }

        fn partitions_of(&self, stream: u16) -> KafkaResult<Vec<PartitionKey>> {
            Ok(vec![(stream, 0), (stream, 1)])
        }
    }

    impl GroupClient for NewGroup {
        fn is_assignment_lost(&self) -> bool {
            false
        }

        fn is_incremental(&self) -> bool {
            self.is_incremental
        }

        fn assign(&self, _placed: Option<&[PlacedPartition]>) -> KafkaResult<()> {
            Ok(())
        }

        fn unassign(&self) -> KafkaResult<()> {
            self.is_unassigned.set(true);
            Ok(())
        }

        fn commit_now(&self, _offsets: Vec<OffsetToCommit>) -> KafkaResult<()> {
            self.commits.set(self.commits.get() + 1);
            Ok(())
        }

        fn commit_done(&self, _keys: &[PartitionKey]) {}
    }

    fn rebalance(commits: CommitBy) -> Rebalance {
        let settings = RebalanceSettings {
            commits,
            from_beginning: false,
            wait_max: Duration::from_secs(1),
            drain_timeout: Duration::from_secs(1),
        };
        Rebalance::new(
            settings,
            Arc::new(ReadAgain { rebuild: None }),
            Arc::default(),
            Arc::default(),
            Arc::default(),
        )
    }

    #[test]
    fn partitions_that_are_left_at_an_assignment_are_lost_but_where_it_adds_to_them() {
        for (is_incremental, next, is_lost) in [
            (false, vec![(0, 1)], true),
            (false, vec![], true),
            (false, vec![(0, 0)], true),
            (true, vec![(0, 1)], false),
            (true, vec![(0, 0)], true),
        ] {
            let (member, client) = (
                rebalance(CommitBy::Source),
                NewGroup {
                    is_incremental,
                    ..NewGroup::default()
                },
            );
            member.assign(&client, &[(0, 0)]).unwrap();
            assert!(!member.progress.is_lost());
            member.assign(&client, &next).unwrap();
            assert_eq!(member.progress.is_lost(), is_lost, "{next:?}");
            assert_eq!(client.is_unassigned.get(), is_lost, "{next:?}");
        }
    }

    #[test]
    fn where_a_new_group_begins_is_committed_by_the_one_who_commits() {
        for (commits, made) in [(CommitBy::Source, 1), (CommitBy::Sink, 0)] {
            let (member, client) = (rebalance(commits), NewGroup::default());
            member.assign(&client, &[(0, 0), (0, 1)]).unwrap();
            assert_eq!(client.commits.get(), made);
            let placed: Vec<_> = member
                .take_changes()
                .into_iter()
                .filter_map(|change| match change {
                    Change::Assigned(placed) => Some(placed),
                    _ => None,
                })
                .collect();
            assert_eq!(placed.len(), 2);
            for placed in placed {
                assert_eq!((placed.begin, placed.is_begun), (9, made == 0));
                let note = placed.note.unwrap();
                assert_eq!((note.begun, note.partitions), (9, Some(2)));
            }
        }
    }
}
