//! The records of a partition of a topic, as lines of a capture: a receive time where the producer has
//! written one into the header `ts_recv`, and the message.

use std::io;

use tracing::debug;

use super::event_time::event_time;
use super::kafka::topic_partitions::TopicPartition;
use super::kafka::whole_topic::TopicError;
use super::span_end::{LineUse, SpanEnd};
use crate::units::Nanos;

/// The records of a partition within a span of time, in the order of their offsets.
pub(super) struct TopicLines {
    partition: TopicPartition,
    /// Records of earlier times are passed over.
    begin: Option<Nanos>,
    end: Option<SpanEnd>,
    /// The time of the last record that has one.
    time: Option<Nanos>,
    /// The offset of the last record.
    offset: i64,
    /// Records that delete their key, which say nothing to the engine.
    deletions: u64,
}

impl TopicLines {
    /// The records from `begin` on up to the end of the span.
    pub(super) fn new(
        partition: TopicPartition,
        begin: Option<Nanos>,
        end: Option<SpanEnd>,
    ) -> Self {
        Self {
            partition,
            begin,
            end,
            time: None,
            offset: 0,
            deletions: 0,
        }
    }

    /// Partition and offset of the record that was read last.
    pub(super) fn address(&self) -> (i32, i64) {
        (self.partition.number(), self.offset)
    }

    /// How much has been read, in bytes: a record counts as so many.
    pub(super) fn progress(&self) -> (u64, u64) {
        let (read, all) = self.partition.progress();
        (read * RECORD_BYTES, all * RECORD_BYTES)
    }

    /// The next record that is of use; false at the end.
    pub(super) fn next_line(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        while let Some(record) = self.partition.next_record().map_err(failed)? {
            self.offset = record.offset;
            let Some(message) = record.value else {
                self.deletions += 1;
                continue;
            };
            self.time = record
                .ts_recv
                .or_else(|| event_time(&message))
                .or(self.time);
            if self
                .begin
                .zip(self.time)
                .is_some_and(|(begin, time)| time < begin)
            {
                continue;
            }
            let received = record.ts_recv.or(record.written);
            let line_use = self
                .end
                .as_mut()
                .map(|end| end.use_of_record(received, &message));
            match line_use {
                Some(LineUse::Ended) => {
                    self.partition.close().map_err(failed)?;
                    break;
                }
                Some(LineUse::PassedOver) => continue,
                Some(LineUse::Taken) | None => {}
            }
            match record.ts_recv {
                Some(ts_recv) => {
                    *line = format!("{} ", ts_recv.0).into_bytes();
                    line.extend_from_slice(&message);
                }
                None => *line = message,
            }
            return Ok(true);
        }
        if self.deletions > 0 {
            let (partition, records) =
                (self.partition.number(), std::mem::take(&mut self.deletions));
            debug!(
                partition,
                records, "passed over records without a value: they delete their keys"
            );
        }
        Ok(false)
    }
}

fn failed(error: TopicError) -> io::Error {
    io::Error::other(error)
}

/// What a record counts as beside the bytes of files.
const RECORD_BYTES: u64 = 128;
