//! On which line of a CSV file a row begins, and where it does not end.
//!
//! The parser's own count is behind by one where lines end in CR LF, and does not skip the blank lines above
//! a row. So the lines are counted as they are read. Nor does the parser bound a record, or say that a quote
//! is still open at the end of the file: so the bytes of a record are counted, and a mark is read behind the
//! last one, which is a record of its own where no quote is open.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What a reader notes.
#[derive(Debug, Default)]
struct Notes {
    /// Offset and number of each line that has been read and not been returned yet; blank lines are left
    /// out.
    starts: Mutex<VecDeque<(u64, u64)>>,
    /// Bytes that have been read since the record began.
    of_record: AtomicUsize,
}

/// Finds the line at an offset.
#[derive(Debug)]
pub(in crate::source) struct LineStarts(Arc<Notes>);

/// A reader that notes where lines begin, and ends with [`END_MARK`].
pub(in crate::source) struct LineReader<R> {
    inner: R,
    notes: Arc<Notes>,
    offset: u64,
    line: u64,
    at_start: bool,
    record_bytes_max: usize,
    /// How much of the mark has been read.
    marked: usize,
}

/// What is read behind the last line: its end, and a record that no file has.
const END_MARK: &[u8] = b"\n\0no quote is open here\0\n";

/// Whether a record that has this last cell is the mark behind the last one.
pub(in crate::source) fn is_end(cells: usize, last: &[u8]) -> bool {
    cells == 1 && last == END_MARK.trim_ascii()
}

/// Whether a quote is still open where the file ends: the mark is then in the last cell.
pub(in crate::source) fn has_open_quote(last: &[u8]) -> bool {
    last.ends_with(END_MARK)
}

impl<R: Read> LineReader<R> {
    /// Reads `inner`, and the lines of what is read. A record may have so many bytes.
    pub(in crate::source) fn new(inner: R, record_bytes_max: usize) -> (Self, LineStarts) {
        let notes = Arc::new(Notes::default());
        let reader = Self {
            inner,
            notes: Arc::clone(&notes),
            offset: 0,
            line: 1,
            at_start: true,
            record_bytes_max,
            marked: 0,
        };
        (reader, LineStarts(notes))
    }

    fn note(&mut self, bytes: &[u8]) {
        let starts = &self.notes.starts;
        let mut starts = starts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut at = 0;
        while at < bytes.len() {
            if self.at_start && !matches!(bytes[at], b'\r' | b'\n') {
                starts.push_back((self.offset + at as u64, self.line));
                self.at_start = false;
            }
            let Some(end) = memchr::memchr(b'\n', &bytes[at..]) else {
                break;
            };
            at += end + 1;
            self.line += 1;
            self.at_start = true;
        }
        self.offset += bytes.len() as u64;
    }
}

impl<R: Read> Read for LineReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let before = self.notes.of_record.load(Ordering::Relaxed);
        if before > self.record_bytes_max {
            return Err(io::Error::other(TooLong(self.record_bytes_max)));
        }
        let count = match self.marked {
            0 => self.inner.read(buffer)?,
            _ => 0,
        };
        self.note(&buffer[..count]);
        let mut count = count;
        if count == 0 {
            count = (&END_MARK[self.marked..]).read(buffer)?;
            self.marked += count;
        }
        self.notes
            .of_record
            .store(before + count, Ordering::Relaxed);
        Ok(count)
    }
}

/// A record has more bytes than it may have.
#[derive(Debug, thiserror::Error)]
#[error(
    "the record that begins there has more than {0} bytes; if a stray quote (`\"`) in it is never closed, remove \
     it or write it twice; if the file has no lines, it is no file of separated values"
)]
struct TooLong(usize);

impl LineStarts {
    /// Begins a record: what was read so far is not of it, but for what the parser holds.
    pub(in crate::source) fn begin_record(&self) {
        self.0.of_record.store(0, Ordering::Relaxed);
    }

    /// The first line, blank ones aside, that begins at this offset or behind it. Offsets must rise.
    pub(in crate::source) fn line_at(&self, offset: u64) -> Option<u64> {
        let starts = &self.0.starts;
        let mut starts = starts.lock().unwrap_or_else(PoisonError::into_inner);
        while starts.front().is_some_and(|&(start, _)| start < offset) {
            starts.pop_front();
        }
        starts.front().map(|&(_, line)| line)
    }

    /// An error for a record at this offset whose quote is still open at the end of the file.
    pub(in crate::source) fn open_quote(&self, offset: u64) -> io::Error {
        let line = self.line_at(offset).unwrap_or_default();
        io::Error::other(format!(
            "line {line}: in the record that begins there a quote (`\"`) is open, and is not closed until the file \
             ends: remove a stray quote or write it twice, or copy the file again if it is cut off"
        ))
    }

    /// An error of reading a record at this offset; with its line where it has grown too long.
    pub(in crate::source) fn explain(&self, error: csv::Error, offset: u64) -> io::Error {
        if !error.is_io_error() {
            return error.into();
        }
        let csv::ErrorKind::Io(error) = error.into_kind() else {
            return io::Error::other("it cannot be read");
        };
        let is_too_long = error.get_ref().is_some_and(|inner| inner.is::<TooLong>());
        match self.line_at(offset).filter(|_| is_too_long) {
            Some(line) => io::Error::other(format!("line {line}: {error}")),
            None => error,
        }
    }
}
