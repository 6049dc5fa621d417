//! Evaluates a pipeline: replays events through the engine that runs live, and compares its scores with the
//! outcomes in a file of labels.
//!
//! Computes no feature and no score of its own. The labels never reach the engine.

pub mod alerts;
mod join;
pub mod metrics;
pub mod outcome;
mod redraws;
mod report;
mod scored;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use self::alerts::{Failure, TrackRecord, TrackedPeriod, episodes, track};
use self::join::{JoinedRow, join};
use self::metrics::{EVEN, Sample, SampleError};
use self::outcome::{Labelled, Outcome, OutcomeError, Outcomes, Scale};
use self::redraws::redraws;
pub use self::redraws::{RedrawnUnit, Redraws};
pub use self::report::{EvaluationReport, LabelRate};
use self::scored::Scored;
use crate::alert::command::AlertCommand;
use crate::alert::{Alert, Alerts};
use crate::config::ConfigError;
use crate::pipeline::{Pipeline, PipelineError};
use crate::run::account::Account;
use crate::run::counts::RunCounts;
use crate::run::observer::{ObservedStep, Observer};
use crate::run::readability::Readability;
use crate::run::replay::{ReplayError, replay_observed};
use crate::signal::lineage::Lineage;
use crate::signal::model::most_probable;
use crate::sink::SinkError;
use crate::statistic::bootstrap::Bootstrap;
use crate::units::Nanos;

/// What to evaluate.
#[derive(Clone, Debug, Default)]
pub struct EvaluationOptions {
    /// Events: captures, JSON lines, tables.
    pub inputs: Vec<PathBuf>,
    /// The file of labels: see [`Outcomes`].
    pub labels: PathBuf,
    /// Only labels of this split.
    pub split: Option<String>,
    /// The score above which outcome 1 counts as predicted; 0.5 where none is given.
    pub threshold: Option<f64>,
}

/// Why a pipeline cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// The replay.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The pipeline.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// The configuration.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The labels.
    #[error(transparent)]
    Outcome(#[from] OutcomeError),
    /// Labels and scores do not match.
    #[error("{0}; are these the labels of this pipeline?")]
    Sample(#[from] SampleError),
    /// No label matches a signal.
    #[error(
        "while evaluating {signals} signals ({undefined} further windows had no finite score): none has a label{}; labels \
         are matched by key and `ts_event` (without one: the key's last signal)", split.as_ref().map_or(String::new(), |split| format!(" of the split `{split}`"))
    )]
    Nothing {
        /// Signals given.
        signals: usize,
        /// Windows for which the model gave no finite number.
        undefined: u64,
        /// The split of the options.
        split: Option<String>,
    },
}

/// Replays the events through the pipeline and compares its scores with the labels.
///
/// # Errors
/// [`EvaluateError`].
pub fn evaluate(
    pipeline: &Pipeline,
    options: &EvaluationOptions,
) -> Result<EvaluationReport, EvaluateError> {
    let columns = pipeline.columns();
    let outcomes = Outcomes::read(&options.labels, columns.as_ref(), options.split.as_deref())?;
    let judged = Judged::of(pipeline, &outcomes, options)?;
    let sample = judged.sample(options.threshold)?;
    let horizon_ns = judged.lineage.first_model().horizon_ns;
    let rows = judged.rows.iter().map(|(scored, _)| scored);
    let (redraws, units) = redraws(rows, pipeline.form.is_some(), horizon_ns);
    let figures = if redraws.units > 1 {
        sample.figures_within(&Bootstrap::default(), Some(&units))?
    } else {
        sample.figures()
    };
    let mut baselines = BTreeMap::new();
    let shares = sample.shares();
    baselines.insert("majority", sample.guess(&shares)?.figures());
    if let Some(linear) = pipeline.linear() {
        // It cannot impute: where every row lacks a field, it has no scores to compare.
        match Judged::of(&linear, &outcomes, options) {
            Err(EvaluateError::Nothing { .. }) => {}
            Err(EvaluateError::Outcome(error)) => {
                tracing::warn!("left the linear baseline out: it has other labels: {error}");
            }
            judged => {
                let figures = judged?.sample(options.threshold)?.figures();
                baselines.insert("linear", figures);
            }
        }
    }
    Ok(EvaluationReport {
        pipeline: pipeline.file.name.clone(),
        model_sha256: judged.lineage.first_model().sha256.clone(),
        classes: judged.classes(),
        figures,
        redraws,
        baselines,
        by_label: judged.by_label(),
        alerts: (!pipeline.file.alerts.is_empty()).then(|| judged.track()),
        unscored: judged.unscored,
        unknown_outcomes: judged.unknown,
        repeated_labels: judged.repeated,
        incomplete_rows: judged.events.engine.incomplete_rows,
        missing_fields: judged.events.engine.missing_fields,
        undefined_scores: judged.events.undefined_scores,
        invalid_probabilities: judged.events.invalid_probabilities,
        frames: judged.frames,
        readability: judged.readability,
    })
}

/// The scores that have a label.
struct Judged {
    lineage: Lineage,
    rows: Vec<(Scored, Outcome)>,
    /// The time of each row's outcome, where the label has one.
    failed: Vec<Option<i64>>,
    alerts: Vec<Alert>,
    unscored: u64,
    /// Labels without an outcome.
    unknown: u64,
    /// Labels that repeat another one of the same signal.
    repeated: u64,
    events: RunCounts,
    frames: Account,
    readability: Readability,
}

impl Judged {
    fn of(
        pipeline: &Pipeline,
        outcomes: &Outcomes,
        options: &EvaluationOptions,
    ) -> Result<Self, EvaluateError> {
        let loaded = pipeline.load_model()?;
        let resolved = outcomes.resolve(&scale(pipeline, &loaded.lineage))?;
        let alerts = Alerts::new(pipeline.file.alerts.clone());
        let mut collector = Collector {
            lineage: &loaded.lineage,
            scored: vec![],
            places: HashMap::new(),
            alerts: alerts.map_err(|what| pipeline.error("[[alert]]", what))?,
            fired: vec![],
            latest: Nanos(i64::MIN),
        };
        let summary = replay_observed(pipeline, &loaded, &options.inputs, &mut collector)?;
        // Time has passed for all, as if a tick had come at the end.
        let due = collector.alerts.tick(collector.latest);
        collector.fired.extend(due);
        let Collector { scored, fired, .. } = collector;
        let signals = scored.len();
        let key_of = |label: &Labelled| match &pipeline.form {
            Some(form) => form.public_name(&label.key).into(),
            None => label.key.as_str().into(),
        };
        let joined = join(&scored, outcomes, &resolved, key_of)?;
        let row = |row: &JoinedRow| (scored[row.signal].clone(), row.outcome);
        let rows: Vec<(Scored, Outcome)> = joined.rows.iter().map(row).collect();
        let failed = joined
            .rows
            .iter()
            .map(|row| outcomes.all[row.label].ts_failure);
        let failed = failed.collect();
        if rows.is_empty() {
            let split = options.split.clone();
            return Err(EvaluateError::Nothing {
                signals,
                undefined: summary.events.undefined_scores,
                split,
            });
        }
        Ok(Self {
            lineage: loaded.lineage,
            rows,
            failed,
            alerts: fired,
            unscored: joined.unscored,
            unknown: joined.unknown,
            repeated: joined.repeated,
            events: summary.events,
            frames: summary.frames,
            readability: summary.readability,
        })
    }

    /// Two outcomes are compared with the probability of the second, more with the probabilities of all.
    fn sample(&self, threshold: Option<f64>) -> Result<Sample, EvaluateError> {
        let labels = &self.lineage.first_model().labels;
        let class = |(_, outcome): &(Scored, Outcome)| match outcome {
            Outcome::Class(at) => Some(*at),
            Outcome::Flag(_) => None,
        };
        let classes: Option<Vec<usize>> = self.rows.iter().map(class).collect();
        if let Some(classes) = classes.filter(|_| labels.len() != 2) {
            let given: Vec<f64> = self
                .rows
                .iter()
                .flat_map(|(scored, _)| scored.probabilities.iter().copied())
                .collect();
            return Ok(Sample::multiclass(&classes, &given, labels.len())?);
        }
        let happened: Vec<bool> = self.rows.iter().map(|(_, o)| o.happened(labels)).collect();
        let scores: Vec<f64> = self
            .rows
            .iter()
            .map(|(scored, _)| self.risk(scored))
            .collect();
        Ok(Sample::binary(
            &happened,
            &scores,
            threshold.unwrap_or(EVEN),
        )?)
    }

    /// The names of the outcomes: see [`EvaluationReport::classes`].
    fn classes(&self) -> Vec<String> {
        let is_class = |(_, outcome): &(Scored, Outcome)| matches!(outcome, Outcome::Class(_));
        match self.rows.iter().all(is_class) {
            true => self.lineage.first_model().labels.clone(),
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

    /// Compares alert episodes with failures.
    fn track(&self) -> TrackRecord {
        let horizon_ns = self.lineage.first_model().horizon_ns;
        let mut failures = vec![];
        let (mut from, mut to) = (i64::MAX, i64::MIN);
        for ((scored, outcome), failed) in self.rows.iter().zip(&self.failed) {
            let end = scored.ts_event.saturating_add(horizon_ns);
            (from, to) = (from.min(scored.ts_event), to.max(end));
            if outcome.happened(&self.lineage.first_model().labels) {
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
        track(&episodes(&self.alerts), &failures, period)
    }

    fn by_label(&self) -> Vec<LabelRate> {
        let labels = &self.lineage.first_model().labels;
        let is_flag = |(_, outcome): &(Scored, Outcome)| matches!(outcome, Outcome::Flag(_));
        let binary = labels.len() == 2 || self.rows.iter().all(is_flag);
        if labels.len() < 2 || !binary {
            return vec![];
        }
        let mut counts = vec![[0_u64; 2]; labels.len()];
        for (scored, outcome) in &self.rows {
            let count = &mut counts[most_probable(&scored.probabilities)];
            count[0] += 1;
            count[1] += u64::from(outcome.happened(labels));
        }
        let said = |(label, [rows, ones]): (&String, &[u64; 2])| LabelRate {
            label: label.clone(),
            rows: *rows,
            rate: (*rows > 0).then(|| *ones as f64 / *rows as f64),
        };
        labels.iter().zip(&counts).map(said).collect()
    }
}

/// The outcomes that the model allows. 0 and 1 are compared with a probability; the score of several labels
/// is one only where each label has a value that is one.
pub(crate) fn scale<'a>(pipeline: &Pipeline, lineage: &'a Lineage) -> Scale<'a> {
    let form = pipeline.form.as_ref();
    let model = lineage.first_model();
    Scale {
        labels: &model.labels,
        flags: model.labels.len() <= 2
            || !model.values.is_empty()
                && model.values.iter().all(|value| (0.0..=1.0).contains(value)),
        persons: form.is_some_and(|form| form.names_persons()),
    }
}

/// Collects the scores and the alerts of a replay.
struct Collector<'a> {
    lineage: &'a Lineage,
    scored: Vec<Scored>,
    /// Where signals are corrected: the place of each, by its id. Its last revision counts.
    places: HashMap<String, usize>,
    alerts: Alerts,
    fired: Vec<Alert>,
    /// The latest time of a signal.
    latest: Nanos,
}

impl Observer for Collector<'_> {
    fn step(&mut self, step: &ObservedStep<'_>) -> Result<(), SinkError> {
        for signal in step.signals {
            let classes = self.lineage.model(signal).labels.len();
            let name = step.instruments.name(signal.instrument);
            let score = self.lineage.score(signal);
            let (ts, period) = (signal.ts_event, signal.period);
            let fired = self.alerts.observe_period(name, ts, period, score);
            self.fired.extend(fired);
            self.latest = self.latest.max(ts);
            let scored = Scored {
                key: name.into(),
                ts_event: signal.ts_event.0,
                probabilities: signal.outputs[..classes].to_vec(),
                score,
            };
            if self.lineage.corrects {
                let id = self.lineage.signal_id(signal, name);
                if let Some(&place) = self.places.get(&id).filter(|_| signal.revision > 0) {
                    self.scored[place] = scored;
                    continue;
                }
                self.places.insert(id, self.scored.len());
            }
            self.scored.push(scored);
        }
        Ok(())
    }

    fn command(&mut self, command: &AlertCommand) {
        self.fired
            .extend(command.apply(&mut self.alerts).unwrap_or_default());
    }
}
