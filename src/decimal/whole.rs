//! Whole numbers, however they are written.

/// A whole number, also as `5.0` or `1e3`; none where the text is no number or has a fraction.
pub(crate) fn whole(text: &str) -> Option<i128> {
    if text.starts_with('+') {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (before, after) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let exponent: i64 = exponent.parse().ok()?;
    let digits = [before, after].concat();
    if before.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let kept = digits.trim_end_matches('0');
    if kept.is_empty() {
        return Some(0);
    }
    let zeros = (digits.len() - kept.len()) as i64;
    let scale = exponent
        .checked_add(zeros)?
        .checked_sub(after.len() as i64)?;
    let power = 10_i128.checked_pow(u32::try_from(scale).ok()?)?;
    kept.parse::<i128>()
        .ok()?
        .checked_mul(power)
        .map(|value| sign * value)
}
