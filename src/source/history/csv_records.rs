//! Records of separated values, and the lines on which they stand.

use std::io::{self, BufRead};

use csv::ByteRecord;

use crate::source::table::line_starts::{LineReader, LineStarts};

/// Records of separated values, and their lines.
pub(super) struct CsvRecords {
    reader: csv::Reader<LineReader<Box<dyn BufRead + Send>>>,
    starts: LineStarts,
    pub(super) row: ByteRecord,
    line: u64,
    /// Whether the row that is there has been given: it is not given again.
    pub(super) is_given: bool,
}

impl CsvRecords {
    /// The records of a text whose cells have this byte between them.
    pub(super) fn new(content: Box<dyn BufRead + Send>, separator: u8) -> Self {
        let (lines, starts) = LineReader::new(content);
        let mut reader = csv::ReaderBuilder::new();
        reader
            .delimiter(separator)
            .flexible(true)
            .has_headers(false);
        Self {
            reader: reader.from_reader(lines),
            starts,
            row: ByteRecord::new(),
            line: 1,
            is_given: true,
        }
    }

    /// Goes to the next row; false at the end.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        if !std::mem::replace(&mut self.is_given, true) {
            return Ok(true);
        }
        if !self.reader.read_byte_record(&mut self.row)? {
            return Ok(false);
        }
        let offset = self.row.position().map(csv::Position::byte);
        let line = offset.and_then(|offset| self.starts.line_at(offset));
        self.line = line.unwrap_or(self.line);
        Ok(true)
    }

    /// The line of the row.
    pub(super) fn position(&self) -> String {
        format!("line {}", self.line)
    }
}
