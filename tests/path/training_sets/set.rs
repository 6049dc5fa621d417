//! A set that `foretick features` wrote, as values by column.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use arrow_cast::cast;
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::given::{self, Folder};

/// A set: the names of its columns, its rows, what it says of itself, and the summary of the command.
pub(crate) struct Set {
    pub(crate) names: Vec<String>,
    pub(crate) rows: Vec<BTreeMap<String, Value>>,
    pub(crate) says: Value,
    pub(crate) summary: Value,
}

impl Set {
    /// The set of these lines.
    pub(crate) fn of(folder: &Folder, pipeline: &str, input: &str) -> Self {
        let pipeline = folder.write("pipeline.toml", pipeline);
        let (input, output) = (folder.write("in.jsonl", input), folder.path("set.parquet"));
        let run = given::foretick(&[
            "features".into(),
            pipeline,
            "--input".into(),
            input,
            "--output".into(),
            output.clone(),
            "--force".into(),
            "--json".into(),
        ]);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let summary = serde_json::from_str(&run.stdout).expect("the summary is JSON");
        Self::read(&output, summary)
    }

    fn read(path: &Path, summary: Value) -> Self {
        let file = File::open(path).expect("the set was written");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("the set is Parquet");
        let schema = reader.schema();
        let fields = schema.fields().iter();
        let names: Vec<String> = fields.map(|field| field.name().clone()).collect();
        let says = serde_json::from_str(&schema.metadata()["foretick.set"]).expect("it is JSON");
        let mut rows = vec![];
        for batch in reader.build().expect("the set is Parquet") {
            let batch = batch.expect("the set is whole");
            let columns: Vec<Vec<Value>> = batch.columns().iter().map(values).collect();
            for at in 0..batch.num_rows() {
                let cells = names.iter().zip(&columns);
                rows.push(
                    cells
                        .map(|(name, cells)| (name.clone(), cells[at].clone()))
                        .collect(),
                );
            }
        }
        Self {
            names,
            rows,
            says,
            summary,
        }
    }

    /// The cells of a column as text, `-` where there is none.
    pub(crate) fn words(&self, column: &str) -> Vec<&str> {
        let cells = self.rows.iter().map(|row| row[column].as_str());
        cells.map(|cell| cell.unwrap_or("-")).collect()
    }

    /// The cells of a column of whole numbers.
    pub(crate) fn integers(&self, column: &str) -> Vec<Option<i64>> {
        self.rows.iter().map(|row| row[column].as_i64()).collect()
    }

    /// The cells of a column of numbers.
    pub(crate) fn numbers(&self, column: &str) -> Vec<Option<f64>> {
        self.rows.iter().map(|row| row[column].as_f64()).collect()
    }
}

fn values(column: &ArrayRef) -> Vec<Value> {
    let null = |at: usize| column.is_null(at);
    let rows = 0..column.len();
    match column.data_type() {
        DataType::Float64 => {
            let cells = column.as_primitive::<Float64Type>();
            rows.map(|at| {
                if null(at) {
                    Value::Null
                } else {
                    cells.value(at).into()
                }
            })
            .collect()
        }
        DataType::Int64 | DataType::Timestamp(..) => {
            let cells = cast(column, &DataType::Int64).expect("a whole number");
            let cells = cells.as_primitive::<Int64Type>();
            rows.map(|at| {
                if null(at) {
                    Value::Null
                } else {
                    cells.value(at).into()
                }
            })
            .collect()
        }
        _ => {
            let cells = cast(column, &DataType::Utf8).expect("a text");
            let cells = cells.as_string::<i32>();
            rows.map(|at| {
                if cells.is_null(at) {
                    Value::Null
                } else {
                    cells.value(at).into()
                }
            })
            .collect()
        }
    }
}
