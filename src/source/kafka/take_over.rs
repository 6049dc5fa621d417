//! Takes partitions over: asks the brokers, decides where reading begins, and commits that where the group
//! has committed nothing yet.
//!
//! Each question may fail; whoever calls asks again.

use rdkafka::error::KafkaResult;

use super::commit_note::CommitNote;
use super::partition::PartitionKey;
use super::placement::{FirstStart, Missing, Placement, begin, place};
use super::queries::OffsetQueries;
use super::starts::{Assigned, Starts};

/// A partition that was assigned, and what of it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlacedPartition {
    pub(crate) key: PartitionKey,
    /// The first offset to read.
    pub(crate) begin: i64,
    /// The offset where the partition ended at the assignment.
    pub(super) end: i64,
    /// Records before this offset are read only to rebuild state.
    pub(super) new_from: i64,
    /// The first new record, as decided.
    pub(super) next: i64,
    /// What is missing before it.
    pub(super) missing: Option<Missing>,
    /// Whether the group has committed nothing of it, and the sink is to commit where it begins.
    pub(super) is_begun: bool,
    /// What is noted beside its committed offsets.
    pub(super) note: Option<CommitNote>,
}

/// An offset to commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OffsetToCommit {
    pub(crate) key: PartitionKey,
    pub(crate) next: i64,
    /// What is noted beside it.
    pub(crate) note: Option<CommitNote>,
}

/// A topic of a group with `start = "latest"`.
struct TopicBegun {
    stream: u16,
    /// Whether the group has committed any of its partitions, whoever reads it.
    is_read: bool,
    /// How many partitions it had when the group began.
    partitions: i32,
}

impl TopicBegun {
    /// Whether a partition without a commit was added after the group had begun.
    fn is_found_later(&self, partition: i32) -> bool {
        self.is_read && partition >= self.partitions
    }
}

/// What taking over needs.
pub(super) struct TakeOver<'a> {
    pub(super) brokers: &'a dyn OffsetQueries,
    /// Whether a group without any commit begins at the oldest record.
    pub(super) from_beginning: bool,
    pub(super) starts: &'a dyn Starts,
    /// Commits where a partition begins; none where the sink does that, with what it writes.
    pub(super) commit: Option<&'a dyn Fn(Vec<OffsetToCommit>) -> KafkaResult<()>>,
}

impl TakeOver<'_> {
    /// Where reading of these partitions begins.
    ///
    /// # Errors
    /// Where the brokers do not answer.
    pub(super) fn place(&self, keys: &[PartitionKey]) -> KafkaResult<Vec<PlacedPartition>> {
        let facts = self.brokers.facts(keys)?;
        let is_new = facts.iter().any(|facts| facts.committed.is_none());
        let topics = match is_new && !self.from_beginning {
            true => self.topics_begun(keys)?,
            false => vec![],
        };
        let topic_of = |stream| topics.iter().find(|topic| topic.stream == stream);
        let places: Vec<Placement> = keys
            .iter()
            .zip(&facts)
            .map(|(&(stream, partition), &facts)| {
                let mut topic = topic_of(stream).into_iter();
                let first = match topic.all(|topic| topic.is_found_later(partition)) {
                    true => FirstStart::Oldest,
                    false => FirstStart::Next,
                };
                place(facts, first)
            })
            .collect();
        let notes = keys.iter().zip(&facts).zip(&places);
        let notes: Vec<_> = notes
            .map(|((&(stream, _), facts), place)| match place.commit {
                Some(begun) => Some(CommitNote {
                    begun,
                    partitions: topic_of(stream).map(|topic| topic.partitions),
                }),
                // Nothing before the first record that is read now was read of this topic.
                None => facts.note.map(|note| CommitNote {
                    begun: note.begun.min(place.next),
                    ..note
                }),
            })
            .collect();
        let commits = keys.iter().zip(&places).zip(&notes);
        let commits: Vec<_> = commits
            .filter_map(|((&key, place), &note)| {
                let next = place.commit?;
                Some(OffsetToCommit { key, next, note })
            })
            .collect();
        if let Some(commit) = self.commit
            && !commits.is_empty()
        {
            commit(commits)?;
        }
        let all = keys.iter().zip(&facts).zip(&places).zip(&notes);
        let assigned: Vec<Assigned> = all
            .map(|(((&(stream, partition), facts), place), note)| Assigned {
                stream,
                partition,
                committed: facts.committed,
                begun: note.map(|note| note.begun),
                low: facts.low,
                high: facts.high,
                next: place.next,
            })
            .collect();
        let since = |keys: &[PartitionKey], millis| self.brokers.since(keys, millis);
        let begins = self.starts.begin(&assigned, &since)?;
        let placed = assigned.iter().zip(&places).zip(notes);
        let placed = placed.map(|((at, place), note)| {
            let key = (at.stream, at.partition);
            let mut asked = begins.iter();
            let (begin, new_from) = begin(at, asked.find(|one| (one.stream, one.partition) == key));
            PlacedPartition {
                key,
                begin,
                end: at.high,
                new_from,
                next: place.next,
                missing: place.missing,
                is_begun: self.commit.is_none() && place.commit.is_some(),
                note,
            }
        });
        Ok(placed.collect())
    }

    /// What the group has begun of the topics of these partitions.
    fn topics_begun(&self, keys: &[PartitionKey]) -> KafkaResult<Vec<TopicBegun>> {
        let mut streams: Vec<u16> = keys.iter().map(|key| key.0).collect();
        streams.sort_unstable();
        streams.dedup();
        let begun = |stream| {
            let all = self.brokers.partitions_of(stream)?;
            let committed = self.brokers.committed(&all)?;
            let noted = committed.values().filter_map(|at| at.note?.partitions);
            let is_read = !committed.is_empty();
            // Where others have committed without a note, each partition that has none was found later.
            let unnoted = if is_read { 0 } else { all.len() as i32 };
            Ok(TopicBegun {
                stream,
                is_read,
                partitions: noted.min().unwrap_or(unnoted),
            })
        };
        streams.into_iter().map(begun).collect()
    }
}
