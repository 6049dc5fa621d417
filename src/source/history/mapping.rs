//! What is told about the columns of an archive: `[source.history]`, checked.

use chrono_tz::Tz;

use crate::event::TradeIds;

/// What is told about the columns of an archive. A name that is none is found by itself where the file's
/// columns are named as the fields of our topics, or as those of a known form.
#[derive(Clone, Debug, Default)]
pub struct HistoryMapping {
    /// The form that the files have, where their names and headers do not say it.
    pub preset: Option<HistoryPreset>,
    /// The names of columns, by what they hold.
    pub columns: Vec<(Role, String)>,
    /// The unit of times that are written as numbers; none: told by their magnitude.
    pub ts_unit: Option<HistoryUnit>,
    /// The zone of times that are written without one; none: UTC, or that of the form.
    pub zone: Option<Tz>,
    /// The whole name of the instrument of all rows.
    pub instrument: Option<String>,
    /// The venue of symbols that name none.
    pub venue: Option<String>,
    /// Whether the side of trades is found by the tick test.
    pub tick_rule: bool,
    /// What the numbers of trades say; none: that each is another one.
    pub trade_ids: Option<TradeIds>,
    /// Prices are whole numbers of 10^-places.
    pub price_places: Option<i32>,
    /// Sizes are whole numbers of 10^-places.
    pub size_places: Option<i32>,
    /// How long after its time a bar ends, in nanoseconds.
    pub bar_ns: Option<i64>,
}

/// A form of files that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryPreset {
    /// Public data of Binance: trades, aggTrades and klines.
    Binance,
    /// Tardis: trades, quotes, incremental_book_L2, book_snapshot_5 and _25.
    Tardis,
    /// LEAN of QuantConnect: ticks, and bars of a day, an hour, a minute, a second.
    Lean,
    /// Bars of days: `Date,Open,High,Low,Close,Volume`.
    Daily,
}

/// The unit of times that are written as numbers, since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
    Nanoseconds,
}

impl HistoryUnit {
    /// Nanoseconds in one.
    #[must_use]
    pub fn nanos(self) -> i64 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Milliseconds => 1_000_000,
            Self::Microseconds => 1_000,
            Self::Nanoseconds => 1,
        }
    }
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The venue's time.
    TsEvent,
    /// The time at which the row was received.
    TsRecv,
    /// The symbol, or the whole name of the instrument.
    Symbol,
    /// The venue of the symbol.
    Venue,
    /// The price of a trade.
    Price,
    /// The size of a trade.
    Size,
    /// The side that started a trade, or, as a truth value, whether the buyer was the maker.
    Side,
    /// The number of a trade.
    TradeId,
    /// What the numbers of trades say: `successive`, `rising`, `distinct`.
    TradeIds,
    /// Whether a trade is several fills of one order.
    Aggregate,
    /// The best bid.
    BidPx,
    /// The size at the best bid.
    BidSz,
    /// The best ask.
    AskPx,
    /// The size at the best ask.
    AskSz,
    /// The number of a quote or a book change.
    Sequence,
    /// The number of the first update in a book change.
    FirstSequence,
    /// Whether a book change is a whole book.
    Snapshot,
    /// The bid levels of a book change, as a list.
    Bids,
    /// The ask levels of a book change, as a list.
    Asks,
    /// How a whole book joins the changes around it: `in_order`, else by its number.
    Splice,
    /// What must be true of the numbers of two changes: `chain`, else ranges.
    Link,
    /// Of a whole book: the levels a side that the venue keeps up to date.
    Keep,
    /// The first price of a bar.
    Open,
    /// The highest price of a bar.
    High,
    /// The lowest price of a bar.
    Low,
    /// The last price of a bar.
    Close,
    /// The quantity traded in a bar.
    Volume,
    /// What the row is: `trade`, `quote`, `book`, `bar`, where a file holds several.
    Event,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 28] = [
        Self::TsEvent,
        Self::TsRecv,
        Self::Symbol,
        Self::Venue,
        Self::Price,
        Self::Size,
        Self::Side,
        Self::TradeId,
        Self::TradeIds,
        Self::Aggregate,
        Self::BidPx,
        Self::BidSz,
        Self::AskPx,
        Self::AskSz,
        Self::Sequence,
        Self::FirstSequence,
        Self::Snapshot,
        Self::Bids,
        Self::Asks,
        Self::Splice,
        Self::Link,
        Self::Keep,
        Self::Open,
        Self::High,
        Self::Low,
        Self::Close,
        Self::Volume,
        Self::Event,
    ];

    /// The name of the field in our topics.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::TsEvent => "ts_event",
            Self::TsRecv => "ts_recv",
            Self::Symbol => "symbol",
            Self::Venue => "venue",
            Self::Price => "price",
            Self::Size => "size",
            Self::Side => "side",
            Self::TradeId => "trade_id",
            Self::TradeIds => "trade_ids",
            Self::Aggregate => "aggregate",
            Self::BidPx => "bid_px",
            Self::BidSz => "bid_sz",
            Self::AskPx => "ask_px",
            Self::AskSz => "ask_sz",
            Self::Sequence => "sequence",
            Self::FirstSequence => "first_sequence",
            Self::Snapshot => "snapshot",
            Self::Bids => "bids",
            Self::Asks => "asks",
            Self::Splice => "splice",
            Self::Link => "link",
            Self::Keep => "keep",
            Self::Open => "open",
            Self::High => "high",
            Self::Low => "low",
            Self::Close => "close",
            Self::Volume => "volume",
            Self::Event => "event",
        }
    }
}
