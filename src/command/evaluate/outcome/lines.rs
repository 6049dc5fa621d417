//! Labels as JSON lines.

use std::io::BufRead;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::label::{LabelPlace, LabelProblem, Labelled, TRAINING, WrittenOutcome};
use crate::time::ROW_NUMBERS;
use crate::units::Nanos;

#[derive(Deserialize)]
struct LabelLine {
    key: Option<Key>,
    signal_id: Option<String>,
    ts_event: Option<i64>,
    #[serde(deserialize_with = "written")]
    outcome: WrittenOutcome,
    ts_failure: Option<i64>,
    split: Option<String>,
    weight: Option<f64>,
    group: Option<Key>,
}

/// An identifier; one of digits is the same with and without quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Key {
    Text(String),
    Whole(u64),
    Below(i64),
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        match key {
            Key::Text(text) => text,
            Key::Whole(number) => number.to_string(),
            Key::Below(number) => number.to_string(),
        }
    }
}

fn written<'de, D: Deserializer<'de>>(from: D) -> Result<WrittenOutcome, D::Error> {
    let (text, quoted) = match Value::deserialize(from)? {
        Value::String(text) => (text, true),
        Value::Null => (String::new(), false),
        value => (value.to_string(), false),
    };
    Ok(WrittenOutcome { text, quoted })
}

/// The labels to be judged, and those of the training part.
pub(super) fn lines(
    reader: impl BufRead,
    split: Option<&str>,
) -> Result<(Vec<Labelled>, Vec<Labelled>), LabelProblem> {
    let (mut judged, mut training) = (vec![], vec![]);
    for (number, line) in (1..).zip(reader.lines()) {
        let place = LabelPlace::Line(number);
        let wrong = |what: String| (Some(place), what);
        let text = line.map_err(|error| wrong(error.to_string()))?;
        if text.trim().is_empty() {
            continue;
        }
        let line: LabelLine = serde_json::from_str(&text).map_err(|error| wrong(unread(&error)))?;
        for ts in [line.ts_event, line.ts_failure].into_iter().flatten() {
            if !(0..ROW_NUMBERS).contains(&ts) {
                Nanos::plausible(ts).map_err(|error| wrong(error.to_string()))?;
            }
        }
        let of = line.split.as_deref();
        let all = match split {
            Some(split) if of == Some(split) => &mut judged,
            None => &mut judged,
            Some(_) if of == Some(TRAINING) => &mut training,
            Some(_) => continue,
        };
        all.push(line.label(place).map_err(|what| wrong(what.into()))?);
    }
    Ok((judged, training))
}

impl LabelLine {
    fn label(self, place: LabelPlace) -> Result<Labelled, &'static str> {
        if self.key.is_none() && self.signal_id.is_none() {
            return Err("it has neither `key` nor `signal_id`: say which signal it is of");
        }
        if self.weight.is_some_and(|weight| weight < 0.0) {
            return Err("its `weight` is below 0; write 0 for a row that does not count");
        }
        Ok(Labelled {
            key: self.key.map(Into::into).unwrap_or_default(),
            signal_id: self.signal_id,
            ts_event: self.ts_event,
            outcome: self.outcome,
            ts_failure: self.ts_failure,
            weight: self.weight,
            group: self.group.map(Into::into),
            place,
        })
    }
}

/// What is wrong with a line, without a value of it: it may name a person.
fn unread(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let what = if !error.is_data() || message.starts_with("missing field") {
        message
    } else {
        "a field is not what it should be: `key` and `group` text or a whole number, the times nanoseconds, \
         `split` and `signal_id` text, `weight` a number"
            .into()
    };
    format!("{what}; a line is {{\"key\": …, \"ts_event\": …, \"outcome\": …}}")
}
