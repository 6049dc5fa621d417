//! Records about companies and persons: `credit.statements.v1`, `credit.applications.v1`.
//!
//! Takes the fields that the pipeline's features name, and nothing else; computes nothing from them. Where
//! the record is about a person, its key becomes a token before it reaches any table.

use std::borrow::Cow;

use rustc_hash::FxHashMap;
use sonic_rs::{JsonValueTrait, LazyValue, to_object_iter};

use super::decoded::Decoded;
use super::error::DecodeError;
use super::json::{is_shallow, parse, past_time};
use super::privacy::Pseudonym;
use crate::event::{Batch, Body, Record};
use crate::frame::whole_length;
use crate::instrument::Instruments;
use crate::schema::RecordField;
use crate::schema::RecordKind;

/// The form of a pipeline's records: their kind, their fields, and whether they are about persons.
#[derive(Debug)]
pub struct RecordForm {
    kind: RecordKind,
    fields: Vec<RecordField>,
    /// The index of each field.
    indices: FxHashMap<&'static str, usize>,
    /// Products that are graded; empty: all.
    products: Vec<String>,
    pseudonym: Option<Pseudonym>,
}

impl RecordForm {
    /// Records with these fields.
    #[must_use]
    pub fn new(
        kind: RecordKind,
        fields: &[RecordField],
        products: &[String],
        pseudonym: Option<Pseudonym>,
    ) -> Self {
        let indices = fields.iter().enumerate();
        Self {
            kind,
            indices: indices.map(|(at, field)| (field.name, at)).collect(),
            fields: fields.to_vec(),
            products: products.to_vec(),
            pseudonym,
        }
    }

    /// Applications or statements.
    #[must_use]
    pub fn kind(&self) -> RecordKind {
        self.kind
    }

    /// Whether the records are about persons, whose data leave the process in signals alone.
    #[must_use]
    pub fn names_persons(&self) -> bool {
        self.pseudonym.is_some()
    }

    /// The name of a key in everything that leaves the process: a token, where the records are about
    /// persons.
    #[must_use]
    pub fn public_name<'k>(&self, key: &'k str) -> Cow<'k, str> {
        match &self.pseudonym {
            Some(pseudonym) => Cow::Owned(pseudonym.token(key)),
            None => Cow::Borrowed(key),
        }
    }

    /// A frame as a dead letter may show it. Of records about persons that is the key as a token and the
    /// length alone; the record itself stays at the address that the dead letter names.
    #[must_use]
    pub fn redacted<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        if self.pseudonym.is_none() {
            return Cow::Borrowed(bytes);
        }
        let wire = is_shallow(bytes)
            .then(|| sonic_rs::from_slice::<WireRecord<'_>>(bytes).ok())
            .flatten();
        let token =
            wire.and_then(|wire| Some(self.public_name(&wire.key(self.kind)?).into_owned()));
        let shown =
            serde_json::json!({ self.kind.key(): token, "withheld_bytes": whole_length(bytes) });
        Cow::Owned(shown.to_string().into_bytes())
    }

    /// Reads one record.
    pub(super) fn decode(
        &self,
        bytes: &[u8],
        instruments: &mut Instruments,
        batch: &mut Batch,
    ) -> Result<Decoded, DecodeError> {
        let wire: WireRecord<'_> = parse(bytes)?;
        let ts_event = past_time(wire.ts_event, wire.ts_recv, batch)?;
        let key = wire.key(self.kind).ok_or(DecodeError::WrongShape)?;
        if key.is_empty() {
            return Err(DecodeError::OutOfRange(self.kind.key()));
        }
        let (container, period) = match self.kind {
            RecordKind::Application => (&wire.fields, None),
            RecordKind::Statement => (
                &wire.items,
                Some(wire.period.ok_or(DecodeError::WrongShape)?),
            ),
        };
        if let Some(period) = period
            && !(MIN_PERIOD..=MAX_PERIOD).contains(&period)
        {
            return Err(DecodeError::OutOfRange("period"));
        }
        if !self.products.is_empty() {
            let product = wire.product.as_deref().ok_or(DecodeError::WrongShape)?;
            if !self.products.iter().any(|known| known == product) {
                return Err(DecodeError::UnknownProduct);
            }
        }
        let container = container.as_ref().ok_or(DecodeError::WrongShape)?;
        let record = self.values(container.as_raw_str(), period, batch)?;
        let instrument = instruments.intern(&self.public_name(&key), "")?;
        batch.push(instrument, ts_event, Body::Record(record));
        Ok(Decoded::Events)
    }

    fn values(
        &self,
        object: &str,
        period: Option<i64>,
        batch: &mut Batch,
    ) -> Result<Record, DecodeError> {
        if !object.starts_with('{') {
            return Err(DecodeError::WrongShape);
        }
        let start = batch.values.len();
        batch.values.resize(start + self.fields.len(), f64::NAN);
        let mut unknown = 0;
        for entry in to_object_iter(object) {
            let (name, value) = entry.map_err(|_| DecodeError::Malformed)?;
            match self.indices.get(&*name) {
                Some(&at) => {
                    let cell = &mut batch.values[start + at];
                    if !cell.is_nan() {
                        return Err(DecodeError::WrongShape); // stands twice: either may be meant
                    }
                    *cell = self.fields[at].value(&value)?;
                }
                None => unknown += 1,
            }
        }
        let missing = |(field, value): &(&RecordField, &f64)| field.needed && value.is_nan();
        if let Some((field, _)) = self.fields.iter().zip(&batch.values[start..]).find(missing) {
            return Err(DecodeError::MissingField(field.name));
        }
        Ok(Record {
            start: start as u32,
            count: self.fields.len() as u32,
            period,
            unknown,
            item: None,
            revised: false,
            degraded: false,
        })
    }
}

/// Years, quarters or months since year 0 lie within.
const MIN_PERIOD: i64 = 0;
const MAX_PERIOD: i64 = 100_000;

impl RecordField {
    /// A value of this field: a number, or the index of a text among the categories; NaN for null.
    fn value(&self, value: &LazyValue<'_>) -> Result<f64, DecodeError> {
        if value.is_null() {
            return Ok(f64::NAN);
        }
        if !self.categories.is_empty() {
            let text = value.as_str().ok_or(DecodeError::WrongShape)?;
            let index = self.categories.iter().position(|known| known == text);
            return index
                .map(|at| at as f64)
                .ok_or(DecodeError::OutOfRange(self.name));
        }
        if !value.is_number() {
            return Err(DecodeError::BadNumber(self.name));
        }
        let number: Result<f64, _> = value.as_raw_str().parse();
        match number {
            Ok(number) if number.is_finite() && (self.min..=self.max).contains(&number) => {
                Ok(number)
            }
            Ok(_) => Err(DecodeError::OutOfRange(self.name)),
            Err(_) => Err(DecodeError::BadNumber(self.name)),
        }
    }
}

/// The fields of both kinds of record.
#[derive(Debug, serde::Deserialize)]
struct WireRecord<'a> {
    ts_event: i64,
    ts_recv: Option<i64>,
    #[serde(borrow)]
    applicant: Option<Cow<'a, str>>,
    #[serde(borrow)]
    obligor: Option<Cow<'a, str>>,
    #[serde(borrow)]
    product: Option<Cow<'a, str>>,
    period: Option<i64>,
    #[serde(borrow)]
    fields: Option<LazyValue<'a>>,
    #[serde(borrow)]
    items: Option<LazyValue<'a>>,
}

impl<'a> WireRecord<'a> {
    fn key(&self, kind: RecordKind) -> Option<Cow<'a, str>> {
        match kind {
            RecordKind::Application => self.applicant.clone(),
            RecordKind::Statement => self.obligor.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::decode::Decoder;
    use crate::frame::{Origin, mark_cut};

    fn field(name: &'static str) -> RecordField {
        RecordField {
            name,
            categories: vec![],
            min: f64::NEG_INFINITY,
            max: f64::INFINITY,
            needed: false,
        }
    }

    fn form(kind: RecordKind) -> RecordForm {
        let total = RecordField {
            min: 0.0,
            ..field("total")
        };
        let purpose = RecordField {
            categories: vec!["car".into(), "house".into()],
            ..field("purpose")
        };
        let products = match kind {
            RecordKind::Application => vec!["card".into()],
            RecordKind::Statement => vec![],
        };
        RecordForm::new(kind, &[total, purpose, field("income")], &products, None)
    }

    fn read(form: RecordForm, line: &str) -> Result<(Vec<f64>, Record, String), DecodeError> {
        let mut decoder =
            Decoder::new(Instruments::new(&[], 16), 1 << 20).for_records(Arc::new(form));
        let mut batch = Batch::default();
        let origin = Origin::of_test();
        let result = decoder.decode(origin, line.as_bytes(), &mut batch);
        if let Err(error) = result {
            assert!(batch.events.is_empty() && batch.values.is_empty(), "{line}");
            return Err(error);
        }
        let Body::Record(record) = batch.events[0].body else {
            panic!("{:?}", batch.events)
        };
        let name = decoder.instruments().name(batch.events[0].instrument);
        Ok((batch.values(&record).to_vec(), record, name.to_owned()))
    }

    #[test]
    fn fields_come_in_the_order_of_the_pipeline() {
        let line = r#"{"ts_event":9,"applicant":"a-1","product":"card",
            "fields":{"income":1e3,"extra":[1],"purpose":"house","total":0.5}}"#;
        let (values, record, name) = read(form(RecordKind::Application), line).unwrap();
        assert_eq!(values, [0.5, 1.0, 1e3]);
        assert_eq!((record.period, record.unknown), (None, 1));
        assert_eq!(name, "a-1");
        let line = r#"{"ts_event":9,"obligor":"F","period":2014,"items":{"total":null}}"#;
        let (values, record, _) = read(form(RecordKind::Statement), line).unwrap();
        assert!(
            values.iter().all(|value| value.is_nan()),
            "null and missing"
        );
        assert_eq!(record.period, Some(2014));
    }

    #[test]
    fn bad_records_say_which_field() {
        let application = |rest: &str| format!(r#"{{"ts_event":9,"applicant":"a",{rest}}}"#);
        for (line, expected) in [
            (
                application(r#""product":"card","fields":{"total":-1}"#),
                DecodeError::OutOfRange("total"),
            ),
            (
                application(r#""product":"card","fields":{"total":"7"}"#),
                DecodeError::BadNumber("total"),
            ),
            (
                application(r#""product":"card","fields":{"total":true}"#),
                DecodeError::BadNumber("total"),
            ),
            (
                application(r#""product":"card","fields":{"income":1e999}"#),
                DecodeError::OutOfRange("income"),
            ),
            (
                application(r#""product":"card","fields":{"purpose":"boat"}"#),
                DecodeError::OutOfRange("purpose"),
            ),
            (
                application(r#""product":"card","fields":{"purpose":3}"#),
                DecodeError::WrongShape,
            ),
            (
                application(r#""product":"yacht","fields":{}"#),
                DecodeError::UnknownProduct,
            ),
            (application(r#""fields":{}"#), DecodeError::WrongShape),
            (
                application(r#""product":"card","fields":[1]"#),
                DecodeError::WrongShape,
            ),
            (application(r#""product":"card""#), DecodeError::WrongShape),
            (
                r#"{"ts_event":-9,"applicant":"a","product":"card","fields":{}}"#.into(),
                DecodeError::OutOfRange("ts_event"),
            ),
            (
                r#"{"ts_event":9,"applicant":"","product":"card","fields":{}}"#.into(),
                DecodeError::OutOfRange("applicant"),
            ),
            (
                r#"{"ts_event":9,"obligor":"a","product":"card","fields":{}}"#.into(),
                DecodeError::WrongShape,
            ),
            (
                application(r#""product":"card","fields":{"#),
                DecodeError::Malformed,
            ),
        ] {
            let error = read(form(RecordKind::Application), &line).unwrap_err();
            assert!(
                error == expected || error == DecodeError::Truncated,
                "{line}: {error:?}"
            );
        }
        let line = r#"{"ts_event":9,"obligor":"F","items":{}}"#;
        let error = read(form(RecordKind::Statement), line).unwrap_err();
        assert_eq!(error, DecodeError::WrongShape, "no period");
    }

    #[test]
    fn a_dead_letter_about_a_person_shows_a_token_and_nothing_else() {
        let pseudonym = Pseudonym::new(b"0123456789abcdef", "k1".into()).unwrap();
        let form = RecordForm::new(
            RecordKind::Application,
            &[field("total")],
            &[],
            Some(pseudonym),
        );
        let line = br#"{"ts_event":9,"applicant":"CANARY-1","email":"CANARY-2","fields":{"total":"CANARY-3"}}"#;
        let shown = String::from_utf8(form.redacted(line).into_owned()).unwrap();
        assert!(!shown.contains("CANARY"), "{shown}");
        assert!(shown.contains("\"applicant\":\"k1:"), "{shown}");
        let shown = String::from_utf8(form.redacted(b"CANARY {").into_owned()).unwrap();
        assert_eq!(shown, r#"{"applicant":null,"withheld_bytes":8}"#);
        let mut cut = b"CANARY {".to_vec();
        mark_cut(&mut cut, 5_000);
        let shown = String::from_utf8(form.redacted(&cut).into_owned()).unwrap();
        assert_eq!(shown, r#"{"applicant":null,"withheld_bytes":5000}"#);
    }
}
