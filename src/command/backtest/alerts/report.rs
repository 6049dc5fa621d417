//! What a backtest of alerts found, for people and as one JSON object.

use std::fmt;

use serde::Serialize;

use crate::command::backtest::input_digest::InputFigures;
use crate::command::evaluate::alerts::{TrackRecord, TrackedPeriod};
use crate::run::summary::Summary;
use crate::signal::model::ModelIdentity;
use crate::time::rfc3339;

/// What a backtest of alerts found.
#[derive(Clone, Debug, Serialize)]
pub struct AlertsReport {
    /// The pipeline's name.
    pub pipeline: String,
    /// The model's name.
    pub model_name: String,
    /// The model's version.
    pub model_version: String,
    /// SHA-256 of the model's file.
    pub model_sha256: String,
    /// SHA-256 of the definitions of its features.
    pub features_sha256: String,
    /// The input, in the order in which it was named.
    pub inputs: Vec<InputFigures>,
    /// The digest of the signals, as `replay` gives it.
    pub digest: String,
    /// Signals.
    pub signals: u64,
    /// Labels of no signal of the input.
    pub unmatched_labels: u64,
    /// The first signal with a label: earlier episodes do not count.
    pub from: String,
    /// The end of the last horizon.
    pub to: String,
    /// How long before a failure an episode warns of it, in milliseconds.
    pub horizon_ms: f64,
    /// All rules together.
    pub alerts: TrackFigures,
    /// Each rule alone, as it is and with other thresholds.
    pub rules: Vec<RuleFigures>,
    /// What the replay did.
    #[serde(skip)]
    pub summary: Summary,
}

/// How well episodes warned of failures.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TrackFigures {
    /// As `evaluate` tells it.
    #[serde(flatten)]
    pub record: TrackRecord,
    /// The median lead, in days.
    pub lead_days_median: Option<f64>,
    /// Episodes in a week.
    pub load_per_week: Option<f64>,
}

/// A rule alone.
#[derive(Clone, Debug, Serialize)]
pub struct RuleFigures {
    /// Its name.
    pub rule: String,
    /// As it is.
    #[serde(flatten)]
    pub figures: TrackFigures,
    /// With other thresholds.
    pub by_threshold: Vec<ThresholdFigures>,
}

/// A rule with other thresholds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ThresholdFigures {
    /// `enter`, or `enter_ratio`.
    pub enter: f64,
    /// `exit`, or `exit_ratio`.
    pub exit: f64,
    /// What it would have done.
    #[serde(flatten)]
    pub figures: TrackFigures,
}

/// What the report is made of.
pub(super) struct AlertFacts<'a> {
    pub(super) pipeline: &'a str,
    pub(super) model: &'a ModelIdentity,
    pub(super) inputs: Vec<InputFigures>,
    pub(super) signals: u64,
    pub(super) unmatched_labels: u64,
    pub(super) period: TrackedPeriod,
    pub(super) all: TrackFigures,
    pub(super) rules: Vec<RuleFigures>,
    pub(super) summary: Summary,
}

impl TrackFigures {
    pub(super) fn new(record: TrackRecord) -> Self {
        Self {
            lead_days_median: record.lead_ns_median.map(|lead| lead as f64 / DAY_NS),
            load_per_week: record.load_per_year.map(|load| load / WEEKS),
            record,
        }
    }
}

impl AlertsReport {
    pub(super) fn new(facts: AlertFacts<'_>) -> Self {
        let model = facts.model;
        Self {
            pipeline: facts.pipeline.to_owned(),
            model_name: model.name.clone(),
            model_version: model.version.clone(),
            model_sha256: model.sha256.clone(),
            features_sha256: model.features_sha256.clone(),
            inputs: facts.inputs,
            digest: facts.summary.digest.clone(),
            signals: facts.signals,
            unmatched_labels: facts.unmatched_labels,
            from: rfc3339(facts.period.from),
            to: rfc3339(facts.period.to),
            horizon_ms: facts.period.horizon_ns as f64 / 1e6,
            alerts: facts.all,
            rules: facts.rules,
            summary: facts.summary,
        }
    }
}

/// A number with so many places, or a dash.
fn number(value: Option<f64>, places: usize) -> String {
    value.map_or_else(|| "-".into(), |value| format!("{value:.places$}"))
}

impl fmt::Display for AlertsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, model {}", self.pipeline, &self.model_sha256[..12])?;
        writeln!(f, "digest         {}", self.digest)?;
        let (signals, from, to) = (self.signals, &self.from, &self.to);
        writeln!(
            f,
            "signals        {signals}; episodes and failures from {from} to {to}"
        )?;
        if self.unmatched_labels > 0 {
            writeln!(
                f,
                "not used       {} labels of no signal",
                self.unmatched_labels
            )?;
        }
        let heads = [
            "episodes",
            "right",
            "failures",
            "warned",
            "precision",
            "recall",
            "lead days",
            "flaps",
            "a week",
        ];
        write!(f, "\n{:<26}", "")?;
        heads.iter().try_for_each(|head| write!(f, "{head:>11}"))?;
        writeln!(f)?;
        write_row(f, "all rules", &self.alerts)?;
        for rule in &self.rules {
            write_row(f, &rule.rule, &rule.figures)?;
            for one in &rule.by_threshold {
                let name = format!("  {} / {}", one.enter, one.exit);
                write_row(f, &name, &one.figures)?;
            }
        }
        Ok(())
    }
}

fn write_row(f: &mut fmt::Formatter<'_>, name: &str, figures: &TrackFigures) -> fmt::Result {
    let record = &figures.record;
    writeln!(
        f,
        "{name:<26}{:>11}{:>11}{:>11}{:>11}{:>11}{:>11}{:>11}{:>11}{:>11}",
        record.episodes,
        record.right,
        record.failures,
        record.warned,
        number(record.precision, 4),
        number(record.recall, 4),
        number(figures.lead_days_median, 1),
        record.flaps,
        number(figures.load_per_week, 2)
    )
}

/// Weeks in a year of 365.25 days.
const WEEKS: f64 = 365.25 / 7.0;

/// Nanoseconds in a day.
const DAY_NS: f64 = 86_400e9;
