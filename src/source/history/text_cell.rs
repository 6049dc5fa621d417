//! A cell of text, or a number, as the code of a price or a size.

use super::cells::CellFault;
use crate::units::Price;

/// The text of a cell, where it has one: words that pandas and R write for nothing are none.
pub(super) fn absent_as_none(text: &str) -> Option<&str> {
    let text = text.trim();
    let is_absent = ["", "NA", "NaN", "nan", "null", "NULL", "None"].contains(&text);
    (!is_absent).then_some(text)
}

/// The code of a decimal that is written out, or, with `places`, of a whole number of 10^-places.
pub(super) fn decimal_of_text(text: &str, places: Option<i32>) -> Result<i64, CellFault> {
    match places {
        None => Ok(Price::parse_float(text.as_bytes())?.code()),
        Some(places) => {
            let whole = text.parse().map_err(|_| CellFault::BadNumber)?;
            decimal_of_whole(whole, places)
        }
    }
}

/// The code of a whole number of 10^-places.
pub(super) fn decimal_of_whole(value: i64, places: i32) -> Result<i64, CellFault> {
    let price = Price::from_scaled(value, places);
    price.map(Price::code).ok_or(CellFault::TooPrecise)
}

/// The code of the shortest decimal that is this float, or, with `places`, of a whole number of 10^-places.
pub(super) fn decimal_of_float(value: f64, places: Option<i32>) -> Result<i64, CellFault> {
    if value.is_nan() {
        return Err(CellFault::Missing);
    }
    match places {
        None => Ok(Price::from_float(value)?.code()),
        Some(places) if value.fract() == 0.0 && value.abs() < 9e15 => {
            decimal_of_whole(value as i64, places)
        }
        Some(_) => Err(CellFault::BadNumber),
    }
}
