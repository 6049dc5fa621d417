//! A signal as one JSON object, as `schemas/signals.*.json` and `schemas/grades.loan.v1.json` describe it.

use serde_json::json;

use crate::signal::Signal;
use crate::signal::field::SignalField;
use crate::signal::lineage::Lineage;
use crate::signal::model::ModelIdentity;
use crate::signal::quality::Quality;

/// Writes the chosen fields. What all signals of a model share is formatted once.
#[derive(Clone, Debug)]
pub struct JsonWriter {
    lineage: Lineage,
    /// The pieces of a signal of each model.
    templates: Vec<Vec<Piece>>,
}

#[derive(Clone, Debug)]
enum Piece {
    /// Text that is the same in every signal of the model.
    Text(Vec<u8>),
    /// A value of this signal.
    Value(SignalField),
}

impl JsonWriter {
    /// A writer of these fields for signals of this lineage.
    #[must_use]
    pub fn new(lineage: Lineage, fields: &[SignalField]) -> Self {
        let models = lineage.models.iter();
        let templates = models.map(|model| template(&lineage, model, fields));
        Self {
            templates: templates.collect(),
            lineage,
        }
    }

    /// What all signals share.
    #[must_use]
    pub fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    /// Appends a signal, without a line end.
    pub fn write(&self, signal: &Signal, instrument: &str, out: &mut Vec<u8>) {
        for piece in &self.templates[usize::from(signal.model)] {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Value(field) => self.value(*field, signal, instrument, out),
            }
        }
    }

    fn value(&self, field: SignalField, signal: &Signal, instrument: &str, out: &mut Vec<u8>) {
        match field {
            SignalField::Instrument => text(instrument, out),
            SignalField::SignalId => text(&self.lineage.signal_id(signal, instrument), out),
            SignalField::TsEvent => integer(signal.ts_event.0, out),
            SignalField::TsRecv => integer(signal.origin.ts_recv.0, out),
            SignalField::TsOut => integer(signal.ts_out.0, out),
            SignalField::ValidUntil => {
                optional(self.lineage.valid_until(signal), out);
            }
            SignalField::Label => match self.lineage.label(signal) {
                Some((label, _)) => text(label, out),
                None => out.extend_from_slice(b"null"),
            },
            SignalField::Probabilities => self.probabilities(signal, out),
            SignalField::Score => float(self.lineage.score(signal), out),
            SignalField::Confidence => match self.lineage.label(signal) {
                Some((_, probability)) => float(probability, out),
                None => out.extend_from_slice(b"null"),
            },
            SignalField::Grade => match self.lineage.grade(signal) {
                Some(grade) => text(grade, out),
                None => out.extend_from_slice(b"null"),
            },
            SignalField::Reasons => self.reasons(signal, out),
            SignalField::Sentiment => self.sentiment(signal, out),
            SignalField::Item => text(&signal.item_text(), out),
            SignalField::Quality => {
                out.push(b'"');
                out.extend_from_slice(Quality::word(signal.quality).as_bytes());
                out.push(b'"');
            }
            SignalField::Source => self.source(signal, out),
            SignalField::LatencyNs => latency(signal, out),
            SignalField::Revision => integer(i64::from(signal.revision), out),
            // These are in the texts of the template.
            SignalField::Schema
            | SignalField::Pipeline
            | SignalField::HorizonNs
            | SignalField::Model
            | SignalField::FeaturesSha256
            | SignalField::Shadow => {}
        }
    }

    fn probabilities(&self, signal: &Signal, out: &mut Vec<u8>) {
        let labels = &self.lineage.model(signal).labels;
        if labels.is_empty() {
            return out.extend_from_slice(b"null");
        }
        for (at, (label, output)) in labels.iter().zip(signal.outputs).enumerate() {
            out.push(if at == 0 { b'{' } else { b',' });
            text(label, out);
            out.push(b':');
            float(output, out);
        }
        out.push(b'}');
    }

    fn reasons(&self, signal: &Signal, out: &mut Vec<u8>) {
        let codes = &self.lineage.model(signal).reasons;
        out.push(b'[');
        for (at, reason) in signal.reasons.iter().flatten().enumerate() {
            out.extend_from_slice(if at == 0 {
                b"{\"code\":"
            } else {
                b",{\"code\":"
            });
            text(&codes[usize::from(reason.code)], out);
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

/// The pieces of a signal of this model.
fn template(lineage: &Lineage, model: &ModelIdentity, fields: &[SignalField]) -> Vec<Piece> {
    let mut pieces = vec![];
    let mut text = b"{".to_vec();
    let fields = fields.iter().filter(|field| field.is_of(model, lineage));
    for (at, &field) in fields.enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let name = match field {
            SignalField::Instrument if !lineage.key.is_empty() => lineage.key,
            field => field.name(),
        };
        text.extend_from_slice(format!("{comma}\"{name}\":").as_bytes());
        if let Some(value) = shared(field, lineage, model) {
            text.extend_from_slice(value.to_string().as_bytes());
        } else {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
            pieces.push(Piece::Value(field));
        }
    }
    text.push(b'}');
    pieces.push(Piece::Text(text));
    pieces
}

/// The value of a field that is the same in every signal of the model.
fn shared(
    field: SignalField,
    lineage: &Lineage,
    model: &ModelIdentity,
) -> Option<serde_json::Value> {
    match field {
        SignalField::Schema => Some(json!(lineage.schema)),
        SignalField::Pipeline => Some(json!(lineage.pipeline)),
        SignalField::HorizonNs => Some(json!((model.horizon_ns > 0).then_some(model.horizon_ns))),
        SignalField::Model => Some(json!({
            "name": model.name,
            "version": model.version,
            "sha256": model.sha256,
        })),
        SignalField::FeaturesSha256 => Some(json!(model.features_sha256)),
        SignalField::Shadow => Some(json!(model.shadow)),
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::signal::digest::Digest;
    use crate::signal::tests::{signal, two_models};

    #[test]
    fn each_signal_of_a_run_with_two_models_names_its_own() {
        let lineage = two_models();
        let all: Vec<SignalField> = SignalField::ALL.iter().map(|field| field.1).collect();
        let writer = JsonWriter::new(lineage, &all);
        let written = |model| -> Value {
            let mut line = vec![];
            writer.write(&signal(model), "X.Y", &mut line);
            serde_json::from_slice(&line).unwrap()
        };
        let (first, second) = (written(0), written(1));
        assert_eq!(first["model"]["version"], "1");
        assert_eq!(first["label"], "up");
        assert_eq!(first["probabilities"], json!({"down": 0.25, "up": 0.75}));
        assert_eq!(first["score"], 0.5);
        assert_eq!(first["shadow"], false);
        assert_eq!(first["valid_until"], 1_000);
        assert!(first.get("grade").is_none());
        assert_eq!(second["model"]["version"], "2");
        assert_eq!(second["probabilities"], Value::Null);
        assert_eq!(
            (&second["score"], &second["grade"]),
            (&json!(0.25), &json!("A"))
        );
        assert_eq!(second["shadow"], true);
        assert_eq!(second["valid_until"], Value::Null);
    }

    #[test]
    fn the_digest_depends_on_the_model_of_a_signal() {
        let lineage = two_models();
        let digest = |models: [u8; 2]| {
            let mut digest = Digest::new(&lineage);
            for model in models {
                let outputs = [0.25; crate::signal::MAX_OUTPUTS];
                let signal = Signal {
                    outputs,
                    ..signal(model)
                };
                digest.add(&signal, "X.Y");
            }
            digest.finish()
        };
        assert_eq!(digest([0, 1]), digest([0, 1]));
        assert_ne!(digest([0, 1]), digest([1, 0]));
        assert_ne!(digest([0, 0]), digest([0, 1]));
    }
}
