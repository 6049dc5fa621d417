//! The Parquet file of a set: its columns, and the rows that are not written yet.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{
    Float64Builder, Int64Builder, StringBuilder, StringDictionaryBuilder,
    TimestampNanosecondBuilder,
};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;

use super::columns::{Columns, Holds, SetColumn};
use super::set_row::FinishedRow;
use crate::sink::SinkError;
use crate::sink::output_file::OutputFile;
use crate::sink::parquet::{close_parquet, parquet_writer};
use crate::units::Nanos;

/// The file, and the rows that are not written yet.
pub(super) struct SetTable {
    writer: ArrowWriter<OutputFile>,
    schema: Arc<Schema>,
    path: PathBuf,
    columns: Vec<(SetColumn, ColumnBuilder)>,
    waiting: usize,
}

/// What a row has beside what it is.
pub(super) struct PlacedRow<'a> {
    /// The name of its instrument, firm or applicant.
    pub(super) key: &'a str,
    /// The stream that its frame came from.
    pub(super) stream: &'a str,
    /// Its group as it is written.
    pub(super) group: Option<&'a str>,
    /// Its part.
    pub(super) split: &'static str,
    /// Its part in each fold.
    pub(super) folds: &'a [Option<&'static str>],
}

enum ColumnBuilder {
    Text(StringBuilder),
    Word(StringDictionaryBuilder<Int32Type>),
    Number(Float64Builder),
    Integer(Int64Builder),
    Time(TimestampNanosecondBuilder),
}

/// Rows that are handed to the writer at once.
const ROWS: usize = 1 << 16;
/// The size of a row group, encoded: the writer keeps it in memory until it is written.
const GATHERED_BYTES: usize = 64 << 20;

impl SetTable {
    /// Creates the file, or replaces it.
    ///
    /// # Errors
    /// [`SinkError`] naming the file.
    pub(super) fn create(columns: Columns, path: &Path) -> Result<Self, SinkError> {
        let fields: Vec<Field> = columns.all.iter().map(|one| one.field()).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, columns.metadata));
        let all = columns.all.into_iter();
        Ok(Self {
            writer: parquet_writer(path, Arc::clone(&schema))?,
            columns: all
                .map(|column| {
                    let cells = ColumnBuilder::of(column.holds.data_type());
                    (column, cells)
                })
                .collect(),
            schema,
            path: path.to_owned(),
            waiting: 0,
        })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`SinkError`] where the file cannot be written.
    pub(super) fn push(
        &mut self,
        finished: &FinishedRow,
        place: &PlacedRow<'_>,
    ) -> Result<(), SinkError> {
        for (column, cells) in &mut self.columns {
            cells.append(&column.holds, finished, place);
        }
        self.waiting += 1;
        match self.waiting {
            ROWS => self.write_rows(),
            _ => Ok(()),
        }
    }

    fn write_rows(&mut self) -> Result<(), SinkError> {
        self.waiting = 0;
        let columns = self.columns.iter_mut().map(|(_, cells)| cells.finish());
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns.collect());
        let written = batch
            .map_err(|error| error.to_string())
            .and_then(|batch| self.write(&batch).map_err(|error| error.to_string()));
        written.map_err(|what| SinkError::Parquet {
            path: self.path.clone(),
            what,
        })
    }

    /// Writes a batch, and what the writer has gathered where that takes too much memory.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        self.writer.write(batch)?;
        match self.writer.in_progress_size() > GATHERED_BYTES {
            true => self.writer.flush(),
            false => Ok(()),
        }
    }

    /// Writes the end of the file, and gives it its name.
    ///
    /// # Errors
    /// [`SinkError`] where the file cannot be written.
    pub(super) fn close(mut self) -> Result<(), SinkError> {
        self.write_rows()?;
        close_parquet(self.writer, &self.path, OutputFile::finish)
    }
}

impl ColumnBuilder {
    fn of(data_type: DataType) -> Self {
        match data_type {
            DataType::Utf8 => Self::Text(StringBuilder::new()),
            DataType::Dictionary(..) => Self::Word(StringDictionaryBuilder::new()),
            DataType::Timestamp(..) => {
                Self::Time(TimestampNanosecondBuilder::new().with_timezone("UTC"))
            }
            DataType::Int64 => Self::Integer(Int64Builder::new()),
            _ => Self::Number(Float64Builder::new()),
        }
    }

    /// Appends the cell of a row.
    fn append(&mut self, holds: &Holds, finished: &FinishedRow, place: &PlacedRow<'_>) {
        let FinishedRow {
            row,
            outcomes,
            weight,
        } = finished;
        let outcome = |label: usize| outcomes[label].as_ref();
        let known = |ts: Nanos| (ts != Nanos::UNDEFINED).then_some(ts.0);
        match holds {
            Holds::Key => self.text(Some(place.key)),
            Holds::TsEvent => self.time(Some(row.at.ts_event.0)),
            Holds::TsRecv => self.time(known(row.origin.ts_recv)),
            Holds::Stream => self.text(Some(place.stream)),
            Holds::Offset => self.integer(Some(row.origin.offset)),
            Holds::Quality => self.text(Some(row.at.quality.word())),
            Holds::Period => self.integer(row.at.period),
            Holds::Feature(column) => {
                let cell = row.cells[*column];
                self.number((!cell.is_nan()).then_some(cell));
            }
            Holds::Known(column) => self.time(row.known[*column]),
            Holds::Class(label, classes) => {
                let class = outcome(*label).and_then(|outcome| outcome.class);
                self.text(class.map(|class| classes[usize::from(class)]));
            }
            Holds::Value(label) => self.number(outcome(*label).map(|outcome| outcome.value)),
            Holds::End(label) => self.time(outcome(*label).map(|outcome| outcome.end.0)),
            Holds::Mid => self.number(row.at.mid),
            Holds::WindowStart => self.time(row.window_start),
            Holds::Group => self.text(place.group),
            Holds::Weight => self.number(Some(*weight)),
            Holds::Split => self.text(Some(place.split)),
            Holds::Fold(fold) => self.text(place.folds[*fold]),
        }
    }

    fn text(&mut self, text: Option<&str>) {
        match self {
            Self::Text(cells) => cells.append_option(text),
            Self::Word(cells) => cells.append_option(text),
            _ => {}
        }
    }

    fn number(&mut self, number: Option<f64>) {
        if let Self::Number(cells) = self {
            cells.append_option(number);
        }
    }

    fn integer(&mut self, integer: Option<i64>) {
        if let Self::Integer(cells) = self {
            cells.append_option(integer);
        }
    }

    fn time(&mut self, time: Option<i64>) {
        if let Self::Time(cells) = self {
            cells.append_option(time);
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(cells) => Arc::new(cells.finish()),
            Self::Word(cells) => Arc::new(cells.finish()),
            Self::Number(cells) => Arc::new(cells.finish()),
            Self::Integer(cells) => Arc::new(cells.finish()),
            Self::Time(cells) => Arc::new(cells.finish()),
        }
    }
}
