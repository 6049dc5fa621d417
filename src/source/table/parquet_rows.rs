//! Rows of a Parquet file.

use std::collections::VecDeque;
use std::fs::File;
use std::io;

use arrow_array::{Array, RecordBatch, cast::AsArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::CompressionCodec;
use parquet::file::metadata::ParquetMetaData;
use serde_json::{Map, Value};

use super::cell::CellReading;
use super::columns::TableColumns;
use super::position::{TablePosition, invalid};
use super::rows::TableRows;

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
    pub(super) fn open(file: File, columns: &TableColumns) -> io::Result<Self> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(io::Error::other)?;
        check_codecs(builder.metadata())?;
        let fields = builder.schema().fields().iter();
        let names: Vec<String> = fields.map(|field| field.name().clone()).collect();
        columns.check(names.iter().map(String::as_str))?;
        Ok(Self {
            reader: builder.build().map_err(io::Error::other)?,
            readings: names.iter().map(|name| columns.reading(name)).collect(),
            names,
            waiting: VecDeque::new(),
            number: 0,
        })
    }

    fn read_batch(&mut self, batch: &RecordBatch) -> io::Result<()> {
        let mut rows = vec![Map::new(); batch.num_rows()];
        let readings = self.names.iter().zip(&self.readings);
        for ((name, reading), column) in readings.zip(batch.columns()) {
            let column = cast(column, &DataType::Utf8).map_err(io::Error::other)?;
            let texts = column.as_string::<i32>();
            for (at, row) in rows.iter_mut().enumerate() {
                let value = if texts.is_null(at) {
                    Value::Null
                } else {
                    reading.cell(texts.value(at))
                };
                row.insert(name.clone(), value);
            }
        }
        self.waiting.extend(rows);
        Ok(())
    }
}

/// Whether all columns are compressed by codecs that are built in.
fn check_codecs(metadata: &ParquetMetaData) -> io::Result<()> {
    let groups = metadata.row_groups().iter();
    let mut columns = groups.flat_map(|group| group.columns());
    let codec = columns.find_map(|column| match column.compression_codec() {
        CompressionCodec::LZO => Some("LZO"),
        CompressionCodec::BROTLI => Some("Brotli"),
        CompressionCodec::UNCOMPRESSED
        | CompressionCodec::SNAPPY
        | CompressionCodec::GZIP
        | CompressionCodec::LZ4
        | CompressionCodec::LZ4_RAW
        | CompressionCodec::ZSTD => None,
    });
    let Some(codec) = codec else {
        return Ok(());
    };
    Err(invalid(&format!(
        "it is compressed with {codec}, which is not read; write it with snappy, gzip, zstd or lz4 (pandas: \
         `to_parquet(…, compression=\"zstd\")`)"
    )))
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
