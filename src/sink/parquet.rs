//! Signals as Parquet: a column for each field, and for each label's probability.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field as Column, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::file::FileSink;
use super::output_file::OutputFile;
use super::{DeadLetter, Sink, SinkError};
use crate::frame::Position;
use crate::signal::Signal;
use crate::signal::field::SignalField;
use crate::signal::lineage::Lineage;
use crate::signal::model::ModelIdentity;

/// Writes signals to a Parquet file, which is readable once the sink is closed.
pub struct ParquetSink {
    lineage: Lineage,
    /// Of each model, the output that holds each label's probability, in the order of the columns.
    outputs: Vec<Vec<Option<usize>>>,
    columns: Vec<(Part, Builder)>,
    schema: Arc<Schema>,
    writer: Option<ArrowWriter<OutputFile>>,
    path: PathBuf,
    /// The number of rows that are not written yet.
    rows: usize,
    /// Positions of the input that are acknowledged when the file is closed.
    marks: Vec<Position>,
    /// Dead letters, alerts and gaps, as JSON lines.
    side: Option<FileSink>,
}

/// The value of a column.
#[derive(Clone, Copy, Debug)]
enum Part {
    Field(SignalField),
    /// The probability of a label, by its index among the labels of all models.
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

/// The number of signals in a row group.
const ROWS: usize = 1 << 16;

impl ParquetSink {
    /// Creates or replaces the file.
    ///
    /// # Errors
    /// [`SinkError`] naming the file.
    pub fn create(
        lineage: Lineage,
        fields: &[SignalField],
        path: &Path,
    ) -> Result<Self, SinkError> {
        let mut columns = vec![];
        let mut schema = vec![];
        let labels = labels(&lineage);
        for &field in fields {
            for (name, part, nullable) in parts(field, &lineage, &labels) {
                let builder = Builder::of(part);
                schema.push(Column::new(name, builder.data_type(), nullable));
                columns.push((part, builder));
            }
        }
        let schema = Arc::new(Schema::new(schema));
        let writer = parquet_writer(path, Arc::clone(&schema))?;
        let outputs = lineage.models.iter().map(|model| {
            let output = |label: &&str| model.labels.iter().position(|own| own == label);
            labels.iter().map(output).collect()
        });
        Ok(Self {
            outputs: outputs.collect(),
            lineage,
            columns,
            schema,
            writer: Some(writer),
            path: path.to_owned(),
            rows: 0,
            marks: vec![],
            side: None,
        })
    }

    /// The same with a sink for what is not a signal.
    #[must_use]
    pub fn beside(self, side: FileSink) -> Self {
        let side = Some(side);
        Self { side, ..self }
    }

    fn on_side(
        &mut self,
        act: impl FnOnce(&mut FileSink) -> Result<(), SinkError>,
    ) -> Result<(), SinkError> {
        self.side.as_mut().map_or(Ok(()), act)
    }

    /// Ends the file of signals, whatever became of the side files: those cost no signals.
    fn end(
        &mut self,
        close_side: fn(&mut FileSink) -> Result<(), SinkError>,
        finish: fn(OutputFile) -> io::Result<()>,
    ) -> Result<(), SinkError> {
        let side = self.on_side(close_side);
        self.write_rows()?;
        match self.writer.take() {
            Some(writer) => close_parquet(writer, &self.path, finish).and(side),
            None => side,
        }
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
        let outputs = &self.outputs[usize::from(signal.model)];
        for (part, builder) in &mut self.columns {
            builder.push(*part, signal, instrument, &self.lineage, outputs);
        }
        self.rows += 1;
        if self.rows == ROWS {
            self.write_rows()
        } else {
            Ok(())
        }
    }

    fn dead_letter(&mut self, letter: &DeadLetter<'_>) -> Result<(), SinkError> {
        self.on_side(|side| side.dead_letter(letter))
    }

    fn alert(&mut self, key: &str, record: &[u8]) -> Result<(), SinkError> {
        self.on_side(|side| side.alert(key, record))
    }

    fn gap(&mut self, key: &str, record: &[u8]) -> Result<(), SinkError> {
        self.on_side(|side| side.gap(key, record))
    }

    fn mark(&mut self, positions: &[Position]) {
        let note = |position: &Position| position.note(&mut self.marks);
        positions.iter().for_each(note);
    }

    /// Nothing has arrived before the file is closed, and then everything.
    fn acknowledged(&mut self, positions: &mut Vec<Position>) -> Result<(), SinkError> {
        if self.writer.is_none() {
            positions.append(&mut self.marks);
        }
        Ok(())
    }

    /// Does nothing for signals: rows become readable when the file is closed, because Parquet has its index
    /// at the end.
    fn flush(&mut self) -> Result<(), SinkError> {
        self.on_side(Sink::flush)
    }

    fn close(&mut self) -> Result<(), SinkError> {
        self.end(Sink::close, OutputFile::finish)
    }

    fn close_incomplete(&mut self) -> Result<(), SinkError> {
        self.end(Sink::close_incomplete, OutputFile::finish_incomplete)
    }

    fn keeps_dead_letters(&self) -> bool {
        self.side.as_ref().is_some_and(Sink::keeps_dead_letters)
    }
}

/// A zstd Parquet writer of a file that appears when it is closed.
pub(crate) fn parquet_writer(
    path: &Path,
    schema: Arc<Schema>,
) -> Result<ArrowWriter<OutputFile>, SinkError> {
    let failed = |what: ParquetError| SinkError::Parquet {
        path: path.to_owned(),
        what: what.to_string(),
    };
    let file = OutputFile::create(path).map_err(|cause| SinkError::File {
        path: path.to_owned(),
        cause,
    })?;
    let level = ZstdLevel::try_new(3).map_err(failed)?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .build();
    ArrowWriter::try_new(file, schema, Some(properties)).map_err(failed)
}

/// Writes the end of a Parquet file and gives it its name, by `finish`.
pub(crate) fn close_parquet(
    writer: ArrowWriter<OutputFile>,
    path: &Path,
    finish: fn(OutputFile) -> io::Result<()>,
) -> Result<(), SinkError> {
    let file = writer.into_inner().map_err(|what| SinkError::Parquet {
        path: path.to_owned(),
        what: what.to_string(),
    })?;
    finish(file).map_err(|cause| SinkError::File {
        path: path.to_owned(),
        cause,
    })
}

/// The labels of all models, each once.
fn labels(lineage: &Lineage) -> Vec<&str> {
    let mut labels = vec![];
    for label in lineage.models.iter().flat_map(|model| &model.labels) {
        if !labels.contains(&label.as_str()) {
            labels.push(label.as_str());
        }
    }
    labels
}

/// The columns of a field, where any model has it: name, part, whether it may be null.
fn parts(field: SignalField, lineage: &Lineage, labels: &[&str]) -> Vec<(String, Part, bool)> {
    let mut models = lineage.models.iter();
    if !models.any(|model| field.is_of(model, lineage)) {
        return vec![];
    }
    match field {
        SignalField::Probabilities => {
            let one = |(at, label): (usize, &&str)| {
                let has_it = |model: &ModelIdentity| model.labels.iter().any(|own| own == label);
                let nullable = !lineage.models.iter().all(has_it);
                let name = format!("probability_{label}");
                (name, Part::Probability(at), nullable)
            };
            labels.iter().enumerate().map(one).collect()
        }
        SignalField::Sentiment => vec![
            ("sentiment_average".into(), Part::Average, false),
            ("sentiment_weight".into(), Part::Weight, false),
        ],
        SignalField::Source => vec![
            ("source_topic".into(), Part::Topic, false),
            ("source_partition".into(), Part::Partition, false),
            ("source_offset".into(), Part::Offset, false),
        ],
        // The times of a batch's stages are for operators, who find them in the metrics.
        SignalField::LatencyNs => vec![],
        field => {
            let nullable = matches!(
                field,
                SignalField::Label
                    | SignalField::Confidence
                    | SignalField::Grade
                    | SignalField::HorizonNs
                    | SignalField::ValidUntil
            );
            let name = match field {
                SignalField::Instrument if !lineage.key.is_empty() => lineage.key,
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
            | Part::Field(SignalField::Score | SignalField::Confidence) => {
                Self::Number(Float64Builder::new())
            }
            Part::Partition
            | Part::Offset
            | Part::Field(
                SignalField::TsEvent
                | SignalField::TsRecv
                | SignalField::TsOut
                | SignalField::HorizonNs
                | SignalField::ValidUntil
                | SignalField::Revision,
            ) => Self::Integer(Int64Builder::new()),
            Part::Field(SignalField::Shadow) => Self::Flag(BooleanBuilder::new()),
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

    fn push(
        &mut self,
        part: Part,
        signal: &Signal,
        instrument: &str,
        lineage: &Lineage,
        outputs: &[Option<usize>],
    ) {
        match self {
            Self::Text(builder) => builder.append_option(text(part, signal, instrument, lineage)),
            Self::Integer(builder) => builder.append_option(integer(part, signal, lineage)),
            Self::Number(builder) => builder.append_option(match part {
                Part::Probability(at) => outputs[at].map(|output| signal.outputs[output]),
                Part::Average => signal.average.map(|average| average.value),
                Part::Weight => signal.average.map(|average| average.weight),
                Part::Field(SignalField::Confidence) => lineage.label(signal).map(|best| best.1),
                _ => Some(lineage.score(signal)),
            }),
            Self::Flag(builder) => builder.append_value(lineage.model(signal).shadow),
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
        Part::Field(SignalField::Schema) => lineage.schema.clone(),
        Part::Field(SignalField::SignalId) => lineage.signal_id(signal, instrument),
        Part::Field(SignalField::Pipeline) => lineage.pipeline.clone(),
        Part::Field(SignalField::Instrument) => instrument.to_owned(),
        Part::Field(SignalField::Label) => lineage.label(signal)?.0.to_owned(),
        Part::Field(SignalField::Grade) => lineage.grade(signal)?.to_owned(),
        Part::Field(SignalField::Reasons) => lineage.codes(signal).collect::<Vec<_>>().join(","),
        Part::Field(SignalField::Item) => signal.item_text(),
        Part::Field(SignalField::Quality) => signal.quality.word().to_owned(),
        Part::Field(SignalField::Model) => {
            let model = lineage.model(signal);
            format!("{} {} {}", model.name, model.version, model.sha256)
        }
        Part::Field(SignalField::FeaturesSha256) => lineage.model(signal).features_sha256.clone(),
        _ => lineage.stream(signal.origin.stream).to_owned(),
    })
}

fn integer(part: Part, signal: &Signal, lineage: &Lineage) -> Option<i64> {
    match part {
        Part::Field(SignalField::TsEvent) => Some(signal.ts_event.0),
        Part::Field(SignalField::TsRecv) => Some(signal.origin.ts_recv.0),
        Part::Field(SignalField::TsOut) => Some(signal.ts_out.0),
        Part::Field(SignalField::Revision) => Some(i64::from(signal.revision)),
        Part::Field(SignalField::ValidUntil) => lineage.valid_until(signal),
        Part::Partition => Some(i64::from(signal.origin.partition)),
        Part::Offset => Some(signal.origin.offset),
        _ => Some(lineage.model(signal).horizon_ns).filter(|&nanos| nanos > 0),
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Float64Type;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;
    use crate::signal::tests::{signal, two_models};
    use crate::tests::scratch::Scratch;

    #[test]
    fn a_file_of_two_models_has_the_columns_of_both() {
        let scratch = Scratch::new();
        let path = scratch.path().join("signals.parquet");
        let fields = [
            SignalField::Model,
            SignalField::Probabilities,
            SignalField::Grade,
        ];
        let mut sink = ParquetSink::create(two_models(), &fields, &path).unwrap();
        sink.signal(&signal(0), "X.Y").unwrap();
        sink.signal(&signal(1), "X.Y").unwrap();
        sink.close().unwrap();
        let file = std::fs::File::open(&path).unwrap();
        let mut reader = ParquetRecordBatchReaderBuilder::try_new(file)
            .unwrap()
            .build()
            .unwrap();
        let rows = reader.next().unwrap().unwrap();
        let text = |name: &str| {
            rows.column_by_name(name)
                .unwrap()
                .as_string::<i32>()
                .clone()
        };
        assert_eq!(text("model").value(0).trim(), "1");
        assert_eq!(text("model").value(1).trim(), "2");
        assert!(text("grade").is_null(0));
        assert_eq!(text("grade").value(1), "A");
        let up = rows.column_by_name("probability_up").unwrap();
        assert_eq!(up.as_primitive::<Float64Type>().value(0), 0.75);
        assert!(up.is_null(1));
    }
}
