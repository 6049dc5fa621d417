//! Rows of CSV and Parquet files as records, one JSON line each, as the topic would hold them.
//!
//! So that a table goes the way of every other frame. Decides nothing about values: a number is handed on as
//! a number, an empty cell as null, anything else as text, and so are keys and categories.

mod cell;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use arrow_array::{Array, RecordBatch, cast::AsArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::CompressionCodec;
use parquet::file::metadata::ParquetMetaData;
use serde_json::{Map, Value, json};

use self::cell::{Reading, time, whole, year_end};
use super::compression::decompressed;
use crate::config;
use crate::schema::Field;
use crate::schema::RecordKind;
use crate::units::Nanos;

pub use self::cell::is_absent;

/// What the columns of a table mean.
#[derive(Clone, Debug)]
pub struct Columns {
    kind: RecordKind,
    table: config::Table,
    product: Option<String>,
    /// What the pipeline takes out of the records.
    fields: Vec<Field>,
}

/// What a row says about what really happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Its number, from 1.
    pub row: u64,
    /// Whom it is about.
    pub key: String,
    /// Of statements.
    pub period: Option<i64>,
    /// When it was known, where the table has a column for that.
    pub ts_event: Option<Nanos>,
    /// As it is written.
    pub outcome: String,
}

/// The kinds of table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// Comma-separated, with a header.
    Csv,
    /// Parquet.
    Parquet,
}

/// The kind of a file, by the end of its name; none for captures.
#[must_use]
pub fn kind_of(path: &Path) -> Option<TableKind> {
    let name = path.file_name()?.to_str()?;
    let name = name.trim_end_matches(".gz").trim_end_matches(".zst");
    match name.rsplit_once('.')?.1 {
        "csv" => Some(TableKind::Csv),
        "parquet" => Some(TableKind::Parquet),
        _ => None,
    }
}

/// The rows of a table as lines of JSON.
///
/// # Errors
/// Where the file is no such table, or nobody says what its columns mean.
pub fn open(
    kind: TableKind,
    file: File,
    columns: Option<&Columns>,
) -> io::Result<Box<dyn BufRead + Send>> {
    let (rows, columns) = rows(kind, file, columns)?;
    let absent = columns.absent(rows.names());
    if !absent.is_empty() {
        // Each row would be imputed, which a wrong name must not do unseen.
        let columns = absent.join(", ");
        tracing::warn!(
            columns,
            "the table lacks columns that features read: every row misses them"
        );
    }
    Ok(Box::new(BufReader::new(Lines {
        rows,
        columns,
        number: 0,
        line: vec![],
        at: 0,
    })))
}

/// What each row says about what really happened.
///
/// # Errors
/// Where the file is no such table, nobody says which columns these are, or a row's time cannot be read.
pub fn outcomes(kind: TableKind, file: File, columns: Option<&Columns>) -> io::Result<Vec<Told>> {
    let (mut rows, columns) = rows(kind, file, columns)?;
    if columns.table.outcome.is_none() {
        return Err(other(
            "[source.table] does not say which column is the `outcome`",
        ));
    }
    let mut all = vec![];
    while let Some(mut row) = rows.next_row()? {
        all.push(columns.told(&mut row, all.len() as u64)?);
    }
    Ok(all)
}

fn rows(
    kind: TableKind,
    file: File,
    columns: Option<&Columns>,
) -> io::Result<(Box<dyn Rows>, Columns)> {
    let columns = columns.cloned().ok_or_else(|| {
        other("it is a table: say in [source.table] which column is the `key` (and `period`, `ts_event`)")
    })?;
    let rows: Box<dyn Rows> = match kind {
        TableKind::Csv => Box::new(CsvRows::open(file, &columns)?),
        TableKind::Parquet => Box::new(ParquetRows::open(file, &columns)?),
    };
    Ok((rows, columns))
}

/// What of a row is no field of the record.
struct Own {
    key: String,
    period: Option<i64>,
    ts_event: Option<Nanos>,
    outcome: String,
}

/// A cell that was read as text; nothing where it is empty.
fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        _ => String::new(),
    }
}

impl Columns {
    /// Rows that become records of this kind; applications of `product`, where one is named.
    #[must_use]
    pub fn new(
        kind: RecordKind,
        table: &config::Table,
        product: Option<String>,
        fields: &[Field],
    ) -> Self {
        Self {
            kind,
            table: table.clone(),
            product,
            fields: fields.to_vec(),
        }
    }

    /// Whether the rows are statements, which have an order of periods.
    #[must_use]
    pub fn are_statements(&self) -> bool {
        self.kind == RecordKind::Statement
    }

    /// The names that are no fields of the record.
    fn own(&self) -> impl Iterator<Item = &String> {
        let config::Table {
            key,
            period,
            ts_event,
            outcome,
        } = &self.table;
        [
            Some(key),
            period.as_ref(),
            ts_event.as_ref(),
            outcome.as_ref(),
        ]
        .into_iter()
        .flatten()
    }

    fn check<'n>(&self, names: impl Iterator<Item = &'n str> + Clone) -> io::Result<()> {
        let wanted = |name: &&str| {
            self.own().any(|own| own == name) || self.fields.iter().any(|field| field.name == *name)
        };
        let count = |of: &str| names.clone().filter(|name| *name == of).count();
        if let Some(name) = names.clone().filter(wanted).find(|name| count(name) > 1) {
            return Err(other(&format!(
                "it has two columns `{name}`, and nobody knows which is meant; rename one"
            )));
        }
        let missing = self
            .own()
            .find(|own| !names.clone().any(|name| name == *own));
        match missing {
            None => Ok(()),
            Some(name) => {
                let all: Vec<&str> = names.collect();
                Err(other(&format!(
                    "[source.table] names a column `{name}`, which it does not have; it has {}",
                    all.join(", ")
                )))
            }
        }
    }

    /// How the cells of a column are read.
    fn reading(&self, name: &str) -> Reading {
        if self.table.key == name {
            return Reading::Text;
        }
        if self.table.outcome.as_deref() == Some(name) {
            return Reading::AsWritten;
        }
        let categories = |field: &&Field| field.name == name && !field.categories.is_empty();
        match self.fields.iter().find(categories) {
            Some(field) => Reading::Category(field.categories.clone()),
            None => Reading::Number,
        }
    }

    /// What features read, and no column holds beside those that are no fields.
    fn absent(&self, names: &[String]) -> Vec<&'static str> {
        let held = |name: &str| names.iter().any(|held| held == name);
        let own = |name: &str| self.own().any(|own| own == name);
        let fields = self.fields.iter().map(|field| field.name);
        fields.filter(|name| !held(name) || own(name)).collect()
    }

    /// What a row says of what really happened.
    fn told(&self, cells: &mut Map<String, Value>, number: u64) -> io::Result<Told> {
        let Own {
            key,
            period,
            ts_event,
            outcome,
        } = self.take_own(cells, number)?;
        Ok(Told {
            row: number + 1,
            key,
            period,
            ts_event,
            outcome,
        })
    }

    /// Takes out of a row what is no field of the record.
    fn take_own(&self, cells: &mut Map<String, Value>, number: u64) -> io::Result<Own> {
        let wrong = |column: &str| other(&format!("row {} has no readable `{column}`", number + 1));
        let mut own = |name: &str| cells.remove(name).unwrap_or_default();
        let period = self.table.period.as_deref().map(|column| {
            let value = own(column);
            whole(&value).ok_or_else(|| wrong(column))
        });
        let ts_event = self.table.ts_event.as_deref().map(|column| {
            let value = own(column);
            time(&value).ok_or_else(|| wrong(column))
        });
        Ok(Own {
            key: text_of(own(&self.table.key)),
            outcome: text_of(self.table.outcome.as_deref().map_or(Value::Null, own)),
            period: period.transpose()?,
            ts_event: ts_event.transpose()?,
        })
    }

    /// A row as a record of the topic.
    fn record(&self, mut cells: Map<String, Value>, number: u64) -> io::Result<Value> {
        let own = self.take_own(&mut cells, number)?;
        let ts_event = match (own.ts_event, own.period) {
            (Some(ts), _) => Some(ts),
            (None, Some(year)) => year_end(year),
            (None, None) => i64::try_from(number).ok().map(Nanos),
        };
        let ts_event = ts_event.ok_or_else(|| {
            let column = self.table.period.as_deref().unwrap_or("period");
            other(&format!("row {} has no readable `{column}`", number + 1))
        })?;
        let mut record = json!({
            "ts_event": ts_event.0,
            self.kind.key(): own.key,
            self.kind.container(): cells,
        });
        if let Some(period) = own.period {
            record["period"] = json!(period);
        }
        if let Some(product) = &self.product {
            record["product"] = json!(product);
        }
        Ok(record)
    }
}

/// Rows of a table, in order.
trait Rows: Send {
    fn names(&self) -> &[String];
    fn next_row(&mut self) -> io::Result<Option<Map<String, Value>>>;
}

struct CsvRows {
    reader: csv::Reader<Box<dyn BufRead + Send>>,
    names: Vec<String>,
    readings: Vec<Reading>,
    row: csv::StringRecord,
}

impl CsvRows {
    fn open(file: File, columns: &Columns) -> io::Result<Self> {
        let mut reader = csv::Reader::from_reader(decompressed(file)?);
        let names: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
        columns.check(names.iter().map(String::as_str))?;
        Ok(Self {
            reader,
            readings: names.iter().map(|name| columns.reading(name)).collect(),
            names,
            row: csv::StringRecord::new(),
        })
    }
}

impl Rows for CsvRows {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn next_row(&mut self) -> io::Result<Option<Map<String, Value>>> {
        if !self.reader.read_record(&mut self.row)? {
            return Ok(None);
        }
        let texts = self.readings.iter().zip(self.row.iter());
        let cells = texts.map(|(reading, text)| reading.cell(text));
        Ok(Some(self.names.iter().cloned().zip(cells).collect()))
    }
}

struct ParquetRows {
    reader: ParquetRecordBatchReader,
    names: Vec<String>,
    readings: Vec<Reading>,
    waiting: VecDeque<Map<String, Value>>,
}

impl ParquetRows {
    fn open(file: File, columns: &Columns) -> io::Result<Self> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(io::Error::other)?;
        can_be_read(builder.metadata())?;
        let fields = builder.schema().fields().iter();
        let names: Vec<String> = fields.map(|field| field.name().clone()).collect();
        columns.check(names.iter().map(String::as_str))?;
        Ok(Self {
            reader: builder.build().map_err(io::Error::other)?,
            readings: names.iter().map(|name| columns.reading(name)).collect(),
            names,
            waiting: VecDeque::new(),
        })
    }

    fn take(&mut self, batch: &RecordBatch) -> io::Result<()> {
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

/// Whether all is compressed in a way that is built in.
fn can_be_read(metadata: &ParquetMetaData) -> io::Result<()> {
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
    Err(other(&format!(
        "it is compressed with {codec}, which is not read; write it with snappy, gzip, zstd or lz4 (pandas: \
         `to_parquet(…, compression=\"zstd\")`)"
    )))
}

impl Rows for ParquetRows {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn next_row(&mut self) -> io::Result<Option<Map<String, Value>>> {
        while self.waiting.is_empty() {
            match self.reader.next() {
                None => return Ok(None),
                Some(batch) => self.take(&batch.map_err(io::Error::other)?)?,
            }
        }
        Ok(self.waiting.pop_front())
    }
}

/// The lines, made as they are read.
struct Lines {
    rows: Box<dyn Rows>,
    columns: Columns,
    number: u64,
    line: Vec<u8>,
    at: usize,
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.line.len() {
            let Some(row) = self.rows.next_row()? else {
                return Ok(0);
            };
            let record = self.columns.record(row, self.number)?;
            self.number += 1;
            self.line = record.to_string().into_bytes();
            self.line.push(b'\n');
            self.at = 0;
        }
        let count = buffer.len().min(self.line.len() - self.at);
        buffer[..count].copy_from_slice(&self.line[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

fn other(what: &str) -> io::Error {
    io::Error::other(what.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, StringArray};
    use parquet::arrow::ArrowWriter;
    use parquet::basic::{Compression, GzipLevel, ZstdLevel};
    use parquet::file::properties::WriterProperties;

    use super::*;

    fn columns(kind: RecordKind, ts_event: Option<&str>) -> Columns {
        let table = config::Table {
            key: "cik".into(),
            period: (kind == RecordKind::Statement).then(|| "fyear".into()),
            ts_event: ts_event.map(str::to_owned),
            outcome: Some("status".into()),
        };
        let field = |name, categories: &[&str]| Field {
            name,
            categories: categories.iter().map(|one| (*one).to_owned()).collect(),
            min: f64::NEG_INFINITY,
            max: f64::INFINITY,
            needed: false,
        };
        let fields = [field("sales", &[]), field("grade", &["1", "2"])];
        Columns::new(kind, &table, Some("card".into()), &fields)
    }

    fn write(name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let name = format!("foretick-table-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn lines(name: &str, text: &str, kind: RecordKind) -> io::Result<Vec<Value>> {
        let path = write(&format!("{name}.csv"), text);
        let columns = columns(kind, None);
        records(open(TableKind::Csv, File::open(path)?, Some(&columns))?)
    }

    fn records(reader: impl BufRead) -> io::Result<Vec<Value>> {
        let lines: io::Result<Vec<String>> = reader.lines().collect();
        let record = |line: &String| serde_json::from_str(line).unwrap();
        Ok(lines?.iter().map(record).collect())
    }

    #[test]
    fn a_row_is_a_record_of_the_topic() {
        let text = "cik,fyear,name,sales,status\n17,2014.0,\"A, B\",-1.5e3,0\n17,2015,X,,1\n";
        let lines = lines("rows", text, RecordKind::Statement).unwrap();
        assert_eq!(
            lines[0],
            json!({"ts_event": 1_420_070_400_000_000_000_i64, "obligor": "17", "period": 2014,
                   "product": "card", "items": {"name": "A, B", "sales": -1500.0}})
        );
        assert_eq!(lines[1]["items"]["sales"], Value::Null);
    }

    #[test]
    fn keys_and_categories_are_text() {
        let text = "cik,status,grade,sales\n12345678901234567890,0,1,1\n12345678901234567891,0,,1\n\
                    NA,0,2,1e3\n1e3,0,NA,\n";
        let lines = lines("keys", text, RecordKind::Application).unwrap();
        let of = |field: fn(&Value) -> &Value| lines.iter().map(field).collect::<Vec<_>>();
        assert_eq!(
            of(|line| &line["applicant"]),
            ["12345678901234567890", "12345678901234567891", "NA", "1e3"]
        );
        let none = Value::Null;
        assert_eq!(
            of(|line| &line["fields"]["grade"]),
            [&json!("1"), &none, &json!("2"), &none]
        );
        assert_eq!(lines[2]["fields"]["sales"], json!(1000.0));
    }

    #[test]
    fn what_a_table_lacks_is_said() {
        let kind = RecordKind::Statement;
        let error = lines("lacks", "cik,fyear\n1,2014\n", kind).unwrap_err();
        assert!(error.to_string().contains("`status`"), "{error}");
        let text = "cik,fyear,status,sales,sales\n1,2014,0,1,2\n";
        let error = lines("twice", text, kind).unwrap_err().to_string();
        assert!(error.contains("two columns `sales`"), "{error}");
        let text = "cik,fyear,status\n1,20x4,0\n";
        let error = lines("unread", text, kind).unwrap_err().to_string();
        assert!(
            error.contains("row 1") && error.contains("fyear"),
            "{error}"
        );
        let text = "cik,status,age\nk,0,33\n";
        let lines = lines("ages", text, RecordKind::Application).unwrap();
        assert_eq!(lines[0]["fields"], json!({"age": 33}));
        assert_eq!(lines[0]["ts_event"], json!(0));
        let names = ["cik", "sales", "status"].map(str::to_owned);
        assert_eq!(columns(kind, None).absent(&names), ["grade"]);
    }

    #[test]
    fn a_row_tells_an_outcome_of_its_time() {
        let text = "cik,status,day\n1,Failed ,2015-03-31\n2,,2015-04-01\n";
        let path = write("told.csv", text);
        let of = |day: &str| {
            let columns = columns(RecordKind::Application, Some(day));
            outcomes(TableKind::Csv, File::open(&path).unwrap(), Some(&columns))
        };
        let told = of("day").unwrap();
        assert_eq!((told[0].row, &*told[0].outcome), (1, "Failed "));
        assert_eq!(told[0].ts_event, Some(Nanos(1_427_760_000_000_000_000)));
        assert_eq!((told[1].row, &*told[1].outcome), (2, ""));
        let error = of("status").unwrap_err().to_string();
        assert!(error.contains("row 1 has no readable `status`"), "{error}");
    }

    fn parquet(name: &str, codec: Compression) -> PathBuf {
        let columns: [(&str, ArrayRef); 5] = [
            ("cik", Arc::new(Int64Array::from(vec![17, 18]))),
            ("day", Arc::new(Date32Array::from(vec![16_525, 16_526]))),
            ("sales", Arc::new(Float64Array::from(vec![Some(0.1), None]))),
            ("grade", Arc::new(Int64Array::from(vec![1, 2]))),
            ("status", Arc::new(StringArray::from(vec!["0", "1"]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let properties = WriterProperties::builder().set_compression(codec).build();
        let mut bytes = vec![];
        let mut writer =
            ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        write(&format!("{name}.parquet"), bytes)
    }

    #[test]
    fn every_usual_codec_is_read() {
        let columns = columns(RecordKind::Application, Some("day"));
        for (name, codec) in [
            ("none", Compression::UNCOMPRESSED),
            ("snappy", Compression::SNAPPY),
            ("gzip", Compression::GZIP(GzipLevel::default())),
            ("lz4", Compression::LZ4),
            ("lz4-raw", Compression::LZ4_RAW),
            ("zstd", Compression::ZSTD(ZstdLevel::default())),
        ] {
            let file = File::open(parquet(name, codec)).unwrap();
            let reader = open(TableKind::Parquet, file, Some(&columns)).unwrap();
            let lines = records(reader).unwrap();
            let expected = json!({"ts_event": 1_427_760_000_000_000_000_i64, "applicant": "17",
                                  "product": "card", "fields": {"sales": 0.1, "grade": "1"}});
            assert_eq!((lines.len(), &lines[0]), (2, &expected), "{name}");
        }
    }

    #[test]
    fn another_codec_is_named() {
        let builder = |codec| {
            let file = File::open(parquet("codec", Compression::UNCOMPRESSED)).unwrap();
            let whole = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
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
            let error = can_be_read(&builder(codec)).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("zstd"), "{error}");
        }
        assert!(can_be_read(&builder(CompressionCodec::SNAPPY)).is_ok());
    }
}
