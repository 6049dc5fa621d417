//! Exports training data: captures in, a Parquet file of rows with labels and splits out.
//!
//! The rows are those that the engine would score, made by the same code from the same events. The label
//! alone looks ahead (`label`).

mod exported;
mod records;

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

pub use self::exported::Exported;
use crate::config::{NormaliseBy, RowOn};
use crate::engine::row::Row;
use crate::engine::row_maker::RowMaker;
use crate::instrument::{InstrumentId, Instruments};
use crate::label::{CLASSES, LabelledRow, Labeller, Labelling};
use crate::model::normalise::{Expanding, Normalise};
use crate::pipeline::Pipeline;
use crate::run::intake::Intake;
use crate::run::observer::{ObservedStep, Observer};
use crate::run::replay::{ReplayError, observe_events};
use crate::sink::SinkError;
use crate::sink::output_file::OutputFile;
use crate::sink::parquet::{close_parquet, parquet_writer};
use crate::units::Nanos;

/// A row that waits for its label: its cells, and the number of its instrument's rows since the test period
/// began.
struct Waiting {
    at: Row,
    cells: Box<[f64]>,
    rows_since_border: u64,
}

/// Writes the rows of captures to a Parquet file.
///
/// # Errors
/// [`ReplayError`] where the pipeline has no `[label]`, a capture cannot be read, or the file cannot be
/// written.
pub fn export(
    pipeline: &Pipeline,
    inputs: &[PathBuf],
    output: &Path,
) -> Result<Exported, ReplayError> {
    if let Some(form) = &pipeline.form {
        return records::export(pipeline, form.kind().key(), inputs, output);
    }
    if pipeline.news.is_some() || pipeline.file.row.on == RowOn::Bar {
        return records::export(pipeline, "instrument", inputs, output);
    }
    let Some(labelling) = pipeline.labelling else {
        let what = "a [label] table is needed: horizon_ms, threshold_bps, test_from, steps";
        return Err(ReplayError::Pipeline(pipeline.error("label", what).into()));
    };
    let steps = pipeline.file.label.as_ref().map_or(1, |label| label.steps);
    let rows = LabelledRows {
        rows: RowMaker::new(Arc::clone(&pipeline.plan), pipeline.rules),
        cells: vec![0.0; pipeline.plan.len()],
        expands: pipeline.file.model.normalise == NormaliseBy::Expanding,
        test_from: labelling.test_from,
        labeller: Labeller::new(labelling),
        instruments: vec![],
        table: Table::create(pipeline, labelling, steps, output)?,
    };
    rows.export(pipeline, inputs)
}

/// Makes the rows of a replay, labels them once their horizon has passed, and writes them.
struct LabelledRows {
    rows: RowMaker,
    cells: Vec<f64>,
    /// Whether rows are normalised by the earlier rows of their instrument.
    expands: bool,
    test_from: Option<Nanos>,
    labeller: Labeller<Waiting>,
    instruments: Vec<InstrumentRows>,
    table: Table,
}

/// What is remembered of an instrument's rows.
#[derive(Default)]
struct InstrumentRows {
    so_far: Expanding,
    /// Rows in the test period.
    since_border: u64,
}

impl LabelledRows {
    fn export(mut self, pipeline: &Pipeline, inputs: &[PathBuf]) -> Result<Exported, ReplayError> {
        let source = pipeline.open(inputs, None)?;
        let intake = Intake::new(pipeline.decoder());
        let intake = observe_events(source, intake, &mut self)?.intake;
        let Self {
            labeller,
            mut table,
            ..
        } = self;
        let mut written = Ok(());
        labeller.finish(|row| {
            if written.is_ok() {
                written = table.push(row, intake.instruments());
            }
        });
        written?;
        table.exported.unread = intake.account().dropped;
        table.exported.frames = intake.account().clone();
        table.exported.readability = intake.readability().clone();
        Ok(table.close()?)
    }

    /// Hands over the rows whose horizon has passed with an instrument's new mid.
    fn pass_time(&mut self, id: InstrumentId, names: &Instruments) -> Result<(), SinkError> {
        let mut written = Ok(());
        if let Some(point) = self.rows.label_point(id) {
            let table = &mut self.table;
            self.labeller.mid(id, point, |row| {
                if written.is_ok() {
                    written = table.push(row, names);
                }
            });
        }
        written
    }

    fn wait(&mut self, at: Row) {
        let index = at.instrument.index();
        if index >= self.instruments.len() {
            self.instruments.resize_with(index + 1, Default::default);
        }
        let instrument = &mut self.instruments[index];
        if self.expands {
            Normalise::Expanding.apply(&mut instrument.so_far, &mut self.cells);
        }
        let after_border = self.test_from.is_some_and(|from| at.ts_event >= from);
        instrument.since_border += u64::from(after_border);
        let waiting = Waiting {
            at,
            cells: self.cells.as_slice().into(),
            rows_since_border: instrument.since_border,
        };
        let point = self.rows.label_point(at.instrument);
        let mid = point.and_then(|point| point.mid);
        self.labeller.row(at.instrument, at.ts_event, mid, waiting);
    }
}

impl Observer for LabelledRows {
    fn step(&mut self, step: &ObservedStep<'_>) -> Result<(), SinkError> {
        for event in &step.batch.events {
            let row = self.rows.apply(step.batch, event, &mut self.cells);
            // A row is labelled after the mid of its own event, and before any later one.
            self.pass_time(event.instrument, step.instruments)?;
            if let Some(at) = row {
                self.wait(at);
            }
        }
        Ok(())
    }
}

/// The Parquet file.
struct Table {
    writer: ArrowWriter<OutputFile>,
    schema: Arc<Schema>,
    path: PathBuf,
    labelling: Labelling,
    steps: u64,
    instrument: StringBuilder,
    ts_event: Int64Builder,
    quality: StringBuilder,
    features: Vec<Float64Builder>,
    mid: Float64Builder,
    move_bps: Float64Builder,
    label: StringBuilder,
    split: StringBuilder,
    waiting: usize,
    exported: Exported,
}

/// Rows in a row group.
const ROWS: usize = 1 << 16;

impl Table {
    fn create(
        pipeline: &Pipeline,
        labelling: Labelling,
        steps: u64,
        path: &Path,
    ) -> Result<Self, SinkError> {
        let plan = &pipeline.plan;
        let text = |name: &str, null| Field::new(name, DataType::Utf8, null);
        let number = |name: &str, null| Field::new(name, DataType::Float64, null);
        let mut fields = vec![
            text("instrument", false),
            Field::new("ts_event", DataType::Int64, false),
            text("quality", false),
        ];
        fields.extend(plan.names().iter().map(|name| number(name, false)));
        fields.extend([number("mid", true), number("move_bps", true)]);
        fields.extend([text("label", true), text("split", false)]);
        let metadata = HashMap::from([
            ("foretick.pipeline".to_owned(), pipeline.file.name.clone()),
            (
                "foretick.features".to_owned(),
                serde_json::json!(plan.names()).to_string(),
            ),
            (
                "foretick.features_sha256".to_owned(),
                plan.sha256().to_owned(),
            ),
            (
                "foretick.labels".to_owned(),
                serde_json::json!(CLASSES).to_string(),
            ),
            (
                "foretick.horizon_ms".to_owned(),
                (labelling.horizon_ns / 1_000_000).to_string(),
            ),
            (
                "foretick.threshold_bps".to_owned(),
                labelling.threshold_bps.to_string(),
            ),
            ("foretick.steps".to_owned(), steps.to_string()),
        ]);
        let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
        let writer = parquet_writer(path, Arc::clone(&schema))?;
        Ok(Self {
            writer,
            schema,
            path: path.to_owned(),
            labelling,
            steps,
            instrument: StringBuilder::new(),
            ts_event: Int64Builder::new(),
            quality: StringBuilder::new(),
            features: plan.names().iter().map(|_| Float64Builder::new()).collect(),
            mid: Float64Builder::new(),
            move_bps: Float64Builder::new(),
            label: StringBuilder::new(),
            split: StringBuilder::new(),
            waiting: 0,
            exported: Exported {
                features_sha256: plan.sha256().to_owned(),
                ..Exported::default()
            },
        })
    }

    fn push(&mut self, row: LabelledRow<Waiting>, names: &Instruments) -> Result<(), SinkError> {
        let LabelledRow {
            row:
                Waiting {
                    at,
                    cells,
                    rows_since_border,
                },
            class,
            move_bps,
        } = row;
        let split = self.split_of(at.ts_event, rows_since_border);
        self.instrument.append_value(names.name(at.instrument));
        self.ts_event.append_value(at.ts_event.0);
        self.quality.append_value(at.quality.word());
        for (builder, cell) in self.features.iter_mut().zip(&cells) {
            builder.append_value(*cell);
        }
        self.mid.append_option(at.mid);
        self.move_bps.append_option(move_bps);
        self.label
            .append_option(class.map(|class| CLASSES[usize::from(class)]));
        self.split.append_value(split);
        self.exported.rows += 1;
        self.exported.unlabelled += u64::from(class.is_none());
        match split {
            "train" => self.exported.train += 1,
            "test" => self.exported.test += 1,
            _ => self.exported.purge += 1,
        }
        self.waiting += 1;
        if self.waiting == ROWS {
            self.write_rows()
        } else {
            Ok(())
        }
    }

    fn split_of(&self, ts_event: Nanos, rows_since_border: u64) -> &'static str {
        let Some(border) = self.labelling.test_from else {
            return "train";
        };
        let label_ends = Nanos(ts_event.0.saturating_add(self.labelling.horizon_ns));
        match ts_event < border {
            true if label_ends < border => "train",
            false if rows_since_border >= self.steps => "test",
            _ => "purge",
        }
    }

    fn write_rows(&mut self) -> Result<(), SinkError> {
        self.waiting = 0;
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.instrument.finish()),
            Arc::new(self.ts_event.finish()),
            Arc::new(self.quality.finish()),
        ];
        for builder in &mut self.features {
            columns.push(Arc::new(builder.finish()));
        }
        columns.push(Arc::new(self.mid.finish()));
        columns.push(Arc::new(self.move_bps.finish()));
        columns.push(Arc::new(self.label.finish()));
        columns.push(Arc::new(self.split.finish()));
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns);
        let written = batch
            .map_err(|error| error.to_string())
            .and_then(|batch| self.writer.write(&batch).map_err(|error| error.to_string()));
        written.map_err(|what| SinkError::Parquet {
            path: self.path.clone(),
            what,
        })
    }

    fn close(mut self) -> Result<Exported, SinkError> {
        self.write_rows()?;
        let Self {
            writer,
            path,
            exported,
            ..
        } = self;
        close_parquet(writer, &path, OutputFile::finish)?;
        Ok(exported)
    }
}
