//! A gap as a record of `md.gaps.v1`, as `schemas/md.gaps.v1.json` describes it.

use serde_json::{Value, json};

use crate::engine::row::GapRecord;
use crate::instrument::venue_of;
use crate::units::Nanos;

/// The schema of a record, and its topic where none is configured.
pub const SCHEMA: &str = "md.gaps.v1";

/// What a record says beside the gap itself.
#[derive(Clone, Copy, Debug)]
pub struct GapContext<'a> {
    /// The pipeline's name.
    pub pipeline: &'a str,
    /// The name of the instrument.
    pub instrument: &'a str,
    /// The name of the stream of the frame that showed it.
    pub stream: &'a str,
}

/// The record of a gap.
#[must_use]
pub fn gap_json(gap: &GapRecord, context: GapContext<'_>) -> Value {
    let GapRecord { origin, change, .. } = gap;
    json!({
        "schema": SCHEMA,
        "pipeline": context.pipeline,
        "instrument": context.instrument,
        "venue": venue_of(context.instrument),
        "input": change.input.word(),
        "reason": change.reason.word(),
        "state": if change.to.is_some() { "closed" } else { "open" },
        "missing": (change.missing > 0).then_some(change.missing),
        "ts_event": known(gap.ts_event),
        "ts_recv": known(origin.ts_recv),
        "suspect_from": known(change.from),
        "suspect_to": change.to.and_then(known),
        "source": {
            "topic": context.stream,
            "partition": origin.partition,
            "offset": origin.offset,
        },
    })
}

fn known(ts: Nanos) -> Option<i64> {
    (ts != Nanos::UNDEFINED).then_some(ts.0)
}
