//! The consumer group that a Kafka source is a member of, for those who commit offsets in its name.
//!
//! Does not poll, and keeps no consumer alive.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerGroupMetadata};

use super::membership::Membership;
use super::settings::KafkaSourceSettings;
use super::topics::Topics;

/// A handle to the group, shared by the source's thread and the sink. It is empty until the consumer exists,
/// and again once the source has ended.
pub struct Group {
    topics: Topics,
    consumer: Mutex<Weak<BaseConsumer<Membership>>>,
}

impl Group {
    /// The group of a source that has not connected yet.
    #[must_use]
    pub fn new(settings: &KafkaSourceSettings) -> Self {
        Self {
            topics: Topics::new(&settings.topics, settings.first_stream),
            consumer: Mutex::default(),
        }
    }

    /// What identifies the member and the generation of its group now: ask for each transaction anew, a
    /// rebalance changes it.
    #[must_use]
    pub fn metadata(&self) -> Option<ConsumerGroupMetadata> {
        self.consumer()?.group_metadata()
    }

    /// The topic of a stream; none of a stream that is not this source's.
    #[must_use]
    pub fn topic_of(&self, stream: u16) -> Option<String> {
        self.topics.of(stream).map(str::to_owned)
    }

    /// The consumer, while it exists.
    pub(super) fn consumer(&self) -> Option<Arc<BaseConsumer<Membership>>> {
        let consumer = self.consumer.lock();
        consumer.unwrap_or_else(PoisonError::into_inner).upgrade()
    }

    /// The consumer exists now.
    pub(super) fn set_consumer(&self, consumer: &Arc<BaseConsumer<Membership>>) {
        let mut held = self.consumer.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Arc::downgrade(consumer);
    }
}
