//! On which line of a CSV file a row begins.
//!
//! The parser's own count is behind by one where lines end in CR LF, and does not skip the blank lines above
//! a row. So the lines are counted as they are read.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

/// Offset and number of each line that has been read and not been returned yet; blank lines are left out.
type Starts = Arc<Mutex<VecDeque<(u64, u64)>>>;

/// Finds the line at an offset.
#[derive(Debug)]
pub(in crate::source) struct LineStarts(Starts);

/// A reader that notes where lines begin.
pub(in crate::source) struct LineReader<R> {
    inner: R,
    starts: Starts,
    offset: u64,
    line: u64,
    at_start: bool,
}

impl<R: Read> LineReader<R> {
    /// Reads `inner`, and the lines of what is read.
    pub(in crate::source) fn new(inner: R) -> (Self, LineStarts) {
        let starts = Starts::default();
        let reader = Self {
            inner,
            starts: Arc::clone(&starts),
            offset: 0,
            line: 1,
            at_start: true,
        };
        (reader, LineStarts(starts))
    }

    fn note(&mut self, bytes: &[u8]) {
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
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
        let count = self.inner.read(buffer)?;
        self.note(&buffer[..count]);
        Ok(count)
    }
}

impl LineStarts {
    /// The first line, blank ones aside, that begins at this offset or behind it. Offsets must rise.
    pub(in crate::source) fn line_at(&self, offset: u64) -> Option<u64> {
        let mut starts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while starts.front().is_some_and(|&(start, _)| start < offset) {
            starts.pop_front();
        }
        starts.front().map(|&(_, line)| line)
    }
}
