//! `[signal]`: what all signals of the pipeline have in common.

use serde::Deserialize;

/// `[signal]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignalConfig {
    /// The schema that signals follow; also the default of `sink.topic`. Default: `"signals.direction.v1"`.
    pub schema: String,
    /// How far ahead a signal looks, in milliseconds. It must agree with the model's metadata and with
    /// `label.horizon_ms` where these are set. Default: their value; signals have no horizon where neither is
    /// set.
    pub horizon_ms: Option<i64>,
    /// Whether signals are marked `shadow`: made for comparison, not to be acted on. Default: `false`.
    pub shadow: bool,
}

impl Default for SignalConfig {
    fn default() -> Self {
        Self {
            schema: "signals.direction.v1".into(),
            horizon_ms: None,
            shadow: false,
        }
    }
}
