//! How values of arguments are read: numbers, sizes, percentages, speeds.

/// A multiple of the recording's speed; none for as fast as possible.
#[derive(Clone, Copy)]
pub struct Speed(pub Option<f64>);

pub(super) fn parse_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("write a whole number above 0".into()),
    }
}

/// Parses a number of bytes, with the unit KiB, MiB, GiB, or none.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("", 0)];
    let (number, shift) = units
        .iter()
        .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)))
        .unwrap_or((text, 0));
    let bytes = number.trim().parse::<u64>().ok();
    bytes
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| "write a whole number of bytes, or 512MiB, 2GiB".into())
}

/// Parses a whole number of seconds, to nanoseconds.
pub(super) fn parse_seconds(text: &str) -> Result<i64, String> {
    let seconds = text.parse::<u32>();
    let seconds = seconds.map_err(|_| "write a whole number of seconds, such as 60")?;
    Ok(i64::from(seconds) * 1_000_000_000)
}

/// Parses a span of time above zero, to nanoseconds: 250us, 100ms, 5s, 10min, 1h, 1d.
pub(super) fn parse_span(text: &str) -> Result<i64, String> {
    const UNITS: [(&str, i64); 7] = [
        ("ns", 1),
        ("us", 1_000),
        ("ms", 1_000_000),
        ("min", 60_000_000_000),
        ("s", 1_000_000_000),
        ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
    ];
    let of_unit = |(unit, ns): &(&str, i64)| Some((text.strip_suffix(unit)?, *ns));
    let parsed = UNITS.iter().find_map(of_unit).and_then(|(number, ns)| {
        let number: i64 = number.trim().parse().ok()?;
        number.checked_mul(ns).filter(|ns| *ns > 0)
    });
    parsed.ok_or_else(|| {
        "write a whole number with its unit, such as 250us, 100ms, 5s, 10min, 1h or 1d".into()
    })
}

pub(super) fn parse_finite(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok();
    number
        .filter(|number| number.is_finite())
        .ok_or_else(|| "write a finite number".into())
}

pub(super) fn parse_tolerance(text: &str) -> Result<f64, String> {
    let number = parse_finite(text).ok();
    number
        .filter(|number| *number >= 0.0)
        .ok_or_else(|| "write a number that is not below 0, such as 1e-9".into())
}

/// Parses a percentage, with or without its sign.
pub(super) fn parse_percent(text: &str) -> Result<f64, String> {
    match text.trim_end_matches('%').trim_end().parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("write a percentage from 0 to 100, such as 0.5".into()),
    }
}

pub(super) fn parse_speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed(None));
    }
    match text.strip_suffix('x').unwrap_or(text).parse::<f64>() {
        Ok(speed) if speed > 0.0 && speed.is_finite() => Ok(Speed(Some(speed))),
        _ => Err("write max, 1x, or another multiple such as 10x".into()),
    }
}
