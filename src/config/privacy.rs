//! `[privacy]`: how identifiers of persons become tokens.

use serde::Deserialize;

/// `[privacy]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrivacyConfig {
    /// Where the secret key of the tokens is, as `env:NAME` or `file:PATH`. It must have at least 16 bytes.
    /// Required.
    pub key: String,
    /// The name of the key: letters, digits and dashes. It stands before each token, so that tokens of an old
    /// and a new key can be told apart. Required.
    pub key_id: String,
}
