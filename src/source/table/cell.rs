//! One cell of a table as text, number or time.
//!
//! Knows no column and no record.

use serde_json::{Value, json};

use crate::time::{TimeFault, parse_rfc3339};
use crate::units::Nanos;

/// How the cells of a column are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CellReading {
    /// A number if the cell is one, else text; an empty cell is null.
    Number,
    /// An identifier: text as written, without blanks around it, because it may have more digits than a
    /// number can hold. A cell that names nobody is null.
    Identifier,
    /// One of these texts.
    Category(Vec<String>),
    /// Text with the blanks around it, so that errors show it as written.
    AsWritten,
    /// A time: nanoseconds as a number, or text.
    Time,
}

impl CellReading {
    pub(super) fn cell(&self, text: &str) -> Value {
        let trimmed = text.trim();
        match self {
            Self::Number => flag(trimmed).unwrap_or_else(|| number(trimmed)),
            Self::Time => number(trimmed),
            Self::Identifier if names_nobody(trimmed) => Value::Null,
            Self::Identifier => json!(trimmed),
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

/// Whether an identifier is missing. `NA` is one that firms have.
fn names_nobody(text: &str) -> bool {
    is_absent(text) && text != "NA"
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

/// A truth value as a number.
fn flag(text: &str) -> Option<Value> {
    match text {
        "true" | "True" | "TRUE" => Some(json!(1)),
        "false" | "False" | "FALSE" => Some(json!(0)),
        _ => None,
    }
}

/// A whole number, also written `2014.0`.
pub(super) fn whole(value: &Value) -> Option<i64> {
    let number = value.as_f64()?;
    (number.fract() == 0.0 && number.abs() < 1e9).then_some(number as i64)
}

/// Nanoseconds, RFC 3339, or a day, which begins at midnight UTC. The error says what is wrong, if anything
/// more can be said than that it is no time.
pub(super) fn time(value: &Value) -> Result<Nanos, Option<String>> {
    let nanos = match value {
        Value::Number(number) => number
            .as_i64()
            .ok_or_else(|| number.as_f64().and_then(unit_of)),
        Value::String(text) => parse_rfc3339(text)
            .map(|ts| ts.0)
            .map_err(|fault| (fault == TimeFault::OtherYear).then(|| OTHER_YEAR.into())),
        _ => Err(None),
    };
    Nanos::plausible(nanos?).map_err(|error| Some(error.to_string()))
}

const OTHER_YEAR: &str = "it is not in the years 1971 to 2099";

/// What is wrong with a time that has a fraction or an exponent.
fn unit_of(number: f64) -> Option<String> {
    let written = "write nanoseconds as a whole number without an exponent";
    Some(match Nanos::plausible(number as i64) {
        Ok(_) => format!("{number:e} is not exact to a nanosecond; {written}"),
        Err(error) => format!("{error}; {written}"),
    })
}

/// When a year is over.
pub(super) fn year_end(year: i64) -> Option<Nanos> {
    let next = year.checked_add(1)?;
    let end = parse_rfc3339(&format!("{next:04}-01-01")).ok()?;
    Nanos::plausible(end.0).ok()
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
            assert_eq!(
                CellReading::Identifier.cell(&format!(" {key} ")),
                json!(key)
            );
        }
        for nobody in [" ", "NaN", "nan", "null", " NULL ", "None"] {
            assert_eq!(
                CellReading::Identifier.cell(nobody),
                Value::Null,
                "{nobody}"
            );
        }
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
        assert_eq!(of("2015-03-31"), Ok(1_427_760_000_000_000_000));
        assert_eq!(of("2015-03-31"), of("2015-03-31 00:00:00"));
        assert_eq!(of("2015-03-31"), of("2015-03-31T00:00:00Z"));
        assert_eq!((of("31.03.2015"), of("2015-13-31")), (Err(None), Err(None)));
        let nanos = 1_427_760_000_000_000_000_i64;
        assert_eq!(time(&json!(nanos)), Ok(Nanos(nanos)));
        assert_eq!(year_end(2014), Some(Nanos(1_420_070_400_000_000_000)));
        for year in [14, 1969, 20_150_331, i64::MAX] {
            assert_eq!(year_end(year), None);
        }
    }

    #[test]
    fn a_time_in_another_unit_is_refused_with_the_unit() {
        for (value, word) in [
            (json!(1_427_760_000), "seconds"),
            (json!(1_427_760_000.5), "seconds"),
            (json!(1.42776e12), "milliseconds"),
            (json!(1_427_760_000_000_000_i64), "microseconds"),
            (json!(1.42776e18), "not exact"),
            (json!(20_150_331), "write 2015-03-31"),
            (json!("1970-01-01"), "1970"),
            (json!("9999-12-31"), "1971 to 2099"),
        ] {
            let error = time(&value).unwrap_err().unwrap_or_default();
            assert!(error.contains(word), "{value}: {error}");
        }
        assert_eq!(
            (time(&Value::Null), time(&json!(true))),
            (Err(None), Err(None))
        );
    }

    #[test]
    fn truth_values_are_numbers_where_a_number_is_read() {
        let number = |text| CellReading::Number.cell(text);
        assert_eq!((number("True"), number(" false")), (json!(1), json!(0)));
        assert_eq!(CellReading::Identifier.cell("True"), json!("True"));
    }
}
