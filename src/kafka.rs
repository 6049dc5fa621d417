//! The settings of librdkafka that source and sink share, checked before librdkafka gets them.
//!
//! Reads the secrets that the configuration refers to; they appear in no error message.

mod built_in;
pub mod instance;
pub mod log_pause;
pub mod refusal;

use std::collections::BTreeMap;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

pub use self::built_in::{BuiltIn, built_in, client_description};
use crate::secret;

/// Properties of librdkafka, by its own names.
pub type Properties = BTreeMap<String, String>;

/// Why a property is refused. The message never shows the value: it may be secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PropertyError {
    /// It would run code, weaken the connection, or change a property that the engine depends on.
    #[error("while reading Kafka property `{name}`: it is not allowed, because {because}")]
    Denied {
        /// The property.
        name: String,
        /// Why it is not allowed.
        because: &'static str,
    },
    /// It holds a secret, which is written in the configuration file.
    #[error(
        "while reading Kafka property `{name}`: a secret must not stand here; \
         write `env:NAME` or `file:PATH`"
    )]
    LiteralSecret {
        /// The property.
        name: String,
    },
    /// librdkafka does not know it, or refuses its value. Its own message would show the value.
    #[error(
        "while reading Kafka property `{name}`: {because}; the names, the values and their ranges are in \
         librdkafka's CONFIGURATION.md"
    )]
    Refused {
        /// The property.
        name: String,
        /// What librdkafka refuses.
        because: &'static str,
    },
    /// The variable or the file that it refers to cannot be read.
    #[error("while reading Kafka property `{name}` from `{reference}`: {reason}")]
    Unreadable {
        /// The property.
        name: String,
        /// `env:NAME` or `file:PATH`.
        reference: String,
        /// The system's error.
        reason: String,
    },
    /// It needs a part of librdkafka that this binary does not have.
    #[error("while reading Kafka property `{name}`: {lacking}")]
    NotBuiltIn {
        /// The property.
        name: String,
        /// What is not there, and what to do.
        lacking: &'static str,
    },
}

/// The configuration of a client: `defaults`, then `properties`, each checked and its secret read.
///
/// # Errors
/// [`PropertyError`] for the first property that is refused.
pub fn client_config(
    bootstrap: &str,
    defaults: &[(&str, &str)],
    properties: &Properties,
) -> Result<ClientConfig, PropertyError> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    for (name, value) in COMMON.iter().chain(defaults) {
        config.set(*name, *value);
    }
    for (name, value) in properties {
        let value = resolved(name, value)?;
        if let Some(lacking) = built_in::lacking(name, &value, built_in()) {
            return Err(PropertyError::NotBuiltIn {
                name: name.clone(),
                lacking,
            });
        }
        try_out(name, &value)?;
        config.set(name, value);
    }
    Ok(config)
}

/// Lets librdkafka look at one property.
fn try_out(name: &str, value: &str) -> Result<(), PropertyError> {
    let mut alone = ClientConfig::new();
    let tried = alone.set(name, value).create_native_config();
    let because = match tried {
        Ok(_) => return Ok(()),
        Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..)) => {
            "librdkafka knows no such property"
        }
        Err(KafkaError::ClientConfig(_, why, ..))
            if why.contains("not supported in this build") =>
        {
            "this build cannot do it; build with `--features kafka-tls`"
        }
        Err(KafkaError::ClientConfig(..)) => "librdkafka refuses its value",
        Err(_) => "its name or its value has a byte of zero",
    };
    Err(PropertyError::Refused {
        name: name.to_owned(),
        because,
    })
}

fn resolved(name: &str, value: &str) -> Result<String, PropertyError> {
    if let Some((_, because)) = DENIED.iter().find(|(denied, _)| *denied == name) {
        return Err(PropertyError::Denied {
            name: name.to_owned(),
            because,
        });
    }
    let unreadable = |reason: String| PropertyError::Unreadable {
        name: name.to_owned(),
        reference: value.to_owned(),
        reason,
    };
    if let Some(secret) = secret::resolve(value) {
        return secret.map_err(unreadable);
    }
    if SECRET.contains(&name) {
        return Err(PropertyError::LiteralSecret {
            name: name.to_owned(),
        });
    }
    Ok(value.to_owned())
}

/// Defaults of source and sink. Reconnect soon after a broker was away: librdkafka's default waits up to 10
/// s.
const COMMON: [(&str, &str); 4] = [
    // Warnings at the creation of a client show the values of properties, some of which are secret.
    ("log_level", "3"),
    ("client.id", "foretick"),
    ("reconnect.backoff.ms", "50"),
    ("reconnect.backoff.max.ms", "1000"),
];

const RUNS_CODE: &str = "it makes the client run a program or load a library";
const UNSAFE: &str = "it would let anyone impersonate the broker or a user";
const OURS: &str = "it is set by the engine, which depends on it; use the engine's own setting";

const INSTANCE: &str = "the engine makes it of the instance's name: set `[kafka] instance`";
const PROTOCOL: &str = "the engine's settings depend on it: set `[kafka] protocol`";

const DENIED: [(&str, &str); 22] = [
    ("plugin.library.paths", RUNS_CODE),
    ("sasl.kerberos.kinit.cmd", RUNS_CODE),
    ("ssl.engine.location", RUNS_CODE),
    ("ssl.providers", RUNS_CODE),
    ("enable.sasl.oauthbearer.unsecure.jwt", UNSAFE),
    ("enable.ssl.certificate.verification", UNSAFE),
    ("ssl.endpoint.identification.algorithm", UNSAFE),
    ("https.ca.location", UNSAFE),
    ("bootstrap.servers", OURS),
    ("metadata.broker.list", OURS),
    ("group.id", OURS),
    ("auto.offset.reset", OURS),
    ("enable.auto.commit", OURS),
    ("enable.auto.offset.store", OURS),
    ("auto.commit.enable", OURS),
    ("enable.partition.eof", OURS),
    ("enable.idempotence", OURS),
    ("acks", OURS),
    ("request.required.acks", OURS),
    ("group.instance.id", INSTANCE),
    ("transactional.id", INSTANCE),
    ("group.protocol", PROTOCOL),
];

const SECRET: [&str; 10] = [
    "sasl.password",
    "sasl.oauthbearer.client.credentials.client.secret",
    "ssl.truststore.password",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.config",
    "sasl.oauthbearer.assertion.private.key.pem",
    "sasl.oauthbearer.assertion.private.key.passphrase",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.password",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::scratch::Scratch;

    fn read(name: &str, value: &str) -> Result<Option<String>, PropertyError> {
        let properties = Properties::from([(name.to_owned(), value.to_owned())]);
        let config = client_config("127.0.0.1:1", &[("fetch.min.bytes", "1")], &properties)?;
        Ok(config.get(name).map(ToOwned::to_owned))
    }

    #[test]
    fn a_property_that_runs_code_or_weakens_the_connection_is_denied() {
        for (name, _) in DENIED {
            let refused = read(name, "env:PATH");
            assert!(
                matches!(refused, Err(PropertyError::Denied { .. })),
                "{name}"
            );
        }
        assert_eq!(read("fetch.min.bytes", "7"), Ok(Some("7".into())));
    }

    #[test]
    fn a_property_that_librdkafka_refuses_is_named_without_its_value() {
        for (name, value, why) in [
            ("sasl.passwort", "env:PATH", "knows no such property"),
            ("fetch.min.bytes", "hunter2", "refuses its value"),
            ("fetch.min.bytes", "-7777", "refuses its value"),
            ("client.id", "hunter2\0", "a byte of zero"),
        ] {
            let error = read(name, value).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(why), "{error}");
            for value in ["hunter2", "-7777", &std::env::var("PATH").unwrap()] {
                assert!(!error.contains(value), "{error}");
            }
        }
        #[cfg(not(feature = "kafka-tls"))]
        {
            let error = read("ssl.ca.location", "/none").unwrap_err().to_string();
            assert!(error.contains("--features kafka-tls"), "{error}");
        }
    }

    #[test]
    fn a_literal_secret_is_refused_and_not_repeated() {
        for name in SECRET {
            let error = read(name, "hunter2").unwrap_err();
            assert!(
                matches!(error, PropertyError::LiteralSecret { .. }),
                "{name}"
            );
            assert!(!error.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn a_reference_to_a_secret_is_resolved() {
        let path = std::env::var("PATH").unwrap();
        assert_eq!(read("sasl.password", "env:PATH"), Ok(Some(path)));
        let scratch = Scratch::new();
        let file = scratch.write("secret", "hunter2\n");
        let reference = format!("file:{}", file.display());
        assert_eq!(
            read("sasl.password", &reference),
            Ok(Some("hunter2".into()))
        );
        std::fs::remove_file(&file).unwrap();
        let gone = read("sasl.password", &reference).unwrap_err();
        assert!(gone.to_string().contains(&reference), "{gone}");
    }
}
