//! Rows without labels as Parquet: those of records and of bars. Columns: the key, the time, the period, the
//! quality, and the features as the engine takes them.
//!
//! Labels and splits are in a file of their own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::{
    ArrayRef,
    builder::{Float64Builder, Int64Builder, StringBuilder},
};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;

use super::exported::Exported;
use crate::engine::row::Row;
use crate::engine::row_maker::RowMaker;
use crate::pipeline::Pipeline;
use crate::run::intake::Intake;
use crate::run::observer::{ObservedStep, Observer};
use crate::run::replay::{ReplayError, observe_events};
use crate::sink::SinkError;
use crate::sink::output_file::OutputFile;
use crate::sink::parquet::{close_parquet, parquet_writer};

/// Writes the rows of applications, statements, headlines or bars, named by `key`.
///
/// # Errors
/// [`ReplayError`] where a file cannot be read or written.
pub(super) fn export(
    pipeline: &Pipeline,
    key: &str,
    inputs: &[PathBuf],
    output: &Path,
) -> Result<Exported, ReplayError> {
    let mut rows = UnlabelledRows {
        rows: RowMaker::new(Arc::clone(&pipeline.plan), pipeline.rules),
        cells: vec![0.0; pipeline.plan.len()],
        table: Table::create(pipeline, key, output)?,
        written: 0,
    };
    let intake = Intake::new(pipeline.decoder());
    let intake = observe_events(pipeline.open(inputs, None)?, intake, &mut rows)?.intake;
    rows.table.close()?;
    Ok(Exported {
        rows: rows.written,
        unlabelled: rows.written,
        unread: intake.account().dropped,
        frames: intake.account().clone(),
        readability: intake.readability().clone(),
        features_sha256: pipeline.plan.sha256().to_owned(),
        ..Exported::default()
    })
}

/// Makes the rows of a replay, and writes them.
struct UnlabelledRows {
    rows: RowMaker,
    cells: Vec<f64>,
    table: Table,
    written: u64,
}

impl Observer for UnlabelledRows {
    fn step(&mut self, step: &ObservedStep<'_>) -> Result<(), SinkError> {
        for event in &step.batch.events {
            if let Some(at) = self.rows.apply(step.batch, event, &mut self.cells) {
                let name = step.instruments.name(at.instrument);
                self.table.push(name, at, &self.cells)?;
                self.written += 1;
            }
        }
        Ok(())
    }
}

/// Rows in a row group.
const ROWS: usize = 1 << 16;

/// The file, and the rows that are not written yet.
struct Table {
    writer: ArrowWriter<OutputFile>,
    schema: Arc<Schema>,
    path: PathBuf,
    key: StringBuilder,
    ts_event: Int64Builder,
    period: Int64Builder,
    quality: StringBuilder,
    fields: Vec<Float64Builder>,
    waiting: usize,
}

impl Table {
    fn create(pipeline: &Pipeline, key: &str, path: &Path) -> Result<Self, SinkError> {
        let plan = &pipeline.plan;
        let number = |name: &String| Field::new(name, DataType::Float64, true);
        let mut columns = vec![
            Field::new(key, DataType::Utf8, false),
            Field::new("ts_event", DataType::Int64, false),
            Field::new("period", DataType::Int64, true),
            Field::new("quality", DataType::Utf8, false),
        ];
        columns.extend(plan.names().iter().map(number));
        let features = serde_json::json!(plan.names()).to_string();
        let metadata = HashMap::from([
            ("foretick.pipeline".to_owned(), pipeline.file.name.clone()),
            ("foretick.features".to_owned(), features),
            (
                "foretick.features_sha256".to_owned(),
                plan.sha256().to_owned(),
            ),
        ]);
        let schema = Arc::new(Schema::new_with_metadata(columns, metadata));
        let writer = parquet_writer(path, Arc::clone(&schema))?;
        Ok(Self {
            writer,
            schema,
            path: path.to_owned(),
            key: StringBuilder::new(),
            ts_event: Int64Builder::new(),
            period: Int64Builder::new(),
            quality: StringBuilder::new(),
            fields: plan.names().iter().map(|_| Float64Builder::new()).collect(),
            waiting: 0,
        })
    }

    fn push(&mut self, name: &str, at: Row, cells: &[f64]) -> Result<(), SinkError> {
        self.key.append_value(name);
        self.ts_event.append_value(at.ts_event.0);
        self.period.append_option(at.period);
        self.quality.append_value(at.quality.word());
        for (builder, value) in self.fields.iter_mut().zip(cells) {
            builder.append_option((!value.is_nan()).then_some(*value));
        }
        self.waiting += 1;
        match self.waiting {
            ROWS => self.write_rows(),
            _ => Ok(()),
        }
    }

    fn write_rows(&mut self) -> Result<(), SinkError> {
        self.waiting = 0;
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.key.finish()),
            Arc::new(self.ts_event.finish()),
            Arc::new(self.period.finish()),
            Arc::new(self.quality.finish()),
        ];
        for builder in &mut self.fields {
            columns.push(Arc::new(builder.finish()));
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns);
        let written = batch
            .map_err(|error| error.to_string())
            .and_then(|batch| self.writer.write(&batch).map_err(|error| error.to_string()));
        written.map_err(|what| failed(&self.path, what))
    }

    fn close(mut self) -> Result<(), SinkError> {
        self.write_rows()?;
        close_parquet(self.writer, &self.path, OutputFile::finish)
    }
}

fn failed(path: &Path, what: String) -> SinkError {
    SinkError::Parquet {
        path: path.to_owned(),
        what,
    }
}
