//! What the signals of a backtest are worth beside their trades: outcomes, correlations, drift, delays.
//!
//! Makes the rows of the events once more, by the code that made them for the model, and labels them by the
//! code that labels a training set. Changes neither signals nor trades.

mod agreement;
mod decay;
mod delay;
mod drawing;
mod drift;
mod labelling;
mod sample;
mod step;
mod thinned;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;

use self::agreement::{Agreement, MOVES, Prediction};
pub(super) use self::agreement::{ConfusionFigures, ReliabilityFigures};
use self::decay::Decay;
pub(super) use self::decay::IcFigures;
pub(super) use self::delay::DurationFigures;
pub(super) use self::delay::Durations;
use self::drawing::Drawing;
pub(super) use self::drawing::DrawnInstrument;
use self::drift::Drift;
pub(super) use self::drift::DriftFigures;
pub(super) use self::labelling::MoveLabel;
use self::labelling::{MOVE_CLASSES, WaitingPredictions};
use self::step::{HeardMid, StudiedStep, key};
use crate::backtest::{ChangeMoments, Decision, Terms, TradedSpan};
use crate::engine::row::Row;
use crate::engine::row_maker::RowMaker;
use crate::event::Batch;
use crate::frame::Origin;
use crate::instrument::InstrumentId;
use crate::label::{LabelPoint, PriceOf};
use crate::model::normalise::Normalise;
use crate::pipeline::{Loaded, Pipeline};
use crate::signal::model::most_probable;
use crate::signal::quality::Quality;
use crate::signal::{MAX_OUTPUTS, Signal};
use crate::units::Nanos;

/// What the signals are worth beside their trades.
#[derive(Clone, Debug, Serialize)]
pub struct StudyFigures {
    /// Predictions and outcomes; null without `[label]`.
    pub confusion: Option<ConfusionFigures>,
    /// The reliability of the probabilities; empty where the model gives none of down, flat and up.
    pub reliability: Vec<ReliabilityFigures>,
    /// The information coefficient by horizon.
    pub ic: Vec<IcFigures>,
    /// Scores by the quality of their signals.
    pub scores_by_quality: BTreeMap<&'static str, ScoreFigures>,
    /// From the event of a signal until its message was received, by the input; null where it has no receive
    /// times.
    pub feed_latency_ms: Option<DurationFigures>,
    /// From the event of a signal until an order of it takes effect; null without signals.
    pub order_latency_ms: Option<DurationFigures>,
    /// How far features have drifted from the training.
    pub drift: DriftFigures,
}

/// Scores of signals of one quality.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ScoreFigures {
    /// Signals.
    pub signals: u64,
    /// The mean of their scores.
    pub mean: f64,
    /// Their standard deviation.
    pub deviation: Option<f64>,
    /// The least and the greatest.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

/// A signal, with what it is matched with its row by, and what it says.
#[derive(Clone, Copy, Debug)]
pub(super) struct StudiedSignal {
    decision: Decision,
    origin: Origin,
    part: u16,
    outputs: [f64; MAX_OUTPUTS],
}

impl StudiedSignal {
    pub(super) fn new(decision: Decision, signal: &Signal) -> Self {
        Self {
            decision,
            origin: signal.origin,
            part: signal.part,
            outputs: signal.outputs,
        }
    }
}

/// The signals of the parts of the input, before and after `[label] test_from`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SplitCounts {
    /// Before it, with their horizon.
    pub(super) training: u64,
    /// Before it, with a horizon that reaches it.
    pub(super) border: u64,
    /// From it on.
    pub(super) test: u64,
}

/// What a study found.
#[derive(Clone, Debug)]
pub(super) struct StudyOutcome {
    pub(super) figures: StudyFigures,
    pub(super) splits: SplitCounts,
    pub(super) drawn: Vec<DrawnInstrument>,
}

/// A study under way.
#[derive(Debug)]
pub(super) struct Study {
    rows: RowMaker,
    cells: Vec<f64>,
    terms: Terms,
    labelling: Option<MoveLabel>,
    predicts_moves: bool,
    names: Vec<String>,
    fitted: Option<Normalise>,
    step: StudiedStep,
    outcomes: Option<(WaitingPredictions<Prediction>, Agreement)>,
    decay: Decay,
    scores: BTreeMap<Quality, (ChangeMoments, f64, f64)>,
    feed: Durations,
    order: Durations,
    drift: Drift,
    splits: SplitCounts,
    drawing: Drawing,
}

impl Study {
    pub(super) fn new(
        pipeline: &Pipeline,
        loaded: &Loaded,
        terms: &Terms,
        traded: TradedSpan,
    ) -> Self {
        let labelling = MoveLabel::of(pipeline);
        // Without a label the time that positions are held is what a score is about.
        let held = terms.rule.hold_ns.filter(|hold| *hold < i64::MAX);
        let horizon_ns = labelling.map(|labelling| labelling.horizon_ns).or(held);
        Self {
            rows: RowMaker::new(Arc::clone(&pipeline.plan), pipeline.rules),
            cells: vec![0.0; pipeline.plan.len()],
            terms: terms.clone(),
            labelling,
            predicts_moves: loaded.lineage.first_model().labels == MOVE_CLASSES,
            names: pipeline.plan.names().to_vec(),
            fitted: loaded.contract.normalise.clone(),
            step: StudiedStep::default(),
            outcomes: labelling
                .map(|labelling| (WaitingPredictions::new(labelling), Agreement::default())),
            decay: Decay::around(
                horizon_ns.unwrap_or(SECOND_NS),
                labelling.map_or(PriceOf::Mid, |labelling| labelling.price),
            ),
            scores: BTreeMap::new(),
            feed: Durations::default(),
            order: Durations::default(),
            drift: Drift::default(),
            splits: SplitCounts::default(),
            drawing: Drawing::of(traded, terms),
        }
    }

    /// Takes the events of a step of the engine and the signals that they gave.
    pub(super) fn step(&mut self, batch: &Batch, signals: &[StudiedSignal]) {
        self.make_rows(batch);
        for signal in signals {
            self.signal(signal);
        }
        let step = std::mem::take(&mut self.step);
        for heard in &step.heard {
            self.pass_time(heard, &step.rows);
        }
        self.step = step;
    }

    /// Makes the rows of the events, and notes the mid after each.
    fn make_rows(&mut self, batch: &Batch) {
        self.step.clear();
        for event in &batch.events {
            let part = self.step.part(event.frame, event.instrument);
            self.step.note_receipt(&batch.origins[event.frame as usize]);
            let made = self.rows.apply(batch, event, &mut self.cells);
            if event.instrument == InstrumentId::ALL {
                continue;
            }
            let row = made.map(|row| {
                let is_training = self.is_training(row.ts_event);
                if is_training && self.terms.rule.act_on.contains(&row.quality) {
                    self.drift.add(true, &self.cells);
                }
                let origin = &batch.origins[event.frame as usize];
                let key = key(event.instrument, origin, part);
                self.step.row(row, &self.cells, key)
            });
            self.step.heard.push(HeardMid {
                instrument: event.instrument,
                point: self.rows.label_point(event.instrument),
                row,
            });
        }
    }

    /// Takes a signal, whose row is of this step.
    fn signal(&mut self, signal: &StudiedSignal) {
        let Decision {
            instrument,
            ts,
            score,
            quality,
        } = signal.decision;
        let scores = self.scores.entry(quality).or_insert_with(|| {
            let none = ChangeMoments::default();
            (none, f64::INFINITY, f64::NEG_INFINITY)
        });
        scores.0.add(score);
        (scores.1, scores.2) = (scores.1.min(score), scores.2.max(score));
        if !self.terms.rule.act_on.contains(&quality) || !score.is_finite() {
            return;
        }
        if self.step.is_received(&signal.origin) {
            self.feed.add(signal.origin.ts_recv.0.saturating_sub(ts));
        }
        self.order.add(self.terms.latency.of(ts));
        self.count_split(ts);
        self.drawing.score(instrument, ts, score);
        let waiting = key(instrument, &signal.origin, signal.part);
        let row = self.step.waiting.get_mut(&waiting);
        if let Some(at) = row.and_then(VecDeque::pop_front) {
            // Rows of the training are there already, scored or not.
            if !self.is_training(Nanos(ts)) {
                let width = self.cells.len();
                let cells = &self.step.cells[at * width..(at + 1) * width];
                self.drift.add(false, cells);
            }
            self.step.rows[at].1 = Some(self.prediction(score, &signal.outputs));
        }
    }

    fn prediction(&self, score: f64, outputs: &[f64; MAX_OUTPUTS]) -> Prediction {
        let mut probabilities = [0.0; MOVES];
        probabilities.copy_from_slice(&outputs[..MOVES]);
        let enter = self.terms.rule.enter;
        Prediction {
            score,
            class: match self.predicts_moves {
                true => most_probable(&probabilities),
                false if score >= enter => MOVES - 1,
                false if score <= -enter => 0,
                false => 1,
            },
            probabilities: self.predicts_moves.then_some(probabilities),
        }
    }

    /// Whether a time is before `[label] test_from`.
    fn is_training(&self, ts: Nanos) -> bool {
        let border = self.labelling.and_then(|labelling| labelling.test_from);
        border.is_some_and(|border| ts < border)
    }

    /// Counts a signal by the part of the input that it is in.
    fn count_split(&mut self, ts: i64) {
        let Some((labelling, border)) = self
            .labelling
            .and_then(|labelling| Some((labelling, labelling.test_from?)))
        else {
            return;
        };
        let ends = ts.saturating_add(labelling.horizon_ns);
        let count = match (ts < border.0, ends < border.0) {
            (true, true) => &mut self.splits.training,
            (true, false) => &mut self.splits.border,
            (false, _) => &mut self.splits.test,
        };
        *count += 1;
    }

    /// Labels what has waited for the mid after an event, and lets the event's row wait.
    fn pass_time(&mut self, heard: &HeardMid, rows: &[(Row, Option<Prediction>)]) {
        let Some(point) = heard.point else {
            return;
        };
        if let Some((waiting, agreement)) = &mut self.outcomes {
            waiting.pass_time(heard.instrument, &point, |known| {
                agreement.add(&known.prediction, known.class);
            });
        }
        self.decay.pass_time(heard.instrument, &point);
        if let Some(mid) = point.mid {
            self.drawing.mid(heard.instrument, point.now.0, mid);
        }
        if let Some((row, Some(prediction))) = heard.row.map(|at| &rows[at]) {
            self.predict(row, &point, prediction);
        }
    }

    fn predict(&mut self, row: &Row, point: &LabelPoint, prediction: &Prediction) {
        if let Some((waiting, _)) = &mut self.outcomes {
            waiting.predict(row.instrument, point, *prediction);
        }
        self.decay.predict(row.instrument, point, prediction);
    }

    /// Ends the input.
    pub(super) fn finish(mut self) -> StudyOutcome {
        if let Some((waiting, agreement)) = &mut self.outcomes {
            waiting
                .rest()
                .for_each(|unknown| agreement.add(&unknown, None));
        }
        let agreement = self.outcomes.as_ref().map(|(_, agreement)| agreement);
        let by = if self.predicts_moves { "model" } else { "rule" };
        let confusion = agreement.zip(self.labelling).map(|(agreement, labelling)| {
            let horizon_ms = labelling.horizon_ns as f64 / MILLI_NS;
            agreement.confusion(by, horizon_ms, labelling.threshold_bps)
        });
        let scores = self.scores.iter();
        StudyOutcome {
            figures: StudyFigures {
                confusion,
                reliability: agreement.map(Agreement::reliability).unwrap_or_default(),
                ic: self.decay.figures(),
                scores_by_quality: scores
                    .map(|(quality, (moments, min, max))| {
                        let figures = ScoreFigures {
                            signals: moments.count() as u64,
                            mean: moments.mean(),
                            deviation: moments.deviation(),
                            min: *min,
                            max: *max,
                        };
                        (quality.word(), figures)
                    })
                    .collect(),
                feed_latency_ms: self.feed.figures(),
                order_latency_ms: self.order.figures(),
                drift: self.drift.figures(&self.names, self.fitted.as_ref()),
            },
            splits: self.splits,
            drawn: self.drawing.finish(),
        }
    }
}

/// Nanoseconds in a second.
const SECOND_NS: i64 = 1_000_000_000;

/// Nanoseconds in a millisecond.
const MILLI_NS: f64 = 1e6;
