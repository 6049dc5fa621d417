//! Stored signals: what a sink wrote, in place of a replay.

use std::path::PathBuf;

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::EvaluateError;
use super::collected::Collected;
use super::scored::Scored;
use crate::command::pairing::compare::value;
use crate::command::pairing::{PairingError, SignalInput, SignalObject, StoredSignals};
use crate::pipeline::Pipeline;
use crate::run::progress_display::ProgressDisplay;
use crate::signal::model::ModelIdentity;

/// Why a stored signal cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// A file or a topic cannot be read.
    #[error(transparent)]
    Read(#[from] PairingError),
    /// A signal lacks what is needed.
    #[error("while reading signal {number} of {}: {what}", path.display())]
    Signal {
        /// Where it is.
        path: PathBuf,
        /// Its number, from 1.
        number: u64,
        /// What is wrong, and what to do.
        what: String,
    },
    /// All signals are of other models.
    #[error(
        "while reading signals: all {signals} are of other models than the pipeline's, which is {sha256}; name the \
         pipeline that made them"
    )]
    OtherModel {
        /// How many.
        signals: u64,
        /// The SHA-256 of the pipeline's model.
        sha256: String,
    },
}

/// Reads the signals that a pipeline's sink wrote, in the order of the files.
///
/// Of a signal that was corrected the last revision counts, at the place of the first; one that comes again,
/// as after a restart, counts once. Signals of other models, and of shadows, are left out.
pub(super) fn stored(pipeline: &Pipeline, inputs: &[PathBuf]) -> Result<Collected, EvaluateError> {
    let lineage = pipeline.load_model()?.lineage;
    let model = lineage.first_model();
    let mut all = StoredScores::default();
    let mut progress = ProgressDisplay::new("signals");
    for path in inputs {
        let input = SignalInput::new(path, &pipeline.file.kafka.properties);
        let input = input.map_err(StoredError::Read)?;
        let mut signals = StoredSignals::open(&input, "evaluate").map_err(StoredError::Read)?;
        for number in 1.. {
            let next = signals.next_signal().map_err(StoredError::Read)?;
            let Some(signal) = next else { break };
            progress.show(all.read, || signals.progress());
            let added = all.add(model, &signal).map_err(|what| StoredError::Signal {
                path: path.clone(),
                number,
                what,
            });
            added?;
        }
    }
    if all.scored.is_empty() && all.left_out > 0 {
        let (signals, sha256) = (all.left_out, model.sha256.clone());
        return Err(StoredError::OtherModel { signals, sha256 }.into());
    }
    Ok(Collected {
        scored: all.scored,
        alerts: None,
        prices: None,
        summary: None,
        left_out: all.left_out,
        lineage,
    })
}

#[derive(Default)]
struct StoredScores {
    scored: Vec<Scored>,
    /// The place of each signal, by its id.
    places: FxHashMap<String, usize>,
    read: u64,
    left_out: u64,
}

impl StoredScores {
    fn add(&mut self, model: &ModelIdentity, signal: &SignalObject) -> Result<(), String> {
        self.read += 1;
        if is_shadow(signal) || is_of_another(model, signal) {
            self.left_out += 1;
            return Ok(());
        }
        let scored = scored(model, signal)?;
        let known = scored.id.as_ref().and_then(|id| self.places.get(id));
        match known {
            Some(&place) => {
                // A correction replaces it; what came again says the same.
                let is_correction = value(signal, "revision").as_u64() > Some(0);
                if is_correction {
                    self.scored[place] = scored;
                }
                self.left_out += u64::from(!is_correction);
            }
            None => {
                if let Some(id) = &scored.id {
                    self.places.insert(id.clone(), self.scored.len());
                }
                self.scored.push(scored);
            }
        }
        Ok(())
    }
}

fn is_shadow(signal: &SignalObject) -> bool {
    value(signal, "shadow").as_bool() == Some(true)
}

/// Whether another model made it; one that does not name its model is taken for ours.
fn is_of_another(model: &ModelIdentity, signal: &SignalObject) -> bool {
    let named = value(signal, "model").as_str();
    named.is_some_and(|named| !named.ends_with(&model.sha256))
}

/// The score of a signal with the fields that it has as columns of Parquet.
fn scored(model: &ModelIdentity, signal: &SignalObject) -> Result<Scored, String> {
    let number = |field: &str| match value(signal, field) {
        Value::Number(number) => number.as_f64().filter(|number| number.is_finite()),
        _ => None,
    };
    let lacks = |field: &str, of: &str| {
        format!(
            "it has no number {field}; write signals with the field `{of}`, and judge them by the pipeline that made them"
        )
    };
    let score = number("score").ok_or_else(|| lacks("`score`", "score"))?;
    let probability = |label: &String| {
        let column = format!("probability_{label}");
        let of_label = format!("`{label}` among its probabilities");
        number(&column).ok_or_else(|| lacks(&of_label, "probabilities"))
    };
    let probabilities: Result<Vec<f64>, String> = model.labels.iter().map(probability).collect();
    let probabilities = match model.labels.is_empty() {
        true => vec![score],
        false => probabilities?,
    };
    let (key, ts) = StoredSignals::key_of(signal);
    Ok(Scored {
        key: key.into(),
        id: value(signal, "signal_id").as_str().map(str::to_owned),
        ts_event: ts.ok_or("it has no `ts_event`")?,
        probabilities,
        score,
        start: None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model() -> ModelIdentity {
        ModelIdentity {
            sha256: "aa".into(),
            labels: vec!["down".into(), "up".into()],
            ..ModelIdentity::default()
        }
    }

    fn signal(id: &str, score: f64, more: &Value) -> SignalObject {
        let mut signal = json!({
            "instrument": "A.X", "ts_event": 5, "signal_id": id, "score": score, "model": "m 1 aa",
            "probability_down": 0.25, "probability_up": 0.75,
        });
        let fields = more.as_object().unwrap().clone();
        signal.as_object_mut().unwrap().extend(fields);
        signal.as_object().unwrap().clone()
    }

    #[test]
    fn a_signal_counts_once_by_its_last_revision() {
        let mut all = StoredScores::default();
        let mut add = |id, score, more| all.add(&model(), &signal(id, score, &more)).unwrap();
        add("one", 0.1, json!({}));
        add("two", 0.2, json!({}));
        add("one", 0.3, json!({"revision": 1}));
        add("two", 0.2, json!({}));
        add("three", 0.9, json!({"model": "m 1 bb"}));
        add("four", 0.9, json!({"shadow": true}));
        let scores: Vec<f64> = all.scored.iter().map(|one| one.score).collect();
        assert_eq!(scores, [0.3, 0.2]);
        assert_eq!(all.scored[0].probabilities, [0.25, 0.75]);
        assert_eq!((all.read, all.left_out), (6, 3));
    }

    #[test]
    fn a_signal_without_what_is_judged_is_refused() {
        let mut all = StoredScores::default();
        let error =
            |all: &mut StoredScores, more| all.add(&model(), &signal("a", 0.1, &more)).unwrap_err();
        let what = error(&mut all, json!({"score": null}));
        assert!(what.contains("`score`"), "{what}");
        let what = error(&mut all, json!({"probability_up": "0.5"}));
        assert!(
            what.contains("`up`") && what.contains("`probabilities`"),
            "{what}"
        );
    }
}
