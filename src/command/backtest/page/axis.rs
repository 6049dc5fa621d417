//! Places on axes: round numbers, round times, and names.

use super::chart::Axis;
use crate::time::rfc3339;
use crate::units::Nanos;

/// Places on an axis of numbers, about.
const NUMBER_TICKS: f64 = 5.0;

/// Places on an axis of times, at most.
const TIME_TICKS: i64 = 7;

/// Steps between places of time, in seconds.
const TIME_STEPS_S: [i64; 25] = [
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1_800,
    3_600,
    7_200,
    10_800,
    21_600,
    43_200,
    86_400,
    172_800,
    432_000,
    864_000,
    2_592_000,
    7_776_000,
    31_536_000,
    315_360_000,
];

/// An axis of numbers that shows all of these, and zero where `with_zero` says so.
pub(crate) fn numbers(values: impl IntoIterator<Item = f64>, with_zero: bool) -> Axis {
    let (mut from, mut to) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.into_iter().chain(with_zero.then_some(0.0)) {
        if value.is_finite() {
            (from, to) = (from.min(value), to.max(value));
        }
    }
    if from > to {
        (from, to) = (0.0, 1.0);
    }
    if from == to {
        let around = if from == 0.0 { 1.0 } else { from.abs() * 0.01 };
        (from, to) = (from - around, to + around);
    }
    let step = round_step((to - from) / NUMBER_TICKS);
    let (first, last) = ((from / step).floor() as i64, (to / step).ceil() as i64);
    let places = (-libm::log10(step)).ceil().max(0.0) as usize;
    let tick = |number: i64| {
        let at = number as f64 * step;
        (at, format!("{at:.places$}"))
    };
    Axis {
        from: first as f64 * step,
        to: last as f64 * step,
        ticks: (first..=last).map(tick).collect(),
    }
}

/// 1, 2 or 5 times a power of ten, not below this number.
fn round_step(step: f64) -> f64 {
    let power = libm::pow(10.0, libm::log10(step).floor());
    let of = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .find(|of| of * power >= step * 0.999_999);
    of.unwrap_or(10.0) * power
}

/// An axis of names, in their order: the first at 0, the next at 1; with room for at least so many.
pub(crate) fn names(names: impl IntoIterator<Item = String>, room: usize) -> Axis {
    let ticks: Vec<(f64, String)> = names
        .into_iter()
        .enumerate()
        .map(|(at, name)| (at as f64, name))
        .collect();
    Axis {
        from: -0.6,
        to: ticks.len().max(room).max(1) as f64 - 0.4,
        ticks,
    }
}

/// An axis of times, in seconds after the first.
pub(crate) fn times(from: i64, to: i64) -> Axis {
    let span_s = (to.saturating_sub(from)).max(1) as f64 / SECOND_NS as f64;
    let fits = |step: &&i64| span_s / (**step as f64) <= TIME_TICKS as f64;
    let step = TIME_STEPS_S.iter().find(fits).unwrap_or(&TIME_STEPS_S[24]) * SECOND_NS;
    let first = from.div_euclid(step) + i64::from(from.rem_euclid(step) != 0);
    let last = to.div_euclid(step);
    let tick = |number: i64| {
        let ts = number.saturating_mul(step);
        let text = rfc3339(Nanos(ts));
        let (day, hour) = (text.get(5..10), text.get(11..19));
        let label = match (step >= DAY_NS, step < 60 * SECOND_NS) {
            (true, _) => text.get(..10),
            (false, true) => hour,
            (false, false) if ts.rem_euclid(DAY_NS) == 0 => day,
            (false, false) => text.get(11..16),
        };
        (seconds(from, ts), label.unwrap_or_default().to_owned())
    };
    Axis {
        from: 0.0,
        to: span_s,
        ticks: (first..=last).map(tick).collect(),
    }
}

/// A duration for people, of three digits.
pub(crate) fn duration(millis: f64) -> String {
    let (number, unit) = match millis {
        ms if ms < 1e3 => (ms, "ms"),
        ms if ms < 60e3 => (ms / 1e3, "s"),
        ms if ms < 3_600e3 => (ms / 60e3, "min"),
        ms if ms < 86_400e3 => (ms / 3_600e3, "h"),
        ms => (ms / 86_400e3, "d"),
    };
    let places = (2.0 - libm::log10(number.abs().max(1e-9)).floor()).clamp(0.0, 6.0) as usize;
    let text = format!("{number:.places$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    format!("{text} {unit}")
}

/// A time as a place on an axis of times that begins at `from`.
pub(crate) fn seconds(from: i64, ts: i64) -> f64 {
    ts.saturating_sub(from) as f64 / SECOND_NS as f64
}

/// Nanoseconds in a second, and in a day.
const SECOND_NS: i64 = 1_000_000_000;
const DAY_NS: i64 = 86_400 * SECOND_NS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_round_and_hold_all() {
        let axis = numbers([-93.4, 5.2], true);
        assert_eq!((axis.from, axis.to), (-100.0, 20.0));
        let labels: Vec<&str> = axis.ticks.iter().map(|tick| tick.1.as_str()).collect();
        assert_eq!(labels, ["-100", "-80", "-60", "-40", "-20", "0", "20"]);
        let small = numbers([0.001, 0.0034], false);
        assert_eq!(small.ticks[0].1, "0.0010");
        assert!(numbers([f64::NAN], false).ticks.len() > 1);
        assert!(numbers([3.0, 3.0], false).from < 3.0);
        let minute = 60 * SECOND_NS;
        let axis = times(90 * SECOND_NS, 90 * SECOND_NS + 11 * minute);
        let labels: Vec<&str> = axis.ticks.iter().map(|tick| tick.1.as_str()).collect();
        assert_eq!(
            labels,
            ["00:02", "00:04", "00:06", "00:08", "00:10", "00:12"]
        );
        assert_eq!(axis.ticks[0].0, 30.0);
    }

    #[test]
    fn durations_are_rounded() {
        for (millis, text) in [
            (0.0, "0 ms"),
            (0.05, "0.05 ms"),
            (0.0025, "0.0025 ms"),
            (500.0, "500 ms"),
            (20_000.0, "20 s"),
            (200_000.0, "3.33 min"),
            (1e7, "2.78 h"),
            (1e8, "1.16 d"),
            (300.0 * 86_400e3, "300 d"),
        ] {
            assert_eq!(duration(millis), text);
        }
    }
}
