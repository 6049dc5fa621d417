//! Rows of CSV and Parquet files as records, one JSON line each, as the topic would hold them.
//!
//! So that a table goes the way of every other frame. Decides nothing about values: a number is handed on as
//! a number, an empty cell as null, anything else as text.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use serde_json::{Map, Value, json};

use super::file::decompressed;
use crate::config;
use crate::decode::RecordKind;

/// What the columns of a table mean.
#[derive(Clone, Debug)]
pub struct Columns {
    kind: RecordKind,
    table: config::Table,
    product: Option<String>,
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
    Ok(Box::new(BufReader::new(Lines {
        rows,
        columns,
        number: 0,
        line: vec![],
        at: 0,
    })))
}

/// Key and outcome of each row.
///
/// # Errors
/// Where the file is no such table, or nobody says which columns these are.
pub fn outcomes(
    kind: TableKind,
    file: File,
    columns: Option<&Columns>,
) -> io::Result<Vec<(String, Value)>> {
    let (mut rows, columns) = rows(kind, file, columns)?;
    let config::Table { key, outcome, .. } = &columns.table;
    let outcome = outcome
        .as_ref()
        .ok_or_else(|| other("[source.table] does not say which column is the `outcome`"))?;
    let mut pairs = vec![];
    while let Some(mut row) = rows.next_row()? {
        let value = row.remove(outcome).unwrap_or_default();
        pairs.push((text_of(row.remove(key)), value));
    }
    Ok(pairs)
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

/// A key as text, however the table holds it.
fn text_of(value: Option<Value>) -> String {
    match value {
        Some(Value::String(text)) => text,
        Some(other) if !other.is_null() => other.to_string(),
        _ => String::new(),
    }
}

impl Columns {
    /// Rows that become records of this kind; applications of `product`, where one is named.
    #[must_use]
    pub fn new(kind: RecordKind, table: &config::Table, product: Option<String>) -> Self {
        Self {
            kind,
            table: table.clone(),
            product,
        }
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

    /// A row as a record of the topic.
    fn record(&self, cells: Map<String, Value>, number: u64) -> io::Result<Value> {
        let mut fields = cells;
        let mut own = |name: &Option<String>| name.as_ref().and_then(|name| fields.remove(name));
        let key = own(&Some(self.table.key.clone()));
        let period = own(&self.table.period);
        let ts_event = own(&self.table.ts_event);
        own(&self.table.outcome);
        let key = text_of(key);
        let period = period.map(|value| whole(&value));
        let ts_event = match (ts_event, period) {
            (Some(value), _) => time(&value),
            (None, Some(Some(year))) => year_end(year),
            (None, _) => i64::try_from(number).ok(),
        };
        let wrong = |column: &str| other(&format!("row {} has no readable `{column}`", number + 1));
        let ts_event =
            ts_event.ok_or_else(|| wrong(self.table.ts_event.as_deref().unwrap_or("period")))?;
        let mut record = json!({
            "ts_event": ts_event,
            self.kind.key(): key,
            self.kind.container(): fields,
        });
        if let Some(period) = period {
            let column = self.table.period.as_deref().unwrap_or("period");
            record["period"] = json!(period.ok_or_else(|| wrong(column))?);
        }
        if let Some(product) = &self.product {
            record["product"] = json!(product);
        }
        Ok(record)
    }
}

/// A whole number, also written `2014.0`.
fn whole(value: &Value) -> Option<i64> {
    let number = value.as_f64()?;
    (number.fract() == 0.0 && number.abs() < 1e9).then_some(number as i64)
}

/// Nanoseconds, or RFC 3339.
fn time(value: &Value) -> Option<i64> {
    if let Some(nanos) = value.as_i64() {
        return Some(nanos);
    }
    since_epoch(value.as_str()?)
}

/// When a year is over.
fn year_end(year: i64) -> Option<i64> {
    since_epoch(&format!("{:04}-01-01T00:00:00Z", year + 1))
}

fn since_epoch(text: &str) -> Option<i64> {
    let time = humantime::parse_rfc3339_weak(text).ok()?;
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_nanos()).ok()
}

/// A cell as it was written.
fn cell(text: &str) -> Value {
    let text = text.trim();
    if text.is_empty() || ["NA", "NaN", "nan", "null", "NULL", "None"].contains(&text) {
        return Value::Null;
    }
    // A key may begin with zeros, and is another without them.
    let padded = text.starts_with('0') && text.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    if padded {
        return json!(text);
    }
    if let Ok(whole) = text.parse::<i64>() {
        return json!(whole);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => json!(number),
        _ => json!(text),
    }
}

/// Rows of a table, in order.
trait Rows: Send {
    fn next_row(&mut self) -> io::Result<Option<Map<String, Value>>>;
}

struct CsvRows {
    reader: csv::Reader<Box<dyn BufRead + Send>>,
    names: Vec<String>,
    row: csv::StringRecord,
}

impl CsvRows {
    fn open(file: File, columns: &Columns) -> io::Result<Self> {
        let mut reader = csv::Reader::from_reader(decompressed(file)?);
        let names: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
        columns.check(names.iter().map(String::as_str))?;
        let row = csv::StringRecord::new();
        Ok(Self { reader, names, row })
    }
}

impl Rows for CsvRows {
    fn next_row(&mut self) -> io::Result<Option<Map<String, Value>>> {
        if !self.reader.read_record(&mut self.row)? {
            return Ok(None);
        }
        let cells = self.names.iter().cloned().zip(self.row.iter().map(cell));
        Ok(Some(cells.collect()))
    }
}

struct ParquetRows {
    reader: ParquetRecordBatchReader,
    waiting: VecDeque<Map<String, Value>>,
}

impl ParquetRows {
    fn open(file: File, columns: &Columns) -> io::Result<Self> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(io::Error::other)?;
        let schema = builder.schema().clone();
        columns.check(schema.fields().iter().map(|field| field.name().as_str()))?;
        let reader = builder.build().map_err(io::Error::other)?;
        let waiting = VecDeque::new();
        Ok(Self { reader, waiting })
    }

    fn take(&mut self, batch: &RecordBatch) -> io::Result<()> {
        let schema = batch.schema();
        let mut rows = vec![Map::new(); batch.num_rows()];
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            let column = cast(column, &DataType::Utf8).map_err(io::Error::other)?;
            let texts = column.as_string::<i32>();
            for (at, row) in rows.iter_mut().enumerate() {
                let value = if texts.is_null(at) {
                    Value::Null
                } else {
                    cell(texts.value(at))
                };
                row.insert(field.name().clone(), value);
            }
        }
        self.waiting.extend(rows);
        Ok(())
    }
}

impl Rows for ParquetRows {
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
    use super::*;

    fn columns(kind: RecordKind) -> Columns {
        let table = config::Table {
            key: "cik".into(),
            period: (kind == RecordKind::Statement).then(|| "fyear".into()),
            ts_event: None,
            outcome: Some("status".into()),
        };
        Columns::new(kind, &table, Some("card".into()))
    }

    fn lines(text: &str, kind: RecordKind) -> io::Result<Vec<Value>> {
        let name = format!("foretick-table-{}-{}.csv", std::process::id(), text.len());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        let reader = open(TableKind::Csv, File::open(&path)?, Some(&columns(kind)))?;
        let lines: io::Result<Vec<String>> = reader.lines().collect();
        Ok(lines?
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect())
    }

    #[test]
    fn a_row_is_a_record_of_the_topic() {
        let text = "cik,fyear,name,sales,status\n17,2014.0,\"A, B\",-1.5e3,0\n17,2015,X,,1\n";
        let lines = lines(text, RecordKind::Statement).unwrap();
        assert_eq!(
            lines[0],
            json!({"ts_event": 1_420_070_400_000_000_000_i64, "obligor": "17", "period": 2014,
                   "product": "card", "items": {"name": "A, B", "sales": -1500.0}})
        );
        assert_eq!(lines[1]["items"]["sales"], Value::Null);
        assert_eq!(cell("0017"), json!("0017"));
        assert_eq!((cell("0.5"), cell("0")), (json!(0.5), json!(0)));
    }

    #[test]
    fn what_a_table_lacks_is_said() {
        let error = lines("cik,fyear\n1,2014\n", RecordKind::Statement).unwrap_err();
        assert!(error.to_string().contains("`status`"), "{error}");
        let text = "cik,fyear,status\n1,20x4,0\n";
        let error = lines(text, RecordKind::Statement).unwrap_err().to_string();
        assert!(
            error.contains("row 1") && error.contains("fyear"),
            "{error}"
        );
        let lines = lines("cik,status,age\nk,0,33\n", RecordKind::Application).unwrap();
        assert_eq!(lines[0]["fields"], json!({"age": 33}));
        assert_eq!(lines[0]["ts_event"], json!(0));
    }
}
