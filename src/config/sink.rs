//! `[sink]`: where signals, alerts, gaps and dead letters are written.

use std::path::PathBuf;

use serde::Deserialize;

/// `[sink]`. Paths are relative to the working folder.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SinkConfig {
    /// Where signals are written: `stdout` (JSON lines), `file` or `kafka`. Default: `"stdout"`.
    pub kind: SinkKind,
    /// The file, where `kind = "file"`: JSON lines, compressed where the name ends in `.gz` or `.zst`, or
    /// Parquet where it ends in `.parquet` or `.pq`. Plain lines are appended to one that exists, behind its
    /// last whole line; one that is compressed or Parquet first gets a number in its name, as
    /// `signals.1.parquet`. `run --force` replaces it. The same holds for files of dead letters, alerts and
    /// gaps. Default: `"signals.jsonl"`.
    pub file: Option<PathBuf>,
    /// The topic of signals, where `kind = "kafka"`. Default: the name of `signal.schema`.
    pub topic: Option<String>,
    /// Where frames that cannot be read are written: a topic where `kind = "kafka"`, else a file. Default for
    /// Kafka: `<topic>.dlq.v1` of the topic that a frame came from, or of the signals where it came from
    /// none; otherwise they are dropped and counted.
    pub dead_letters: Option<String>,
    /// Where alerts are written: a topic where `kind = "kafka"`, else a file. Default for Kafka:
    /// `alerts.default.v1`; otherwise alerts are not written.
    pub alerts: Option<String>,
    /// Where gaps in the market data are written: a topic where `kind = "kafka"`, else a file. Default for
    /// Kafka: `md.gaps.v1`, and none for `""`; otherwise gaps are counted only.
    pub gaps: Option<String>,
    /// What is promised of records that go from Kafka to Kafka: `at_least_once` (none is lost; after a
    /// crash some are written again, with the same `signal_id`), `exactly_once` (each is there once for
    /// readers with `isolation.level=read_committed`: signals, alerts, gaps, dead letters and offsets are
    /// written together in transactions), or `lowest_latency` (as `at_least_once`, but one replica's word
    /// is enough: a record may be lost with its broker). Default: `"at_least_once"`.
    pub delivery: DeliveryMode,
    /// With `exactly_once`, how long a transaction collects records before it is committed, in milliseconds:
    /// they are readable only then. Otherwise how often offsets are committed. Default: `50` with
    /// `exactly_once`, else `1000`.
    pub commit_interval_ms: Option<u64>,
    /// The fields of a signal that are written, in this order. Default: `[]`, which writes all fields.
    pub fields: Vec<String>,
}

impl Default for SinkConfig {
    fn default() -> Self {
        Self {
            kind: SinkKind::Stdout,
            file: None,
            topic: None,
            dead_letters: None,
            alerts: None,
            gaps: None,
            delivery: DeliveryMode::AtLeastOnce,
            commit_interval_ms: None,
            fields: vec![],
        }
    }
}

/// What is promised of records from Kafka to Kafka.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryMode {
    /// None is lost; after a crash some are written again.
    AtLeastOnce,
    /// Each is there once, for readers of what was committed.
    ExactlyOnce,
    /// As soon as can be; some may be lost with a broker.
    LowestLatency,
}

/// Where signals are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SinkKind {
    /// Standard output, JSON lines.
    Stdout,
    /// A file.
    File,
    /// A Kafka topic.
    Kafka,
}
