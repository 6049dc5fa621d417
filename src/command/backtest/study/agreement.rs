//! What was predicted, and what came: the confusion of the classes, and the reliability of the probabilities.

use serde::Serialize;

use super::labelling::MOVE_CLASSES;

/// Classes of a move: down, flat, up.
pub(super) const MOVES: usize = MOVE_CLASSES.len();

/// Bins of a probability, of equal width.
const BINS: usize = 10;

/// What a signal says of the move that comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prediction {
    pub(super) score: f64,
    /// Index into [`MOVE_CLASSES`].
    pub(super) class: usize,
    /// The probability of each class; none of a model that gives none.
    pub(super) probabilities: Option<[f64; MOVES]>,
}

/// Counts of predictions and outcomes.
#[derive(Clone, Debug, Default)]
pub(super) struct Agreement {
    /// By outcome, then by prediction.
    counts: [[u64; MOVES]; MOVES],
    unlabelled: u64,
    bins: [[BinSums; BINS]; MOVES],
}

#[derive(Clone, Copy, Debug, Default)]
struct BinSums {
    count: u64,
    predicted: f64,
    happened: u64,
}

/// How predictions and outcomes agree.
#[derive(Clone, Debug, Serialize)]
pub struct ConfusionFigures {
    /// The classes, in the order of rows and columns.
    pub classes: [&'static str; MOVES],
    /// What predicts: the `model`'s most probable class, or the `rule`'s threshold on the score.
    pub predicted_by: &'static str,
    /// The time until the outcome, in milliseconds.
    pub horizon_ms: f64,
    /// A move of more than this is up or down, in basis points of the mid.
    pub threshold_bps: f64,
    /// Signals with a known outcome.
    pub labelled: u64,
    /// Signals without one: a gap, a silence, or the end of the input came first.
    pub unlabelled: u64,
    /// Signals by outcome (rows) and prediction (columns).
    pub counts: [[u64; MOVES]; MOVES],
    /// The share of predictions that came true.
    pub accuracy: Option<f64>,
    /// The share of the most frequent outcome: what predicting it always would reach.
    pub majority: Option<f64>,
}

/// How often a class came, by its probability.
#[derive(Clone, Debug, Serialize)]
pub struct ReliabilityFigures {
    /// The class.
    pub class: &'static str,
    /// The expected calibration error: the mean distance between probability and share, by bin.
    pub calibration_error: Option<f64>,
    /// Bins that have signals.
    pub bins: Vec<ReliabilityBin>,
}

/// Signals whose probability of a class is alike.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ReliabilityBin {
    /// The probability from which on they are in it.
    pub from: f64,
    /// The probability up to which they are in it.
    pub to: f64,
    /// How many.
    pub count: u64,
    /// The mean of their probabilities.
    pub predicted: f64,
    /// The share for which the class came.
    pub observed: f64,
}

impl Agreement {
    /// Adds a prediction with its outcome, where that is known.
    pub(super) fn add(&mut self, prediction: &Prediction, outcome: Option<u8>) {
        let Some(outcome) = outcome.map(usize::from) else {
            self.unlabelled += 1;
            return;
        };
        self.counts[outcome][prediction.class] += 1;
        for (class, probability) in prediction.probabilities.iter().flatten().enumerate() {
            let at = (probability * BINS as f64) as usize;
            let bin = &mut self.bins[class][at.min(BINS - 1)];
            bin.count += 1;
            bin.predicted += probability;
            bin.happened += u64::from(class == outcome);
        }
    }

    /// The confusion of the classes.
    pub(super) fn confusion(
        &self,
        predicted_by: &'static str,
        horizon_ms: f64,
        threshold_bps: f64,
    ) -> ConfusionFigures {
        let outcomes = self.counts.map(|row| row.iter().sum::<u64>());
        let labelled: u64 = outcomes.iter().sum();
        let right: u64 = (0..MOVES).map(|class| self.counts[class][class]).sum();
        let share = |part: u64| (labelled > 0).then(|| part as f64 / labelled as f64);
        ConfusionFigures {
            classes: MOVE_CLASSES,
            predicted_by,
            horizon_ms,
            threshold_bps,
            labelled,
            unlabelled: self.unlabelled,
            counts: self.counts,
            accuracy: share(right),
            majority: share(outcomes.into_iter().max().unwrap_or(0)),
        }
    }

    /// The reliability of the probabilities; empty where there were none.
    pub(super) fn reliability(&self) -> Vec<ReliabilityFigures> {
        let classes = MOVE_CLASSES.into_iter().zip(&self.bins);
        let classes = classes.map(|(class, bins)| reliability_of(class, bins));
        classes.filter(|class| !class.bins.is_empty()).collect()
    }
}

fn reliability_of(class: &'static str, bins: &[BinSums]) -> ReliabilityFigures {
    let filled = bins.iter().enumerate().filter(|(_, bin)| bin.count > 0);
    let bins: Vec<ReliabilityBin> = filled
        .map(|(at, bin)| ReliabilityBin {
            from: at as f64 / BINS as f64,
            to: (at + 1) as f64 / BINS as f64,
            count: bin.count,
            predicted: bin.predicted / bin.count as f64,
            observed: bin.happened as f64 / bin.count as f64,
        })
        .collect();
    let total: u64 = bins.iter().map(|bin| bin.count).sum();
    let distance = |bin: &ReliabilityBin| bin.count as f64 * (bin.predicted - bin.observed).abs();
    ReliabilityFigures {
        class,
        calibration_error: (total > 0)
            .then(|| bins.iter().map(distance).sum::<f64>() / total as f64),
        bins,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_shares_and_bins_are_those_of_the_list() {
        let mut agreement = Agreement::default();
        let mut add = |class, probabilities, outcome| {
            let prediction = Prediction {
                score: 0.0,
                class,
                probabilities: Some(probabilities),
            };
            agreement.add(&prediction, outcome);
        };
        add(2, [0.1, 0.25, 0.65], Some(2));
        add(2, [0.2, 0.15, 0.65], Some(1));
        add(0, [1.0, 0.0, 0.0], Some(0));
        add(1, [0.2, 0.6, 0.2], None);
        let confusion = agreement.confusion("model", 2_000.0, 0.2);
        assert_eq!(confusion.counts, [[1, 0, 0], [0, 0, 1], [0, 0, 1]]);
        assert_eq!((confusion.labelled, confusion.unlabelled), (3, 1));
        assert_eq!(confusion.accuracy, Some(2.0 / 3.0));
        assert_eq!(confusion.majority, Some(1.0 / 3.0));
        let up = &agreement.reliability()[2];
        assert_eq!(up.bins.len(), 2, "0.0 of one, 0.65 of two");
        assert_eq!((up.bins[1].count, up.bins[1].observed), (2, 0.5));
        assert_eq!(
            up.calibration_error.map(|error| (error * 1e9).round()),
            Some(1e8)
        );
        let down = &agreement.reliability()[0];
        assert_eq!((down.bins[2].from, down.bins[2].to), (0.9, 1.0));
    }
}
