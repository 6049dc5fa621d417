//! LOBSTER files: the messages of Nasdaq's limit order book, and the book after each of them.
//!
//! `TICKER_YYYY-MM-DD_START_END_message_LEVELS.csv` has a line for each message: seconds since midnight in
//! New York, type (1 to 7), order, size, price in 1/10000 USD, direction. The book is rebuilt from the
//! messages. Orders that rested before the first one are unknown; the first line of the order book file
//! (`…_orderbook_LEVELS.csv`), where it is among the inputs, is the book after the first message, which
//! begins the rebuilt one. Its other lines are compared by `inspect`, and read by nothing else.
//! `[source.history]` may say another zone, venue or instrument.
//!
//! Source: LOBSTER, "Data structure" (lobsterdata.com/info/DataStructure.php, 2025).

mod book_lines;
mod comparison;
mod message;
mod name;
mod rows;
#[cfg(test)]
mod tests;
mod text_lines;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use self::book_lines::BookLines;
pub use self::comparison::{BookComparison, compare};
use self::name::{LobsterName, What};
use self::rows::MessageRows;
use super::format::{FileHead, HistoryFormat, HistoryOptions};
use super::row::HistoryRows;
use crate::units::Nanos;

/// LOBSTER's messages.
pub(super) struct Lobster;

impl HistoryFormat for Lobster {
    fn recognises(&self, path: &Path, head: &FileHead) -> bool {
        LobsterName::of(path).is_some() && !head.content.contains(&0)
    }

    fn open(
        &self,
        path: &Path,
        file: File,
        options: &HistoryOptions,
        begin: Option<Nanos>,
    ) -> io::Result<Box<dyn HistoryRows>> {
        let name =
            LobsterName::of(path).ok_or_else(|| io::Error::other("it has no name of LOBSTER"))?;
        if name.what == What::OrderBook {
            return Err(io::Error::other(format!(
                "it is LOBSTER's order book file, whose lines have no times: give its message file too ({})",
                name.with(What::Message).file_name(path)
            )));
        }
        let book = options
            .companions
            .iter()
            .find(|other| is_book_of(other, path));
        let first = book
            .map(|book| BookLines::open(book)?.next_line())
            .transpose()?;
        let rows = MessageRows::open(file, &name, first.flatten(), &options.mapping)?;
        Ok(Box::new(rows.from(begin)))
    }
}

/// Whether `book` is the order book file of the message file `messages`.
fn is_book_of(book: &Path, messages: &Path) -> bool {
    let of_messages = LobsterName::of(messages).filter(|name| name.what == What::Message);
    let of_book = LobsterName::of(book).filter(|name| name.what == What::OrderBook);
    of_book.is_some() && of_book == of_messages.map(|name| name.with(What::OrderBook))
}

/// The message files among the inputs that have their order book files there too, with these.
pub(super) fn pairs(paths: &[PathBuf]) -> Vec<(PathBuf, PathBuf)> {
    let book_of = |path: &PathBuf| paths.iter().find(|other| is_book_of(other, path)).cloned();
    paths
        .iter()
        .filter_map(|path| Some((path.clone(), book_of(path)?)))
        .collect()
}
