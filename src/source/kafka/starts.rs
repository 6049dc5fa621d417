//! Where partitions begin: the seam for those who read records again to bring state back.
//!
//! Decides nothing about what is committed: `placement` does.

use std::time::Duration;

use rdkafka::error::KafkaError;
use rustc_hash::FxHashMap;
use tracing::info;

use super::partition::PartitionKey;
use crate::clock;

/// A partition that was assigned, and what the broker says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// The stream of its topic: see [`Origin::stream`](crate::frame::Origin::stream).
    pub stream: u16,
    /// Its number.
    pub partition: i32,
    /// The offset that the group has committed; none where it has committed none.
    pub committed: Option<i64>,
    /// The first record that the group has read; none where that is not known.
    pub begun: Option<i64>,
    /// The offset of the oldest record that is retained, or of the next one where none is.
    pub low: i64,
    /// The offset that the next committed record will have.
    pub high: i64,
    /// The first record that is new, as decided: the committed offset, or the oldest record that is retained
    /// where retention has overtaken it, or the start that the settings say.
    pub next: i64,
}

/// Where reading a partition begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begin {
    /// The stream of its topic.
    pub stream: u16,
    /// Its number.
    pub partition: i32,
    /// The first offset to read. What is not retained is not read.
    pub offset: i64,
    /// Records before this offset are read only to rebuild state: their frames are marked `reprocessed`.
    /// Usually [`Assigned::next`].
    pub new_from: i64,
}

/// Looks up, for each of the partitions, the first offset whose record has this time or a later one, in
/// milliseconds since the epoch. Partitions without such a record are missing in the answer.
pub type OffsetsSince<'a> =
    dyn Fn(&[PartitionKey], i64) -> Result<FxHashMap<PartitionKey, i64>, KafkaError> + 'a;

/// Says where assigned partitions begin. Called inside the rebalance, on the source's thread: before any
/// frame of the partitions is handed on, and after the last.
pub trait Starts: Send + Sync {
    /// Where these partitions begin. One that is not in the answer begins at [`Assigned::next`].
    ///
    /// # Errors
    /// Where a question to the brokers is not answered: nothing has changed then, and whoever calls may call
    /// again.
    fn begin(
        &self,
        assigned: &[Assigned],
        since: &OffsetsSince<'_>,
    ) -> Result<Vec<Begin>, KafkaError>;

    /// These partitions were given back or lost, by stream and number. No frame of theirs comes until they
    /// are assigned again.
    fn revoked(&self, partitions: &[(u16, i32)]);
}

/// Reads the records of a stated time before now again.
#[derive(Clone, Copy, Debug)]
pub struct ReadAgain {
    /// The time; none reads nothing again.
    pub rebuild: Option<Duration>,
}

impl Starts for ReadAgain {
    fn begin(
        &self,
        assigned: &[Assigned],
        since: &OffsetsSince<'_>,
    ) -> Result<Vec<Begin>, KafkaError> {
        let Some(rebuild) = self.rebuild else {
            return Ok(vec![]);
        };
        let from = (clock::now().0 / 1_000_000 - rebuild.as_millis() as i64).max(0);
        let keys: Vec<_> = assigned
            .iter()
            .map(|at| (at.stream, at.partition))
            .collect();
        let offsets = since(&keys, from)?;
        let begins = assigned.iter().filter_map(|at| {
            let &offset = offsets.get(&(at.stream, at.partition))?;
            (offset < at.next).then(|| {
                let (partition, new_from) = (at.partition, at.next);
                info!(
                    partition,
                    offset, new_from, "reading published records again to rebuild state"
                );
                Begin {
                    stream: at.stream,
                    partition,
                    offset,
                    new_from,
                }
            })
        });
        Ok(begins.collect())
    }

    fn revoked(&self, _partitions: &[(u16, i32)]) {}
}
