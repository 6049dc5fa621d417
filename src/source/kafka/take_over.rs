//! Takes partitions over: asks the brokers, decides where reading begins, and commits that where the group
//! has committed nothing yet.
//!
//! Each question may fail; whoever calls asks again.

use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaResult;

use super::partition::PartitionKey;
use super::placement::{FirstStart, Missing, Placement, begin, place};
use super::positions::Positions;
use super::starts::{Assigned, Starts};

/// A partition that was assigned, and what of it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlacedPartition {
    pub(super) key: PartitionKey,
    /// The first offset to read.
    pub(super) begin: i64,
    /// The offset where the partition ended at the assignment.
    pub(super) end: i64,
    /// Records before this offset are read only to rebuild state.
    pub(super) new_from: i64,
    /// The first new record, as decided.
    pub(super) next: i64,
    /// What is missing before it.
    pub(super) missing: Option<Missing>,
}

/// What taking over needs.
pub(super) struct TakeOver<'a, C: ConsumerContext> {
    pub(super) positions: Positions<'a, C>,
    /// Whether a group without any commit begins at the oldest record.
    pub(super) from_beginning: bool,
    pub(super) starts: &'a dyn Starts,
    pub(super) commit: &'a dyn Fn(Vec<(PartitionKey, i64)>) -> KafkaResult<()>,
}

impl<C: ConsumerContext> TakeOver<'_, C> {
    /// Where reading of these partitions begins.
    ///
    /// # Errors
    /// Where the brokers do not answer.
    pub(super) fn place(&self, keys: &[PartitionKey]) -> KafkaResult<Vec<PlacedPartition>> {
        let facts = self.positions.facts(keys)?;
        let is_new = facts.iter().any(|facts| facts.committed.is_none());
        let read = match is_new && !self.from_beginning {
            true => self.streams_read(keys)?,
            false => vec![],
        };
        let places: Vec<Placement> = keys
            .iter()
            .zip(&facts)
            .map(|(&(stream, _), &facts)| {
                let is_found_later = read.contains(&stream);
                let first = match self.from_beginning || is_found_later {
                    true => FirstStart::Oldest,
                    false => FirstStart::Next,
                };
                place(facts, first)
            })
            .collect();
        let commits = keys.iter().zip(&places);
        let commits: Vec<_> = commits
            .filter_map(|(&key, place)| Some((key, place.commit?)))
            .collect();
        if !commits.is_empty() {
            (self.commit)(commits)?;
        }
        let all = keys.iter().zip(&facts).zip(&places);
        let assigned: Vec<Assigned> = all
            .map(|((&(stream, partition), facts), place)| Assigned {
                stream,
                partition,
                committed: facts.committed,
                low: facts.low,
                high: facts.high,
                next: place.next,
            })
            .collect();
        let since = |keys: &[PartitionKey], millis| self.positions.since(keys, millis);
        let begins = self.starts.begin(&assigned, &since);
        let placed = assigned.iter().zip(&places).map(|(at, place)| {
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
            }
        });
        Ok(placed.collect())
    }

    /// The streams of which the group has committed any partition, whoever reads it.
    fn streams_read(&self, keys: &[PartitionKey]) -> KafkaResult<Vec<u16>> {
        let mut streams: Vec<u16> = keys.iter().map(|key| key.0).collect();
        streams.sort_unstable();
        streams.dedup();
        let mut read = vec![];
        for stream in streams {
            let all = self.positions.partitions_of(stream)?;
            if !self.positions.committed(&all)?.is_empty() {
                read.push(stream);
            }
        }
        Ok(read)
    }
}
