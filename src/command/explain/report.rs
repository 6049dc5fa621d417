//! What a signal was made of, for people and for programs.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::found::Found;
use super::places::FramePlaces;
use super::rows::KeptRow;
use crate::config::PipelineFile;
use crate::engine::feature::FeatureKind;
use crate::frame::Origin;
use crate::model::ModelError;
use crate::model::normalise::Normalise;
use crate::pipeline::{Loaded, Pipeline};
use crate::signal::MAX_OUTPUTS;
use crate::signal::field::SignalField;
use crate::signal::lineage::Lineage;
use crate::sink::json::JsonWriter;
use crate::time::rfc3339;
use crate::units::Nanos;

/// What a signal was made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The signal as it is published, with all its fields.
    pub signal: Map<String, Value>,
    /// The rows of its window, oldest first.
    pub rows: Vec<ExplainedRow>,
    /// The features, in the order of the values of a row.
    pub features: Vec<ExplainedFeature>,
    /// Where each row came from, in the order of the rows.
    pub sources: Vec<RowSource>,
    /// The reasons of its score, the strongest first.
    pub reasons: Value,
    /// Its scores, and those of the rows above.
    pub scores: ExplainedScores,
    /// Why values are not shown, where they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withheld: Option<&'static str>,
}

/// A row of a window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedRow {
    /// The time of its event, in nanoseconds since 1970, UTC.
    pub ts_event: i64,
    /// Its own quality; that of the signal is the worst of the window.
    pub quality: &'static str,
    /// The period that a statement describes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<i64>,
    /// The features, in their order; null for a field that the record lacks.
    pub values: Option<Vec<Option<f64>>>,
    /// The same as the model sees them, where rows are normalised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Vec<Option<f64>>>,
}

/// A feature.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedFeature {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// What it computes, as the reference of the features has it.
    pub formula: String,
    /// The keys of its table, such as `of` and `window`.
    pub parameters: Map<String, Value>,
    /// Its value in the last row.
    pub value: Option<f64>,
}

/// Where a row came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowSource {
    /// The file without its folder, or the topic.
    pub topic: String,
    /// The partition; 0 of files.
    pub partition: i32,
    /// The number of the frame among all that were read, from 0; in a topic its own.
    pub offset: i64,
    /// When it was received, in nanoseconds since 1970; null where the file does not say.
    pub ts_recv: Option<i64>,
    /// The file, with its folder; null for a topic, a pipe, and inputs with one among them.
    pub file: Option<String>,
    /// The line there, from 1; null where it has rows.
    pub line: Option<u64>,
    /// The row there, from 1; null where it has lines.
    pub row: Option<u64>,
}

/// The scores of a signal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedScores {
    /// The signal as one number.
    pub score: f64,
    /// The probabilities of the labels in their order, or the score alone.
    pub outputs: Vec<f64>,
    /// The outputs for the rows of this report, computed for themselves; null where rows are missing.
    pub recomputed: Option<Vec<f64>>,
    /// The largest difference between both.
    pub abs_difference: Option<f64>,
}

impl Explanation {
    pub(super) fn of(
        pipeline: &Pipeline,
        loaded: &Loaded,
        found: Found,
        places: &FramePlaces,
    ) -> Result<Self, ModelError> {
        let Found {
            signal,
            instrument,
            window,
        } = found;
        let lineage = &loaded.lineage;
        let form = pipeline.form.as_ref();
        let withheld = form.filter(|form| form.names_persons()).map(|_| WITHHELD);
        let normalises = loaded.settings().normalise != Normalise::None;
        let row = |kept: &KeptRow| ExplainedRow {
            ts_event: kept.row.ts_event.0,
            quality: kept.row.quality.word(),
            period: kept.row.period,
            values: withheld.is_none().then(|| numbers(&kept.values)),
            inputs: (normalises && withheld.is_none()).then(|| numbers(&kept.cells)),
        };
        let last = window.last().filter(|_| withheld.is_none());
        let values = last.map_or(&[][..], |kept| &kept.values);
        let mut text = vec![];
        let fields: Vec<SignalField> = SignalField::ALL.iter().map(|field| field.1).collect();
        JsonWriter::new(lineage.clone(), &fields).write(&signal, &instrument, &mut text);
        let published: Map<String, Value> = serde_json::from_slice(&text).unwrap_or_default();
        let cells: Vec<f64> = window
            .iter()
            .flat_map(|kept| kept.cells.iter().copied())
            .collect();
        let is_whole = window.len() == loaded.settings().steps;
        let recomputed = match is_whole {
            true => loaded.score_window(&cells)?,
            false => None,
        };
        let count = lineage.model(&signal).labels.len().max(1);
        let scores = scores(lineage.score(&signal), &signal.outputs[..count], recomputed);
        Ok(Self {
            reasons: published
                .get("reasons")
                .cloned()
                .unwrap_or(Value::Array(vec![])),
            signal: published,
            rows: window.iter().map(|kept| row(kept)).collect(),
            features: features(&pipeline.file, pipeline.plan.names(), values),
            sources: window
                .iter()
                .map(|kept| source(lineage, &kept.origin, places))
                .collect(),
            scores,
            withheld,
        })
    }
}

const WITHHELD: &str = "the records are about persons: their values leave in training sets alone";

fn scores(score: f64, outputs: &[f64], recomputed: Option<[f64; MAX_OUTPUTS]>) -> ExplainedScores {
    let recomputed = recomputed.map(|all| all[..outputs.len()].to_vec());
    let far = recomputed.as_ref().map(|again| {
        let pairs = outputs.iter().zip(again);
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    });
    ExplainedScores {
        score,
        outputs: outputs.to_vec(),
        recomputed,
        abs_difference: far,
    }
}

/// Numbers as JSON has them: one that is missing is null.
fn numbers(values: &[f64]) -> Vec<Option<f64>> {
    let number = |value: &f64| value.is_finite().then_some(*value);
    values.iter().map(number).collect()
}

fn source(lineage: &Lineage, origin: &Origin, places: &FramePlaces) -> RowSource {
    let is_known = origin.ts_recv != Nanos::UNDEFINED;
    let place = places.of(origin);
    RowSource {
        topic: lineage.stream(origin.stream).to_owned(),
        partition: origin.partition,
        offset: origin.offset,
        ts_recv: is_known.then_some(origin.ts_recv.0),
        file: place.map(|place| place.path.display().to_string()),
        line: place.and_then(|place| place.line),
        row: place.and_then(|place| place.row),
    }
}

/// The columns of a row, each with the table that it is of: word pieces have one for all.
fn features(file: &PipelineFile, names: &[String], values: &[f64]) -> Vec<ExplainedFeature> {
    let tables: Vec<_> = file.features.iter().filter(|table| !table.hidden).collect();
    let column = |(at, name): (usize, &String)| {
        let table = tables.get(at).filter(|table| table.name == *name);
        let table = table.or(tables.first())?;
        let parameters = match serde_json::to_value(table) {
            Ok(Value::Object(mut all)) => {
                for key in ["name", "kind", "hidden"] {
                    all.remove(key);
                }
                all
            }
            _ => Map::new(),
        };
        Some(ExplainedFeature {
            name: name.clone(),
            kind: FeatureKind::name(table.kind),
            formula: table.kind.formula(),
            parameters,
            value: values.get(at).copied().filter(|value| value.is_finite()),
        })
    };
    names.iter().enumerate().filter_map(column).collect()
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_signal(f)?;
        writeln!(f, "\nfeatures at the last row")?;
        let width = self.features.iter().map(|one| one.name.len()).max();
        let width = width.unwrap_or(0);
        for feature in self.features.iter().take(FEATURES_MAX) {
            let value = shown(feature.value);
            let name = &feature.name;
            write!(f, "  {name:<width$}  {value:>14}  {}", feature.formula)?;
            for (key, value) in &feature.parameters {
                let value = value.as_str().map_or(value.to_string(), str::to_owned);
                write!(f, "; {key} = {value}")?;
            }
            writeln!(f)?;
        }
        writeln!(f, "\nrows of the window, oldest first: {}", self.rows.len())?;
        let rows = self.rows.len();
        let left_out = if rows > SHOWN_MAX {
            FIRST..rows - LAST
        } else {
            0..0
        };
        for (at, (row, source)) in self.rows.iter().zip(&self.sources).enumerate() {
            if left_out.contains(&at) {
                if at == left_out.start {
                    writeln!(f, "  … {} rows, which --json has", left_out.len())?;
                }
                continue;
            }
            let time = rfc3339(Nanos(row.ts_event));
            write!(f, "  {time:<30} {:<8} {source}", row.quality)?;
            for value in row.values.iter().flatten().take(VALUES_MAX) {
                write!(f, " {}", shown(*value))?;
            }
            writeln!(f)?;
        }
        if let Some(why) = self.withheld {
            writeln!(f, "\nvalues are not shown: {why}")?;
        }
        Ok(())
    }
}

impl fmt::Display for RowSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (topic, offset) = (&self.topic, self.offset);
        match (&self.file, self.line, self.row) {
            (Some(_), Some(line), _) => write!(f, "{topic}:{offset}, line {line}"),
            (Some(_), None, Some(row)) => write!(f, "{topic}:{offset}, row {row}"),
            (Some(_), None, None) => write!(f, "{topic}:{offset}"),
            (None, ..) => write!(f, "{topic}:{}:{offset}", self.partition),
        }
    }
}

/// Of windows with more rows than this, the first and the last are shown.
const SHOWN_MAX: usize = 20;
const FIRST: usize = 3;
const LAST: usize = 12;
/// Features that are shown: a headline has hundreds.
const FEATURES_MAX: usize = 40;
/// Values of a row that are shown.
const VALUES_MAX: usize = 16;

impl Explanation {
    fn write_signal(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |name: &str| match self.signal.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => "none".into(),
            Some(other) => other.to_string(),
        };
        let keys = ["instrument", "obligor", "applicant"];
        let key = keys.into_iter().find(|key| self.signal.contains_key(*key));
        let key = key.unwrap_or("instrument");
        writeln!(f, "signal         {}", text("signal_id"))?;
        writeln!(f, "{key:<14} {}", text(key))?;
        let ts = self.signal.get("ts_event").and_then(Value::as_i64);
        let ts = ts.map_or("none".into(), |ts| rfc3339(Nanos(ts)));
        writeln!(f, "time           {ts}")?;
        for name in ["label", "grade", "confidence", "quality"] {
            if self.signal.contains_key(name) {
                writeln!(f, "{name:<14} {}", text(name))?;
            }
        }
        let scores = &self.scores;
        let outputs: Vec<String> = scores.outputs.iter().map(ToString::to_string).collect();
        writeln!(
            f,
            "score          {} ({})",
            scores.score,
            outputs.join(", ")
        )?;
        match scores.abs_difference {
            Some(far) => writeln!(
                f,
                "rebuilt        the rows below give the same to {far:.1e}"
            )?,
            None => writeln!(
                f,
                "rebuilt        no: its window is not whole in this input"
            )?,
        }
        for reason in self.reasons.as_array().into_iter().flatten() {
            let (code, weight) = (&reason["code"], &reason["weight"]);
            writeln!(f, "reason         {} {weight}", code.as_str().unwrap_or(""))?;
        }
        Ok(())
    }
}

fn shown(value: Option<f64>) -> String {
    let Some(value) = value else {
        return "-".into();
    };
    match value.abs() {
        0.0 => "0".into(),
        1e-4..1e9 => format!("{value:.6}"),
        _ => format!("{value:.4e}"),
    }
}
