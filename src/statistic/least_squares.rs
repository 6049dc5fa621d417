//! Errors of predicted numbers, and the straight line of least squares.

use super::correlation::Spread;

/// A straight line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// By how much y grows with x.
    pub slope: f64,
    /// y where x is 0.
    pub intercept: f64,
}

/// The line through weighted rows of which the squared distances of y are least; none where x is constant.
///
/// # Panics
/// Where the columns are not of one length.
#[must_use]
pub fn line(x: &[f64], y: &[f64], weights: &[f64]) -> Option<Line> {
    let spread = Spread::of(x, y, weights)?;
    (spread.xx > 0.0).then(|| {
        let slope = spread.xy / spread.xx;
        Line {
            slope,
            intercept: spread.mean_y - slope * spread.mean_x,
        }
    })
}

/// The share of the outcomes' variance that predictions explain, R²; below 0 where their mean would be
/// nearer. None where the outcomes are constant.
///
/// # Panics
/// Where the columns are not of one length.
#[must_use]
pub fn r2(predicted: &[f64], outcomes: &[f64], weights: &[f64]) -> Option<f64> {
    let spread = Spread::of(predicted, outcomes, weights)?;
    let squares = sum(predicted, outcomes, weights, |error| error * error);
    (spread.yy > 0.0).then(|| 1.0 - squares / spread.yy)
}

/// The mean absolute error; none where no row counts.
#[must_use]
pub fn mae(predicted: &[f64], outcomes: &[f64], weights: &[f64]) -> Option<f64> {
    let total: f64 = weights.iter().sum();
    (total > 0.0).then(|| sum(predicted, outcomes, weights, f64::abs) / total)
}

/// The root of the mean squared error; none where no row counts.
#[must_use]
pub fn rmse(predicted: &[f64], outcomes: &[f64], weights: &[f64]) -> Option<f64> {
    let total: f64 = weights.iter().sum();
    let squares = || sum(predicted, outcomes, weights, |error| error * error);
    (total > 0.0).then(|| (squares() / total).sqrt())
}

fn sum(predicted: &[f64], outcomes: &[f64], weights: &[f64], of: impl Fn(f64) -> f64) -> f64 {
    let rows = predicted.iter().zip(outcomes).zip(weights);
    rows.map(|((p, y), weight)| weight * of(p - y)).sum()
}
