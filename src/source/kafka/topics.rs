//! The topics of a source, and the streams that stand for them in frames.

use rdkafka::TopicPartitionList;
use rustc_hash::FxHashMap;

use super::partition::PartitionKey;

/// Topics by stream (see [`Origin::stream`](crate::frame::Origin::stream)), and the other way round.
#[derive(Clone, Debug)]
pub(super) struct Topics {
    names: Vec<String>,
    first_stream: u16,
    streams: FxHashMap<String, u16>,
}

impl Topics {
    /// The topics, of which the first has this stream.
    pub(super) fn new(names: &[String], first_stream: u16) -> Self {
        Self {
            names: names.to_vec(),
            first_stream,
            streams: names.iter().cloned().zip(first_stream..).collect(),
        }
    }

    /// All streams.
    pub(super) fn streams(&self) -> impl Iterator<Item = u16> {
        (self.first_stream..).take(self.names.len())
    }

    /// The first topic.
    pub(super) fn first(&self) -> Option<&str> {
        self.names.first().map(String::as_str)
    }

    /// The topic of a stream.
    pub(super) fn of(&self, stream: u16) -> Option<&str> {
        let at = stream.checked_sub(self.first_stream)?;
        self.names.get(usize::from(at)).map(String::as_str)
    }

    /// The stream of a topic.
    pub(super) fn stream_of(&self, topic: &str) -> Option<u16> {
        self.streams.get(topic).copied()
    }

    /// A list of these partitions, as the client takes it.
    pub(super) fn list(
        &self,
        partitions: impl IntoIterator<Item = PartitionKey>,
    ) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (stream, partition) in partitions {
            if let Some(topic) = self.of(stream) {
                list.add_partition(topic, partition);
            }
        }
        list
    }

    /// The partitions of a list of the client's.
    pub(super) fn keys(&self, list: &TopicPartitionList) -> Vec<PartitionKey> {
        let elements = list.elements();
        let key = elements.iter().filter_map(|element| {
            let stream = self.stream_of(element.topic())?;
            Some((stream, element.partition()))
        });
        key.collect()
    }
}
