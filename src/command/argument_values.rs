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
