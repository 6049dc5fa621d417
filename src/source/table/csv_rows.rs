//! Rows of a file of separated values: CSV and its kin.

use std::fs::File;
use std::io::{self, BufRead};

use serde_json::{Map, Value};

use super::cell::CellReading;
use super::columns::{TableColumns, TableUse};
use super::line_starts::{LineReader, LineStarts};
use super::position::{TablePosition, invalid};
use super::rows::TableRows;
use crate::source::compression::decompressed;

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
        let (lines, starts) = LineReader::new(content);
        let mut reader = csv::ReaderBuilder::new();
        reader.delimiter(separator.or(found).unwrap_or(b','));
        let mut reader = reader.from_reader(lines);
        let headers = reader.headers()?.iter();
        let names: Vec<String> = headers
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
    fn find_line(&mut self, offset: Option<u64>) {
        let line = offset.and_then(|offset| self.starts.line_at(offset));
        self.line = line.unwrap_or(self.line);
    }

    /// An error of the parser, with the line that we counted.
    fn explain(&mut self, error: csv::Error) -> io::Error {
        let csv::ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } = error.kind()
        else {
            return error.into();
        };
        self.find_line(pos.as_ref().map(csv::Position::byte));
        invalid(&format!(
            "{} has {len} cells, and the header {expected_len}; quote cells that hold a comma",
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
        let more = self.reader.read_record(&mut self.row);
        if !more.map_err(|error| self.explain(error))? {
            return Ok(None);
        }
        self.find_line(self.row.position().map(csv::Position::byte));
        let texts = self.readings.iter().zip(self.row.iter());
        let cells = texts.map(|(reading, text)| reading.cell(text));
        Ok(Some(self.names.iter().cloned().zip(cells).collect()))
    }
}
