//! Records of separated values, and the lines on which they stand.

use std::io::{self, BufRead};

use csv::ByteRecord;

use crate::source::table::line_starts::{LineReader, LineStarts, has_open_quote, is_end};

/// Bytes that a record, or the header, may have: more than any row of a market, and less than a file that a
/// stray quote makes one record of.
const RECORD_BYTES_MAX: usize = 1 << 20;

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
        let (lines, starts) = LineReader::new(content, RECORD_BYTES_MAX);
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
    ///
    /// # Errors
    /// Also where a record has more than [`RECORD_BYTES_MAX`] bytes, or a quote that is not closed.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        if !std::mem::replace(&mut self.is_given, true) {
            return Ok(true);
        }
        self.starts.begin_record();
        let begin = self.reader.position().byte();
        let more = self.reader.read_byte_record(&mut self.row);
        if !more.map_err(|error| self.starts.explain(error, begin))? {
            return Ok(false);
        }
        let count = self.row.len();
        let last = count.checked_sub(1).and_then(|last| self.row.get(last));
        let last = last.unwrap_or_default();
        if is_end(count, last) {
            return Ok(false);
        }
        if has_open_quote(last) {
            return Err(self.starts.open_quote(begin));
        }
        self.line = self.starts.line_at(begin).unwrap_or(self.line);
        Ok(true)
    }

    /// The line of the row.
    pub(super) fn position(&self) -> String {
        format!("line {}", self.line)
    }
}
