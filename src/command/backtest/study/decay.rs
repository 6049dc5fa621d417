//! The information coefficient by horizon: how scores go with the moves that follow, sooner or later.

use serde::Serialize;

use super::agreement::Prediction;
use super::labelling::{MoveLabel, WaitingPredictions};
use super::sample::EverySample;
use crate::instrument::InstrumentId;
use crate::label::{LabelPoint, PriceOf};
use crate::statistic::correlation::{pearson, spearman};

/// Horizons that are looked at, as multiples of the one that matters most.
const MULTIPLES: [f64; 9] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Pairs that are kept of a horizon: an even number.
const PAIRS_MAX: usize = 1 << 17;

/// The correlation of scores with the moves over a horizon.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct IcFigures {
    /// The horizon, in milliseconds.
    pub horizon_ms: f64,
    /// Signals whose move is known.
    pub count: u64,
    /// Of how many of them each that counts is one: 1 unless there are very many.
    pub every: u64,
    /// Pearson's correlation.
    pub pearson: Option<f64>,
    /// Spearman's correlation of ranks.
    pub spearman: Option<f64>,
}

/// One horizon.
#[derive(Debug)]
struct DecayHorizon {
    horizon_ns: i64,
    waiting: WaitingPredictions<f64>,
    pairs: EverySample<(f64, f64)>,
}

/// All horizons.
#[derive(Debug)]
pub(super) struct Decay {
    horizons: Vec<DecayHorizon>,
}

impl Decay {
    /// The horizons around one, for moves of this price.
    pub(super) fn around(horizon_ns: i64, price: PriceOf) -> Self {
        let of = |multiple: f64| {
            let horizon_ns = (horizon_ns as f64 * multiple).round().max(1.0) as i64;
            let label = MoveLabel {
                price,
                horizon_ns,
                threshold_bps: 0.0,
                test_from: None,
            };
            DecayHorizon {
                horizon_ns,
                waiting: WaitingPredictions::new(label),
                pairs: EverySample::new(PAIRS_MAX),
            }
        };
        Self {
            horizons: MULTIPLES.map(of).into(),
        }
    }

    /// Takes a prediction of an instrument, after the point of its event.
    pub(super) fn predict(
        &mut self,
        instrument: InstrumentId,
        point: &LabelPoint,
        prediction: &Prediction,
    ) {
        for horizon in &mut self.horizons {
            horizon.waiting.predict(instrument, point, prediction.score);
        }
    }

    /// Takes what an event of an instrument has left.
    pub(super) fn pass_time(&mut self, instrument: InstrumentId, point: &LabelPoint) {
        for DecayHorizon { waiting, pairs, .. } in &mut self.horizons {
            waiting.pass_time(instrument, point, |known| {
                if let Some(move_bps) = known.move_bps.filter(|bps| bps.is_finite()) {
                    pairs.add(|| (known.prediction, move_bps));
                }
            });
        }
    }

    /// The correlations, the shortest horizon first.
    pub(super) fn figures(&self) -> Vec<IcFigures> {
        self.horizons.iter().map(DecayHorizon::figures).collect()
    }
}

impl DecayHorizon {
    fn figures(&self) -> IcFigures {
        let (scores, moves): (Vec<f64>, Vec<f64>) = self.pairs.kept().iter().copied().unzip();
        let weights = vec![1.0; scores.len()];
        // Two points lie on a line always.
        let is_enough = scores.len() >= PAIRS_MIN;
        let of =
            |correlation: Correlation| is_enough.then(|| correlation(&scores, &moves, &weights))?;
        IcFigures {
            horizon_ms: self.horizon_ns as f64 / MILLI_NS,
            count: self.pairs.seen(),
            every: self.pairs.every(),
            pearson: of(pearson),
            spearman: of(spearman),
        }
    }
}

/// A correlation of two columns with weights.
type Correlation = fn(&[f64], &[f64], &[f64]) -> Option<f64>;

/// Fewer pairs have no correlation.
const PAIRS_MIN: usize = 3;

/// Nanoseconds in a millisecond.
const MILLI_NS: f64 = 1e6;
