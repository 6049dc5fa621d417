//! Signals that have an outcome, and what can be said of them.

use super::alerts::{Failure, TrackRecord, TrackedPeriod, episodes, track};
use super::collected::Collected;
use super::error::EvaluateError;
use super::join::{Joined, JoinedRow, join};
use super::metrics::{EVEN, Sample};
use super::options::EvaluationOptions;
use super::outcome::{Labelled, Outcome, Outcomes, Scale};
use super::redraws::{Grouping, Redraws, redraws};
use super::report::LabelRate;
use super::scored::Scored;
use crate::alert::Alert;
use crate::pipeline::Pipeline;
use crate::signal::lineage::Lineage;
use crate::signal::model::{ModelIdentity, expected, most_probable};
use crate::units::Nanos;

/// The signals that have an outcome.
pub(super) struct Judged<'a> {
    pub(super) collected: &'a Collected,
    pub(super) outcomes: &'a Outcomes,
    pub(super) joined: Joined,
    /// The outcome of each label.
    pub(super) meant: Vec<Option<Outcome>>,
    /// Whether any number is an outcome.
    numbers: bool,
}

impl<'a> Judged<'a> {
    /// # Errors
    /// [`EvaluateError`] where labels do not fit the model, contradict each other, or are of no signal.
    pub(super) fn of(
        pipeline: &Pipeline,
        collected: &'a Collected,
        outcomes: &'a Outcomes,
        options: &EvaluationOptions,
    ) -> Result<Self, EvaluateError> {
        let scale = scale(pipeline, &collected.lineage);
        let meant = outcomes.resolve(&scale)?;
        let key_of = |label: &Labelled| match &pipeline.form {
            Some(form) => form.public_name(&label.key).into(),
            None => label.key.as_str().into(),
        };
        let joined = join(&collected.scored, outcomes, &meant, key_of)?;
        if joined.rows.is_empty() {
            let summary = collected.summary.as_ref();
            return Err(EvaluateError::Nothing {
                signals: collected.scored.len(),
                undefined: summary.map_or(0, |summary| summary.events.undefined_scores),
                split: options.split.clone(),
                lack: summary.and_then(|summary| summary.lack_of_signals()),
            });
        }
        Ok(Self {
            numbers: scale.numbers,
            collected,
            outcomes,
            joined,
            meant,
        })
    }

    pub(super) fn model(&self) -> &ModelIdentity {
        self.collected.lineage.first_model()
    }

    pub(super) fn scored(&self, row: &JoinedRow) -> &'a Scored {
        &self.collected.scored[row.signal]
    }

    /// Two outcomes are compared with the probability of the second, more with the probabilities of all, and
    /// numbers with the score.
    pub(super) fn sample(&self, threshold: Option<f64>) -> Result<Sample, EvaluateError> {
        let sample = self.unweighted(threshold)?;
        let weight = |row: &JoinedRow| self.outcomes.all[row.label].weight;
        let rows = &self.joined.rows;
        if rows.iter().all(|row| weight(row).is_none()) {
            return Ok(sample);
        }
        let weights = rows.iter().map(|row| weight(row).unwrap_or(1.0));
        Ok(sample.weighted(weights.collect())?)
    }

    fn unweighted(&self, threshold: Option<f64>) -> Result<Sample, EvaluateError> {
        let rows = &self.joined.rows;
        let model = self.model();
        let classes = model.labels.len();
        let class = |row: &JoinedRow| match row.outcome {
            Outcome::Class(at) => Some(at),
            Outcome::Flag(_) | Outcome::Number(_) => None,
        };
        let of_rows: Option<Vec<usize>> = rows.iter().map(class).collect();
        let scores = || rows.iter().map(|row| self.scored(row).score);
        if let Some(of_rows) = of_rows.filter(|_| classes != 2) {
            let given = rows.iter().flat_map(|row| &self.scored(row).probabilities);
            let given: Vec<f64> = given.copied().collect();
            let sample = Sample::multiclass(&of_rows, &given, classes)?;
            let value = |class: &usize| value_of(model, *class);
            let values: Vec<f64> = of_rows.iter().map(value).collect();
            return Ok(sample.with_values(&values, &scores().collect::<Vec<_>>())?);
        }
        let risks: Vec<f64> = rows.iter().map(|row| self.risk(self.scored(row))).collect();
        let is_number = |row: &JoinedRow| matches!(row.outcome, Outcome::Number(_));
        let is_probability = |risk: &f64| (0.0..=1.0).contains(risk);
        if rows.iter().any(is_number) || self.numbers && !risks.iter().all(is_probability) {
            let values: Vec<f64> = rows.iter().map(|row| self.number(row.outcome)).collect();
            return Ok(Sample::numbers(&values, &scores().collect::<Vec<_>>())?);
        }
        let happened: Vec<bool> = rows
            .iter()
            .map(|row| row.outcome.happened(&model.labels))
            .collect();
        Ok(Sample::binary(
            &happened,
            &risks,
            threshold.unwrap_or(EVEN),
        )?)
    }

    /// An outcome as a number: 0 or 1 of two outcomes.
    pub(super) fn number(&self, outcome: Outcome) -> f64 {
        match outcome {
            Outcome::Number(number) => number,
            Outcome::Flag(_) | Outcome::Class(_) => {
                f64::from(u8::from(outcome.happened(&self.model().labels)))
            }
        }
    }

    /// The names of the outcomes: see [`EvaluationReport::classes`](super::EvaluationReport::classes).
    pub(super) fn classes(&self) -> Vec<String> {
        let is_class = |row: &JoinedRow| matches!(row.outcome, Outcome::Class(_));
        match self.joined.rows.iter().all(is_class) {
            true => self.model().labels.clone(),
            false => vec!["0".into(), "1".into()],
        }
    }

    /// The probability that an outcome of 0 or 1 is 1.
    fn risk(&self, scored: &Scored) -> f64 {
        match scored.probabilities[..] {
            [_, one] => one,
            _ => scored.score,
        }
    }

    /// What intervals draw together, and the unit of each row: groups of the labels, else keys of records,
    /// and blocks of time of a market.
    pub(super) fn redraws(&self, of_records: bool) -> (Redraws, Vec<u32>) {
        let rows = &self.joined.rows;
        let label = |row: &JoinedRow| &self.outcomes.all[row.label];
        let group = |row: &JoinedRow| {
            let named = label(row).group.as_deref();
            named.unwrap_or(&self.scored(row).key)
        };
        let groups: Vec<&str> = rows.iter().map(group).collect();
        let grouping = match of_records {
            _ if rows.iter().any(|row| label(row).group.is_some()) => Grouping::Given(&groups),
            true => Grouping::Key,
            false => Grouping::Time,
        };
        let scored = rows.iter().map(|row| self.scored(row));
        redraws(scored, grouping, self.model().horizon_ns)
    }

    /// Compares alert episodes with failures.
    pub(super) fn track(&self, alerts: &[Alert]) -> TrackRecord {
        let horizon_ns = self.model().horizon_ns;
        let mut failures = vec![];
        let (mut from, mut to) = (i64::MAX, i64::MIN);
        for row in &self.joined.rows {
            let scored = self.scored(row);
            let end = scored.ts_event.saturating_add(horizon_ns);
            (from, to) = (from.min(scored.ts_event), to.max(end));
            if row.outcome.happened(&self.model().labels) {
                let failed = self.outcomes.all[row.label].ts_failure;
                failures.push(Failure {
                    obligor: scored.key.as_ref().to_owned(),
                    ts: Nanos(failed.unwrap_or(end)),
                });
            }
        }
        let period = TrackedPeriod {
            from: Nanos(from),
            to: Nanos(to),
            horizon_ns,
        };
        track(&episodes(alerts), &failures, period)
    }

    pub(super) fn by_label(&self) -> Vec<LabelRate> {
        let labels = &self.model().labels;
        let is_flag = |row: &JoinedRow| matches!(row.outcome, Outcome::Flag(_));
        let binary = labels.len() == 2 || self.joined.rows.iter().all(is_flag);
        if labels.len() < 2 || !binary {
            return vec![];
        }
        let mut counts = vec![[0_u64; 2]; labels.len()];
        for row in &self.joined.rows {
            let count = &mut counts[most_probable(&self.scored(row).probabilities)];
            count[0] += 1;
            count[1] += u64::from(row.outcome.happened(labels));
        }
        let said = |(label, [rows, ones]): (&String, &[u64; 2])| LabelRate {
            label: label.clone(),
            rows: *rows,
            rate: (*rows > 0).then(|| *ones as f64 / *rows as f64),
        };
        labels.iter().zip(&counts).map(said).collect()
    }
}

/// The value of a class on the scale of the score.
fn value_of(model: &ModelIdentity, class: usize) -> f64 {
    let mut sure = vec![0.0; model.labels.len()];
    sure[class] = 1.0;
    expected(&sure, &model.values)
}

/// The outcomes that the model allows. 0 and 1 are compared with a probability; the score of several labels
/// is one only where each label has a value that is one. A score without classes may predict any number, but
/// one that has grades or raises alerts is a probability.
pub(crate) fn scale<'a>(pipeline: &Pipeline, lineage: &'a Lineage) -> Scale<'a> {
    let form = pipeline.form.as_ref();
    let model = lineage.first_model();
    Scale {
        labels: &model.labels,
        flags: model.labels.len() <= 2
            || !model.values.is_empty()
                && model.values.iter().all(|value| (0.0..=1.0).contains(value)),
        numbers: model.labels.is_empty()
            && model.grades.is_empty()
            && pipeline.file.alerts.is_empty(),
        persons: form.is_some_and(|form| form.names_persons()),
    }
}
