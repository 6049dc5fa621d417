//! Drift: how far the features of the rows that were scored are from those of the training.

use serde::Serialize;

use super::sample::EverySample;
use crate::backtest::ChangeMoments;
use crate::model::normalise::Normalise;

/// Rows that are kept of each part: an even number.
const ROWS_MAX: usize = 1 << 15;

/// Bins of the population stability index: tenths of the baseline.
const BINS: usize = 10;

/// The least share of a bin: an empty one would make the index infinite.
const SHARE_MIN: f64 = 1e-4;

/// How far features have drifted.
#[derive(Clone, Debug, Serialize)]
pub struct DriftFigures {
    /// What they are held against: `training rows of the input`, `mean and deviation of the model's file`, or
    /// null: there is none.
    pub baseline: Option<&'static str>,
    /// Rows of the baseline; 0 where it is no rows.
    pub baseline_rows: u64,
    /// Rows that are held against it.
    pub rows: u64,
    /// Each feature.
    pub features: Vec<FeatureDrift>,
}

/// How far a feature has drifted.
#[derive(Clone, Debug, Serialize)]
pub struct FeatureDrift {
    /// Its name.
    pub name: String,
    /// Rows without a value.
    pub missing: u64,
    /// The mean of the others.
    pub mean: Option<f64>,
    /// Their standard deviation.
    pub deviation: Option<f64>,
    /// The mean of the baseline.
    pub baseline_mean: Option<f64>,
    /// The standard deviation of the baseline.
    pub baseline_deviation: Option<f64>,
    /// The difference of the means, in standard deviations of the baseline.
    pub shift: Option<f64>,
    /// The population stability index over tenths of the baseline; null where it is no rows.
    pub psi: Option<f64>,
}

/// The rows of both parts.
#[derive(Debug)]
pub(super) struct Drift {
    training: EverySample<Box<[f64]>>,
    later: EverySample<Box<[f64]>>,
}

impl Default for Drift {
    fn default() -> Self {
        Self {
            training: EverySample::new(ROWS_MAX),
            later: EverySample::new(ROWS_MAX),
        }
    }
}

impl Drift {
    /// Adds a row that was scored.
    pub(super) fn add(&mut self, is_training: bool, cells: &[f64]) {
        let part = match is_training {
            true => &mut self.training,
            false => &mut self.later,
        };
        part.add(|| cells.into());
    }

    /// The drift of these features; `fitted` is what the model's file says of its training.
    pub(super) fn figures(&self, names: &[String], fitted: Option<&Normalise>) -> DriftFigures {
        let has_rows = self.training.seen() > 0 && self.later.seen() > 0;
        let fitted = fitted.and_then(|fitted| match fitted {
            Normalise::Fixed { mean, std } => Some((mean, std)),
            Normalise::None | Normalise::Expanding => None,
        });
        // Where there are rows of the training alone, they are held against what the model's file says.
        let rows = match self.later.seen() {
            0 => &self.training,
            _ => &self.later,
        };
        let column = |of: &EverySample<Box<[f64]>>, at: usize| -> Vec<f64> {
            of.kept().iter().map(|row| row[at]).collect()
        };
        let features = names.iter().enumerate().map(|(at, name)| {
            let values = column(rows, at);
            let baseline = has_rows.then(|| column(&self.training, at));
            let (missing, found) = moments(&values);
            let of_file = fitted.map(|(mean, std)| (mean[at], std[at]));
            let (mean, deviation) = match &baseline {
                Some(baseline) => {
                    let of_rows = moments(baseline).1;
                    (mean_of(&of_rows), of_rows.deviation())
                }
                None => (of_file.map(|file| file.0), of_file.map(|file| file.1)),
            };
            let spread = deviation.filter(|deviation| *deviation > 0.0);
            let shift = mean_of(&found).zip(mean).zip(spread);
            FeatureDrift {
                name: name.clone(),
                missing,
                mean: mean_of(&found),
                deviation: found.deviation(),
                baseline_mean: mean,
                baseline_deviation: deviation,
                shift: shift.map(|((now, mean), spread)| (now - mean) / spread),
                psi: baseline.and_then(|baseline| stability_index(&baseline, &values)),
            }
        });
        DriftFigures {
            features: features.collect(),
            baseline: match (has_rows, fitted) {
                (true, _) => Some("training rows of the input"),
                (false, Some(_)) => Some("mean and deviation of the model's file"),
                (false, None) => None,
            },
            baseline_rows: match has_rows {
                true => self.training.seen(),
                false => 0,
            },
            rows: rows.seen(),
        }
    }
}

fn moments(values: &[f64]) -> (u64, ChangeMoments) {
    let mut moments = ChangeMoments::default();
    let mut missing = 0;
    for value in values {
        match value.is_finite() {
            true => moments.add(*value),
            false => missing += 1,
        }
    }
    (missing, moments)
}

fn mean_of(moments: &ChangeMoments) -> Option<f64> {
    (moments.count() > 0.0).then(|| moments.mean())
}

/// The population stability index: the sum over bins of (a − b) · ln(a / b), a and b the shares of both
/// parts. Bins are tenths of the baseline; rows without a value have one of their own. None where the
/// baseline has no values.
///
/// Source: N. Siddiqi, "Credit risk scorecards" (2006), 10; an index above 0.25 is a large change there, one
/// below 0.1 none.
fn stability_index(baseline: &[f64], values: &[f64]) -> Option<f64> {
    let mut sorted: Vec<f64> = baseline.iter().copied().filter(|v| v.is_finite()).collect();
    if sorted.is_empty() || values.is_empty() {
        return None;
    }
    sorted.sort_by(f64::total_cmp);
    let mut edges: Vec<f64> = (1..BINS)
        .map(|tenth| sorted[tenth * sorted.len() / BINS])
        .collect();
    edges.dedup();
    let shares = |of: &[f64]| -> Vec<f64> {
        let mut counts = vec![0_u64; edges.len() + 2];
        for value in of {
            let at = match value.is_finite() {
                true => edges.partition_point(|edge| edge <= value),
                false => edges.len() + 1,
            };
            counts[at] += 1;
        }
        let share = |count: &u64| (*count as f64 / of.len() as f64).max(SHARE_MIN);
        counts.iter().map(share).collect()
    };
    let pairs = shares(baseline).into_iter().zip(shares(values));
    Some(pairs.map(|(b, a)| (a - b) * libm::log(a / b)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_that_of_the_definition() {
        let baseline: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(stability_index(&baseline, &baseline), Some(0.0));
        // All in the last tenth: nine bins of 0.1 become empty, one of 0.1 becomes full.
        let late = vec![95.0; 50];
        let expected = 9.0 * (1e-4 - 0.1) * libm::log(1e-4 / 0.1) + 0.9 * libm::log(10.0);
        let found = stability_index(&baseline, &late).unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        assert_eq!(stability_index(&[f64::NAN], &late), None);
    }

    #[test]
    fn what_is_held_against_what_depends_on_what_there_is() {
        let names = ["x".to_owned()];
        let fitted = Normalise::Fixed {
            mean: vec![1.0],
            std: vec![2.0],
        };
        let mut drift = Drift::default();
        for value in [4.0, 6.0, f64::NAN] {
            drift.add(false, &[value]);
        }
        let found = drift.figures(&names, Some(&fitted));
        assert_eq!(
            found.baseline,
            Some("mean and deviation of the model's file")
        );
        let one = &found.features[0];
        assert_eq!(
            (one.missing, one.mean, one.shift),
            (1, Some(5.0), Some(2.0))
        );
        assert_eq!(one.psi, None);
        assert_eq!(drift.figures(&names, None).baseline, None);
        drift.add(true, &[5.0]);
        drift.add(true, &[7.0]);
        let found = drift.figures(&names, Some(&fitted));
        assert_eq!(found.baseline_rows, 2);
        assert_eq!(found.features[0].baseline_mean, Some(6.0));
        assert!(found.features[0].psi.is_some());
    }
}
