//! The consumer group of a run's source, as the transactions of its sink need it.

use std::sync::Arc;

use rdkafka::consumer::ConsumerGroupMetadata;

use crate::sink::kafka::transaction::CommittingGroup;
use crate::source::kafka::{Group, Progress};

/// The group, and whether it has taken partitions away.
pub(super) struct SourceGroup {
    pub(super) group: Arc<Group>,
    pub(super) progress: Arc<Progress>,
}

impl CommittingGroup for SourceGroup {
    fn metadata(&self) -> Option<ConsumerGroupMetadata> {
        self.group.metadata()
    }

    fn topic_of(&self, stream: u16) -> Option<String> {
        self.group.topic_of(stream)
    }

    fn is_lost(&self) -> bool {
        self.progress.is_lost()
    }
}
