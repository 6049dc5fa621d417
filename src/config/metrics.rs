//! `[metrics]`: the server of metrics and health.

use serde::Deserialize;

/// `[metrics]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// The address that serves `/metrics`, `/healthz` and `/readyz`; an empty text serves none. Default:
    /// `"127.0.0.1:9464"`, which only this machine reaches.
    pub listen: String,
    /// How long instruments may wait for a book or a quote that their features need before `/readyz` says so,
    /// in milliseconds. Default: `30000`: a snapshot takes a few seconds.
    pub waiting_ms: u64,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9464".into(),
            waiting_ms: 30_000,
        }
    }
}
