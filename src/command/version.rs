//! What `foretick --version` prints: the version, and what the client for Kafka can do.

use std::sync::LazyLock;

use crate::kafka::client_description;

/// The version and the client for Kafka, a line each.
pub(super) fn long_version() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let version = env!("CARGO_PKG_VERSION");
        format!("{version}\nKafka: {}", client_description())
    });
    TEXT.as_str()
}
