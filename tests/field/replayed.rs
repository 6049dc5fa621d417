//! A pipeline of one feature, replayed: its score is the feature.

use std::fmt::Write;
use std::fs::File;

use arrow_array::types::{Float64Type, TimestampNanosecondType};
use arrow_array::{Array, cast::AsArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::given::{Folder, foretick};

/// The outcome of a replay.
pub(crate) struct Replayed {
    pub(crate) code: Option<i32>,
    pub(crate) signals: Vec<Value>,
    pub(crate) dead_letters: Vec<Value>,
    pub(crate) summary: Value,
    pub(crate) stderr: String,
}

impl Replayed {
    /// The scores in their order.
    pub(crate) fn scores(&self) -> Vec<f64> {
        let score = |signal: &Value| signal["score"].as_f64().expect("a score is a number");
        self.signals.iter().map(score).collect()
    }

    /// Each score with its quality: `100 ok`.
    pub(crate) fn with_quality(&self) -> Vec<String> {
        let text = |signal: &Value| format!("{} {}", signal["score"], word(&signal["quality"]));
        self.signals.iter().map(text).collect()
    }

    /// Reason and field of each dead letter: `too_precise price`.
    pub(crate) fn refusals(&self) -> Vec<String> {
        let text =
            |letter: &Value| format!("{} {}", word(&letter["error"]), word(&letter["field"]));
        self.dead_letters.iter().map(text).collect()
    }
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

/// When the series of these tests begin, in nanoseconds.
pub(crate) const START: i64 = 1_790_000_000_000_000_000;

/// A change or a snapshot of the book of `A.X`, so many nanoseconds after the start.
pub(crate) fn depth(after: i64, number: i64, snapshot: bool, bids: &str, asks: &str) -> String {
    let ts = START + after;
    format!(
        r#"{{"ts_event":{ts},"symbol":"A.X","first_sequence":{number},"sequence":{number},"snapshot":{snapshot},"bids":{bids},"asks":{asks}}}"#
    )
}

/// A pipeline whose only feature is of this table (`kind = "mid"`), with a row at each `on`. Further text goes
/// into the `[row]` table.
pub(crate) fn one_feature(feature: &str, on: &str, row: &str) -> String {
    format!(
        "name = \"one\"\n[source]\nkind = \"kafka\"\ntopics = [\"md.x.v1\"]\n[row]\non = \"{on}\"\n{row}\n\
         [[feature]]\nname = \"f\"\n{feature}\n[model]\nkind = \"sum\"\nnormalise = \"none\"\n\
         [sink]\nkind = \"kafka\"\ntopic = \"signals.x.v1\"\n"
    )
}

/// Replays these lines through a pipeline of one feature.
pub(crate) fn replay(kind: &str, on: &str, lines: &[impl AsRef<str>]) -> Replayed {
    let pipeline = one_feature(&format!("kind = \"{kind}\""), on, "");
    replay_with(&pipeline, lines, &[])
}

/// Replays these lines through a pipeline of this text.
pub(crate) fn replay_with(pipeline: &str, lines: &[impl AsRef<str>], args: &[&str]) -> Replayed {
    let folder = Folder::new(&format!("field-{:?}", std::thread::current().id()));
    let mut text = String::new();
    for line in lines {
        writeln!(text, "{}", line.as_ref()).expect("memory takes text");
    }
    let (pipeline, input) = (
        folder.write("pipeline.toml", pipeline),
        folder.write("in.jsonl", text),
    );
    let (output, letters) = (folder.path("out.jsonl"), folder.path("letters.jsonl"));
    let mut command = vec![
        "replay".into(),
        pipeline,
        "--input".into(),
        input,
        "--output".into(),
        output.clone(),
        "--dead-letters".into(),
        letters.clone(),
        "--json".into(),
    ];
    command.extend(args.iter().map(Into::into));
    let run = foretick(&command);
    let values = |path| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let parse = |line| serde_json::from_str(line).expect("a line is JSON");
        text.lines().map(parse).collect()
    };
    Replayed {
        code: run.code,
        signals: values(&output),
        dead_letters: values(&letters),
        summary: serde_json::from_str(&run.stdout).unwrap_or(Value::Null),
        stderr: run.stderr,
    }
}

/// A row of training data with its label.
#[derive(Debug)]
pub(crate) struct ExportedRow {
    pub(crate) ts_event: i64,
    pub(crate) move_bps: Option<f64>,
    pub(crate) label: Option<String>,
}

/// The rows that `foretick features` exports of these lines, in the order of the file.
pub(crate) fn exported_rows(pipeline: &str, lines: &[impl AsRef<str>]) -> Vec<ExportedRow> {
    let folder = Folder::new(&format!("field-export-{:?}", std::thread::current().id()));
    let text: String = lines
        .iter()
        .map(|line| format!("{}\n", line.as_ref()))
        .collect();
    let (pipeline, input) = (
        folder.write("pipeline.toml", pipeline),
        folder.write("in.jsonl", text),
    );
    let output = folder.path("rows.parquet");
    let run = foretick(&[
        "features".into(),
        pipeline,
        "--input".into(),
        input,
        "--output".into(),
        output.clone(),
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let file = File::open(output).expect("the export wrote a file");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("the file is Parquet");
    let mut rows = vec![];
    for batch in reader.build().expect("the file is Parquet") {
        let batch = batch.expect("the rows can be read");
        let column = |name| batch.column_by_name(name).expect("the column");
        let times = column("ts_event").as_primitive::<TimestampNanosecondType>();
        let moves = column("move_bps").as_primitive::<Float64Type>();
        let labels = cast(column("label"), &DataType::Utf8).expect("the labels are words");
        let labels = labels.as_string::<i32>();
        rows.extend((0..batch.num_rows()).map(|at| ExportedRow {
            ts_event: times.value(at),
            move_bps: moves.is_valid(at).then(|| moves.value(at)),
            label: labels.is_valid(at).then(|| labels.value(at).to_owned()),
        }));
    }
    rows
}
