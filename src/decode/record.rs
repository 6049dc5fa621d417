//! Records about companies and persons: `credit.statements.v1`, `credit.applications.v1`.
//!
//! Takes the fields that the pipeline's features name, and nothing else; computes nothing from them. Where
//! the record is about a person, its key becomes a token before it reaches any table.

use std::borrow::Cow;

use rustc_hash::FxHashMap;
use sonic_rs::{JsonValueTrait, LazyValue, to_object_iter};

use super::decoded::Decoded;
use super::error::{DecodeError, plausible};
use super::field::{Field, float, no_number, parse_fields};
use super::json::{is_shallow, parse};
use super::privacy::Pseudonym;
use super::text::value_of;
use crate::event::{Batch, Body, Record};
use crate::frame::whole_length;
use crate::instrument::Instruments;
use crate::schema::RecordField;
use crate::schema::RecordKind;
use crate::time::{ROW_NUMBERS, is_written_day};
use crate::units::Nanos;

/// The form of a pipeline's records: their kind, their fields, and whether they are about persons.
#[derive(Debug)]
pub struct RecordForm {
    kind: RecordKind,
    fields: Vec<RecordField>,
    /// The index of each field.
    indices: FxHashMap<&'static str, usize>,
    /// The same by the name in lower case, which tells a field that is spelt in another case.
    by_lower: FxHashMap<String, usize>,
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
            by_lower: indices
                .clone()
                .map(|(at, field)| (field.name.to_ascii_lowercase(), at))
                .collect(),
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
            .then(|| parse::<WireRecord<'_>>(bytes).ok())
            .flatten();
        let token = wire.and_then(|wire| {
            let key = wire.key(self.kind).text(self.kind.key()).ok()?;
            Some(self.public_name(key).into_owned())
        });
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
        let wire: WireRecord<'_> =
            parse_fields(bytes, &NAMES).map_err(|error| self.with_inner_field(error, bytes))?;
        let ts_event = self.time(&wire)?;
        batch.received_first(wire.ts_recv.optional_time("ts_recv")?);
        let key = wire.key(self.kind).symbol(self.kind.key())?;
        let (container, period) = match self.kind {
            RecordKind::Application => (&wire.fields, None),
            RecordKind::Statement => (&wire.items, Some(wire.period.integer("period")?)),
        };
        if let Some(period) = period
            && !(MIN_PERIOD..=MAX_PERIOD).contains(&period)
        {
            return Err(DecodeError::OutOfRange("period"));
        }
        if !self.products.is_empty() {
            let product = wire.product.text("product")?;
            if !self.products.iter().any(|known| known == product) {
                return Err(DecodeError::UnknownProduct);
            }
        }
        let name = self.kind.container();
        let container = container.needed(name)?.as_raw_str();
        if !container.starts_with('{') {
            return Err(DecodeError::WrongType(name));
        }
        let record = self.values(container, period, batch)?;
        let instrument = instruments.intern(&self.public_name(key), "")?;
        batch.push(instrument, ts_event, Body::Record(record));
        Ok(Decoded::Events)
    }

    /// When the record became known. Applications may be numbered instead, as rows of a table without times
    /// are. A number that is a written day is one by mistake, unless the record says that it is a row's.
    fn time(&self, wire: &WireRecord<'_>) -> Result<Nanos, DecodeError> {
        let nanos = wire.ts_event.nanos("ts_event")?;
        let is_number = self.kind == RecordKind::Application && (0..ROW_NUMBERS).contains(&nanos);
        if is_number && (!is_written_day(nanos) || wire.row.integer("row") == Ok(nanos)) {
            return Ok(Nanos(nanos));
        }
        plausible("ts_event", nanos)
    }

    /// An error of the object that holds the fields names the field in it, if one of ours is at fault.
    fn with_inner_field(&self, error: DecodeError, bytes: &[u8]) -> DecodeError {
        let container = self.kind.container();
        if error != DecodeError::BadNumber(container) {
            return error;
        }
        let names: Vec<&'static str> = self.fields.iter().map(|field| field.name).collect();
        let inner = value_of(bytes, container).and_then(|fields| no_number(fields.0, &names));
        inner.unwrap_or(error)
    }

    fn values(
        &self,
        object: &str,
        period: Option<i64>,
        batch: &mut Batch,
    ) -> Result<Record, DecodeError> {
        let start = batch.values.len();
        batch.values.resize(start + self.fields.len(), UNSEEN);
        let (mut unknown, mut misspelt) = (0, None);
        for entry in to_object_iter(object) {
            let (name, value) = entry.map_err(|_| DecodeError::Malformed)?;
            match self.indices.get(&*name) {
                Some(&at) => {
                    let cell = &mut batch.values[start + at];
                    if cell.to_bits() != UNSEEN.to_bits() {
                        return Err(DecodeError::RepeatedField(self.fields[at].name));
                    }
                    *cell = self.fields[at].value(&value)?;
                }
                None => {
                    unknown += 1;
                    let meant = self.by_lower.get(&name.to_ascii_lowercase());
                    misspelt = misspelt.or(meant.copied());
                }
            }
        }
        if let Some(at) = misspelt.filter(|at| batch.values[start + at].is_nan()) {
            return Err(DecodeError::MissingField(self.fields[at].name));
        }
        for value in &mut batch.values[start..] {
            if value.to_bits() == UNSEEN.to_bits() {
                *value = f64::NAN;
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

/// The value of a field that has not been read; null is the plain NaN.
const UNSEEN: f64 = f64::from_bits(0x7ff8_0000_0000_0001);

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
            let written = value.is_number().then(|| value.as_raw_str());
            let text = value.as_str().or(written);
            let text = text.ok_or(DecodeError::WrongType(self.name))?;
            let index = self.categories.iter().position(|known| known == text);
            return index
                .map(|at| at as f64)
                .ok_or(DecodeError::OutOfRange(self.name));
        }
        let number = float(self.name, value)?;
        let is_within = (self.min..=self.max).contains(&number);
        is_within
            .then_some(number)
            .ok_or(DecodeError::OutOfRange(self.name))
    }
}

/// The fields of both kinds of record.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct WireRecord<'a> {
    #[serde(borrow)]
    ts_event: Field<'a>,
    #[serde(borrow)]
    ts_recv: Field<'a>,
    /// The number of a table's row that has no time.
    #[serde(borrow)]
    row: Field<'a>,
    #[serde(borrow)]
    applicant: Field<'a>,
    #[serde(borrow)]
    obligor: Field<'a>,
    #[serde(borrow)]
    product: Field<'a>,
    #[serde(borrow)]
    period: Field<'a>,
    #[serde(borrow)]
    fields: Field<'a>,
    #[serde(borrow)]
    items: Field<'a>,
}

const NAMES: [&str; 9] = [
    "ts_event",
    "ts_recv",
    "row",
    "applicant",
    "obligor",
    "product",
    "period",
    "fields",
    "items",
];

impl<'a> WireRecord<'a> {
    fn key(&self, kind: RecordKind) -> &Field<'a> {
        match kind {
            RecordKind::Application => &self.applicant,
            RecordKind::Statement => &self.obligor,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::decode::Decoder;
    use crate::frame::{Origin, mark_cut};
    use crate::time::LikelyUnit;

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
        let line = r#"{"ts_event":1700000000000000009,"applicant":"a-1","product":"card",
            "fields":{"income":1e3,"extra":[1],"purpose":"house","total":0.5}}"#;
        let (values, record, name) = read(form(RecordKind::Application), line).unwrap();
        assert_eq!(values, [0.5, 1.0, 1e3]);
        assert_eq!((record.period, record.unknown), (None, 1));
        assert_eq!(name, "a-1");
        let other_form = r#"{ "fields" : {"\u0069ncome":"1000","purpose":"\u0068ouse","total":"5e-1"},
            "product":"c\u0061rd", "\u0061pplicant":"a\u002d1", "ts_event":"1.700000000000000009e18"}"#;
        let (other, _, name) = read(form(RecordKind::Application), other_form).unwrap();
        assert_eq!((other, &*name), (values, "a-1"));
        for row in [
            r#"{"ts_event":9,"applicant":"a-1","product":"card","fields":{}}"#,
            r#"{"ts_event":20150399,"applicant":"a-1","product":"card","fields":{}}"#,
            r#"{"ts_event":20150301,"row":20150301,"applicant":"a-1","product":"card","fields":{}}"#,
        ] {
            let read = read(form(RecordKind::Application), row);
            assert!(read.is_ok(), "the row of a table: {row}");
        }
        let line = r#"{"ts_event":1700000000000000009,"obligor":"F","period":2014,"items":{"total":null}}"#;
        let (values, record, _) = read(form(RecordKind::Statement), line).unwrap();
        assert!(
            values.iter().all(|value| value.is_nan()),
            "null and missing"
        );
        assert_eq!(record.period, Some(2014));
    }

    #[test]
    fn bad_records_say_which_field() {
        let application =
            |rest: &str| format!(r#"{{"ts_event":1700000000000000009,"applicant":"a",{rest}}}"#);
        for (line, expected) in [
            (
                application(r#""product":"card","fields":{"total":-1}"#),
                DecodeError::OutOfRange("total"),
            ),
            (
                application(r#""product":"card","fields":{"total":"seven"}"#),
                DecodeError::BadNumber("total"),
            ),
            (
                application(r#""product":"card","fields":{"total":true}"#),
                DecodeError::WrongType("total"),
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
                DecodeError::OutOfRange("purpose"),
            ),
            (
                application(r#""product":"yacht","fields":{}"#),
                DecodeError::UnknownProduct,
            ),
            (
                application(r#""fields":{}"#),
                DecodeError::MissingField("product"),
            ),
            (
                application(r#""product":"card","fields":[1]"#),
                DecodeError::WrongType("fields"),
            ),
            (
                application(r#""product":"card""#),
                DecodeError::MissingField("fields"),
            ),
            (
                r#"{"ts_event":-9,"applicant":"a","product":"card","fields":{}}"#.into(),
                DecodeError::ImplausibleTime("ts_event", None),
            ),
            (
                application(r#""product":"card","fields":{"Total":7}"#),
                DecodeError::MissingField("total"),
            ),
            (
                application(r#""product":"card","fields":{"total":1,"total":1}"#),
                DecodeError::RepeatedField("total"),
            ),
            (
                r#"{"ts_event":1700000000009,"applicant":"a","product":"card","fields":{}}"#.into(),
                DecodeError::ImplausibleTime("ts_event", Some(LikelyUnit::Milliseconds)),
            ),
            (
                r#"{"ts_event":1700000000000000009,"applicant":"","product":"card","fields":{}}"#
                    .into(),
                DecodeError::OutOfRange("applicant"),
            ),
            (
                r#"{"ts_event":1700000000000000009,"obligor":"a","product":"card","fields":{}}"#
                    .into(),
                DecodeError::MissingField("applicant"),
            ),
            (
                application(r#""product":"card","fields":{"#),
                DecodeError::Truncated,
            ),
            (
                application(r#""product":"card","fields":{"total":null,"total":1}"#),
                DecodeError::RepeatedField("total"),
            ),
            (
                application(r#""product":"card","fields":{"total":1,"total":null}"#),
                DecodeError::RepeatedField("total"),
            ),
            (
                application(r#""product":"card","fields":{"total":NaN}"#),
                DecodeError::BadNumber("total"),
            ),
            (
                application(r#""product":"card","fields":{"other":-Infinity,"total":1}"#),
                DecodeError::BadNumber("fields"),
            ),
            (
                application(r#""product":"card","fields":{"total":"+5"}"#),
                DecodeError::BadNumber("total"),
            ),
            (
                r#"{"ts_event":20150301,"applicant":"a","product":"card","fields":{}}"#.into(),
                DecodeError::ImplausibleTime("ts_event", Some(LikelyUnit::WrittenDay)),
            ),
        ] {
            let error = read(form(RecordKind::Application), &line).unwrap_err();
            assert_eq!(error, expected, "{line}");
        }
        let line = r#"{"ts_event":1700000000000000009,"obligor":"F","items":{}}"#;
        let error = read(form(RecordKind::Statement), line).unwrap_err();
        assert_eq!(error, DecodeError::MissingField("period"));
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
        let line = br#"{"ts_event":1700000000000000009,"applicant":"CANARY-1","email":"CANARY-2","fields":{"total":"CANARY-3"}}"#;
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
