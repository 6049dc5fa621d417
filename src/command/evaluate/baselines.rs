//! Baselines, fitted on the training part of the labels and judged on the rows of the model.

use std::collections::BTreeMap;

use super::join::JoinedRow;
use super::judged::Judged;
use super::metrics::{EvaluationFigures, FigureKind, Sample, SampleError};
use super::outcome::Outcome;
use crate::statistic::least_squares::line;

/// The figures of the baselines.
#[derive(Debug, Default)]
pub(super) struct Baselines {
    pub(super) figures: BTreeMap<&'static str, EvaluationFigures>,
    /// Why a baseline is missing.
    pub(super) left_out: BTreeMap<&'static str, String>,
    /// Labels of the training part with an outcome.
    pub(super) training_rows: u64,
}

/// Predicts by how often each outcome came in the training part.
pub(super) const BASE_RATE: &str = "base_rate";
/// Predicts by the move of the price before the signal.
pub(super) const LAST_MOVE: &str = "last_move";
/// The linear model of the pipeline.
pub(super) const LINEAR: &str = "linear";

impl Baselines {
    /// Fits those that need no further model.
    ///
    /// # Errors
    /// [`SampleError`], which no fitted prediction should give.
    pub(super) fn fit(judged: &Judged<'_>, sample: &Sample) -> Result<Self, SampleError> {
        let mut baselines = Self::default();
        let training = training(judged);
        baselines.training_rows = training.len() as u64;
        if training.is_empty() {
            let why = "no label is of the split `train`, or all are judged: name the split to judge by --split";
            for name in [BASE_RATE, LAST_MOVE] {
                baselines.left_out.insert(name, why.into());
            }
            return Ok(baselines);
        }
        let targets = Targets::of(judged, sample);
        let rate = targets.mean(training.iter().copied());
        let rows = &judged.joined.rows;
        let of_rate: Vec<f64> = rows.iter().flat_map(|_| rate.iter().copied()).collect();
        baselines.judge(BASE_RATE, &targets, &of_rate)?;
        match last_moves(judged, &targets, &rate) {
            Ok(predictions) => baselines.judge(LAST_MOVE, &targets, &predictions)?,
            Err(why) => {
                baselines.left_out.insert(LAST_MOVE, why.into());
            }
        }
        Ok(baselines)
    }

    fn judge(
        &mut self,
        name: &'static str,
        targets: &Targets<'_>,
        predictions: &[f64],
    ) -> Result<(), SampleError> {
        let values = &targets.judged.model().values;
        let figures = targets.sample.predicted_by(predictions, values)?.figures();
        self.figures.insert(name, figures);
        Ok(())
    }
}

/// The outcomes of the training part with their weights. They need no signal.
fn training(judged: &Judged<'_>) -> Vec<(Outcome, f64)> {
    let all = judged.outcomes.all.iter().zip(&judged.meant).enumerate();
    let of_training = all.filter(|(label, _)| judged.outcomes.is_training(*label));
    let known = of_training.filter_map(|(_, (label, outcome))| {
        let weight = label.weight.unwrap_or(1.0);
        Some(((*outcome)?, weight)).filter(|_| weight > 0.0)
    });
    known.collect()
}

/// Outcomes as what a baseline predicts: the probability of outcome 1, that of each class, or a number.
struct Targets<'a> {
    judged: &'a Judged<'a>,
    sample: &'a Sample,
    kind: FigureKind,
}

impl<'a> Targets<'a> {
    fn of(judged: &'a Judged<'a>, sample: &'a Sample) -> Self {
        Self {
            kind: sample.kind(),
            judged,
            sample,
        }
    }

    /// How many numbers a prediction has.
    fn width(&self) -> usize {
        match self.kind {
            FigureKind::Binary | FigureKind::Number => 1,
            FigureKind::Multiclass => self.judged.model().labels.len(),
        }
    }

    fn target(&self, outcome: Outcome) -> Vec<f64> {
        let mut target = vec![0.0; self.width()];
        match (self.kind, outcome) {
            (FigureKind::Multiclass, Outcome::Class(at)) => target[at] = 1.0,
            _ => target[0] = self.judged.number(outcome),
        }
        target
    }

    /// The weighted mean of the targets.
    fn mean(&self, outcomes: impl Iterator<Item = (Outcome, f64)>) -> Vec<f64> {
        let (mut sum, mut total) = (vec![0.0; self.width()], 0.0);
        for (outcome, weight) in outcomes {
            total += weight;
            for (sum, target) in sum.iter_mut().zip(self.target(outcome)) {
                *sum += weight * target;
            }
        }
        sum.iter().map(|sum| sum / total).collect()
    }
}

/// Predictions by the move of the price over the model's horizon up to the signal. Classes: how often each
/// came in the training part after a fall, a rise, or no move. Numbers: the straight line through the training
/// part. Rows without such a move, and moves that the training part has none of, get the base rate.
fn last_moves(
    judged: &Judged<'_>,
    targets: &Targets<'_>,
    rate: &[f64],
) -> Result<Vec<f64>, &'static str> {
    let horizon_ns = judged.model().horizon_ns;
    let prices = judged.collected.prices.as_ref();
    let prices = prices.filter(|prices| !prices.is_empty());
    let prices = prices.ok_or("there are no prices beside the signals")?;
    if horizon_ns <= 0 {
        return Err("the model does not say how far it looks ahead");
    }
    let move_of = |row: &JoinedRow| {
        let before = prices.move_before(judged.scored(row), horizon_ns);
        before.ok()
    };
    let weight = |row: &JoinedRow| judged.outcomes.all[row.label].weight.unwrap_or(1.0);
    let known: Vec<(f64, Outcome, f64)> = judged
        .joined
        .training
        .iter()
        .filter_map(|row| Some((move_of(row)?, row.outcome, weight(row))))
        .filter(|(_, _, weight)| *weight > 0.0)
        .collect();
    if known.is_empty() {
        return Err(
            "no signal of the training part has a move before it: begin --input with that part",
        );
    }
    let rows = judged.joined.rows.iter().map(move_of);
    if targets.kind == FigureKind::Number {
        let column = |of: fn(&(f64, Outcome, f64)) -> f64| known.iter().map(of).collect::<Vec<_>>();
        let outcomes: Vec<f64> = known.iter().map(|one| judged.number(one.1)).collect();
        let fitted = line(&column(|one| one.0), &outcomes, &column(|one| one.2));
        let fitted = fitted.ok_or("all moves before signals of the training part are equal")?;
        let predicted = |bps: Option<f64>| bps.map(|bps| fitted.intercept + fitted.slope * bps);
        return Ok(rows.map(|bps| predicted(bps).unwrap_or(rate[0])).collect());
    }
    let cells: Vec<Vec<f64>> = (0..3)
        .map(|cell| {
            let of_cell = known.iter().filter(|one| cell_of(one.0) == cell);
            let mut of_cell = of_cell.map(|one| (one.1, one.2)).peekable();
            match of_cell.peek() {
                Some(_) => targets.mean(of_cell),
                None => rate.to_vec(),
            }
        })
        .collect();
    let predicted = |bps: Option<f64>| bps.map_or(rate, |bps| &cells[cell_of(bps)]);
    Ok(rows
        .flat_map(|bps| predicted(bps).iter().copied())
        .collect())
}

/// 0 after a fall, 1 after no move, 2 after a rise.
fn cell_of(bps: f64) -> usize {
    match bps {
        up if up > 0.0 => 2,
        down if down < 0.0 => 0,
        _ => 1,
    }
}
