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
    /// The name of this instance in its group, of letters, digits, `.`, `_` and `-`. It must be the same after a
    /// restart, so that the group gives the partitions back at once, and different for each instance of the
    /// group. Default: the host's name and the lowest number that no other process on it has, such as
    /// `host-0`.
    pub instance: Option<String>,
    /// How the members of the group share its partitions: `classic`, or `consumer` for the protocol of
    /// KIP-848, which brokers have from Kafka 4.0 on, and whose timings are theirs. Default: `"classic"`,
    /// which every broker has, and where an instance that was killed has its partitions again at once.
    pub protocol: GroupProtocol,
    /// Whether the broker is the in-memory one of `demo`, which does not answer a waiting fetch when a record
    /// arrives. Default: `false`.
    pub embedded: bool,
    /// Properties of librdkafka for consumer and producer, by librdkafka's names. Secrets are written as
    /// `env:NAME` or `file:PATH`; a property that the engine depends on is refused. Default: `{}`.
    pub properties: BTreeMap<String, String>,
}

/// How the members of a consumer group share its partitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupProtocol {
    /// The members decide, one of them for all.
    #[default]
    Classic,
    /// The broker decides (KIP-848).
    Consumer,
}
