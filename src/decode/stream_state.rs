//! What the messages of one connection or partition leave behind for those that follow them.

use rustc_hash::FxHashMap;

use super::last_updates::LastUpdates;

/// What the messages of one connection or partition leave behind. A new connection begins with none of it.
#[derive(Clone, Debug, Default)]
pub struct StreamState {
    /// The newest book updates of each instrument.
    pub updates: LastUpdates,
    depths: FxHashMap<Box<str>, u16>,
    books: FxHashMap<Box<str>, Box<str>>,
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

    /// Whether a symbol's book is made of this stream, in the venue's words. Where several streams hold the
    /// book of a symbol, each to its own depth and with its own numbers, that is the one that came first.
    pub fn is_book(&mut self, symbol: &str, stream: &str) -> bool {
        match self.books.get(symbol) {
            Some(chosen) => **chosen == *stream,
            None => {
                if self.books.len() < SYMBOLS_MAX {
                    self.books.insert(symbol.into(), stream.into());
                }
                true
            }
        }
    }
}

/// Symbols that are remembered: more than a connection can subscribe to.
const SYMBOLS_MAX: usize = 10_000;
