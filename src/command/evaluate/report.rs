//! What an evaluation found, as a table for people and as JSON for programs.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::alerts::TrackRecord;
use super::collected::Collected;
use super::horizons::{HorizonIc, IcDecay};
use super::metrics::{EvaluationFigures, FigureKind};
use super::redraws::Redraws;
use crate::pipeline::Pipeline;
use crate::run::account::Account;
use crate::run::readability::{Readability, UnreadInput};
use crate::statistic::bootstrap::Interval;

/// The figures of a pipeline.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EvaluationReport {
    /// The pipeline's name.
    pub pipeline: String,
    /// SHA-256 of the model's file.
    pub model_sha256: String,
    /// The model's figures; none without labels.
    #[serde(flatten)]
    pub figures: Option<EvaluationFigures>,
    /// Whether the labels have weights.
    pub is_weighted: bool,
    /// The outcomes in the order of `confusion` and `per_class`: the model's labels, or `0` and `1`; empty for
    /// numbers.
    pub classes: Vec<String>,
    /// What the intervals draw together; none without labels.
    pub redraws: Option<Redraws>,
    /// The figures of baselines on the same rows: `base_rate` and `last_move`, fitted on the labels of the
    /// split `train`, and `linear` where the pipeline has a `linear.json`; the latter only on rows without
    /// missing fields, which it cannot impute.
    pub baselines: BTreeMap<&'static str, EvaluationFigures>,
    /// Why a baseline is missing.
    pub baselines_left_out: BTreeMap<&'static str, String>,
    /// Labels with an outcome that baselines were fitted on.
    pub training_rows: u64,
    /// The information coefficient by horizon, where horizons were asked for.
    pub ic_decay: Option<IcDecay>,
    /// The rate of outcome 1 among the rows of each predicted label, in the order of the labels, where
    /// outcomes are 0 and 1 and the model gives classes.
    pub by_label: Vec<LabelRate>,
    /// How well the pipeline's alerts warned; none where it has no rules, and of stored signals, which do not
    /// tell all that rules need. A failure without a time counts as at the end of the horizon.
    pub alerts: Option<TrackRecord>,
    /// Labels of the split for which no signal came.
    pub unscored: u64,
    /// Labels of the split without an outcome: left out.
    pub unknown_outcomes: u64,
    /// Labels that repeat the outcome of a signal: counted once.
    pub repeated_labels: u64,
    /// Stored signals that repeat another one or are of another model: left out.
    pub signals_left_out: u64,
    /// Events that would have made a row, but a feature had no value: they have no score. This and the next
    /// three are not known of stored signals.
    pub incomplete_rows: Option<u64>,
    /// Missing fields of the records: a model's graph may impute them, a linear model then gives no score.
    pub missing_fields: Option<u64>,
    /// Windows for which the model gave no finite number.
    pub undefined_scores: Option<u64>,
    /// Windows for which the model gave no probabilities, though it should.
    pub invalid_probabilities: Option<u64>,
    /// What became of the frames, and whether they were readable; none of stored signals.
    #[serde(skip)]
    pub read: Option<(Account, Readability)>,
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

impl EvaluationReport {
    /// What is known of the signals before they are judged.
    pub(super) fn of(pipeline: &Pipeline, collected: &Collected) -> Self {
        let summary = collected.summary.as_ref();
        let events = summary.map(|summary| &summary.events);
        Self {
            pipeline: pipeline.file.name.clone(),
            model_sha256: collected.lineage.first_model().sha256.clone(),
            signals_left_out: collected.left_out,
            incomplete_rows: events.map(|events| events.engine.incomplete_rows),
            missing_fields: events.map(|events| events.engine.missing_fields),
            undefined_scores: events.map(|events| events.undefined_scores),
            invalid_probabilities: events.map(|events| events.invalid_probabilities),
            read: summary.map(|summary| (summary.frames.clone(), summary.readability.clone())),
            ..Self::default()
        }
    }

    /// Whether enough of the events was read; stored signals were all read.
    ///
    /// # Errors
    /// [`UnreadInput`]: see [`Readability::check`].
    pub fn check_read(&self, max_unread: f64) -> Result<(), UnreadInput> {
        let check =
            |(frames, readability): &(Account, Readability)| readability.check(frames, max_unread);
        self.read.as_ref().map_or(Ok(()), check)
    }

    fn counts(&self, f: &mut fmt::Formatter<'_>, rows: u64) -> fmt::Result {
        write!(
            f,
            "{rows} rows judged, {} labels without a signal",
            self.unscored
        )?;
        for (count, what) in [
            (Some(self.unknown_outcomes), "without an outcome, left out"),
            (
                Some(self.repeated_labels),
                "that repeat another, counted once",
            ),
            (
                Some(self.signals_left_out),
                "signals that repeat another or are of another model, left out",
            ),
            (self.missing_fields, "missing fields"),
            (self.undefined_scores, "undefined scores, no signal"),
            (
                self.invalid_probabilities,
                "scores that are no probabilities, no signal",
            ),
            (self.incomplete_rows, "incomplete rows, no score"),
        ] {
            if let Some(count) = count.filter(|count| *count > 0) {
                write!(f, ", {count} {what}")?;
            }
        }
        writeln!(f)
    }

    fn table(&self, f: &mut fmt::Formatter<'_>, figures: &EvaluationFigures) -> fmt::Result {
        self.counts(f, figures.rows)?;
        if self.is_weighted {
            writeln!(f, "rows count by the weight of their label")?;
        }
        if let Some(redraws) = &self.redraws {
            writeln!(f, "{redraws}")?;
        }
        if figures.kind != FigureKind::Number {
            let bins = figures.ece_bins;
            writeln!(f, "ece of {bins} bins, of equal count and of equal width")?;
        }
        if self.training_rows > 0 {
            writeln!(f, "baselines are fitted on {} rows", self.training_rows)?;
        }
        let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, why) in &self.baselines_left_out {
            by_reason.entry(why).or_default().push(name);
        }
        for (why, names) in by_reason {
            writeln!(f, "no baseline {}: {why}", names.join(", "))?;
        }
        write!(f, "\n{:<22}{:>12}{:>24}", "", "model", "95 % of redraws")?;
        for name in self.baselines.keys() {
            write!(f, "{name:>12}")?;
        }
        writeln!(f)?;
        for (at, (name, value)) in figures.named().into_iter().enumerate() {
            let within = within(figures.intervals.get(name));
            write!(f, "{name:<22}{:>12}{within:>24}", number(value))?;
            for figures in self.baselines.values() {
                let value = figures.named().get(at).and_then(|(_, value)| *value);
                write!(f, "{:>12}", number(value))?;
            }
            match figures.undefined.get(name) {
                Some(why) => writeln!(f, "  ({why})")?,
                None => writeln!(f)?,
            }
        }
        for LabelRate { label, rows, rate } in &self.by_label {
            writeln!(f, "{label:<22}{rows:>12} rows{:>19}", number(*rate))?;
        }
        self.alerts(f)?;
        self.confusion(f, figures)
    }

    fn alerts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(alerts) = &self.alerts else {
            return Ok(());
        };
        let days = alerts.lead_ns_median.map(|ns| (ns / DAY_NS).to_string());
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
            days.unwrap_or("-".into()),
            alerts.flaps,
            number(alerts.load_per_year),
        )
    }

    fn confusion(&self, f: &mut fmt::Formatter<'_>, figures: &EvaluationFigures) -> fmt::Result {
        if figures.confusion.is_empty() {
            return Ok(());
        }
        let width = self.classes.iter().map(|class| class.chars().count()).max();
        let width = width.map_or(10, |longest| (longest + 2).max(10));
        write!(f, "\n{:<22}", "happened \\ predicted")?;
        for class in &self.classes {
            write!(f, "{class:>width$}")?;
        }
        writeln!(f)?;
        for (class, row) in self.classes.iter().zip(&figures.confusion) {
            write!(f, "{class:<22}")?;
            for count in row {
                write!(f, "{count:>width$}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for EvaluationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, model {}", self.pipeline, &self.model_sha256[..12])?;
        if let Some(figures) = &self.figures {
            self.table(f, figures)?;
        }
        match &self.ic_decay {
            Some(decay) => write!(f, "\n{decay}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for IcDecay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "information coefficient of the score and the move of the price after it"
        )?;
        writeln!(
            f,
            "{:>12}{:>10}{:>9}{:>22}{:>10}{:>22}{:>16}{:>9}",
            "horizon", "rows", "pearson", "95 %", "spearman", "95 %", "of redrawn", "no move"
        )?;
        for ic in &self.by_horizon {
            let HorizonIc {
                rows, intervals, ..
            } = ic;
            let within = |name| within(intervals.get(name));
            write!(
                f,
                "{:>12}{rows:>10}{:>9}{:>22}{:>10}{:>22}{:>16}{:>9}",
                duration(ic.horizon_ns as f64),
                number(ic.ic_pearson),
                within("ic_pearson"),
                number(ic.ic_spearman),
                within("ic_spearman"),
                ic.redraws.unit_text(),
                ic.unpriced + ic.broken + ic.beyond_end,
            )?;
            match ic.undefined {
                Some(why) => writeln!(f, "  ({why})")?,
                None => writeln!(f)?,
            }
        }
        let half_life = |ns: Option<f64>| ns.map_or("does not fade".into(), duration);
        writeln!(
            f,
            "half-life: pearson {}, spearman {}",
            half_life(self.half_life_ns_pearson),
            half_life(self.half_life_ns_spearman)
        )
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or("-".into(), |value| format!("{value:.4}"))
}

fn within(interval: Option<&Interval>) -> String {
    interval.map_or(String::new(), |i| format!("{:.4} to {:.4}", i.low, i.high))
}

/// A duration in milliseconds below a second, else in seconds, to three digits after the point.
fn duration(ns: f64) -> String {
    let rounded = |value: f64| (value * 1e3).round() / 1e3;
    match ns < 1e9 {
        true => format!("{} ms", rounded(ns / 1e6)),
        false => format!("{} s", rounded(ns / 1e9)),
    }
}
