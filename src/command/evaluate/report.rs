//! What an evaluation found, as a table for people and as JSON for programs.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::alerts::TrackRecord;
use super::metrics::EvaluationFigures;
use super::redraws::Redraws;
use crate::run::account::Account;
use crate::run::readability::Readability;

/// The figures of a pipeline.
#[derive(Clone, Debug, Serialize)]
pub struct EvaluationReport {
    /// The pipeline's name.
    pub pipeline: String,
    /// SHA-256 of the model's file.
    pub model_sha256: String,
    /// The model's figures.
    #[serde(flatten)]
    pub figures: EvaluationFigures,
    /// The outcomes in the order of `confusion` and `per_class`: the model's labels, or `0` and `1`.
    pub classes: Vec<String>,
    /// What the intervals draw together.
    pub redraws: Redraws,
    /// The figures of baselines on the same rows: `majority`, and `linear` where the pipeline has a
    /// `linear.json`; the latter only on rows without missing fields, which it cannot impute.
    pub baselines: BTreeMap<&'static str, EvaluationFigures>,
    /// The rate of outcome 1 among the rows of each predicted label, in the order of the labels, where
    /// outcomes are 0 and 1 and the model gives classes.
    pub by_label: Vec<LabelRate>,
    /// How well the pipeline's alerts warned; none where it has no rules. A failure without a time counts as
    /// at the end of the horizon.
    pub alerts: Option<TrackRecord>,
    /// Labels of the split for which no signal came.
    pub unscored: u64,
    /// Labels of the split without an outcome: left out.
    pub unknown_outcomes: u64,
    /// Labels that repeat the outcome of a signal: counted once.
    pub repeated_labels: u64,
    /// Events that would have made a row, but a feature had no value: they have no score.
    pub incomplete_rows: u64,
    /// Missing fields of the records: a model's graph may impute them, a linear model then gives no score.
    pub missing_fields: u64,
    /// Windows for which the model gave no finite number.
    pub undefined_scores: u64,
    /// Windows for which the model gave no probabilities, though it should.
    pub invalid_probabilities: u64,
    /// What became of the frames.
    #[serde(skip)]
    pub frames: Account,
    /// Whether the frames were readable.
    #[serde(skip)]
    pub readability: Readability,
}

/// The outcomes of the rows for which the model predicted one label.
#[derive(Clone, Debug, Serialize)]
pub struct LabelRate {
    /// The predicted label.
    pub label: String,
    /// The number of rows.
    pub rows: u64,
    /// The share of them whose outcome was 1.
    pub rate: Option<f64>,
}

const DAY_NS: i64 = 86_400_000_000_000;

impl fmt::Display for EvaluationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, model {}", self.pipeline, &self.model_sha256[..12])?;
        write!(
            f,
            "{} rows judged, {} labels without a signal",
            self.figures.rows, self.unscored
        )?;
        for (count, what) in [
            (self.unknown_outcomes, "without an outcome, left out"),
            (self.repeated_labels, "that repeat another, counted once"),
            (self.missing_fields, "missing fields"),
            (self.undefined_scores, "undefined scores, no signal"),
            (
                self.invalid_probabilities,
                "scores that are no probabilities, no signal",
            ),
            (self.incomplete_rows, "incomplete rows, no score"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        writeln!(f, "\n{}", self.redraws)?;
        let bins = self.figures.ece_bins;
        write!(
            f,
            "ece of {bins} bins, of equal count and of equal width\n\n"
        )?;
        write!(f, "{:<18}{:>12}{:>24}", "", "model", "95 % of redraws")?;
        for name in self.baselines.keys() {
            write!(f, "{name:>12}")?;
        }
        writeln!(f)?;
        let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.4}"));
        for (at, (name, value)) in self.figures.named().into_iter().enumerate() {
            let within = self.figures.intervals.get(name);
            let within = within.map_or(String::new(), |i| format!("{:.4} to {:.4}", i.low, i.high));
            write!(f, "{name:<18}{:>12}{within:>24}", number(value))?;
            for figures in self.baselines.values() {
                write!(f, "{:>12}", number(figures.named()[at].1))?;
            }
            writeln!(f)?;
        }
        for LabelRate { label, rows, rate } in &self.by_label {
            writeln!(f, "{label:<18}{rows:>12} rows{:>19}", number(*rate))?;
        }
        if let Some(alerts) = &self.alerts {
            writeln!(
                f,
                "\n{} episodes, {} right (precision {}); {} failures, {} warned of (recall {}), median lead {} days; \
                 {} flaps; {} episodes a year",
                alerts.episodes,
                alerts.right,
                number(alerts.precision),
                alerts.failures,
                alerts.warned,
                number(alerts.recall),
                alerts
                    .lead_ns_median
                    .map_or("-".into(), |ns| (ns / DAY_NS).to_string()),
                alerts.flaps,
                number(alerts.load_per_year),
            )?;
        }
        let width = self.classes.iter().map(|class| class.chars().count()).max();
        let width = width.map_or(10, |longest| (longest + 2).max(10));
        write!(f, "\n{:<22}", "happened \\ predicted")?;
        for class in &self.classes {
            write!(f, "{class:>width$}")?;
        }
        writeln!(f)?;
        for (class, row) in self.classes.iter().zip(&self.figures.confusion) {
            write!(f, "{class:<22}")?;
            for count in row {
                write!(f, "{count:>width$}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
