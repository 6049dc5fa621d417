//! An alert as a record of `alerts.default.v1`, as `schemas/alerts.default.v1.json` describes it.

use serde_json::{Value, json};

use super::Alert;

/// The schema of a record, and its topic where none is configured.
pub const SCHEMA: &str = "alerts.default.v1";

/// What a record says beside the alert itself.
#[derive(Clone, Copy, Debug)]
pub struct AlertContext<'a> {
    /// The pipeline's name.
    pub pipeline: &'a str,
    /// The grade of the PD; none where the model has no grades.
    pub grade: Option<&'a str>,
    /// The codes of the signal's reasons, the strongest first; empty where no signal came with the alert.
    pub reasons: &'a [&'a str],
    /// SHA-256 of the model's file.
    pub model_sha256: &'a str,
}

/// The record of an alert.
#[must_use]
pub fn record(alert: &Alert, context: AlertContext<'_>) -> Value {
    let mut record = json!({
        "schema": SCHEMA,
        "dedup_key": alert.dedup_key(),
        "pipeline": context.pipeline,
        "obligor": alert.obligor,
        "rule": alert.rule,
        "episode": alert.episode,
        "sequence": alert.sequence,
        "state": alert.state,
        "severity": alert.severity,
        "pd": alert.pd,
        "grade": context.grade,
        "reasons": context.reasons,
        "ts_event": alert.ts_event.0,
        "since": alert.since.0,
        "fired": alert.fired.map(|fired| fired.0),
        "acknowledged": alert.acknowledged,
        "model_sha256": context.model_sha256,
    });
    if alert.rule_removed {
        record["rule_removed"] = true.into();
    }
    record
}
