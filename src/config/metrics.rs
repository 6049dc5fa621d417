//! `[metrics]`: the server of metrics and health.

use serde::Deserialize;

/// `[metrics]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// The address that serves `/metrics`, `/healthz` and `/readyz`; an empty text serves none. Default:
    /// `"127.0.0.1:9464"`, which only this machine reaches.
    pub listen: String,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9464".into(),
        }
    }
}
