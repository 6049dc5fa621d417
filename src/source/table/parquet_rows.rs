//! Rows of a Parquet file.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, TimestampNanosecondType};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType, Field, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use serde_json::{Map, Value, json};

use super::cell::CellReading;
use super::columns::{TableColumns, TableUse};
use super::position::{TablePosition, invalid};
use super::rows::TableRows;
use crate::source::foreign::{HEAD_BYTES, foreign_format};
use crate::source::parquet_codecs::check_codecs;

/// Rows of a Parquet file.
pub(super) struct ParquetRows {
    reader: ParquetRecordBatchReader,
    names: Vec<String>,
    readings: Vec<CellReading>,
    waiting: VecDeque<Map<String, Value>>,
    /// Number of the row given last, from 1.
    number: u64,
}

impl ParquetRows {
    /// Opens a file. Only the columns that are needed are decoded.
    pub(super) fn open(
        mut file: File,
        columns: &TableColumns,
        table_use: TableUse,
    ) -> io::Result<Self> {
        refuse_foreign(&mut file)?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(io::Error::other)?;
        check_codecs(builder.metadata())?;
        let fields = builder.schema().fields().iter();
        let named = fields.map(|field| (columns.name_of(field.name()), field));
        columns.check(named.clone().map(|(name, _)| name), table_use)?;
        let needed = named
            .enumerate()
            .filter(|(_, (name, _))| columns.needs(name));
        let (mut places, mut names, mut readings) = (vec![], vec![], vec![]);
        for (place, (name, field)) in needed {
            check_type(field)?;
            places.push(place);
            names.push(name.to_owned());
            readings.push(columns.reading(name));
        }
        let mask = ProjectionMask::roots(builder.parquet_schema(), places);
        let reader = builder.with_projection(mask).build();
        Ok(Self {
            reader: reader.map_err(io::Error::other)?,
            names,
            readings,
            waiting: VecDeque::new(),
            number: 0,
        })
    }

    fn read_batch(&mut self, batch: &RecordBatch) -> io::Result<()> {
        let mut rows = vec![Map::new(); batch.num_rows()];
        let readings = self.names.iter().zip(&self.readings);
        for ((name, reading), column) in readings.zip(batch.columns()) {
            let cells = cells(column, reading).map_err(|error| {
                invalid(&format!("its column `{name}` cannot be read: {error}"))
            })?;
            for (row, cell) in rows.iter_mut().zip(cells) {
                row.insert(name.clone(), cell);
            }
        }
        self.waiting.extend(rows);
        Ok(())
    }
}

/// The cells of a column as its reading wants them.
fn cells(column: &ArrayRef, reading: &CellReading) -> Result<Vec<Value>, ArrowError> {
    let exact = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let cast = |column: &ArrayRef, to: &DataType| cast_with_options(column, to, &exact);
    match (column.data_type(), reading) {
        (DataType::Dictionary(_, values), _) => cells(&cast(column, values)?, reading),
        // The instant is in UTC whatever zone is written beside it.
        (DataType::Timestamp(_, zone), CellReading::Time) => {
            let nanos = DataType::Timestamp(TimeUnit::Nanosecond, zone.clone());
            let column = cast(column, &nanos)?;
            let nanos = column.as_primitive::<TimestampNanosecondType>();
            Ok(nanos.iter().map(Value::from).collect())
        }
        (DataType::Timestamp(unit, Some(_)), _) => {
            cells(&cast(column, &DataType::Timestamp(*unit, None))?, reading)
        }
        (DataType::Boolean, CellReading::Category(known)) => {
            let flags = column.as_boolean().iter();
            let cell = |flag: bool| json!(category_of(flag, known));
            Ok(flags.map(|flag| flag.map_or(Value::Null, cell)).collect())
        }
        // A whole number with a null beside it is a float in pandas; as text it is the number.
        (
            DataType::Float64 | DataType::Float32 | DataType::Float16,
            CellReading::Identifier | CellReading::Category(_),
        ) => {
            let column = cast(column, &DataType::Float64)?;
            let numbers = column.as_primitive::<Float64Type>();
            let cell = |number: f64| match reading {
                CellReading::Identifier if !number.is_finite() => Value::Null,
                _ => reading.cell(&number.to_string()),
            };
            Ok(numbers
                .iter()
                .map(|number| number.map_or(Value::Null, cell))
                .collect())
        }
        _ => {
            let column = cast(column, &DataType::Utf8)?;
            let texts = column.as_string::<i32>().iter();
            let cell = |text: &str| reading.cell(text);
            Ok(texts.map(|text| text.map_or(Value::Null, cell)).collect())
        }
    }
}

/// The category that a truth value means, by the way in which the model's categories are written.
fn category_of(flag: bool, known: &[String]) -> &'static str {
    let ways = match flag {
        true => ["true", "True", "TRUE", "1"],
        false => ["false", "False", "FALSE", "0"],
    };
    let is_known = |way: &&str| known.iter().any(|one| one == way);
    ways.into_iter().find(is_known).unwrap_or(ways[0])
}

/// Refuses a column whose values are no numbers, texts or times.
fn check_type(field: &Field) -> io::Result<()> {
    let mut of = field.data_type();
    if let DataType::Dictionary(_, values) = of {
        of = values;
    }
    let is_read = of.is_numeric()
        || of.is_string()
        || matches!(
            of,
            DataType::Null
                | DataType::Boolean
                | DataType::Binary
                | DataType::LargeBinary
                | DataType::BinaryView
                | DataType::Date32
                | DataType::Date64
                | DataType::Timestamp(..)
        );
    if is_read {
        return Ok(());
    }
    Err(invalid(&format!(
        "its column `{}` has the type {of}, which is no number, text, truth value or time; write it as one, or \
         leave it out of the features",
        field.name()
    )))
}

/// Refuses a file that does not begin as Parquet does.
fn refuse_foreign(file: &mut File) -> io::Result<()> {
    let mut head = vec![];
    file.by_ref()
        .take(HEAD_BYTES as u64)
        .read_to_end(&mut head)?;
    file.rewind()?;
    if head.starts_with(b"PAR1") {
        return Ok(());
    }
    Err(invalid(&match foreign_format(&head) {
        Some(format) => format!("by its first bytes it is {format}"),
        None if head.starts_with(&[0x1f, 0x8b]) || head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) => {
            "it is compressed as a whole, and Parquet is compressed within: decompress it"
                .to_owned()
        }
        None => "it does not begin as a Parquet file does; check what it holds".to_owned(),
    }))
}

impl TableRows for ParquetRows {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn position(&self) -> TablePosition {
        TablePosition::Row(self.number)
    }

    fn next_row(&mut self) -> io::Result<Option<Map<String, Value>>> {
        while self.waiting.is_empty() {
            match self.reader.next() {
                None => return Ok(None),
                Some(batch) => self.read_batch(&batch.map_err(io::Error::other)?)?,
            }
        }
        self.number += 1;
        Ok(self.waiting.pop_front())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use parquet::arrow::ArrowWriter;
    use parquet::basic::CompressionCodec;

    use super::*;

    /// A table of one column and one row.
    fn parquet() -> Bytes {
        let column: arrow_array::ArrayRef =
            std::sync::Arc::new(arrow_array::Int64Array::from(vec![1]));
        let batch = RecordBatch::try_from_iter([("cik", column)]).unwrap();
        let mut bytes = vec![];
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        bytes.into()
    }

    #[test]
    fn another_codec_is_named() {
        let builder = |codec| {
            let whole = ParquetRecordBatchReaderBuilder::try_new(parquet()).unwrap();
            let mut metadata = whole.metadata().as_ref().clone().into_builder();
            let groups = metadata.take_row_groups().into_iter().map(|group| {
                let columns = group.columns().iter().map(|column| {
                    let column = column.clone().into_builder().set_compression_codec(codec);
                    column.build().unwrap()
                });
                let columns = columns.collect();
                group
                    .into_builder()
                    .set_column_metadata(columns)
                    .build()
                    .unwrap()
            });
            let groups = groups.collect();
            metadata.set_row_groups(groups).build()
        };
        let codecs = [
            (CompressionCodec::BROTLI, "Brotli"),
            (CompressionCodec::LZO, "LZO"),
        ];
        for (codec, name) in codecs {
            let error = check_codecs(&builder(codec)).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("zstd"), "{error}");
        }
        assert!(check_codecs(&builder(CompressionCodec::SNAPPY)).is_ok());
    }
}
