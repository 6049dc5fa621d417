//! A set of rows whose cells a test may change before it is written, and the command that looks at it.

use std::fs::File;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use arrow_schema::{Field, Schema};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

use crate::given::{Folder, Run, foretick};

pub(crate) const SECOND: i64 = 1_000_000_000;
/// 2026-01-05T00:00:00Z.
pub(crate) const BEGIN: i64 = 1_767_571_200 * SECOND;
/// Rows of each of the two instruments, one a second.
pub(crate) const ROWS: i64 = 600;
/// The first test row.
pub(crate) const BORDER: i64 = BEGIN + 400 * SECOND;
const STEPS: i64 = 10;
const HORIZON: i64 = 5 * SECOND;

/// Columns by their names, in the order of the file.
#[derive(Clone, Default)]
pub(crate) struct Set {
    columns: Vec<(String, Cells)>,
    /// `foretick.set`; none for a set that another program wrote.
    pub(crate) described: Option<Value>,
}

#[derive(Clone)]
enum Cells {
    Numbers(Vec<Option<f64>>),
    Times(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
}

/// Numbers that look random, the same at each run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number from 0 to below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// A number from 0 to 1.
    pub(crate) fn share(&mut self) -> f64 {
        self.below(1 << 30) as f64 / f64::from(1 << 30)
    }
}

impl Set {
    /// A set without a leak, as `foretick features` describes its own.
    pub(crate) fn clean() -> Self {
        let mut set = Self::default();
        let times: Vec<i64> = (0..ROWS)
            .flat_map(|row| [BEGIN + row * SECOND; 2])
            .collect();
        let rows = times.len();
        let mut dice = Dice(7);
        let mut numbers = |from: f64, to: f64| -> Vec<Option<f64>> {
            (0..rows)
                .map(|_| Some(from + (to - from) * dice.share()))
                .collect()
        };
        let (flow, spread, oil, moved) = (
            numbers(-3.0, 9.0),
            numbers(0.1, 0.9),
            numbers(60.0, 70.0),
            numbers(-2.0, 2.0),
        );
        let word = |moved: &Option<f64>| match moved {
            Some(up) if *up > 1.0 => Some("up".to_owned()),
            Some(down) if *down < -1.0 => Some("down".to_owned()),
            _ => Some("flat".to_owned()),
        };
        let names = (0..rows).map(|row| Some(["AAA", "BBB"][row % 2].to_owned()));
        let offset = |by: i64| move |time: &i64| Some(time + by);
        set.texts("instrument", names.collect());
        set.times("ts_event", times.iter().map(offset(0)).collect());
        set.times("ts_recv", times.iter().map(offset(SECOND / 10)).collect());
        set.numbers("flow", flow);
        set.numbers("spread", spread);
        set.numbers("oil", oil);
        set.texts("label", moved.iter().map(word).collect());
        set.numbers("move_bps", moved);
        set.times("label_end", times.iter().map(offset(HORIZON)).collect());
        let start = |time: &i64| {
            let start = time - (STEPS - 1) * SECOND;
            (start >= BEGIN).then_some(start)
        };
        set.times("window_start", times.iter().map(start).collect());
        set.texts(
            "group",
            (0..rows).map(|row| Some(format!("g{row}"))).collect(),
        );
        set.texts(
            "split",
            times
                .iter()
                .map(|time| Some(split(*time).to_owned()))
                .collect(),
        );
        set.texts(
            "fold_0",
            times
                .iter()
                .map(|time| Some(middle_fold(*time).to_owned()))
                .collect(),
        );
        set.times(
            "oil_known",
            times.iter().map(offset(-60 * SECOND)).collect(),
        );
        set.described = Some(json!({
            "version": 1, "features": ["flow", "spread", "oil"], "features_sha256": "abc", "steps": STEPS,
            "row": "trade", "break_ms": null,
            "labels": [{"name": "label", "kind": "move", "column": "label", "value_column": "move_bps",
                "end_column": "label_end", "classes": ["down", "flat", "up"], "horizon_ms": 5_000}],
            "split": {"test_from": "2026-01-05T00:06:40Z", "validation_from": null, "purge_ms": 14_000,
                "embargo_ms": 20_000},
            "folds": [{"name": "fold_0", "kind": "combinatorial", "train": [], "test": []}],
            "normalise": {"kind": "model", "fitted_from": null, "fitted_to": "2026-01-05T00:06:00Z"},
            "inputs": [{"feature": "oil", "figure": "oil", "known_column": "oil_known", "release": "ts_release"}],
        }));
        // The normaliser of the clean twin is fitted before the held-out rows of the fold too.
        set.describe("/normalise/fitted_to", json!("2026-01-05T00:03:20Z"));
        set
    }

    /// The same as another program writes it: no description, and the column names of a notebook.
    pub(crate) fn foreign() -> Self {
        let mut set = Self::clean();
        set.described = None;
        for (old, new) in [
            ("instrument", "symbol"),
            ("ts_event", "timestamp"),
            ("label", "target"),
            ("move_bps", "target_bps"),
            ("label_end", "known_at"),
            ("split", "part"),
        ] {
            set.rename(old, new);
        }
        for name in ["fold_0", "group", "oil_known", "window_start"] {
            set.remove(name);
        }
        set
    }

    pub(crate) fn len(&self) -> usize {
        match &self.columns[0].1 {
            Cells::Numbers(cells) => cells.len(),
            Cells::Times(cells) => cells.len(),
            Cells::Texts(cells) => cells.len(),
        }
    }

    pub(crate) fn describe(&mut self, pointer: &str, value: Value) {
        let described = self.described.as_mut().expect("the set is described");
        *described
            .pointer_mut(pointer)
            .expect("the description has it") = value;
    }

    pub(crate) fn rename(&mut self, old: &str, new: &str) {
        let at = self.at(old);
        self.columns[at].0 = new.to_owned();
    }

    pub(crate) fn remove(&mut self, name: &str) {
        let at = self.at(name);
        self.columns.remove(at);
    }

    pub(crate) fn numbers(&mut self, name: &str, cells: Vec<Option<f64>>) {
        self.put(name, Cells::Numbers(cells));
    }

    pub(crate) fn times(&mut self, name: &str, cells: Vec<Option<i64>>) {
        self.put(name, Cells::Times(cells));
    }

    pub(crate) fn texts(&mut self, name: &str, cells: Vec<Option<String>>) {
        self.put(name, Cells::Texts(cells));
    }

    pub(crate) fn number(&self, name: &str) -> Vec<Option<f64>> {
        match &self.columns[self.at(name)].1 {
            Cells::Numbers(cells) => cells.clone(),
            _ => panic!("{name} holds no numbers"),
        }
    }

    pub(crate) fn time(&self, name: &str) -> Vec<Option<i64>> {
        match &self.columns[self.at(name)].1 {
            Cells::Times(cells) => cells.clone(),
            _ => panic!("{name} holds no times"),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Vec<Option<String>> {
        match &self.columns[self.at(name)].1 {
            Cells::Texts(cells) => cells.clone(),
            _ => panic!("{name} holds no texts"),
        }
    }

    /// The rows in another order, or a part of them.
    pub(crate) fn taken(&self, rows: &[usize]) -> Self {
        let take = |cells: &Cells| match cells {
            Cells::Numbers(cells) => Cells::Numbers(rows.iter().map(|row| cells[*row]).collect()),
            Cells::Times(cells) => Cells::Times(rows.iter().map(|row| cells[*row]).collect()),
            Cells::Texts(cells) => {
                Cells::Texts(rows.iter().map(|row| cells[*row].clone()).collect())
            }
        };
        let columns = self
            .columns
            .iter()
            .map(|(name, cells)| (name.clone(), take(cells)));
        Self {
            columns: columns.collect(),
            described: self.described.clone(),
        }
    }

    fn at(&self, name: &str) -> usize {
        let at = self.columns.iter().position(|(column, _)| column == name);
        at.unwrap_or_else(|| panic!("the set has a column {name}"))
    }

    fn put(&mut self, name: &str, cells: Cells) {
        match self.columns.iter_mut().find(|(column, _)| column == name) {
            Some((_, old)) => *old = cells,
            None => self.columns.push((name.to_owned(), cells)),
        }
    }

    /// Writes it, in two row groups.
    pub(crate) fn write(&self, folder: &Folder) -> std::path::PathBuf {
        let array = |cells: &Cells| -> ArrayRef {
            match cells {
                Cells::Numbers(cells) => Arc::new(Float64Array::from(cells.clone())),
                Cells::Times(cells) => {
                    Arc::new(TimestampNanosecondArray::from(cells.clone()).with_timezone("UTC"))
                }
                Cells::Texts(cells) => Arc::new(StringArray::from(cells.clone())),
            }
        };
        let arrays: Vec<ArrayRef> = self.columns.iter().map(|(_, cells)| array(cells)).collect();
        let fields = self.columns.iter().zip(&arrays);
        let fields: Vec<Field> = fields
            .map(|((name, _), array)| Field::new(name, array.data_type().clone(), true))
            .collect();
        let described = self.described.iter();
        let metadata = described.map(|set| ("foretick.set".to_owned(), set.to_string()));
        let metadata: std::collections::HashMap<String, String> = metadata.collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
        let batch =
            RecordBatch::try_new(Arc::clone(&schema), arrays).expect("columns are of one length");
        let path = folder.path("set.parquet");
        let file = File::create(&path).expect("a test's folder takes files");
        let mut writer = ArrowWriter::try_new(file, schema, None).expect("a Parquet file begins");
        let half = batch.num_rows() / 2;
        for (from, rows) in [(0, half), (half, batch.num_rows() - half)] {
            writer
                .write(&batch.slice(from, rows))
                .expect("rows are written");
            writer.flush().expect("a row group ends");
        }
        writer.close().expect("the file ends");
        path
    }
}

/// Train, test, and what is purged between them.
fn split(time: i64) -> &'static str {
    match time {
        time if time + HORIZON < BORDER => "train",
        time if time - (STEPS - 1) * SECOND < BORDER => "purge",
        _ => "test",
    }
}

/// Test from 200 s to 300 s, train around it.
fn middle_fold(time: i64) -> &'static str {
    let (from, to) = (BEGIN + 200 * SECOND, BEGIN + 300 * SECOND);
    let window = (STEPS - 1) * SECOND;
    match time {
        time if time + HORIZON < from - window => "train",
        time if time < from => "purge",
        time if time < to => "test",
        time if time - window <= to + HORIZON => "purge",
        time if time < to + HORIZON + 20 * SECOND => "embargo",
        _ => "train",
    }
}

/// Looks for leaks in a set; `args` are further arguments.
pub(crate) fn look(name: &str, set: &Set, args: &[&str]) -> Run {
    let folder = Folder::new(&format!("leakage-{name}"));
    let path = set.write(&folder).display().to_string();
    let fixed = ["check", "--leakage", &path, "--json"];
    foretick(&[&fixed[..], args].concat())
}

/// The report on a set, whose leaks are of these kinds and in these columns, and of no other.
pub(crate) fn report(name: &str, set: &Set, args: &[&str], leaks: &[(&str, &str)]) -> Value {
    let run = look(name, set, args);
    let code = i32::from(!leaks.is_empty());
    assert_eq!(run.code, Some(code), "{name}: {}{}", run.stdout, run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).expect("a report in JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let found = report["leakage"].as_array().expect("a list");
    let found: Vec<(String, String)> = found
        .iter()
        .map(|leak| (text(&leak["kind"]), text(&leak["column"])))
        .collect();
    let expected = leaks
        .iter()
        .map(|(kind, column)| ((*kind).to_owned(), (*column).to_owned()));
    assert_eq!(found, expected.collect::<Vec<_>>(), "{name}: {report:#}");
    assert_eq!(report["ok"], leaks.is_empty());
    report
}

/// The kinds that could not be checked.
pub(crate) fn unchecked(report: &Value) -> Vec<&str> {
    let kinds = report["checked"].as_array().expect("a list").iter();
    let unchecked = kinds.filter(|kind| kind["checked"] == false);
    unchecked
        .map(|kind| kind["kind"].as_str().expect("a kind"))
        .collect()
}
