//! The partitions of a topic as inputs of their own, each read at its own pace up to where it ended at the
//! opening: whoever merges them asks for the next record of one.
//!
//! One client reads all of them. What came of a partition before its turn waits, in bounded memory: a
//! partition of which much waits is paused.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::whole_topic::{TopicAddress, TopicError, TopicRecord, TopicStep, WholeTopic};
use crate::clock;
use crate::kafka::Properties;
use crate::units::Nanos;

/// A partition of a topic, which shares its client with the others.
#[derive(Clone)]
pub(crate) struct TopicPartition {
    number: i32,
    topic: Arc<Mutex<OpenTopic>>,
}

struct OpenTopic {
    topic: WholeTopic,
    waiting: BTreeMap<i32, WaitingRecords>,
}

/// What came of a partition and was not asked for yet.
#[derive(Default)]
struct WaitingRecords {
    records: VecDeque<TopicRecord>,
    bytes: usize,
    is_paused: bool,
}

/// A partition with more waiting records, or bytes of them, is paused.
const RECORDS_MAX: usize = 4_096;
const BYTES_MAX: usize = 4 << 20;

impl TopicPartition {
    /// Opens the partitions of a topic, in their order. Each begins at its first record that was written at
    /// `since` or later, where that is given.
    ///
    /// # Errors
    /// [`TopicError`].
    pub(crate) fn open_all(
        address: TopicAddress,
        properties: &Properties,
        since: Option<Nanos>,
    ) -> Result<Vec<Self>, TopicError> {
        let topic = WholeTopic::open_since(address, properties, since)?;
        let numbers = topic.partitions();
        let waiting = numbers
            .iter()
            .map(|&number| (number, WaitingRecords::default()));
        let topic = Arc::new(Mutex::new(OpenTopic {
            waiting: waiting.collect(),
            topic,
        }));
        let one = |number| Self {
            number,
            topic: Arc::clone(&topic),
        };
        Ok(numbers.into_iter().map(one).collect())
    }

    /// Its number.
    pub(crate) fn number(&self) -> i32 {
        self.number
    }

    /// Its next record; none at its end.
    ///
    /// # Errors
    /// [`TopicError`] where brokers refuse it, or are silent for long.
    pub(crate) fn next_record(&self) -> Result<Option<TopicRecord>, TopicError> {
        self.lock().next_of(self.number)
    }

    /// Reads no more of it.
    ///
    /// # Errors
    /// [`TopicError`].
    pub(crate) fn close(&self) -> Result<(), TopicError> {
        let mut open = self.lock();
        open.waiting.remove(&self.number);
        open.topic.close(self.number)
    }

    /// Records that have been read, those that wait among them, and how many there are.
    pub(crate) fn progress(&self) -> (u64, u64) {
        self.lock().topic.progress_of(self.number)
    }

    fn lock(&self) -> MutexGuard<'_, OpenTopic> {
        self.topic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenTopic {
    fn next_of(&mut self, number: i32) -> Result<Option<TopicRecord>, TopicError> {
        let mut since = clock::instant();
        loop {
            if let Some(waiting) = self.waiting.get_mut(&number) {
                if let Some(record) = waiting.pop() {
                    return Ok(Some(record));
                }
                if std::mem::take(&mut waiting.is_paused) {
                    self.topic.resume(number)?;
                }
            }
            if !self.topic.is_open(number) {
                return Ok(None);
            }
            match self.topic.step()? {
                TopicStep::Record(record) => {
                    since = clock::instant();
                    self.keep(record)?;
                }
                TopicStep::Passed => since = clock::instant(),
                TopicStep::Silent => self.topic.check_silence(since)?,
            }
        }
    }

    /// Keeps a record until it is asked for.
    fn keep(&mut self, record: TopicRecord) -> Result<(), TopicError> {
        let number = record.partition;
        let Some(waiting) = self.waiting.get_mut(&number) else {
            return Ok(());
        };
        waiting.push(record);
        if waiting.is_full() && !waiting.is_paused {
            waiting.is_paused = true;
            self.topic.pause(number)?;
        }
        Ok(())
    }
}

impl WaitingRecords {
    fn push(&mut self, record: TopicRecord) {
        self.bytes += bytes_of(&record);
        self.records.push_back(record);
    }

    fn pop(&mut self) -> Option<TopicRecord> {
        let record = self.records.pop_front()?;
        self.bytes -= bytes_of(&record);
        Some(record)
    }

    fn is_full(&self) -> bool {
        self.records.len() >= RECORDS_MAX || self.bytes >= BYTES_MAX
    }
}

fn bytes_of(record: &TopicRecord) -> usize {
    record.value.as_ref().map_or(0, Vec::len)
}
