//! Rows of a file of separated values: CSV and its kin.

use std::fs::File;
use std::io::{self, BufRead};

use serde_json::{Map, Value};

use super::cell::CellReading;
use super::columns::{TableColumns, TableUse};
use super::line_starts::{LineReader, LineStarts, has_open_quote, is_end};
use super::position::{TablePosition, invalid};
use super::rows::TableRows;
use crate::source::compression::decompressed;

/// Bytes that a record, or the header, may have: texts of news are long.
const RECORD_BYTES_MAX: usize = 1 << 24;

/// Rows of a CSV file, with its header first.
pub(super) struct CsvRows {
    reader: csv::Reader<LineReader<Box<dyn BufRead + Send>>>,
    starts: LineStarts,
    names: Vec<String>,
    readings: Vec<CellReading>,
    row: csv::StringRecord,
    line: u64,
}

impl CsvRows {
    /// Rows whose cells have this byte between them; where none is given, the one that the header has.
    pub(super) fn open(
        file: File,
        separator: Option<u8>,
        columns: &TableColumns,
        table_use: TableUse,
    ) -> io::Result<Self> {
        let mut content = decompressed(file)?;
        let found = separator_of(content.fill_buf()?);
        let (lines, starts) = LineReader::new(content, RECORD_BYTES_MAX);
        let mut reader = csv::ReaderBuilder::new();
        reader.delimiter(separator.or(found).unwrap_or(b','));
        // The count of cells is checked here: the mark behind the last record has one.
        reader.flexible(true);
        let mut reader = reader.from_reader(lines);
        let headers = reader.headers();
        let headers = headers.map_err(|error| starts.explain(error, 0))?;
        let last = headers.iter().next_back().unwrap_or_default().as_bytes();
        if has_open_quote(last) {
            return Err(starts.open_quote(0));
        }
        let is_empty = is_end(headers.len(), last);
        let names: Vec<String> = headers
            .iter()
            .filter(|_| !is_empty)
            .map(|written| columns.name_of(written).to_owned())
            .collect();
        if let (&[_], Some(separator), Some(found)) = (&*names, separator, found)
            && found != separator
        {
            return Err(invalid(&format!(
                "its header is one cell, and `{}` separates the names in it; write {}, or give the file a name \
                 that ends in .txt, for which the header decides",
                found.escape_ascii(),
                if separator == b',' { "commas" } else { "tabs" },
            )));
        }
        columns.check(names.iter().map(String::as_str), table_use)?;
        Ok(Self {
            reader,
            starts,
            readings: names.iter().map(|name| columns.reading(name)).collect(),
            names,
            row: csv::StringRecord::new(),
            line: 1,
        })
    }
}

/// What separates the names of a header: of the usual bytes, the one that it has most of.
fn separator_of(head: &[u8]) -> Option<u8> {
    let header = head.split(|&byte| byte == b'\n').next()?;
    let count = |byte: u8| header.iter().filter(|&&other| other == byte).count();
    [b',', b'|', b';', b'\t']
        .into_iter()
        .filter(|&byte| count(byte) > 0)
        .max_by_key(|&byte| count(byte))
}

impl CsvRows {
    /// An error for a row that has another number of cells than the header.
    fn unequal(&self) -> io::Error {
        let (count, expected) = (self.row.len(), self.names.len());
        invalid(&format!(
            "{} has {count} cells, and the header {expected}; quote cells that hold a comma",
            self.position()
        ))
    }
}

impl TableRows for CsvRows {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn position(&self) -> TablePosition {
        TablePosition::Line(self.line)
    }

    fn next_row(&mut self) -> io::Result<Option<Map<String, Value>>> {
        self.starts.begin_record();
        let begin = self.reader.position().byte();
        let more = self.reader.read_record(&mut self.row);
        if !more.map_err(|error| self.starts.explain(error, begin))? {
            return Ok(None);
        }
        let last = self.row.iter().next_back().unwrap_or_default().as_bytes();
        if is_end(self.row.len(), last) {
            return Ok(None);
        }
        if has_open_quote(last) {
            return Err(self.starts.open_quote(begin));
        }
        self.line = self.starts.line_at(begin).unwrap_or(self.line);
        if self.row.len() != self.names.len() {
            return Err(self.unequal());
        }
        let texts = self.readings.iter().zip(self.row.iter());
        let cells = texts.map(|(reading, text)| reading.cell(text));
        Ok(Some(self.names.iter().cloned().zip(cells).collect()))
    }
}
