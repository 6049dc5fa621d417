//! One cell of a table as text, number or time.
//!
//! Knows no column and no record.

use serde_json::{Value, json};

use crate::time::parse_rfc3339;
use crate::units::Nanos;

/// How the cells of a column are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CellReading {
    /// A number if the cell is one, else text; an empty cell is null.
    Number,
    /// Text as written, without blanks around it: identifiers may have more digits than a number can hold.
    Text,
    /// One of these texts.
    Category(Vec<String>),
    /// Text with the blanks around it, so that errors show it as written.
    AsWritten,
}

impl CellReading {
    pub(super) fn cell(&self, text: &str) -> Value {
        let trimmed = text.trim();
        match self {
            Self::Number => number(trimmed),
            Self::Text if trimmed.is_empty() => Value::Null,
            Self::Text => json!(trimmed),
            // `NA` is a category if one has that name, and else no value.
            Self::Category(known) if known.iter().any(|one| one == trimmed) => json!(trimmed),
            Self::Category(_) if is_absent(trimmed) => Value::Null,
            Self::Category(_) => json!(trimmed),
            Self::AsWritten => json!(text),
        }
    }
}

/// Whether a cell has no value: it is empty, or holds a word that pandas and R write for that.
#[must_use]
pub fn is_absent(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || ["NA", "NaN", "nan", "null", "NULL", "None"].contains(&text)
}

fn number(text: &str) -> Value {
    if is_absent(text) {
        return Value::Null;
    }
    // A number with leading zeros is a code; without the zeros it would be another code.
    let padded = text.starts_with('0') && text.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    if padded {
        return json!(text);
    }
    if let Ok(whole) = text.parse::<i64>() {
        return json!(whole);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => json!(number),
        _ => json!(text),
    }
}

/// A whole number, also written `2014.0`.
pub(super) fn whole(value: &Value) -> Option<i64> {
    let number = value.as_f64()?;
    (number.fract() == 0.0 && number.abs() < 1e9).then_some(number as i64)
}

/// Nanoseconds, RFC 3339, or a day, which begins at midnight UTC.
pub(super) fn time(value: &Value) -> Option<Nanos> {
    if let Some(nanos) = value.as_i64() {
        return Some(Nanos(nanos));
    }
    let text = value.as_str()?;
    parse_rfc3339(text)
}

/// When a year is over.
pub(super) fn year_end(year: i64) -> Option<Nanos> {
    parse_rfc3339(&format!("{:04}-01-01T00:00:00Z", year + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_numbers_and_identifiers_stay_text() {
        let number = |text| CellReading::Number.cell(text);
        assert_eq!(number("0017"), json!("0017"));
        assert_eq!((number(" 0.5"), number("0")), (json!(0.5), json!(0)));
        assert_eq!((number("NA"), number(" ")), (Value::Null, Value::Null));
        for key in ["12345678901234567890", "NA", "1e3", "0017"] {
            assert_eq!(CellReading::Text.cell(&format!(" {key} ")), json!(key));
        }
        assert_eq!(CellReading::Text.cell(" "), Value::Null);
    }

    #[test]
    fn a_category_is_text() {
        let grade = CellReading::Category(vec!["1".into(), "NA".into()]);
        assert_eq!(grade.cell("1"), json!("1"));
        assert_eq!(grade.cell("NA"), json!("NA"), "a category of that name");
        assert_eq!(
            (grade.cell("nan"), grade.cell("")),
            (Value::Null, Value::Null)
        );
        assert_eq!(grade.cell("2"), json!("2"), "refused by the decoder");
    }

    #[test]
    fn a_day_begins_at_midnight() {
        let of = |text: &str| time(&json!(text)).map(|ts| ts.0);
        assert_eq!(of("2015-03-31"), Some(1_427_760_000_000_000_000));
        assert_eq!(of("2015-03-31"), of("2015-03-31 00:00:00"));
        assert_eq!(of("2015-03-31"), of("2015-03-31T00:00:00Z"));
        assert_eq!((of("31.03.2015"), of("2015-13-31")), (None, None));
        assert_eq!(time(&json!(7)), Some(Nanos(7)));
        assert_eq!(
            year_end(2014).map(|ts| ts.0),
            Some(1_420_070_400_000_000_000)
        );
    }
}
