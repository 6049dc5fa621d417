//! When a row is made, and when its inputs count as old.

/// When a row is made, and when its inputs count as old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowRules {
    /// The kind of event that makes a row.
    pub on: RowTrigger,
    /// Age of book and quote, in nanoseconds, above which a row is `stale`.
    pub stale_after: i64,
    /// Time between two events that make rows, in nanoseconds, above which the second begins anew: features
    /// over both sides are `gap`.
    pub max_gap: i64,
    /// How much earlier than the latest event of its instrument an event may be, in nanoseconds, before it
    /// is late.
    pub lateness: i64,
    /// What becomes of late events.
    pub late: LatePolicy,
}

/// What becomes of an event that is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatePolicy {
    /// It is used, at the latest time known.
    Update,
    /// It is not used. Changes of a book are: they follow numbers, and one left out would break the book.
    Drop,
    /// It is put in its place, and the signals that it changes are made again, where it is no later than so
    /// many nanoseconds. A later one is used at the latest time known, and so are changes of a book.
    Correct {
        /// How much later than the latest event of its instrument it may be.
        within: i64,
    },
}

/// The kind of event that makes a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowTrigger {
    /// Each trade.
    Trade,
    /// Each quote.
    Quote,
    /// Each change of the book, as often as the venue sends them (Binance: every 100 ms).
    Book,
    /// Each bar.
    Bar,
    /// Each record: an application, a statement or a headline.
    Record,
}
