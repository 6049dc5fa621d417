//! Judges a pipeline: its events through the engine that runs live, its scores against what really happened.
//!
//! Computes no feature and no score of its own. Labels stand in a file beside the events and never reach the
//! engine.

pub mod alerts;
pub mod metrics;
pub mod outcome;
mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Serialize;

use self::alerts::{Failure, Period, TrackRecord, episodes, track};
use self::metrics::{Bootstrap, EVEN, Figures, Sample, SampleError};
use self::outcome::{Outcome, OutcomeError, Outcomes, Scale};
use crate::alert::Alert;
use crate::config::ConfigError;
use crate::pipeline::{Pipeline, PipelineError};
use crate::run::replay;
use crate::run::replay::{ReplayError, replay_into};
use crate::run::summary::Events;
use crate::signal::Signal;
use crate::signal::lineage::Lineage;
use crate::sink::{DeadLetter, Sink, SinkError};
use crate::units::Nanos;

/// What to judge by.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Events: captures, JSON lines, tables.
    pub inputs: Vec<PathBuf>,
    /// What really happened: see [`Outcomes`].
    pub labels: PathBuf,
    /// Only labels of this split.
    pub split: Option<String>,
    /// The score above which a risk counts as said; one half if not given.
    pub threshold: Option<f64>,
}

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The pipeline's name.
    pub pipeline: String,
    /// SHA-256 of the model's file.
    pub model_sha256: String,
    /// The model's figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// Those of others on the same rows: `majority`, and `linear` where the pipeline has a `linear.json`; the
    /// latter only on rows without gaps, which it cannot fill.
    pub baselines: BTreeMap<&'static str, Figures>,
    /// How often the outcome was 1 by what was said, in the order of the labels, where outcomes are 0 and 1
    /// and the model gives classes.
    pub by_label: Vec<Said>,
    /// What the pipeline's alerts were worth; none where it has no rules. A failure of which nobody says when
    /// it was counts as at the end of the horizon.
    pub alerts: Option<TrackRecord>,
    /// Labels of the split for which no signal came.
    pub unscored: u64,
    /// Labels of the split that say no outcome: left out.
    pub unknown_outcomes: u64,
    /// Fields of the records that were missing: the model's graph imputed them.
    pub missing_fields: u64,
    /// Windows for which the model gave no finite number.
    pub undefined_scores: u64,
}

/// What became of those of whom the same was said.
#[derive(Clone, Debug, Serialize)]
pub struct Said {
    /// What was said.
    pub label: String,
    /// Of how many.
    pub rows: u64,
    /// The share of them whose outcome was 1.
    pub rate: Option<f64>,
}

/// Why nothing could be judged.
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
    /// Labels and scores do not fit together.
    #[error("{0}; are these the labels of this pipeline?")]
    Sample(#[from] SampleError),
    /// No label met a signal.
    #[error(
        "while judging {signals} signals ({undefined} windows more had no finite score): none has a label{}; labels \
         are matched by key and `ts_event` (without one: the key's last signal)", split.as_ref().map_or(String::new(), |split| format!(" of the split `{split}`"))
    )]
    Nothing {
        /// Signals given.
        signals: usize,
        /// Windows for which the model gave no finite number.
        undefined: u64,
        /// The split asked for.
        split: Option<String>,
    },
}

/// Sends the events through the pipeline and judges its scores.
///
/// # Errors
/// [`EvaluateError`].
pub fn evaluate(pipeline: &Pipeline, options: &Options) -> Result<Report, EvaluateError> {
    let columns = pipeline.columns();
    let outcomes = Outcomes::read(&options.labels, columns.as_ref(), options.split.as_deref())?;
    let judged = Judged::of(pipeline, &outcomes, options)?;
    let sample = judged.sample(options.threshold)?;
    let keys = judged.groups();
    let mut baselines = BTreeMap::new();
    let shares = sample.shares();
    baselines.insert("majority", sample.guess(&shares)?.figures());
    if let Some(linear) = pipeline.linear()? {
        // It cannot fill gaps: where all rows have some, there is nothing to compare with.
        match Judged::of(&linear, &outcomes, options) {
            Err(EvaluateError::Nothing { .. }) => {}
            Err(EvaluateError::Outcome(error)) => {
                tracing::warn!("the linear baseline has other labels, and is left out: {error}");
            }
            judged => {
                let figures = judged?.sample(options.threshold)?.figures();
                baselines.insert("linear", figures);
            }
        }
    }
    Ok(Report {
        pipeline: pipeline.file.name.clone(),
        model_sha256: judged.lineage.model_sha256.clone(),
        figures: sample.figures_within(&Bootstrap::default(), Some(&keys))?,
        baselines,
        by_label: judged.by_label(),
        alerts: (!pipeline.file.alerts.is_empty()).then(|| judged.track()),
        unscored: judged.unscored,
        unknown_outcomes: judged.unknown,
        missing_fields: judged.events.counts.missing_fields,
        undefined_scores: judged.events.undefined_scores,
    })
}

/// The scores that have a label.
struct Judged {
    lineage: Lineage,
    rows: Vec<(Scored, Outcome)>,
    /// When what happened did, where somebody says so, row by row.
    failed: Vec<Option<i64>>,
    alerts: Vec<Alert>,
    unscored: u64,
    /// Labels that say no outcome.
    unknown: u64,
    events: Events,
}

/// What is kept of a signal.
#[derive(Clone, Debug)]
struct Scored {
    key: Arc<str>,
    ts_event: i64,
    probabilities: Vec<f64>,
    score: f64,
}

impl Judged {
    fn of(
        pipeline: &Pipeline,
        outcomes: &Outcomes,
        options: &Options,
    ) -> Result<Self, EvaluateError> {
        let loaded = pipeline.load_model()?;
        let meant = outcomes.meant(&scale(pipeline, &loaded.lineage))?;
        let kept = Arc::new(Mutex::new((vec![], vec![])));
        let collect = Collect {
            lineage: loaded.lineage.clone(),
            kept: Arc::clone(&kept),
            taken: 0,
        };
        let asked = replay::Options {
            inputs: options.inputs.clone(),
            ..replay::Options::default()
        };
        let summary = replay_into(pipeline, &loaded, Box::new(collect), &asked)?;
        let kept = std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner));
        let (scored, alerts): (Vec<Scored>, Vec<Alert>) = kept;
        let signals = scored.len();
        let mut at: FxHashMap<(Arc<str>, Option<i64>), usize> = FxHashMap::default();
        for (place, one) in scored.iter().enumerate() {
            at.insert((Arc::clone(&one.key), Some(one.ts_event)), place);
            at.insert((Arc::clone(&one.key), None), place);
        }
        let (mut rows, mut failed, mut unscored, mut unknown) = (vec![], vec![], 0, 0);
        let mut last = FxHashSet::default();
        for (label, outcome) in outcomes.all.iter().zip(meant) {
            let Some(outcome) = outcome else {
                unknown += 1;
                continue;
            };
            let key: Arc<str> = match &pipeline.form {
                Some(form) => form.public_name(&label.key).into(),
                None => label.key.as_str().into(),
            };
            match at.get(&(key, label.ts_event)) {
                // What is said twice of a key's last signal counts once.
                Some(&place) if label.ts_event.is_none() && !last.insert(place) => {}
                Some(&place) => {
                    rows.push((scored[place].clone(), outcome));
                    failed.push(label.ts_failure);
                }
                None => unscored += 1,
            }
        }
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
            alerts,
            unscored,
            unknown,
            events: summary.events,
        })
    }

    /// Outcomes of 0 and 1 are judged by one probability, labels by those of all classes.
    fn sample(&self, threshold: Option<f64>) -> Result<Sample, EvaluateError> {
        let labels = &self.lineage.labels;
        let class = |(_, outcome): &(Scored, Outcome)| match outcome {
            Outcome::Class(at) => Some(*at),
            Outcome::Flag(_) => None,
        };
        let classes: Option<Vec<usize>> = self.rows.iter().map(class).collect();
        if let Some(classes) = classes {
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

    /// The probability that an outcome of 0 or 1 is 1.
    fn risk(&self, scored: &Scored) -> f64 {
        match scored.probabilities[..] {
            [_, one] => one,
            _ => scored.score,
        }
    }

    /// A number for each key: rows of one are no independent witnesses.
    fn groups(&self) -> Vec<u32> {
        let mut known: FxHashMap<&str, u32> = FxHashMap::default();
        let mut groups = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let next = known.len() as u32;
            groups.push(*known.entry(&row.0.key).or_insert(next));
        }
        groups
    }

    /// Episodes held against failures.
    fn track(&self) -> TrackRecord {
        let horizon_ns = self.lineage.horizon_ns;
        let mut failures = vec![];
        let (mut from, mut to) = (i64::MAX, i64::MIN);
        for ((scored, outcome), failed) in self.rows.iter().zip(&self.failed) {
            let end = scored.ts_event.saturating_add(horizon_ns);
            (from, to) = (from.min(scored.ts_event), to.max(end));
            if outcome.happened(&self.lineage.labels) {
                failures.push(Failure {
                    obligor: scored.key.as_ref().to_owned(),
                    ts: Nanos(failed.unwrap_or(end)),
                });
            }
        }
        let period = Period {
            from: Nanos(from),
            to: Nanos(to),
            horizon_ns,
        };
        track(&episodes(&self.alerts), &failures, period)
    }

    fn by_label(&self) -> Vec<Said> {
        let labels = &self.lineage.labels;
        let is_flag = |(_, outcome): &(Scored, Outcome)| matches!(outcome, Outcome::Flag(_));
        let binary = self.rows.iter().all(is_flag);
        if labels.len() < 2 || !binary {
            return vec![];
        }
        let best = |scored: &Scored| {
            let given = &scored.probabilities;
            (1..given.len()).fold(
                0,
                |best, at| if given[at] > given[best] { at } else { best },
            )
        };
        let mut counts = vec![[0_u64; 2]; labels.len()];
        for (scored, outcome) in &self.rows {
            let count = &mut counts[best(scored)];
            count[0] += 1;
            count[1] += u64::from(outcome.happened(labels));
        }
        let said = |(label, [rows, ones]): (&String, &[u64; 2])| Said {
            label: label.clone(),
            rows: *rows,
            rate: (*rows > 0).then(|| *ones as f64 / *rows as f64),
        };
        labels.iter().zip(&counts).map(said).collect()
    }
}

/// What outcomes may be. 0 and 1 are held against a probability, which the score of several labels is only
/// where each has a place on the scale of the risk.
fn scale<'a>(pipeline: &Pipeline, lineage: &'a Lineage) -> Scale<'a> {
    let form = pipeline.form.as_ref();
    Scale {
        labels: &lineage.labels,
        flags: lineage.labels.len() <= 2 || !lineage.places.is_empty(),
        persons: form.is_some_and(|form| form.names_persons()),
    }
}

/// Keeps scores in memory.
struct Collect {
    lineage: Lineage,
    kept: Arc<Mutex<(Vec<Scored>, Vec<Alert>)>>,
    taken: u64,
}

impl Sink for Collect {
    fn signal(&mut self, signal: &Signal, instrument: &str) -> Result<(), SinkError> {
        let classes = self.lineage.labels.len();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.0.push(Scored {
            key: instrument.into(),
            ts_event: signal.ts_event.0,
            probabilities: signal.outputs[..classes].to_vec(),
            score: self.lineage.score(signal),
        });
        self.taken += 1;
        Ok(())
    }

    fn dead_letter(&mut self, _: &DeadLetter<'_>) -> Result<bool, SinkError> {
        Ok(false)
    }

    fn alert(&mut self, _: &str, record: &[u8]) -> Result<bool, SinkError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let alert = serde_json::from_slice(record);
        kept.1
            .push(alert.expect("a record of an alert has all of its fields"));
        self.taken += 1;
        Ok(true)
    }

    fn settle(&mut self) -> Result<u64, SinkError> {
        Ok(self.taken)
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn keeps_dead_letters(&self) -> bool {
        false
    }
}
