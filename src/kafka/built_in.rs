//! What librdkafka was built with, and which properties need more than that.
//!
//! Encryption and SCRAM come from OpenSSL, with which a build links only where its headers are.

use std::sync::OnceLock;

use rdkafka::ClientConfig;
use rdkafka::bindings::RD_KAFKA_VERSION;

/// What librdkafka was built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltIn {
    /// Encrypted connections: `security.protocol` SSL and SASL_SSL.
    pub tls: bool,
    /// Logins by SCRAM-SHA-256 and SCRAM-SHA-512.
    pub scram: bool,
}

/// What this binary's librdkafka was built with.
pub fn built_in() -> BuiltIn {
    static FOUND: OnceLock<BuiltIn> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let config = ClientConfig::new().create_native_config();
        let features = config.and_then(|config| config.get("builtin.features"));
        let features = features.unwrap_or_default();
        let has = |name| features.split(',').any(|feature| feature.trim() == name);
        BuiltIn {
            tls: has("ssl"),
            scram: has("sasl_scram"),
        }
    })
}

/// The client for Kafka, and what it can do, in words.
pub fn client_description() -> String {
    let [major, minor, patch, _] = RD_KAFKA_VERSION.to_be_bytes();
    let BuiltIn { tls, scram } = built_in();
    let can = match (tls, scram) {
        (true, true) => "with TLS; logins by PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512",
        (true, false) => "with TLS; logins by PLAIN; without SCRAM",
        (false, _) => "without TLS and SCRAM; logins by PLAIN",
    };
    format!("librdkafka {major}.{minor}.{patch} {can}")
}

/// What a property needs that `has` has not; none where it has all.
pub(super) fn lacking(name: &str, value: &str, has: BuiltIn) -> Option<&'static str> {
    let value = value.to_ascii_uppercase();
    match name {
        "security.protocol" if !has.tls && matches!(value.as_str(), "SSL" | "SASL_SSL") => {
            Some(NO_TLS)
        }
        "sasl.mechanism" | "sasl.mechanisms" => match value.as_str() {
            "GSSAPI" => Some(NO_KERBEROS),
            "SCRAM-SHA-256" | "SCRAM-SHA-512" if !has.scram => Some(NO_SCRAM),
            "OAUTHBEARER" if !has.tls => Some(NO_TLS),
            _ => None,
        },
        _ if name.starts_with("ssl.") && !has.tls => Some(NO_TLS),
        _ => None,
    }
}

const NO_TLS: &str = "this binary was built without TLS; install OpenSSL's headers (Debian: libssl-dev and \
                      pkg-config) and build again: `make build`, or `cargo build --release --features \
                      kafka-tls`";
const NO_SCRAM: &str = "this binary was built without SCRAM, which needs OpenSSL; install its headers (Debian: \
                        libssl-dev and pkg-config) and build again: `make build`, or `cargo build --release \
                        --features kafka-tls`";
const NO_KERBEROS: &str =
    "Kerberos is not built in; use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or a client certificate";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_that_needs_openssl_is_named_where_it_is_absent() {
        let (with, without) = (
            BuiltIn {
                tls: true,
                scram: true,
            },
            BuiltIn {
                tls: false,
                scram: false,
            },
        );
        for (name, value, said) in [
            ("security.protocol", "SSL", "without TLS"),
            ("security.protocol", "sasl_ssl", "without TLS"),
            ("sasl.mechanism", "SCRAM-SHA-512", "without SCRAM"),
            ("sasl.mechanisms", "SCRAM-SHA-256", "without SCRAM"),
            ("ssl.ca.location", "/etc/ca.pem", "without TLS"),
        ] {
            let found = lacking(name, value, without).unwrap_or_default();
            assert!(found.contains(said), "{name}: {found}");
            assert!(found.contains("--features kafka-tls"), "{name}: {found}");
            assert_eq!(lacking(name, value, with), None, "{name}");
        }
        for (name, value) in [
            ("security.protocol", "SASL_PLAINTEXT"),
            ("security.protocol", "plaintext"),
            ("sasl.mechanism", "PLAIN"),
            ("client.id", "SSL"),
        ] {
            assert_eq!(lacking(name, value, without), None, "{name}");
        }
        assert!(lacking("sasl.mechanism", "GSSAPI", with).is_some());
    }

    #[test]
    fn the_feature_decides_what_is_built_in() {
        let tls = cfg!(feature = "kafka-tls");
        assert_eq!(built_in(), BuiltIn { tls, scram: tls });
        assert_eq!(client_description().contains("without TLS"), !tls);
    }
}
