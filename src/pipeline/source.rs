//! The settings of a pipeline's source: Kafka, tables, and what holds for all.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::config::{
    DeliveryMode, GroupProtocol, KafkaConfig, PipelineFile, RowOn, SourceConfig, StartOffset,
    TableConfig,
};
use crate::decode::AHEAD_NS;
use crate::decode::venue::Venue;
use crate::decode::venues::Venues;
use crate::kafka::instance::{InstanceSlot, instance_slot};
use crate::source::kafka::{CommitBy, KafkaSourceSettings};
use crate::source::table::ColumnNames;

/// All venues, first those that the listed instruments are of, and the one that the pipeline describes.
pub(super) fn venues_of(source: &SourceConfig, described: Option<&'static dyn Venue>) -> Venues {
    let names = source.instruments.iter();
    let listed = names.filter_map(|name| Some(name.rsplit_once('.')?.1));
    let venues = match described {
        Some(venue) => Venues::default().with(venue),
        None => Venues::default(),
    };
    venues.preferring(listed.chain(described.map(Venue::name)))
}

/// Bytes of the largest frame, where the configuration does not say: the default, or the largest message
/// that a venue of the listed instruments sends.
pub(super) fn usual_frame_bytes_max(source: &SourceConfig, venues: &Venues) -> usize {
    let names = source.instruments.iter();
    let listed = names.filter_map(|name| venues.named(name.rsplit_once('.')?.1));
    let largest = listed.map(|venue| venue.limits().message_bytes_max).max();
    largest.unwrap_or_default().max(source.max_frame_bytes)
}

/// How far the time of an event may be ahead of its receive time, in nanoseconds.
pub(super) fn max_ahead_ns(file: &PipelineFile) -> i64 {
    let default = match file.row.on {
        RowOn::Trade | RowOn::Quote | RowOn::Book => CLOCKS_DIFFER_NS,
        RowOn::Bar | RowOn::Application | RowOn::Statement | RowOn::News => AHEAD_NS,
    };
    file.source.max_ahead_ms.map_or(default, nanos_of)
}

/// How far a line of a file without receive time may be ahead of the lines around it, in nanoseconds; none
/// where lines are not in the order of time.
pub(super) fn max_jump_ns(file: &PipelineFile) -> Option<i64> {
    match file.row.on {
        RowOn::Trade | RowOn::Quote | RowOn::Book => Some(max_ahead_ns(file)),
        RowOn::Bar | RowOn::Application | RowOn::Statement | RowOn::News => {
            file.source.max_ahead_ms.map(nanos_of)
        }
    }
}

/// How much earlier than an event before it an event may be, in nanoseconds.
pub(super) fn lateness_ns(file: &PipelineFile) -> i64 {
    nanos_of(file.source.lateness_ms.unwrap_or(0))
}

pub(super) fn nanos_of(millis: u64) -> i64 {
    i64::try_from(millis.saturating_mul(1_000_000)).unwrap_or(i64::MAX)
}

/// Clocks without synchronisation differ by minutes; local times that were written as UTC by half an hour
/// or more.
const CLOCKS_DIFFER_NS: i64 = 600_000_000_000;

/// The settings of the Kafka consumer; with `until_end` it ends where the topics ended at the start.
pub(super) fn kafka(
    file: &PipelineFile,
    instance: Option<InstanceSlot>,
    until_end: bool,
) -> KafkaSourceSettings {
    let (source, kafka) = (&file.source, &file.kafka);
    KafkaSourceSettings {
        bootstrap: bootstrap(kafka),
        topics: source.topics.clone(),
        group: group(file),
        // A run that ends leaves its group, and the embedded broker knows no static members.
        instance: instance.filter(|_| !until_end && !kafka.embedded),
        is_broker_led: kafka.protocol == GroupProtocol::Consumer,
        from_beginning: source.start == StartOffset::Earliest || until_end,
        // The embedded broker keeps no timestamps.
        rebuild: (source.rebuild_ms > 0 && !kafka.embedded)
            .then(|| Duration::from_millis(source.rebuild_ms)),
        stop_at_end: until_end,
        commits: match file.sink.delivery {
            DeliveryMode::ExactlyOnce => CommitBy::Sink,
            DeliveryMode::AtLeastOnce | DeliveryMode::LowestLatency => CommitBy::Source,
        },
        commit_every: Duration::from_millis(file.sink.commit_interval_ms.unwrap_or(1_000)),
        embedded: kafka.embedded,
        max_ahead_ns: max_ahead_ns(file),
        properties: kafka.properties.clone(),
        ..KafkaSourceSettings::default()
    }
}

/// The consumer group.
pub(super) fn group(file: &PipelineFile) -> String {
    let written = file.kafka.group.clone();
    written.unwrap_or_else(|| file.name.clone())
}

/// The slot of this process in the consumer group of a pipeline, taken when it is first asked for, and held
/// as long as the pipeline or a copy of it.
#[derive(Clone, Debug, Default)]
pub(super) struct PipelineSlot(Arc<OnceLock<Option<InstanceSlot>>>);

impl PipelineSlot {
    /// The slot, by this configuration of the pipeline; none where no lock can be had.
    #[must_use]
    pub(super) fn of(&self, file: &PipelineFile) -> Option<InstanceSlot> {
        let take = || {
            let written = file.kafka.instance.as_deref();
            let slot = instance_slot(&bootstrap(&file.kafka), &group(file), written);
            slot.inspect_err(|error| {
                tracing::warn!(%error, "no name can be had for this instance: set `[kafka] instance`");
            })
            .ok()
        };
        self.0.get_or_init(take).clone()
    }
}

/// Kafka's address: of the configuration, else of the environment, else the default.
pub(super) fn bootstrap(kafka: &KafkaConfig) -> String {
    let environment = || {
        std::env::var("KAFKA_BOOTSTRAP")
            .ok()
            .filter(|text| !text.is_empty())
    };
    let written = kafka.bootstrap.clone();
    written
        .or_else(environment)
        .unwrap_or_else(|| "127.0.0.1:9092".into())
}

/// The columns of a table that are no fields of a record.
pub(super) fn column_names(table: &TableConfig) -> ColumnNames {
    ColumnNames {
        key: table.key.clone(),
        period: table.period.clone(),
        ts_event: table.ts_event.clone(),
        outcome: table.outcome.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_frame_is_that_of_the_venue() {
        let of = |names: &[&str]| {
            let source = SourceConfig {
                instruments: names.iter().map(|&name| name.to_owned()).collect(),
                ..SourceConfig::default()
            };
            usual_frame_bytes_max(&source, &Venues::default())
        };
        assert_eq!(of(&[]), 4 << 20);
        assert_eq!(of(&["BTC-USDT.OKX", "AAPL"]), 4 << 20);
        assert_eq!(of(&["BTC-USD.COINBASE", "BTCUSDT.BINANCE"]), 32 << 20);
    }
}
