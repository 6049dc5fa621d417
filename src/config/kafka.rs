//! `[kafka]`: the connection to Kafka, for source and sink.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// `[kafka]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KafkaConfig {
    /// The brokers to connect to first, as `host:port`, comma-separated. Default: the environment variable
    /// `KAFKA_BOOTSTRAP`, and where that is not set `127.0.0.1:9092`.
    pub bootstrap: Option<String>,
    /// The consumer group; instances of one group share the partitions. Default: the pipeline's `name`.
    pub group: Option<String>,
    /// The name of this instance in its group, of letters, digits, `.`, `_` and `-`. It must be the same
    /// after a restart, so that the group gives the partitions back at once, and different for each
    /// instance of the group. Default: the host's name and the lowest number that no other process on it
    /// has, such as `host-0`. Processes see each other's numbers by lock files in the folder of temporary
    /// files: set the name where they do not share that folder, as two containers or two systemd units.
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
    #[serde(deserialize_with = "properties")]
    pub properties: BTreeMap<String, String>,
}

/// A number or a word without quotes is a value as well: `"fetch.min.bytes" = 7`. No message shows a value,
/// which may be a secret.
fn properties<'de, D: Deserializer<'de>>(table: D) -> Result<BTreeMap<String, String>, D::Error> {
    let written = BTreeMap::<String, toml::Value>::deserialize(table)?;
    let text = |(name, value): (String, toml::Value)| match value {
        toml::Value::String(text) => Ok((name, text)),
        toml::Value::Integer(number) => Ok((name, number.to_string())),
        toml::Value::Float(number) => Ok((name, number.to_string())),
        toml::Value::Boolean(truth) => Ok((name, truth.to_string())),
        toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => {
            Err(D::Error::custom(format!(
                "the property `{name}` is neither text nor a number; a name with dots stands in quotes: \
                 \"fetch.min.bytes\" = 1"
            )))
        }
    };
    written.into_iter().map(text).collect()
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
