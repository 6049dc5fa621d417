//! What a bar says of volatility by itself.

use std::f64::consts::LN_2;

use super::unit::RangeEstimator;
use crate::event::Bar;

/// The variance of the logarithm of the price over a bar; undefined where a price is not above zero, or the
/// highest is below the lowest.
pub(super) fn variance(bar: &Bar, estimator: RangeEstimator) -> f64 {
    let [open, high, low, close] = [bar.open, bar.high, bar.low, bar.close].map(|p| p.to_f64());
    if !(open > 0.0 && low > 0.0 && close > 0.0 && high >= low) {
        return f64::NAN;
    }
    let range = libm::log(high / low);
    match estimator {
        RangeEstimator::Parkinson => range * range / (4.0 * LN_2),
        RangeEstimator::GarmanKlass => {
            let body = libm::log(close / open);
            0.5 * (range * range) - (2.0 * LN_2 - 1.0) * (body * body)
        }
    }
}
