//! What one event changed, as the features see it.

use super::quote::TopOfBook;
use crate::engine::book::Book;
use crate::event::{Bar, Trade};

/// What one event changed, as the features see it.
#[derive(Clone, Copy, Debug)]
pub struct MarketUpdate<'a> {
    /// The event's time in nanoseconds; never behind that of the event before.
    pub now: i64,
    /// The trade, if it was one.
    pub trade: Option<&'a Trade>,
    /// The best bid and offer, where both are known.
    pub top: Option<TopOfBook>,
    /// Whether this event set `top`.
    pub top_set: bool,
    /// The book.
    pub book: &'a Book,
    /// Whether this event changed the book's levels.
    pub book_set: bool,
    /// The bar, if it was one.
    pub bar: Option<&'a Bar>,
    /// The economic figure by its number, if it was one.
    pub figure: Option<(u16, f64)>,
}

impl MarketUpdate<'_> {
    /// The best bid and offer, if this event set them.
    pub(super) fn new_top(&self) -> Option<TopOfBook> {
        if self.top_set { self.top } else { None }
    }
}
