//! Signals as Parquet: one column a field, one column a label for probabilities.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::{
    ArrayRef,
    builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder},
};
use arrow_schema::{DataType, Field as Column, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::file::create;
use super::{DeadLetter, Sink, SinkError};
use crate::frame::Position;
use crate::signal::Signal;
use crate::signal::field::Field;
use crate::signal::lineage::Lineage;

/// Signals in a Parquet file, readable once the sink has been dropped or closed.
pub struct ParquetSink {
    lineage: Lineage,
    columns: Vec<(Part, Builder)>,
    schema: Arc<Schema>,
    writer: Option<ArrowWriter<File>>,
    path: PathBuf,
    /// Rows not written yet.
    rows: usize,
    /// Positions of the input that are acknowledged when the file is closed.
    marks: Vec<Position>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug)]
enum Part {
    Field(Field),
    Probability(usize),
    Average,
    Weight,
    Topic,
    Partition,
    Offset,
}

enum Builder {
    Text(StringBuilder),
    Integer(Int64Builder),
    Number(Float64Builder),
    Flag(BooleanBuilder),
}

/// Signals in a row group.
const ROWS: usize = 1 << 16;

impl ParquetSink {
    /// Creates or replaces the file.
    ///
    /// # Errors
    /// [`SinkError`] naming the file.
    pub fn create(lineage: Lineage, fields: &[Field], path: &Path) -> Result<Self, SinkError> {
        let mut columns = vec![];
        let mut schema = vec![];
        for &field in fields.iter().filter(|field| field.is_of(&lineage)) {
            for (name, part, nullable) in parts(field, &lineage) {
                let builder = Builder::of(part);
                schema.push(Column::new(name, builder.data_type(), nullable));
                columns.push((part, builder));
            }
        }
        let schema = Arc::new(Schema::new(schema));
        let writer = parquet_writer(create(path)?, Arc::clone(&schema)).map_err(|what| {
            SinkError::Parquet {
                path: path.to_owned(),
                what,
            }
        })?;
        let path = path.to_owned();
        Ok(Self {
            lineage,
            columns,
            schema,
            writer: Some(writer),
            path,
            rows: 0,
            marks: vec![],
        })
    }

    fn write_rows(&mut self) -> Result<(), SinkError> {
        self.rows = 0;
        let arrays = self
            .columns
            .iter_mut()
            .map(|(_, builder)| builder.finish())
            .collect();
        let failed = |what: String| SinkError::Parquet {
            path: self.path.clone(),
            what,
        };
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .map_err(|error| failed(error.to_string()))?;
        match &mut self.writer {
            Some(writer) => writer
                .write(&batch)
                .map_err(|error| failed(error.to_string())),
            None => Err(failed("the file is closed".into())),
        }
    }
}

impl Sink for ParquetSink {
    fn signal(&mut self, signal: &Signal, instrument: &str) -> Result<(), SinkError> {
        for (part, builder) in &mut self.columns {
            builder.push(*part, signal, instrument, &self.lineage);
        }
        self.rows += 1;
        if self.rows == ROWS {
            self.write_rows()
        } else {
            Ok(())
        }
    }

    fn dead_letter(&mut self, _: &DeadLetter<'_>) -> Result<(), SinkError> {
        Ok(())
    }

    fn mark(&mut self, positions: &[Position]) {
        for position in positions {
            position.note(&mut self.marks);
        }
    }

    /// Nothing has arrived for good before the file is closed, and then everything.
    fn acknowledged(&mut self, positions: &mut Vec<Position>) -> Result<(), SinkError> {
        if self.writer.is_none() {
            positions.append(&mut self.marks);
        }
        Ok(())
    }

    /// Rows become readable when the file is closed, not before: Parquet has its index at the end.
    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn close(&mut self) -> Result<(), SinkError> {
        self.write_rows()?;
        let failed = |what: String| SinkError::Parquet {
            path: self.path.clone(),
            what,
        };
        match self.writer.take() {
            Some(writer) => writer
                .close()
                .map(drop)
                .map_err(|error| failed(error.to_string())),
            None => Ok(()),
        }
    }

    fn keeps_dead_letters(&self) -> bool {
        false
    }
}

/// A zstd Parquet writer.
pub(crate) fn parquet_writer(file: File, schema: Arc<Schema>) -> Result<ArrowWriter<File>, String> {
    let level = ZstdLevel::try_new(3).map_err(|error| error.to_string())?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .build();
    ArrowWriter::try_new(file, schema, Some(properties)).map_err(|error| error.to_string())
}

/// The columns of a field: name, part, whether it may be null.
fn parts(field: Field, lineage: &Lineage) -> Vec<(String, Part, bool)> {
    match field {
        Field::Probabilities => {
            let one = |(at, label): (usize, &String)| {
                (format!("probability_{label}"), Part::Probability(at), false)
            };
            lineage.labels.iter().enumerate().map(one).collect()
        }
        Field::Sentiment => vec![
            ("sentiment_average".into(), Part::Average, false),
            ("sentiment_weight".into(), Part::Weight, false),
        ],
        Field::Source => vec![
            ("source_topic".into(), Part::Topic, false),
            ("source_partition".into(), Part::Partition, false),
            ("source_offset".into(), Part::Offset, false),
        ],
        // Stage times of a batch are for operators; the metrics have them.
        Field::LatencyNs => vec![],
        field => {
            let nullable = matches!(
                field,
                Field::Label
                    | Field::Confidence
                    | Field::Grade
                    | Field::HorizonNs
                    | Field::ValidUntil
            );
            let name = match field {
                Field::Instrument if !lineage.key.is_empty() => lineage.key,
                field => field.name(),
            };
            vec![(name.to_owned(), Part::Field(field), nullable)]
        }
    }
}

impl Builder {
    fn of(part: Part) -> Self {
        match part {
            Part::Probability(_)
            | Part::Average
            | Part::Weight
            | Part::Field(Field::Score | Field::Confidence) => Self::Number(Float64Builder::new()),
            Part::Partition
            | Part::Offset
            | Part::Field(
                Field::TsEvent
                | Field::TsRecv
                | Field::TsOut
                | Field::HorizonNs
                | Field::ValidUntil,
            ) => Self::Integer(Int64Builder::new()),
            Part::Field(Field::Shadow) => Self::Flag(BooleanBuilder::new()),
            _ => Self::Text(StringBuilder::new()),
        }
    }

    fn data_type(&self) -> DataType {
        match self {
            Self::Text(_) => DataType::Utf8,
            Self::Integer(_) => DataType::Int64,
            Self::Number(_) => DataType::Float64,
            Self::Flag(_) => DataType::Boolean,
        }
    }

    fn push(&mut self, part: Part, signal: &Signal, instrument: &str, lineage: &Lineage) {
        match self {
            Self::Text(builder) => builder.append_option(text(part, signal, instrument, lineage)),
            Self::Integer(builder) => builder.append_option(integer(part, signal, lineage)),
            Self::Number(builder) => builder.append_option(match part {
                Part::Probability(at) => Some(signal.outputs[at]),
                Part::Average => signal.average.map(|average| average.value),
                Part::Weight => signal.average.map(|average| average.weight),
                Part::Field(Field::Confidence) => lineage.label(signal).map(|best| best.1),
                _ => Some(lineage.score(signal)),
            }),
            Self::Flag(builder) => builder.append_value(lineage.shadow),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Integer(builder) => Arc::new(builder.finish()),
            Self::Number(builder) => Arc::new(builder.finish()),
            Self::Flag(builder) => Arc::new(builder.finish()),
        }
    }
}

fn text(part: Part, signal: &Signal, instrument: &str, lineage: &Lineage) -> Option<String> {
    Some(match part {
        Part::Field(Field::Schema) => lineage.schema.clone(),
        Part::Field(Field::SignalId) => lineage.signal_id(signal, instrument),
        Part::Field(Field::Pipeline) => lineage.pipeline.clone(),
        Part::Field(Field::Instrument) => instrument.to_owned(),
        Part::Field(Field::Label) => lineage.label(signal)?.0.to_owned(),
        Part::Field(Field::Grade) => lineage.grade(signal)?.to_owned(),
        Part::Field(Field::Reasons) => lineage.codes(signal).collect::<Vec<_>>().join(","),
        Part::Field(Field::Item) => signal.item_text(),
        Part::Field(Field::Quality) => signal.quality.word().to_owned(),
        Part::Field(Field::Model) => {
            format!(
                "{} {} {}",
                lineage.model_name, lineage.model_version, lineage.model_sha256
            )
        }
        Part::Field(Field::FeaturesSha256) => lineage.features_sha256.clone(),
        _ => lineage.stream(signal.origin.stream).to_owned(),
    })
}

fn integer(part: Part, signal: &Signal, lineage: &Lineage) -> Option<i64> {
    match part {
        Part::Field(Field::TsEvent) => Some(signal.ts_event.0),
        Part::Field(Field::TsRecv) => Some(signal.origin.ts_recv.0),
        Part::Field(Field::TsOut) => Some(signal.ts_out.0),
        Part::Field(Field::ValidUntil) => lineage.valid_until(signal),
        Part::Partition => Some(i64::from(signal.origin.partition)),
        Part::Offset => Some(signal.origin.offset),
        _ => Some(lineage.horizon_ns).filter(|&nanos| nanos > 0),
    }
}
