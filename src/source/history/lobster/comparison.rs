//! The book rebuilt from the messages against the order book file, line by line.

use std::fs::File;
use std::io;
use std::path::Path;

use super::book_lines::BookLines;
use super::message::LobsterMessage;
use super::rows::RebuiltBook;
use super::text_lines::TextLines;
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
    let mut lines = TextLines::new(decompressed(File::open(messages)?)?);
    let mut told = BookLines::open(book)?;
    let mut rebuilt = RebuiltBook::new(BookLines::open(book)?.next_line()?);
    let mut comparison = BookComparison::default();
    loop {
        let is_message = lines.advance()?;
        let levels = told.next_line()?;
        if !is_message && levels.is_none() {
            return Ok(comparison);
        }
        comparison.compared += 1;
        let message = is_message
            .then(|| LobsterMessage::read(lines.line()).ok())
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
