//! A signal as one JSON object, as `schemas/signals.*.json` describe it.

use serde_json::json;

use crate::signal::Signal;
use crate::signal::field::Field;
use crate::signal::lineage::Lineage;
use crate::signal::quality::Quality;

/// Writes the chosen fields. What all signals share is formatted once.
#[derive(Clone, Debug)]
pub struct JsonWriter {
    lineage: Lineage,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
enum Piece {
    /// Text that is the same in every signal.
    Text(Vec<u8>),
    /// A value of this signal.
    Value(Field),
}

impl JsonWriter {
    /// A writer of these fields for signals of this lineage.
    #[must_use]
    pub fn new(lineage: Lineage, fields: &[Field]) -> Self {
        let mut pieces = vec![];
        let mut text = b"{".to_vec();
        let fields = fields.iter().filter(|field| field.is_of(&lineage));
        for (at, &field) in fields.enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let name = match field {
                Field::Instrument if !lineage.key.is_empty() => lineage.key,
                field => field.name(),
            };
            text.extend_from_slice(format!("{comma}\"{name}\":").as_bytes());
            if let Some(value) = shared(field, &lineage) {
                text.extend_from_slice(value.to_string().as_bytes());
            } else {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
                pieces.push(Piece::Value(field));
            }
        }
        text.push(b'}');
        pieces.push(Piece::Text(text));
        Self { lineage, pieces }
    }

    /// What all signals share.
    #[must_use]
    pub fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    /// Appends a signal, without a line end.
    pub fn write(&self, signal: &Signal, instrument: &str, out: &mut Vec<u8>) {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Value(field) => self.value(*field, signal, instrument, out),
            }
        }
    }

    fn value(&self, field: Field, signal: &Signal, instrument: &str, out: &mut Vec<u8>) {
        match field {
            Field::Instrument => text(instrument, out),
            Field::SignalId => text(&self.lineage.signal_id(signal, instrument), out),
            Field::TsEvent => integer(signal.ts_event.0, out),
            Field::TsRecv => integer(signal.origin.ts_recv.0, out),
            Field::TsOut => integer(signal.ts_out.0, out),
            Field::ValidUntil => {
                optional(self.lineage.valid_until(signal), out);
            }
            Field::Label => match self.lineage.label(signal) {
                Some((label, _)) => text(label, out),
                None => out.extend_from_slice(b"null"),
            },
            Field::Probabilities => self.probabilities(signal, out),
            Field::Score => float(self.lineage.score(signal), out),
            Field::Confidence => match self.lineage.label(signal) {
                Some((_, probability)) => float(probability, out),
                None => out.extend_from_slice(b"null"),
            },
            Field::Grade => match self.lineage.grade(signal) {
                Some(grade) => text(grade, out),
                None => out.extend_from_slice(b"null"),
            },
            Field::Reasons => self.reasons(signal, out),
            Field::Sentiment => self.sentiment(signal, out),
            Field::Item => text(&signal.item_text(), out),
            Field::Quality => {
                out.push(b'"');
                out.extend_from_slice(Quality::word(signal.quality).as_bytes());
                out.push(b'"');
            }
            Field::Source => self.source(signal, out),
            Field::LatencyNs => latency(signal, out),
            // The rest is shared, and so never a piece of its own.
            Field::Schema
            | Field::Pipeline
            | Field::HorizonNs
            | Field::Model
            | Field::FeaturesSha256
            | Field::Shadow => {}
        }
    }

    fn probabilities(&self, signal: &Signal, out: &mut Vec<u8>) {
        if self.lineage.labels.is_empty() {
            return out.extend_from_slice(b"null");
        }
        for (at, (label, output)) in self.lineage.labels.iter().zip(signal.outputs).enumerate() {
            out.push(if at == 0 { b'{' } else { b',' });
            text(label, out);
            out.push(b':');
            float(output, out);
        }
        out.push(b'}');
    }

    fn reasons(&self, signal: &Signal, out: &mut Vec<u8>) {
        out.push(b'[');
        for (at, reason) in signal.reasons.iter().flatten().enumerate() {
            out.extend_from_slice(if at == 0 {
                b"{\"code\":"
            } else {
                b",{\"code\":"
            });
            text(&self.lineage.reasons[usize::from(reason.code)], out);
            out.extend_from_slice(b",\"weight\":");
            out.extend_from_slice(ryu::Buffer::new().format(reason.weight).as_bytes());
            out.push(b'}');
        }
        out.push(b']');
    }

    fn sentiment(&self, signal: &Signal, out: &mut Vec<u8>) {
        let average = signal.average.unwrap_or_default();
        out.extend_from_slice(b"{\"average\":");
        float(average.value, out);
        out.extend_from_slice(b",\"weight\":");
        float(average.weight, out);
        out.extend_from_slice(b",\"half_life_ms\":");
        integer(self.lineage.half_life_ns.unwrap_or(0) / 1_000_000, out);
        out.push(b'}');
    }

    fn source(&self, signal: &Signal, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"topic\":");
        text(self.lineage.stream(signal.origin.stream), out);
        out.extend_from_slice(b",\"partition\":");
        integer(i64::from(signal.origin.partition), out);
        out.extend_from_slice(b",\"offset\":");
        integer(signal.origin.offset, out);
        out.push(b'}');
    }
}

fn shared(field: Field, lineage: &Lineage) -> Option<serde_json::Value> {
    match field {
        Field::Schema => Some(json!(lineage.schema)),
        Field::Pipeline => Some(json!(lineage.pipeline)),
        Field::HorizonNs => Some(json!(
            (lineage.horizon_ns > 0).then_some(lineage.horizon_ns)
        )),
        Field::Model => Some(json!({
            "name": lineage.model_name,
            "version": lineage.model_version,
            "sha256": lineage.model_sha256,
        })),
        Field::FeaturesSha256 => Some(json!(lineage.features_sha256)),
        Field::Shadow => Some(json!(lineage.shadow)),
        _ => None,
    }
}

fn latency(signal: &Signal, out: &mut Vec<u8>) {
    let stages = &signal.latency;
    for (key, value) in [
        ("{\"queue\":", stages.queue),
        (",\"decode\":", stages.decode),
        (",\"feature\":", stages.feature),
        (",\"model\":", stages.model),
    ] {
        out.extend_from_slice(key.as_bytes());
        integer(value, out);
    }
    out.push(b'}');
}

fn integer(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn optional(value: Option<i64>, out: &mut Vec<u8>) {
    match value {
        Some(value) => integer(value, out),
        None => out.extend_from_slice(b"null"),
    }
}

/// The shortest text that reads back as the same number.
fn float(value: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
}

fn text(value: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("writing text to memory does not fail");
}
