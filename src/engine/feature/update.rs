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
    /// The best bid and offer; none while a side is empty.
    pub top: Option<TopOfBook>,
    /// Whether this event set `top`, or took it away.
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
    /// A number of the best bid and offer, if this event set them: NaN where a side is empty.
    pub(super) fn of_top(&self, number: impl FnOnce(&TopOfBook) -> f64) -> Option<f64> {
        let set = self.top_set;
        set.then(|| self.top.as_ref().map_or(f64::NAN, number))
    }
}
