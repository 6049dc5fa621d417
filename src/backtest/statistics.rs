//! Statistics of an equity curve: Sharpe ratio, deflated Sharpe ratio, Sortino ratio, Calmar ratio.
//!
//! All are of the changes of net equity from one sample to the next, silences included: a year has as many
//! changes as steps fit into 365 days, so that ratios do not depend on how often the market spoke.

use super::equity::Equity;
use super::moments::ChangeMoments;
use super::normal::{cumulative, quantile};

/// Steps of this length in a year of 365 days.
#[must_use]
pub fn steps_a_year(step_ns: i64) -> f64 {
    365.0 * 86_400e9 / step_ns as f64
}

/// The Sharpe ratio of one step: mean by standard deviation of the changes. No riskless rate is taken off.
/// None below two changes, or where all are equal.
#[must_use]
pub fn sharpe_of_step(changes: &ChangeMoments) -> Option<f64> {
    let deviation = changes.deviation().filter(|deviation| *deviation > 0.0)?;
    Some(changes.mean() / deviation)
}

/// The Sharpe ratio of a year.
#[must_use]
pub fn sharpe(equity: &Equity, step_ns: i64) -> Option<f64> {
    Some(sharpe_of_step(&equity.changes)? * steps_a_year(step_ns).sqrt())
}

/// The Sortino ratio of a year: mean by the root of the mean square of the changes below zero. None where no
/// change is below zero.
#[must_use]
pub fn sortino(equity: &Equity, step_ns: i64) -> Option<f64> {
    let downside = (equity.below_zero / equity.changes.count()).sqrt();
    (downside > 0.0).then(|| equity.changes.mean() / downside * steps_a_year(step_ns).sqrt())
}

/// The Calmar ratio: what a year would win by the largest drawdown. None without a drawdown.
#[must_use]
pub fn calmar(equity: &Equity, step_ns: i64) -> Option<f64> {
    let a_year = equity.changes.mean() * steps_a_year(step_ns);
    (equity.max_drawdown > 0.0).then(|| a_year / equity.max_drawdown)
}

/// The trials from which a result was chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trials {
    /// How many were tried, this one included; at least 1.
    pub count: u64,
    /// The variance of their Sharpe ratios of one step; none where it is not known: then that of the estimate
    /// itself is taken.
    pub variance: Option<f64>,
}

/// The deflated Sharpe ratio: the probability that the true Sharpe ratio is above the one that the best of so
/// many trials without any skill is expected to show. With one trial it is the probabilistic Sharpe ratio
/// against zero. None where the Sharpe ratio is.
///
/// Source: D. Bailey and M. López de Prado, "The deflated Sharpe ratio", Journal of Portfolio Management 40
/// (2014), equations 1 (expected maximum) and 2.
#[must_use]
pub fn deflated_sharpe(changes: &ChangeMoments, trials: Trials) -> Option<f64> {
    let shape = SharpeTerms {
        ratio: sharpe_of_step(changes)?,
        skew: changes.skew()?,
        kurtosis: changes.kurtosis()?,
        count: changes.count(),
    };
    shape.deflated(trials)
}

/// What the deflated Sharpe ratio is computed of.
#[derive(Clone, Copy, Debug)]
struct SharpeTerms {
    /// The Sharpe ratio of one step.
    ratio: f64,
    skew: f64,
    kurtosis: f64,
    /// Steps.
    count: f64,
}

impl SharpeTerms {
    fn deflated(&self, trials: Trials) -> Option<f64> {
        let (ratio, freedom) = (self.ratio, self.count - 1.0);
        let spread = 1.0 - self.skew * ratio + (self.kurtosis - 1.0) / 4.0 * ratio * ratio;
        if spread <= 0.0 {
            return None;
        }
        let variance = trials.variance.unwrap_or(spread / freedom);
        let by_luck = variance.sqrt() * expected_maximum(trials.count);
        Some(cumulative((ratio - by_luck) * (freedom / spread).sqrt()))
    }
}

/// The expected largest of so many standard normal numbers; 0 of one.
fn expected_maximum(count: u64) -> f64 {
    if count < 2 {
        return 0.0;
    }
    let count = count as f64;
    let rarer = 1.0 / (count * std::f64::consts::E);
    (1.0 - EULER_MASCHERONI) * quantile(1.0 - 1.0 / count)
        + EULER_MASCHERONI * quantile(1.0 - rarer)
}

/// The variance of some numbers (of a sample); none below two.
#[must_use]
pub fn variance(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut moments = ChangeMoments::default();
    for value in values {
        moments.add(value);
    }
    moments.deviation().map(|deviation| deviation * deviation)
}

/// The Euler–Mascheroni constant.
const EULER_MASCHERONI: f64 = 0.577_215_664_901_532_9;

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the paper: a Sharpe ratio of 2.5 a year over five years of 250 days, of 100 trials
    /// whose ratios have a variance of 1/2 a year, skew −3, kurtosis 10. It gives 0.1132 and 0.9004.
    #[test]
    fn the_example_of_the_paper_comes_out() {
        let shape = SharpeTerms {
            ratio: 2.5 / 250.0_f64.sqrt(),
            skew: -3.0,
            kurtosis: 10.0,
            count: 1_250.0,
        };
        let variance = 0.5 / 250.0_f64;
        let by_luck = variance.sqrt() * expected_maximum(100);
        assert!((by_luck - 0.1132).abs() < 5e-5, "{by_luck}");
        let trials = |count| Trials {
            count,
            variance: Some(variance),
        };
        let deflated = shape.deflated(trials(100)).unwrap();
        assert!((deflated - 0.9004).abs() < 5e-5, "{deflated}");
        assert!(shape.deflated(trials(1)).unwrap() > 0.95);
    }

    #[test]
    fn one_trial_is_not_deflated() {
        let mut changes = ChangeMoments::default();
        for change in [1.0, -1.0, 1.0, -1.0] {
            changes.add(change);
        }
        let one = Trials {
            count: 1,
            variance: None,
        };
        assert_eq!(sharpe_of_step(&changes), Some(0.0));
        assert_eq!(deflated_sharpe(&changes, one), Some(0.5));
        assert_eq!(deflated_sharpe(&ChangeMoments::default(), one), None);
    }
}
