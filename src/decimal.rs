//! Decimal numbers in 64 bits, from 10⁻²² to 10¹⁸, in the order of their values.
//!
//! Prices span more magnitudes than one fixed point holds: a meme coin trades at 0.00000000124, and its book
//! holds 146 billion units. So the step depends on the magnitude, in ranges of three digits:
//!
//! | value | step | | value | step |
//! | --- | --- | --- | --- | --- |
//! | below 10⁻⁶ | 10⁻²² | | below 10⁶ | 10⁻¹² |
//! | below 10⁻³ | 10⁻²¹ | | below 10⁹ | 10⁻⁹ |
//! | below 1 | 10⁻¹⁸ | | below 10¹² | 10⁻⁶ |
//! | below 1000 | 10⁻¹⁵ | | below 10¹⁵ | 10⁻³ |
//! | | | | below 10¹⁸ | 1 |
//!
//! A code is `range · 10¹⁸ + value / step`, with the sign of the value. Codes compare as their values do, and
//! equal values have equal codes. They cannot be added. From 10⁻⁶ on a value has at least sixteen digits.

mod whole;

use std::fmt;

pub(crate) use self::whole::whole;

/// Why a decimal could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberError {
    /// Not a decimal number: empty, a letter, `NaN`, two points.
    NotANumber,
    /// 10¹⁸ or more.
    OutOfRange,
    /// More digits than are kept at this magnitude; it would have to be rounded.
    TooPrecise,
}

/// The code of no value. No number has it.
pub(crate) const UNDEFINED: i64 = i64::MAX;

/// Codes in a range.
const RANGE: u64 = 10_u64.pow(18);
/// Decimal places of each range. Below 10⁻⁶ they are 22, because 10²² is the largest power of ten that a
/// float holds exactly.
const PLACES: [i32; 9] = [22, 21, 18, 15, 12, 9, 6, 3, 0];
/// Powers of ten. A value has at least one digit, so that it is never scaled by more than 17.
const STEPS: [u64; 19] = {
    let mut powers = [1; 19];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = 10 * powers[at - 1];
        at += 1;
    }
    powers
};
/// Digits that always fit `u64` and a range.
const DIGITS_MAX: i32 = 18;
/// Bytes of a text with a point and nineteen digits, which fit `u64`.
const BYTES_MAX: usize = 20;
/// Digits that tell every float64 from its neighbours.
const FLOAT_DIGITS: usize = 17;
/// How other formats write an undefined price: the largest 64-bit integer, in units or in 1e-9.
const UNDEFINED_DIGITS: &[u8] = b"9223372036854775807";
/// The same as a float64 is printed: `9.223372036854776e18`, or `9223372036.854776` in units.
const UNDEFINED_FLOAT: u64 = 9_223_372_036_854_776;
const UNDEFINED_FLOAT_DIGITS: &[u8] = b"9223372036854776";
/// The code that this float would have in units, if it were a price.
const UNDEFINED_FLOAT_CODE: i64 = (6 * RANGE + UNDEFINED_FLOAT) as i64;

/// Reads decimal text, with JSON's exponents. The largest 64-bit integer, as it is or in 1e-9, and the
/// float64 next to it are [`UNDEFINED`]. Nothing is rounded.
pub(crate) fn parse(text: &[u8]) -> Result<i64, NumberError> {
    parse_as(text, false)
}

/// Reads a number that an encoder may have printed from a float64: one of seventeen digits may lose the last
/// digit, which is noise. Otherwise as [`parse`].
pub(crate) fn parse_float(text: &[u8]) -> Result<i64, NumberError> {
    parse_as(text, true)
}

fn parse_as(text: &[u8], is_float: bool) -> Result<i64, NumberError> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    let signed = |code: i64| if negative { -code } else { code };
    if digits.len() > BYTES_MAX {
        return parse_long(digits, is_float).map(signed);
    }
    let mut value = 0;
    let whole = leading_digits(digits, &mut value);
    let mut rest = &digits[whole..];
    let mut places = 0;
    if let Some((b'.', fraction)) = rest.split_first()
        && whole > 0
    {
        places = leading_digits(fraction, &mut value);
        rest = &fraction[places..];
        if places == 0 {
            return Err(NumberError::NotANumber);
        }
    }
    match rest.first() {
        None if whole > 0 => {}
        Some(b'e' | b'E') if whole > 0 => return parse_long(digits, is_float).map(signed),
        _ => return Err(NumberError::NotANumber),
    }
    if whole + places == BYTES_MAX {
        return parse_long(digits, is_float).map(signed);
    }
    if value == 0 {
        return Ok(0);
    }
    let significant = match digits[0] {
        b'0' => value.ilog10() as usize + 1,
        _ => whole + places,
    };
    if significant > DIGITS_MAX as usize {
        return parse_long(digits, is_float).map(signed);
    }
    match encode(value, significant as i32, places as i32) {
        Err(NumberError::TooPrecise) => parse_long(digits, is_float).map(signed),
        Ok(UNDEFINED_FLOAT_CODE) if !negative => Ok(UNDEFINED),
        code => code.map(signed),
    }
}

/// The number of digits in front. They are appended to `value`, modulo 2⁶⁴.
pub(crate) fn leading_digits(text: &[u8], value: &mut u64) -> usize {
    let mut at = 0;
    while let Some(eight) = text[at..]
        .first_chunk()
        .and_then(|text| eight_digits(*text))
    {
        *value = value.wrapping_mul(100_000_000).wrapping_add(eight);
        at += 8;
    }
    for &byte in &text[at..] {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        *value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    at
}

/// The number that eight digits are; none where one of the bytes is no digit. Neighbours are joined to two,
/// four and eight digits.
///
/// Source: D. Lemire, "Quickly parsing eight digits" (2018), and "Faster than strtod" (2020) for the check.
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    let bytes = u64::from_le_bytes(text);
    let high = 0xF0F0_F0F0_F0F0_F0F0;
    let are_digits = bytes & high == 0x3030_3030_3030_3030
        && bytes.wrapping_add(0x0606_0606_0606_0606) & high == 0x3030_3030_3030_3030;
    if !are_digits {
        return None;
    }
    let twos = (bytes & 0x0F0F_0F0F_0F0F_0F0F).wrapping_mul(2_561) >> 8;
    let fours = (twos & 0x00FF_00FF_00FF_00FF).wrapping_mul(6_553_601) >> 16;
    Some((fours & 0x0000_FFFF_0000_FFFF).wrapping_mul(42_949_672_960_001) >> 32)
}

/// The code of `value · 10^-places`, where `value` is not zero and has so many digits, at most 18.
fn encode(value: u64, significant: i32, places: i32) -> Result<i64, NumberError> {
    // The value is below 10^(significant − places), and not below a tenth of it.
    let range = (significant - places + 8).div_euclid(3).max(0) as usize;
    let kept = *PLACES.get(range).ok_or(NumberError::OutOfRange)?;
    if places > kept {
        return Err(NumberError::TooPrecise);
    }
    // Below 10^18, because the value is below the range's end.
    let steps = value * STEPS[(kept - places) as usize];
    Ok((range as u64 * RANGE + steps) as i64)
}

/// The rare forms: zeros behind, more than 18 digits, or an exponent. Takes the text without its sign.
fn parse_long(text: &[u8], is_float: bool) -> Result<i64, NumberError> {
    let text = std::str::from_utf8(text).map_err(|_| NumberError::NotANumber)?;
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return Err(NumberError::NotANumber),
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    if whole.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NumberError::NotANumber);
    }
    let exponent = exponent.map_or(Ok(0), read_exponent)?;
    // A text is short compared with these integers: nothing overflows.
    let mut places = fraction.len() as i32 - exponent;
    while digits.last() == Some(&b'0') {
        digits.pop();
        places -= 1;
    }
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    digits.drain(..zeros);
    if digits.is_empty() {
        return Ok(0);
    }
    if digits == UNDEFINED_DIGITS && matches!(places, 0 | 9) {
        return Ok(UNDEFINED);
    }
    if digits == UNDEFINED_FLOAT_DIGITS && matches!(places, -3 | 6) {
        return Ok(UNDEFINED);
    }
    let significant = digits.len() as i32;
    if significant - places > DIGITS_MAX {
        return Err(NumberError::OutOfRange);
    }
    if significant > DIGITS_MAX {
        return Err(NumberError::TooPrecise);
    }
    let value = |digits: &[u8]| {
        digits
            .iter()
            .fold(0, |value, digit| value * 10 + u64::from(digit - b'0'))
    };
    match encode(value(&digits), significant, places) {
        Err(NumberError::TooPrecise) if is_float && is_float_noise(digits.len(), places) => {
            let rounded = (value(&digits) + 5) / 10;
            // 9.99…95 becomes 10.00…0, of as many digits.
            encode(rounded, rounded.ilog10() as i32 + 1, places - 1)
        }
        code => code,
    }
}

/// Whether a float64's last digit alone is too much.
fn is_float_noise(digits: usize, places: i32) -> bool {
    let below = digits as i32 - places;
    digits == FLOAT_DIGITS && below > -6
}

fn read_exponent(text: &str) -> Result<i32, NumberError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberError::NotANumber);
    }
    // What does not fit is far out of range on its side.
    let size = digits.parse::<i32>().unwrap_or(i32::MAX).min(1_000_000);
    Ok(if text.starts_with('-') { -size } else { size })
}

/// Reads a finite float64, written as a decimal.
///
/// # Errors
/// [`NumberError`]; never [`NumberError::TooPrecise`].
pub(crate) fn float(text: &str) -> Result<f64, NumberError> {
    // `inf`, `+5`, `.5` and `5.` are floats to Rust, and no numbers to JSON.
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let mantissa = unsigned.split(['e', 'E']).next().unwrap_or_default();
    let is_decimal =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = match mantissa.split_once('.') {
        Some((whole, fraction)) => is_decimal(whole) && is_decimal(fraction),
        None => is_decimal(mantissa),
    };
    match text.parse::<f64>() {
        Ok(number) if is_number && number.is_finite() => Ok(number),
        Ok(_) if is_number => Err(NumberError::OutOfRange),
        _ => Err(NumberError::NotANumber),
    }
}

/// The float64 that is nearest to the code's value.
#[inline]
pub(crate) fn to_f64(code: i64) -> f64 {
    let (steps, range) = split(code);
    // Both are exact as floats, so that the quotient is rounded once.
    let value = if steps >> steps.trailing_zeros().min(63) < 1 << f64::MANTISSA_DIGITS {
        steps as f64 / STEPS_IN_ONE[range]
    } else {
        nearest(steps, PLACES[range])
    };
    if code < 0 { -value } else { value }
}

/// Steps of each range in one, exact.
const STEPS_IN_ONE: [f64; 9] = [1e22, 1e21, 1e18, 1e15, 1e12, 1e9, 1e6, 1e3, 1e0];

/// The float64 that is nearest to `steps · 10^-places`, where `steps` has more digits than a float64.
#[cold]
fn nearest(steps: u64, places: i32) -> f64 {
    format!("{steps}e-{places}").parse().unwrap_or(f64::NAN)
}

/// Whether this is the code of a value, or of none: a value lies below the end of its range, and above the
/// lowest one not below the end of the range before.
#[inline]
pub(crate) fn is_code(code: i64) -> bool {
    let magnitude = code.unsigned_abs();
    let (range, steps) = (magnitude / RANGE, magnitude % RANGE);
    let is_value = match range {
        // 10⁻⁶ is 10¹⁶ steps of 10⁻²².
        0 => steps < RANGE / 100,
        range => range < PLACES.len() as u64 && steps >= RANGE / 1_000,
    };
    is_value || code == UNDEFINED
}

/// Steps without the sign, and the range.
fn split(code: i64) -> (u64, usize) {
    let code = code.unsigned_abs();
    let range = ((code / RANGE) as usize).min(PLACES.len() - 1);
    (code - range as u64 * RANGE, range)
}

/// Steps without the sign, and decimal places of a step.
fn parts(code: i64) -> (u64, i32) {
    let (steps, range) = split(code);
    (steps, PLACES[range])
}

/// The code of `value · 10^-places`. `None` where it would have to be rounded, or is out of range.
pub(crate) fn from_scaled(value: i64, places: i32) -> Option<i64> {
    let (mut magnitude, mut places) = (value.unsigned_abs(), places);
    if magnitude == 0 {
        return Some(0);
    }
    let signed = |code: i64| if value < 0 { -code } else { code };
    let digits = |magnitude: u64| magnitude.ilog10() as i32 + 1;
    let significant = digits(magnitude);
    // Zeros at the end matter only where they take the place of digits.
    if significant <= DIGITS_MAX
        && let Ok(code) = encode(magnitude, significant, places)
    {
        return Some(signed(code));
    }
    while magnitude % 10 == 0 {
        magnitude /= 10;
        places -= 1;
    }
    let significant = digits(magnitude);
    if significant > DIGITS_MAX {
        return None;
    }
    encode(magnitude, significant, places).ok().map(signed)
}

/// The code's value in 10^-places. `None` where it would have to be rounded, or does not fit.
pub(crate) fn scaled(code: i64, places: i32) -> Option<i64> {
    let (steps, kept) = parts(code);
    // Ten to a higher power is more than any value has steps.
    let power = *STEPS.get(places.abs_diff(kept) as usize)?;
    let value = if places >= kept {
        steps.checked_mul(power)?
    } else {
        let value = steps / power;
        (value * power == steps).then_some(value)?
    };
    let value = i64::try_from(value).ok()?;
    Some(if code < 0 { -value } else { value })
}

/// The value in 10⁻¹⁸, towards zero where it has more places: only values below 10⁻³ may.
pub(crate) fn attos(code: i64) -> i128 {
    let (steps, places) = parts(code);
    let power = 10_i128.pow(places.abs_diff(ATTO_PLACES));
    let value = match places <= ATTO_PLACES {
        true => i128::from(steps) * power,
        false => i128::from(steps) / power,
    };
    if code < 0 { -value } else { value }
}

/// Decimal places of 10⁻¹⁸.
const ATTO_PLACES: i32 = 18;

/// Writes the value with as many decimal places as it needs.
pub(crate) fn write(f: &mut fmt::Formatter<'_>, code: i64) -> fmt::Result {
    let (steps, places) = parts(code);
    let sign = if code < 0 { "-" } else { "" };
    let power = 10_u128.pow(places as u32);
    let (whole, fraction) = (u128::from(steps) / power, u128::from(steps) % power);
    if fraction == 0 {
        return write!(f, "{sign}{whole}");
    }
    let digits = format!("{fraction:0width$}", width = places as usize);
    write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests;
