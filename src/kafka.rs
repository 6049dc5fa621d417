//! The settings of librdkafka that source and sink share, checked before librdkafka gets them.
//!
//! Reads the secrets that the configuration refers to; they appear in no error message.

pub mod instance;
pub mod log_pause;
pub mod refusal;

use std::collections::BTreeMap;

use rdkafka::ClientConfig;

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
        config.set(name, resolved(name, value)?);
    }
    Ok(config)
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
const COMMON: [(&str, &str); 3] = [
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

const SECRET: [&str; 8] = [
    "sasl.password",
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
