//! What a Kafka source shares with the rest of a run.

use std::sync::Arc;

use super::group::Group;
use super::progress::Progress;
use super::settings::KafkaSourceSettings;
use super::starts::{ReadAgain, Starts};
use crate::source::status::FeedStatus;

/// The parts of a source that others read or call while it runs.
#[derive(Clone)]
pub struct KafkaLinks {
    /// The acknowledged positions of the partitions.
    pub progress: Arc<Progress>,
    /// Counters, and whether the source is healthy.
    pub status: Arc<FeedStatus>,
    /// The consumer group, for transactions of the sink.
    pub group: Arc<Group>,
    /// Where assigned partitions begin.
    pub starts: Arc<dyn Starts>,
}

impl KafkaLinks {
    /// Links of a source that reads again what the settings say.
    #[must_use]
    pub fn new(settings: &KafkaSourceSettings) -> Self {
        Self {
            progress: Arc::default(),
            status: Arc::default(),
            group: Arc::new(Group::new(settings)),
            starts: Arc::new(ReadAgain {
                rebuild: settings.rebuild,
            }),
        }
    }
}
