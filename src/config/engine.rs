//! `[engine]`: threads, batches and buffers.

use serde::Deserialize;

/// `[engine]`. No key changes a signal's scores.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineConfig {
    /// The number of engine threads. Each owns a share of the instruments and its own model session. Default:
    /// `1`, which one processor core serves.
    pub shards: usize,
    /// The most frames that a shard takes from its ring at once; their rows are scored together. Default:
    /// `256`.
    pub batch: usize,
    /// The most frames that may wait for a shard. A full ring pauses Kafka partitions; a websocket conflates
    /// quotes and drops other frames with a gap. Default: `8192`.
    pub ring_frames: usize,
    /// The most bytes that these frames may have together; one larger frame may wait alone. Default:
    /// `33554432` (32 MiB).
    pub ring_bytes: usize,
    /// How old the input of a signal may be when the signal leaves, in milliseconds since it was received
    /// first, before the signal is `late`; one that leaves after its `valid_until` is `late` too. `0` marks
    /// neither. Applies to `run` without `--until-end`: a run over old records is always behind. Default:
    /// `1000`, or any age where `row.on` is `application`, `statement` or `news`, which count for longer;
    /// with `sink.delivery = "exactly_once"` `0`, because its signals depend on the records alone.
    pub late_after_ms: Option<u64>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            shards: 1,
            batch: 256,
            ring_frames: 8_192,
            ring_bytes: 32 << 20,
            late_after_ms: None,
        }
    }
}
