//! The lines of a LOBSTER file that are not blank, each of bounded length.

use std::io::{self, BufRead, Read};

/// Bytes of a line, at most: 200 levels take a hundredth of it.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// The lines of a file.
pub(super) struct TextLines {
    content: Box<dyn BufRead + Send>,
    line: String,
    number: u64,
}

impl TextLines {
    pub(super) fn new(content: Box<dyn BufRead + Send>) -> Self {
        Self {
            content,
            line: String::new(),
            number: 0,
        }
    }

    /// Reads the next line that is not blank; false at the end. An error names the line.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        loop {
            self.line.clear();
            self.number += 1;
            let number = self.number;
            let named =
                |error: io::Error| io::Error::new(error.kind(), format!("line {number}: {error}"));
            let mut content = self.content.by_ref().take(LINE_BYTES_MAX);
            let count = content.read_line(&mut self.line).map_err(named)?;
            if count as u64 == LINE_BYTES_MAX && !self.line.ends_with('\n') {
                let what = format!(
                    "line {number}: it has more than {LINE_BYTES_MAX} bytes, as no line of LOBSTER has"
                );
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
            if count == 0 {
                return Ok(false);
            }
            if !self.line.trim().is_empty() {
                return Ok(true);
            }
        }
    }

    /// The line read last, without blanks around it.
    pub(super) fn line(&self) -> &str {
        self.line.trim()
    }

    /// Its number, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }
}
