//! What the clock means to the shards of a live run: when signals are late, and how often there is a tick.

use std::time::Duration;

use crate::config::{DeliveryMode, RowOn, SourceKind};
use crate::pipeline::Pipeline;
use crate::run::lateness::LateRule;
use crate::source::snapshot_requests::SnapshotRequests;

/// Whether signals must depend on the records alone, where the pipeline does not say otherwise: those of an
/// undisturbed run are promised.
fn is_without_clock(pipeline: &Pipeline) -> bool {
    pipeline.file.sink.delivery == DeliveryMode::ExactlyOnce
}

/// When signals are late; none for a run up to the end of its topics, which begins behind.
pub(super) fn late_rule(pipeline: &Pipeline, until_end: bool) -> Option<LateRule> {
    let is_of_records = match pipeline.file.row.on {
        RowOn::Trade | RowOn::Quote | RowOn::Book | RowOn::Bar => false,
        RowOn::Application | RowOn::Statement | RowOn::News => true,
    };
    let millis = pipeline.file.engine.late_after_ms;
    let age_max = match millis {
        Some(millis) => Some(Duration::from_millis(millis)),
        None if is_of_records => None,
        None => Some(LATE_AFTER),
    };
    let by_default = millis.is_none() && is_without_clock(pipeline);
    (millis != Some(0) && !until_end && !by_default).then_some(LateRule { age_max })
}

/// How old the input of a signal about a market may be, where the configuration does not say.
const LATE_AFTER: Duration = Duration::from_secs(1);

/// How often a shard makes a tick of the clock: where a market comes from Kafka, and not up to the end of the
/// topics, which are old.
pub(super) fn shard_tick(pipeline: &Pipeline, until_end: bool) -> Option<Duration> {
    let of_source = pipeline.file.source.kind == SourceKind::Kafka && !until_end;
    let is_of_market = match pipeline.file.row.on {
        RowOn::Trade | RowOn::Quote | RowOn::Book | RowOn::Bar => true,
        RowOn::Application | RowOn::Statement | RowOn::News => false,
    };
    let by_default = pipeline.file.source.tick_ms.is_none() && is_without_clock(pipeline);
    (of_source && is_of_market && !by_default).then(|| pipeline.file.source.tick())?
}

/// Where a shard says which books need snapshots: of Kafka, whose records may be old, as long as they are of
/// now.
pub(super) fn snapshot_reports(
    pipeline: &Pipeline,
    requests: &SnapshotRequests,
    shard: usize,
) -> SnapshotRequests {
    let requests = requests.of_shard(shard);
    match pipeline.file.source.kind {
        SourceKind::Websocket => requests,
        SourceKind::Kafka => requests.of_recent(SNAPSHOT_OF_USE),
    }
}

/// How old the newest record may be for a snapshot of now to be of use to its book.
const SNAPSHOT_OF_USE: Duration = Duration::from_secs(10);
