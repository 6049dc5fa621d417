//! Features that have a value at rows only, as of the row's time.

use std::f64::consts::TAU;

use super::unit::Phase;
use crate::event::Sentiment;
use crate::signal::average::Average;
use crate::time::session::Session;

/// The sentiment of an instrument as it counts at `now`.
pub(super) fn sentiment_at(sentiment: Option<(i64, Sentiment)>, now: i64) -> f64 {
    let Some((ts, sentiment)) = sentiment else {
        return 0.0;
    };
    let average = Average {
        value: sentiment.average,
        weight: sentiment.weight,
    };
    average.after(now - ts, sentiment.half_life)
}

/// The time of day as a point on a circle, so that midnight is near midnight, or in seconds.
pub(super) fn time_of_day(now: i64, phase: Phase, zone: Option<Session>) -> f64 {
    const DAY: i64 = 86_400_000_000_000;
    let since_midnight = zone.map_or(now.rem_euclid(DAY), |zone| zone.since_midnight(now));
    let angle = TAU * (since_midnight as f64 / DAY as f64);
    match phase {
        Phase::Seconds => since_midnight as f64 * 1e-9,
        Phase::Sine => libm::sin(angle),
        Phase::Cosine => libm::cos(angle),
    }
}
