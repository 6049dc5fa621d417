//! Compares the fields of two signals.
//!
//! Clock readings of a run (`ts_recv`, `ts_out`, `latency_ns`) and the address of a frame (`source`, and
//! `signal_id` made of it) are ignored, as by the digest, unless all fields are to be compared; and so is the
//! number of a revision.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::{Pair, SignalObject};
use crate::signal::field::SignalField;

/// What to compare.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompareOptions {
    /// Compare clock readings and addresses too.
    pub all_fields: bool,
    /// The largest difference of two numbers that count as equal.
    pub tolerance: f64,
}

/// Compares signals, and remembers how far numbers were apart.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Comparer {
    options: CompareOptions,
    /// The largest difference between two numbers.
    pub(crate) largest: f64,
}

/// The earliest difference, in the order of time, instrument and number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FirstDifference {
    /// The instrument, applicant or obligor.
    pub instrument: String,
    /// The event time of its signal.
    pub ts_event: Option<i64>,
    /// The number of the signal among those of this instrument and time, from 0.
    pub number: u64,
    /// The first field that differs, in the order in which they are published; empty where one side has no
    /// such signal.
    pub field: String,
    /// Left value.
    pub left: Value,
    /// Right value.
    pub right: Value,
}

const IGNORED_FIELDS: [&str; 9] = [
    "ts_recv",
    "ts_out",
    "latency_ns",
    "source",
    "source_topic",
    "source_partition",
    "source_offset",
    "signal_id",
    "revision",
];

impl Comparer {
    pub(crate) fn new(options: CompareOptions) -> Self {
        Self {
            options,
            largest: 0.0,
        }
    }

    /// The names of the fields that differ, in the order in which signals are published.
    pub(crate) fn differing<'a>(
        &mut self,
        ours: &'a SignalObject,
        theirs: &'a SignalObject,
    ) -> Vec<&'a str> {
        let names = ours
            .keys()
            .chain(theirs.keys().filter(|name| !ours.contains_key(*name)));
        let all_fields = self.options.all_fields;
        let mut differing: Vec<&str> = names
            .map(String::as_str)
            .filter(|name| all_fields || !IGNORED_FIELDS.contains(name))
            .filter(|name| !self.same(value(ours, name), value(theirs, name)))
            .collect();
        differing.sort_by_key(|name| (place_of(name), *name));
        differing
    }

    fn same(&mut self, a: &Value, b: &Value) -> bool {
        match (a, b) {
            (Value::Number(x), Value::Number(y)) if x != y => {
                // A float does not tell all whole numbers of 64 bits apart.
                let are_whole = !x.is_f64() && !y.is_f64();
                let (Some(x), Some(y)) = (x.as_f64(), y.as_f64()) else {
                    return false;
                };
                let (far, tolerance) = ((x - y).abs(), self.options.tolerance);
                self.largest = self.largest.max(far);
                far <= tolerance && (tolerance > 0.0 || !are_whole)
            }
            (Value::Array(x), Value::Array(y)) => {
                x.len() == y.len() && x.iter().zip(y).all(|(a, b)| self.same(a, b))
            }
            (Value::Object(x), Value::Object(y)) => {
                x.len() == y.len()
                    && x.iter()
                        .all(|(key, a)| y.get(key).is_some_and(|b| self.same(a, b)))
            }
            _ => a == b,
        }
    }
}

/// The value of a field; null where there is none.
pub(crate) fn value<'a>(signal: &'a SignalObject, field: &str) -> &'a Value {
    signal.get(field).unwrap_or(&Value::Null)
}

/// The place of a field, or of the one that a column is a part of, among those of a signal.
fn place_of(name: &str) -> usize {
    let is_of = |field: &str| {
        let part = match field {
            "probabilities" => "probability",
            other => other,
        };
        let rest = name.strip_prefix(part);
        name == field || rest.is_some_and(|rest| rest.starts_with('_'))
    };
    let exact = SignalField::ALL
        .iter()
        .position(|(field, _)| *field == name);
    let known = || SignalField::ALL.iter().position(|(field, _)| is_of(field));
    exact.or_else(known).unwrap_or(SignalField::ALL.len())
}

impl FirstDifference {
    /// Puts the difference of a pair in the place of a later one. `field` is the first one that differs; none
    /// where one side has no such signal.
    pub(crate) fn note(first: &mut Option<Self>, pair: &Pair<'_>, field: Option<&str>) {
        let (instrument, ts_event) = pair.key;
        let place = (*ts_event, instrument, pair.number);
        let is_later = |known: &Self| (known.ts_event, &known.instrument, known.number) <= place;
        if first.as_ref().is_some_and(is_later) {
            return;
        }
        let shown = |side: Option<&SignalObject>| match (side, field) {
            (None, _) => Value::Null,
            (Some(signal), Some(field)) => value(signal, field).clone(),
            (Some(signal), None) => Value::Object(signal.clone()),
        };
        *first = Some(Self {
            instrument: instrument.clone(),
            ts_event: *ts_event,
            number: pair.number,
            field: field.unwrap_or_default().to_owned(),
            left: shown(pair.left),
            right: shown(pair.right),
        });
    }
}

impl fmt::Display for FirstDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.instrument)?;
        if let Some(ts) = self.ts_event {
            write!(f, ", ts_event {ts}")?;
        }
        if self.number > 0 {
            write!(f, ", signal {} of that time", self.number + 1)?;
        }
        match (self.field.as_str(), self.left.is_null()) {
            ("", true) => write!(f, ", only on the right"),
            ("", false) => write!(f, ", only on the left"),
            (field, _) => write!(f, ", {field}"),
        }
    }
}
