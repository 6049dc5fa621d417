//! The name of a topic with its brokers.

use std::fmt;
use std::str::FromStr;

/// A topic as it is named on a command line: `kafka://host:port/topic`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicAddress {
    /// Brokers to ask first: `host:port`, comma-separated.
    pub bootstrap: String,
    /// The topic.
    pub topic: String,
}

/// Why a text does not name a topic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no topic; write kafka://host:port/topic, several brokers with commas between")]
pub struct AddressError(String);

impl FromStr for TopicAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let place = text.strip_prefix(SCHEME);
        let parts = place.and_then(|place| place.split_once('/'));
        let is_name = |name: &&str| !name.is_empty() && !name.contains('/');
        match parts.filter(|(bootstrap, topic)| !bootstrap.is_empty() && is_name(topic)) {
            Some((bootstrap, topic)) => Ok(Self {
                bootstrap: bootstrap.into(),
                topic: topic.into(),
            }),
            None => Err(AddressError(text.into())),
        }
    }
}

impl TopicAddress {
    /// Whether a text is meant as the address of a topic.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(SCHEME)
    }
}

impl fmt::Display for TopicAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.bootstrap, self.topic)
    }
}

const SCHEME: &str = "kafka://";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_brokers_and_a_topic() {
        let read = |text: &str| text.parse::<TopicAddress>();
        let address = read("kafka://a:9092,b:9093/signals.direction.v1").unwrap();
        assert_eq!(address.bootstrap, "a:9092,b:9093");
        assert_eq!(address.topic, "signals.direction.v1");
        assert_eq!(
            address.to_string(),
            "kafka://a:9092,b:9093/signals.direction.v1"
        );
        for wrong in [
            "kafka://a",
            "kafka:///x",
            "kafka://a/",
            "kafka://a/b/c",
            "a/b",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
