//! Predictions that wait for what happens, labelled by the code that labels training sets.

use std::collections::VecDeque;

use crate::instrument::InstrumentId;
use crate::label::{Horizon, LabelKind, LabelPoint, LabelSpec, Labels, PriceOf, Resolution};
use crate::pipeline::Pipeline;
use crate::units::Nanos;

/// The names of the classes of a move; a class is an index into them.
pub(super) const MOVE_CLASSES: [&str; 3] = ["down", "flat", "up"];

/// How predictions are labelled: by the move of a price over a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MoveLabel {
    /// The price.
    pub(crate) price: PriceOf,
    /// How long after the prediction it is looked at, in nanoseconds.
    pub(crate) horizon_ns: i64,
    /// A larger move is up or down, in basis points.
    pub(crate) threshold_bps: f64,
    /// Predictions from this time on are of the test; none: there is no test.
    pub(crate) test_from: Option<Nanos>,
}

impl MoveLabel {
    /// The first of a pipeline's labels that is of this kind.
    pub(crate) fn of(pipeline: &Pipeline) -> Option<Self> {
        let of = |spec: &LabelSpec| match spec.kind {
            LabelKind::Move {
                price,
                horizon: Horizon::Time(horizon_ns),
                threshold_bps,
            } => Some(Self {
                price,
                horizon_ns,
                threshold_bps,
                test_from: pipeline.split.test_from,
            }),
            _ => None,
        };
        pipeline.labels.iter().find_map(of)
    }

    fn spec(self) -> LabelSpec {
        LabelSpec {
            name: String::new(),
            value_column: String::new(),
            end_column: String::new(),
            kind_name: "move",
            kind: LabelKind::Move {
                price: self.price,
                horizon: Horizon::Time(self.horizon_ns),
                threshold_bps: self.threshold_bps,
            },
        }
    }
}

/// Predictions that wait.
#[derive(Debug)]
pub(super) struct WaitingPredictions<T> {
    label: [LabelSpec; 1],
    instruments: Vec<Waiting<T>>,
    resolutions: Vec<Resolution>,
}

#[derive(Debug)]
struct Waiting<T> {
    labels: Labels,
    next: u64,
    rows: VecDeque<(u64, T)>,
}

/// A prediction, and what happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct LabelledPrediction<T> {
    pub(super) prediction: T,
    /// Index into [`MOVE_CLASSES`]; none where there is no label.
    pub(super) class: Option<u8>,
    /// The move in basis points.
    pub(super) move_bps: Option<f64>,
}

impl<T> WaitingPredictions<T> {
    /// None yet.
    pub(super) fn new(label: MoveLabel) -> Self {
        Self {
            label: [label.spec()],
            instruments: vec![],
            resolutions: vec![],
        }
    }

    /// Takes a prediction, after the point of its event.
    pub(super) fn predict(&mut self, instrument: InstrumentId, point: &LabelPoint, prediction: T) {
        let mut resolutions = std::mem::take(&mut self.resolutions);
        let waiting = self.of(instrument);
        waiting.rows.push_back((waiting.next, prediction));
        waiting
            .labels
            .row(waiting.next, point, &[], &mut resolutions);
        waiting.next += 1;
        self.resolutions = resolutions;
    }

    /// Takes what an event has left; passes the predictions of which it tells what happened to `known`.
    pub(super) fn pass_time(
        &mut self,
        instrument: InstrumentId,
        point: &LabelPoint,
        mut known: impl FnMut(LabelledPrediction<T>),
    ) {
        let mut resolutions = std::mem::take(&mut self.resolutions);
        let waiting = self.of(instrument);
        waiting.labels.point(point, &mut resolutions);
        for resolution in resolutions.drain(..) {
            let at = waiting.rows.iter().position(|row| row.0 == resolution.row);
            if let Some((_, prediction)) = at.and_then(|at| waiting.rows.remove(at)) {
                known(LabelledPrediction {
                    prediction,
                    class: resolution.outcome.and_then(|outcome| outcome.class),
                    move_bps: resolution.outcome.map(|outcome| outcome.value),
                });
            }
        }
        self.resolutions = resolutions;
    }

    /// The predictions of which the input does not tell what happened.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = T> {
        let instruments = std::mem::take(&mut self.instruments);
        let rows = instruments.into_iter().flat_map(|waiting| waiting.rows);
        rows.map(|(_, prediction)| prediction)
    }

    fn of(&mut self, instrument: InstrumentId) -> &mut Waiting<T> {
        let (at, label) = (instrument.index(), &self.label);
        if at >= self.instruments.len() {
            self.instruments.resize_with(at + 1, || Waiting {
                labels: Labels::new(label, "", &[]),
                next: 0,
                rows: VecDeque::new(),
            });
        }
        &mut self.instruments[at]
    }
}
