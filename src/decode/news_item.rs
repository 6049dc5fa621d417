//! A news item of a feed, before it is routed to instruments.

use std::borrow::Cow;

use super::decoded::Notice;
use crate::units::Nanos;

/// What a message of a news feed is.
#[derive(Clone, Debug, PartialEq)]
pub enum NewsMessage<'m> {
    /// An item, or a revision of one.
    Item(NewsItem<'m>),
    /// A message about the connection.
    Notice(Notice),
}

/// One revision of a news item.
#[derive(Clone, Debug, PartialEq)]
pub struct NewsItem<'m> {
    /// When this revision was published.
    pub ts_event: Nanos,
    /// Identifier of the item, the same for each of its revisions.
    pub id: Cow<'m, str>,
    /// Number of the revision: later ones have higher numbers.
    pub revision: u64,
    /// The headline; may hold HTML.
    pub headline: Cow<'m, str>,
    /// Its language as a BCP 47 tag; none where it is judged by its script.
    pub language: Option<Cow<'m, str>>,
    /// The names of the instruments that it concerns, as `SYMBOL.VENUE`; none where its headline decides.
    pub instruments: Vec<String>,
    /// The field that lists them, for errors.
    pub listed_in: &'static str,
}
