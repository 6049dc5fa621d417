//! Logistic recalibration: the slope and intercept that would make probabilities right.

use super::least_squares::Line;
use super::weights::RowWeights;

/// Probabilities as log odds, to be held against what happened.
///
/// The slope and the intercept are those of the logistic regression of the outcome on the log odds of the
/// probability, without penalty. Slope 1 and intercept 0 are right; below 1, probabilities are too extreme,
/// and an intercept below 0 says that they are too high. Source: D. R. Cox, "Two further applications of a
/// model for binary regression", Biometrika 45 (1958).
#[derive(Clone, Debug)]
pub struct Recalibration {
    /// Log odds, less their mean and by their standard deviation.
    odds: Vec<f64>,
    mean: f64,
    deviation: f64,
}

/// The largest step of a parameter, in standard deviations of the log odds: further from the maximum, where
/// the likelihood is flat, Newton's step is too long.
const LONGEST_STEP: f64 = 1.0;
/// Smaller steps end the search: the next one is as small as rounding.
const LAST_STEP: f64 = 1e-9;
const STEPS_MAX: usize = 200;

impl Recalibration {
    /// Of probabilities, which are kept 2⁻⁵² away from 0 and 1, as for the log loss.
    #[must_use]
    pub fn new(probabilities: &[f64]) -> Self {
        let logit = |p: &f64| {
            let p = p.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
            libm::log(p / (1.0 - p))
        };
        let mut odds: Vec<f64> = probabilities.iter().map(logit).collect();
        let rows = odds.len().max(1) as f64;
        let mean = odds.iter().sum::<f64>() / rows;
        let squares: f64 = odds.iter().map(|odd| (odd - mean).powi(2)).sum();
        let deviation = Some((squares / rows).sqrt())
            .filter(|d| *d > 0.0)
            .unwrap_or(1.0);
        for odd in &mut odds {
            *odd = (*odd - mean) / deviation;
        }
        Self {
            odds,
            mean,
            deviation,
        }
    }

    /// The fit to what happened; `from` is one of the same probabilities that may be near. None where a
    /// threshold separates what happened from what did not, as with one outcome or one probability: the
    /// slope is then anything or infinite (A. Albert and J. A. Anderson, Biometrika 71, 1984).
    #[must_use]
    pub fn fit(
        &self,
        happened: impl Fn(usize) -> bool,
        weights: &RowWeights,
        from: Option<Line>,
    ) -> Option<Line> {
        if self.is_separated(&happened, weights.each()) {
            return None;
        }
        let begin = from.map_or([0.0; 2], |line| self.standardised(line));
        let fitted = self.climb(begin, &happened, weights.each());
        let fitted = fitted.or_else(|| self.climb([0.0; 2], &happened, weights.each()))?;
        Some(Line {
            slope: fitted[1] / self.deviation,
            intercept: fitted[0] - fitted[1] * self.mean / self.deviation,
        })
    }

    fn standardised(&self, line: Line) -> [f64; 2] {
        [
            line.intercept + line.slope * self.mean,
            line.slope * self.deviation,
        ]
    }

    /// Newton's method on the log likelihood, which is concave; none where it does not arrive.
    fn climb(
        &self,
        begin: [f64; 2],
        happened: impl Fn(usize) -> bool,
        weights: &[f64],
    ) -> Option<[f64; 2]> {
        let [mut intercept, mut slope] = begin;
        for _ in 0..STEPS_MAX {
            let (mut g0, mut g1, mut h00, mut h01, mut h11) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for (row, (odd, weight)) in self.odds.iter().zip(weights).enumerate() {
                if *weight > 0.0 {
                    let p = 1.0 / (1.0 + libm::exp(-(intercept + slope * odd)));
                    let error = weight * (f64::from(u8::from(happened(row))) - p);
                    let curve = weight * p * (1.0 - p);
                    g0 += error;
                    g1 += error * odd;
                    h00 += curve;
                    h01 += curve * odd;
                    h11 += curve * odd * odd;
                }
            }
            let determinant = h00 * h11 - h01 * h01;
            let steps = [
                (h11 * g0 - h01 * g1) / determinant,
                (h00 * g1 - h01 * g0) / determinant,
            ];
            let longest = steps[0].abs().max(steps[1].abs());
            if !steps.iter().all(|step| step.is_finite()) {
                return None;
            }
            let part = (LONGEST_STEP / longest).min(1.0);
            intercept += part * steps[0];
            slope += part * steps[1];
            if longest < LAST_STEP {
                return Some([intercept, slope]);
            }
        }
        None
    }

    /// Whether no row that happened lies among those that did not.
    fn is_separated(&self, happened: impl Fn(usize) -> bool, weights: &[f64]) -> bool {
        let nothing = [f64::INFINITY, f64::NEG_INFINITY];
        let mut ranges = [nothing; 2];
        for (row, (odd, weight)) in self.odds.iter().zip(weights).enumerate() {
            if *weight > 0.0 {
                let [low, high] = &mut ranges[usize::from(happened(row))];
                (*low, *high) = (low.min(*odd), high.max(*odd));
            }
        }
        let [zeros, ones] = ranges;
        zeros[1] <= ones[0] || ones[1] <= zeros[0]
    }
}
