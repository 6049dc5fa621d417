//! What the messages of one connection or partition leave behind for those that follow them.

use rustc_hash::FxHashMap;

use super::last_updates::LastUpdates;
use crate::event::Quote;

/// What the messages of one connection or partition leave behind. A new connection begins with none of it.
#[derive(Clone, Debug, Default)]
pub struct StreamState {
    /// The newest book updates of each instrument.
    pub updates: LastUpdates,
    depths: FxHashMap<Box<str>, u16>,
    books: FxHashMap<Box<str>, Box<str>>,
    quotes: FxHashMap<Box<str>, (u64, Quote)>,
}

impl StreamState {
    /// Notes the levels a side that the venue has promised for the book of a symbol.
    pub fn note_depth(&mut self, symbol: &str, levels: u16) {
        if self.depths.len() < SYMBOLS_MAX || self.depths.contains_key(symbol) {
            self.depths.insert(symbol.into(), levels);
        }
    }

    /// The levels a side of the book of a symbol, if the venue has named them.
    #[must_use]
    pub fn depth_of(&self, symbol: &str) -> Option<u16> {
        self.depths.get(symbol).copied()
    }

    /// Whether a symbol's book is made of this stream, in the venue's words. Several streams may hold the
    /// book of a symbol, each to its own depth and with changes of its own: then it is the one that began
    /// last with a snapshot, or else the one that came first.
    #[must_use]
    pub fn is_book(&self, symbol: &str, stream: &str, begins: bool) -> bool {
        let chosen = self.books.get(symbol);
        chosen.is_none_or(|chosen| **chosen == *stream || begins)
    }

    /// Notes that a symbol's book is made of this stream: a message of it was read.
    pub fn note_book(&mut self, symbol: &str, stream: &str) {
        if let Some(chosen) = self.books.get_mut(symbol) {
            if **chosen != *stream {
                *chosen = stream.into();
            }
        } else if self.books.len() < SYMBOLS_MAX {
            self.books.insert(symbol.into(), stream.into());
        }
    }

    /// Notes a quote of a symbol, and the number of the update that it is of.
    pub fn note_quote(&mut self, symbol: &str, number: u64, quote: Quote) {
        if let Some(noted) = self.quotes.get_mut(symbol) {
            *noted = (number, quote);
        } else if self.quotes.len() < SYMBOLS_MAX {
            self.quotes.insert(symbol.into(), (number, quote));
        }
    }

    /// The quote of a symbol, if it is that of this update. For venues that send the changes of a quote.
    #[must_use]
    pub fn quote_of(&self, symbol: &str, number: u64) -> Option<Quote> {
        let noted = self.quotes.get(symbol).filter(|noted| noted.0 == number);
        noted.map(|noted| noted.1)
    }

    /// Forgets the quote of a symbol where updates before this one are missing. Returns how many.
    pub fn lose_quote(&mut self, symbol: &str, number: u64) -> Option<u64> {
        let (last, _) = self.quotes.get(symbol)?;
        let missing = number.checked_sub(*last)?.checked_sub(1)?;
        self.quotes.remove(symbol);
        Some(missing)
    }
}

/// Symbols that are remembered: more than a connection can subscribe to.
const SYMBOLS_MAX: usize = 10_000;
