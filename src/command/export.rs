//! The driver for training: captures in, a Parquet file of rows with labels and splits out.
//!
//! The rows are those that the engine would score, made by the same code at the same moments; the
//! label is the only thing in them that looks ahead (`label`).

mod records;

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::{
    ArrayRef,
    builder::{Float64Builder, Int64Builder, StringBuilder},
};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use serde::Serialize;

use crate::config::{NormaliseBy, RowOn};
use crate::engine::row::Row;
use crate::engine::row_maker::RowMaker;
use crate::event::Batch;
use crate::instrument::Instruments;
use crate::label::{CLASSES, Labelled, Labeller, Labelling};
use crate::model::normalise::{Expanding, Normalise};
use crate::pipeline::Pipeline;
use crate::run::replay::ReplayError;
use crate::sink::SinkError;
use crate::sink::parquet::parquet_writer;
use crate::units::Nanos;

/// What was exported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Rows written.
    pub rows: u64,
    /// Of them for training.
    pub train: u64,
    /// Of them for the test.
    pub test: u64,
    /// Of them for neither: their label or window reaches over the border.
    pub purge: u64,
    /// Rows whose horizon the capture did not reach.
    pub unlabelled: u64,
    /// Frames that could not be read or were not for us.
    pub unread: u64,
    /// Hash of the features' definitions.
    pub features_sha256: String,
}

impl fmt::Display for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rows,
            train,
            test,
            purge,
            unlabelled,
            unread,
            features_sha256,
        } = self;
        writeln!(
            f,
            "{rows} rows: {train} train, {test} test, {purge} purged at the border"
        )?;
        writeln!(f, "{unlabelled} without a label, {unread} frames not read")?;
        writeln!(f, "features {features_sha256}")
    }
}

/// A row on its way: where it stood, its cells, and how many rows its instrument had by then in the
/// test's time.
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
        let what = "a [label] table is needed: horizon_ms, threshold_bps, test_from, steps".into();
        return Err(ReplayError::Pipeline(
            pipeline.error("[model]", what).into(),
        ));
    };
    let steps = pipeline.file.label.as_ref().map_or(1, |label| label.steps);
    let mut table = Table::create(pipeline, labelling, steps, output)?;
    let mut source = pipeline.open(inputs)?;
    let mut decoder = pipeline.decoder();
    let mut rows = RowMaker::new(Arc::clone(&pipeline.plan), pipeline.rules);
    let mut labeller = Labeller::new(labelling);
    let mut keys: Vec<(Expanding, u64)> = vec![];
    let (mut batch, mut cells) = (Batch::default(), vec![0.0; pipeline.plan.len()]);
    while let Some((origin, bytes)) = source.next_frame()? {
        batch.clear();
        if decoder.decode(origin, bytes, &mut batch).is_err() {
            table.exported.unread += 1;
            continue;
        }
        for event in &batch.events {
            let row = rows.apply(&batch, event, &mut cells);
            // A row is told after the mid of its own event, and before any later one.
            if let Some((now, mid)) = rows.time_and_mid(event.instrument) {
                let mut failed = Ok(());
                labeller.mid(event.instrument, now, mid, |row| {
                    if failed.is_ok() {
                        failed = table.push(row, decoder.instruments());
                    }
                });
                failed?;
            }
            let Some((at, mid)) = row.and_then(|at| Some((at, at.mid?))) else {
                continue;
            };
            if at.instrument.index() >= keys.len() {
                keys.resize_with(at.instrument.index() + 1, Default::default);
            }
            let (so_far, since_border) = &mut keys[at.instrument.index()];
            if pipeline.file.model.normalise == NormaliseBy::Expanding {
                Normalise::Expanding.apply(so_far, &mut cells);
            }
            *since_border += u64::from(labelling.test_from.is_some_and(|from| at.ts_event >= from));
            let waiting = Waiting {
                at,
                cells: cells.as_slice().into(),
                rows_since_border: *since_border,
            };
            labeller.row(at.instrument, at.ts_event, mid, waiting);
        }
    }
    let mut failed = Ok(());
    labeller.finish(|row| {
        if failed.is_ok() {
            failed = table.push(row, decoder.instruments());
        }
    });
    failed?;
    Ok(table.close()?)
}

/// The Parquet file.
struct Table {
    writer: ArrowWriter<File>,
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
        fields.extend([number("mid", false), number("move_bps", true)]);
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
        let file = File::create(path).map_err(|cause| SinkError::File {
            path: path.to_owned(),
            cause,
        })?;
        let writer =
            parquet_writer(file, Arc::clone(&schema)).map_err(|what| SinkError::Parquet {
                path: path.to_owned(),
                what,
            })?;
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

    fn push(&mut self, row: Labelled<Waiting>, names: &Instruments) -> Result<(), SinkError> {
        let Labelled {
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
        self.mid.append_value(at.mid.unwrap_or(f64::NAN));
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
        match writer.close() {
            Ok(_) => Ok(exported),
            Err(error) => Err(SinkError::Parquet {
                path,
                what: error.to_string(),
            }),
        }
    }
}
