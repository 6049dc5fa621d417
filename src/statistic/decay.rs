//! How fast the worth of a score fades with the horizon.

use super::least_squares::line;

/// The half-life of a figure over horizons, in their unit: ln 2 over the rate of an exponential, fitted by
/// least squares to the logarithms of its size. Counted are the horizons from that of the largest size on, up
/// to the first at which the figure is undefined or has the other sign. None where fewer than two are left,
/// and where it does not fade.
///
/// `figures` are (horizon, figure), from the shortest horizon up.
#[must_use]
pub fn half_life(figures: &[(f64, Option<f64>)]) -> Option<f64> {
    let size = |at: &usize| figures[*at].1.map_or(0.0, f64::abs);
    let largest = (0..figures.len())
        .rev()
        .max_by(|a, b| size(a).total_cmp(&size(b)))?;
    let sign = figures[largest].1?.signum();
    let fading = figures[largest..].iter().map_while(|(horizon, figure)| {
        let size = figure.filter(|figure| figure * sign > 0.0)?.abs();
        Some((*horizon, libm::log(size)))
    });
    let (horizons, logs): (Vec<f64>, Vec<f64>) = fading.unzip();
    let rate = -line(&horizons, &logs, &vec![1.0; logs.len()])?.slope;
    (rate > 0.0).then(|| std::f64::consts::LN_2 / rate)
}
