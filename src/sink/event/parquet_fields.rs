//! Which field of an event stands in which column, named as the fields of the topics.

use std::sync::Arc;

use super::named::{side, trade_ids};
use crate::event::{Body, Level, Link, Splice, TradeIds};
use crate::units::{Nanos, Price, Size};

/// An event that waits to be written.
#[derive(Clone, Debug)]
pub(super) struct EventRow {
    pub(super) ts_event: Nanos,
    pub(super) ts_recv: Nanos,
    pub(super) instrument: Arc<str>,
    pub(super) body: Body,
    pub(super) bids: Vec<Level>,
    pub(super) asks: Vec<Level>,
}

/// A value of a row in a column.
pub(super) enum EventValue<'r> {
    Null,
    Time(i64),
    Text(&'r str),
    Price(Price),
    Size(Size),
    Number(u64),
    Flag(bool),
    Levels(&'r [Level]),
}

/// The type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnType {
    Time,
    Text,
    Decimal,
    Number,
    Flag,
    Levels,
}

/// A column: its name, its type, the kinds of row that must have it, and its value in a row.
pub(super) struct EventColumn {
    pub(super) name: &'static str,
    pub(super) of: ColumnType,
    needed_by: &'static [&'static str],
    pub(super) value: fn(&EventRow) -> EventValue<'_>,
}

const fn column(
    name: &'static str,
    of: ColumnType,
    needed_by: &'static [&'static str],
    value: fn(&EventRow) -> EventValue<'_>,
) -> EventColumn {
    EventColumn {
        name,
        of,
        needed_by,
        value,
    }
}

const ALL: &[&str] = &["trade", "quote", "book", "bar"];
const TRADE: &[&str] = &["trade"];
const QUOTE: &[&str] = &["quote"];
const BOOK: &[&str] = &["book"];
const BAR: &[&str] = &["bar"];
const NONE: &[&str] = &[];

macro_rules! of_kind {
    ($kind:ident, $body:ident, $value:expr) => {
        |row| match &row.body {
            Body::$kind($body) => $value,
            _ => EventValue::Null,
        }
    };
}

/// The place of the column that says what a row is, where a file has several kinds.
const EVENT: usize = 3;

pub(super) const COLUMNS: &[EventColumn] = &[
    column("ts_event", ColumnType::Time, ALL, |row| time(row.ts_event)),
    column("ts_recv", ColumnType::Time, NONE, |row| time(row.ts_recv)),
    column("symbol", ColumnType::Text, ALL, |row| {
        EventValue::Text(&row.instrument)
    }),
    column("event", ColumnType::Text, NONE, |row| {
        EventValue::Text(kind_of(&row.body))
    }),
    column(
        "price",
        ColumnType::Decimal,
        TRADE,
        of_kind!(Trade, trade, EventValue::Price(trade.price)),
    ),
    column(
        "size",
        ColumnType::Decimal,
        TRADE,
        of_kind!(Trade, trade, EventValue::Size(trade.size)),
    ),
    column(
        "side",
        ColumnType::Text,
        TRADE,
        of_kind!(Trade, trade, EventValue::Text(side(trade.side))),
    ),
    column(
        "trade_id",
        ColumnType::Number,
        NONE,
        of_kind!(
            Trade,
            trade,
            match trade.trade_id {
                0 => EventValue::Null,
                number => EventValue::Number(number),
            }
        ),
    ),
    column(
        "trade_ids",
        ColumnType::Text,
        NONE,
        of_kind!(
            Trade,
            trade,
            match trade.ids {
                TradeIds::Successive => EventValue::Null,
                ids => EventValue::Text(trade_ids(ids)),
            }
        ),
    ),
    column(
        "aggregate",
        ColumnType::Flag,
        NONE,
        of_kind!(
            Trade,
            trade,
            match trade.aggregate {
                true => EventValue::Flag(true),
                false => EventValue::Null,
            }
        ),
    ),
    column(
        "bid_px",
        ColumnType::Decimal,
        QUOTE,
        of_kind!(Quote, quote, EventValue::Price(quote.bid_px)),
    ),
    column(
        "bid_sz",
        ColumnType::Decimal,
        QUOTE,
        of_kind!(Quote, quote, EventValue::Size(quote.bid_sz)),
    ),
    column(
        "ask_px",
        ColumnType::Decimal,
        QUOTE,
        of_kind!(Quote, quote, EventValue::Price(quote.ask_px)),
    ),
    column(
        "ask_sz",
        ColumnType::Decimal,
        QUOTE,
        of_kind!(Quote, quote, EventValue::Size(quote.ask_sz)),
    ),
    column(
        "first_sequence",
        ColumnType::Number,
        BOOK,
        of_kind!(Depth, depth, EventValue::Number(depth.first)),
    ),
    column("sequence", ColumnType::Number, BOOK, |row| {
        match &row.body {
            Body::Depth(depth) => EventValue::Number(depth.last),
            Body::Quote(quote) if quote.sequence > 0 => EventValue::Number(quote.sequence),
            _ => EventValue::Null,
        }
    }),
    column(
        "snapshot",
        ColumnType::Flag,
        BOOK,
        of_kind!(Depth, depth, EventValue::Flag(depth.snapshot.is_some())),
    ),
    column("bids", ColumnType::Levels, BOOK, |row| match row.body {
        Body::Depth(_) => EventValue::Levels(&row.bids),
        _ => EventValue::Null,
    }),
    column("asks", ColumnType::Levels, BOOK, |row| match row.body {
        Body::Depth(_) => EventValue::Levels(&row.asks),
        _ => EventValue::Null,
    }),
    column(
        "splice",
        ColumnType::Text,
        NONE,
        of_kind!(
            Depth,
            depth,
            match depth.snapshot {
                Some(Splice::InOrder) => EventValue::Text("in_order"),
                _ => EventValue::Null,
            }
        ),
    ),
    column(
        "link",
        ColumnType::Text,
        NONE,
        of_kind!(
            Depth,
            depth,
            match depth.link {
                Link::Chain => EventValue::Text("chain"),
                Link::Range => EventValue::Null,
            }
        ),
    ),
    column(
        "keep",
        ColumnType::Number,
        NONE,
        of_kind!(
            Depth,
            depth,
            match depth.keep {
                0 => EventValue::Null,
                keep => EventValue::Number(keep.into()),
            }
        ),
    ),
    column(
        "open",
        ColumnType::Decimal,
        BAR,
        of_kind!(Bar, bar, EventValue::Price(bar.open)),
    ),
    column(
        "high",
        ColumnType::Decimal,
        BAR,
        of_kind!(Bar, bar, EventValue::Price(bar.high)),
    ),
    column(
        "low",
        ColumnType::Decimal,
        BAR,
        of_kind!(Bar, bar, EventValue::Price(bar.low)),
    ),
    column(
        "close",
        ColumnType::Decimal,
        BAR,
        of_kind!(Bar, bar, EventValue::Price(bar.close)),
    ),
    column(
        "volume",
        ColumnType::Decimal,
        NONE,
        of_kind!(Bar, bar, EventValue::Size(bar.volume)),
    ),
];

fn time(time: Nanos) -> EventValue<'static> {
    match time {
        Nanos::UNDEFINED => EventValue::Null,
        time => EventValue::Time(time.0),
    }
}

/// The word for the kind of a row.
fn kind_of(body: &Body) -> &'static str {
    match body {
        Body::Trade(_) => "trade",
        Body::Quote(_) => "quote",
        Body::Bar(_) => "bar",
        _ => "book",
    }
}

/// Whether a value is one that a column has: undefined prices and sizes are none.
fn is_value(value: &EventValue<'_>) -> bool {
    match value {
        EventValue::Null => false,
        EventValue::Price(price) => *price != Price::UNDEFINED,
        EventValue::Size(size) => *size != Size::UNDEFINED,
        _ => true,
    }
}

/// The places of the columns that some rows need.
pub(super) fn needed(rows: &[EventRow]) -> Vec<usize> {
    let has = |kind: &&&str| rows.iter().any(|row| kind_of(&row.body) == **kind);
    let kinds: Vec<&str> = ALL.iter().filter(has).copied().collect();
    let is_needed = |(at, column): &(usize, &EventColumn)| {
        let by_kind = column.needed_by.iter().any(|kind| kinds.contains(kind));
        let by_value = || rows.iter().any(|row| is_value(&(column.value)(row)));
        match *at {
            EVENT => kinds.len() > 1,
            _ => by_kind || by_value(),
        }
    };
    let columns = COLUMNS.iter().enumerate().filter(is_needed);
    columns.map(|(at, _)| at).collect()
}

impl EventColumn {
    /// Whether it is null in no row.
    pub(super) fn is_always_there(&self) -> bool {
        self.needed_by == ALL && self.of == ColumnType::Text
    }
}
