//! Where partitions end: when a run that is to end does, and when the order of several topics is known.

use rdkafka::Offset;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use tracing::warn;

use super::{PROBE_TIMEOUT, Reader};

impl Reader {
    /// Whether every assigned partition is read to where it ended when it was assigned.
    pub(super) fn at_end(&mut self) -> bool {
        if !self.assigned || self.lanes.values().any(|lane| !lane.held.is_empty()) {
            return false;
        }
        self.read_up();
        if self.merge.as_ref().is_some_and(|merge| !merge.is_over()) {
            return false;
        }
        let all: Vec<_> = self.lanes.keys().copied().collect();
        all.into_iter().all(|at| self.is_read(at))
    }

    /// Learns which partitions have been read to where they ended when they were assigned.
    pub(super) fn read_up(&mut self) {
        let Some(merge) = self.merge.as_ref().filter(|merge| !merge.is_over()) else {
            return;
        };
        let behind = merge.behind();
        let read: Vec<_> = behind.into_iter().filter(|&at| self.is_read(at)).collect();
        for at in read {
            if let Some(merge) = &mut self.merge {
                merge.is_read(at);
            }
        }
    }

    /// Whether a partition is read to where it ended when it was assigned.
    fn is_read(&mut self, (stream, partition): (u16, i32)) -> bool {
        let lane = self.lanes.entry((stream, partition)).or_default();
        let (mut next, span) = (lane.next, lane.span);
        let (begin, end) = match span.map_or_else(|| self.span(stream, partition), Ok) {
            Ok(span) => span,
            Err(error) => {
                warn!(partition, %error, "cannot learn where the partition ends yet");
                return false;
            }
        };
        self.lanes.entry((stream, partition)).or_default().span = Some((begin, end));
        // The position also moves past the marks of transactions, which are no records.
        let topic = self.consumer.context().topic_of(stream);
        if let Ok(positions) = self.consumer.position()
            && let Some(position) = positions.find_partition(topic, partition)
            && let Offset::Offset(read) = position.offset()
        {
            next = next.max(read);
        }
        next.max(begin) >= end
    }

    /// Where reading begins and ends.
    fn span(&self, stream: u16, partition: i32) -> Result<(i64, i64), KafkaError> {
        let topic = self.consumer.context().topic_of(stream);
        let (low, high) = self
            .consumer
            .fetch_watermarks(topic, partition, PROBE_TIMEOUT)?;
        let committed = self
            .consumer
            .committed_offsets(self.just(stream, partition), PROBE_TIMEOUT)?;
        let begin = match committed.elements().first().map(|element| element.offset()) {
            _ if self.consumer.context().reads_again(stream, partition) => low,
            Some(Offset::Offset(next)) => next,
            _ if self.settings.from_beginning => low,
            _ => high,
        };
        Ok((begin, high))
    }
}
