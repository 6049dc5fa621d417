//! The book rebuilt from the messages against the order book file, line by line.

use std::fs::File;
use std::io::{self, BufRead};
use std::path::Path;

use super::book_lines::BookLines;
use super::message::LobsterMessage;
use super::rows::RebuiltBook;
use crate::source::compression::decompressed;

/// How often the best levels of the rebuilt book were those of the order book file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BookComparison {
    /// Lines of the longer file: where one has no counterpart, or cannot be read, the two differ.
    pub compared: u64,
    /// Of them equal, in price and size of both sides.
    pub equal: u64,
}

/// Compares the best levels after each message.
///
/// # Errors
/// Where a file cannot be read.
pub fn compare(messages: &Path, book: &Path) -> io::Result<BookComparison> {
    let mut lines = decompressed(File::open(messages)?)?;
    let mut told = BookLines::open(book)?;
    let mut rebuilt = RebuiltBook::new(BookLines::open(book)?.next_line()?);
    let mut comparison = BookComparison::default();
    let mut line = String::new();
    loop {
        let is_message = next(&mut lines, &mut line)?;
        let levels = told.next_line()?;
        if !is_message && levels.is_none() {
            return Ok(comparison);
        }
        comparison.compared += 1;
        let message = is_message
            .then(|| LobsterMessage::read(line.trim()).ok())
            .flatten();
        if let Some(message) = message {
            rebuilt.take(&message);
            let best = (rebuilt.book.best_bid(), rebuilt.book.best_ask());
            let equal = levels.is_some_and(|levels| {
                best == (levels.bids.first().copied(), levels.asks.first().copied())
            });
            comparison.equal += u64::from(equal);
        }
    }
}

/// Reads the next line that is not blank; false at the end.
fn next(lines: &mut dyn BufRead, line: &mut String) -> io::Result<bool> {
    loop {
        line.clear();
        if lines.read_line(line)? == 0 {
            return Ok(false);
        }
        if !line.trim().is_empty() {
            return Ok(true);
        }
    }
}
