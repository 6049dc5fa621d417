//! `[kafka]`: the connection to Kafka, for source and sink.

use std::collections::BTreeMap;

use serde::Deserialize;

/// `[kafka]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KafkaConfig {
    /// The brokers to connect to first, as `host:port`, comma-separated. Default: the environment variable
    /// `KAFKA_BOOTSTRAP`, and where that is not set `127.0.0.1:9092`.
    pub bootstrap: Option<String>,
    /// The consumer group; instances of one group share the partitions. Default: the pipeline's `name`.
    pub group: Option<String>,
    /// Whether the broker is the in-memory one of `demo`, which does not answer a waiting fetch when a record
    /// arrives. Default: `false`.
    pub embedded: bool,
    /// Properties of librdkafka for consumer and producer, by librdkafka's names. Secrets are written as
    /// `env:NAME` or `file:PATH`; a property that the engine depends on is refused. Default: `{}`.
    pub properties: BTreeMap<String, String>,
}
