//! The columns in which events stand in Parquet: named as the fields of the topics.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder, StructBuilder,
};
use arrow_array::{ArrayRef, RecordBatch, TimestampNanosecondArray};
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, TimeUnit};

use super::json::{side, trade_ids};
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
enum Value<'r> {
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
enum ColumnType {
    Time,
    Text,
    Decimal,
    Number,
    Flag,
    Levels,
}

/// A column: its name, its type, the kinds of row that must have it, and its value in a row.
struct Column {
    name: &'static str,
    of: ColumnType,
    needed_by: &'static [&'static str],
    value: fn(&EventRow) -> Value<'_>,
}

const fn column(
    name: &'static str,
    of: ColumnType,
    needed_by: &'static [&'static str],
    value: fn(&EventRow) -> Value<'_>,
) -> Column {
    Column {
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
            _ => Value::Null,
        }
    };
}

/// The place of the column that says what a row is, where a file has several kinds.
const EVENT: usize = 3;

const COLUMNS: &[Column] = &[
    column("ts_event", ColumnType::Time, ALL, |row| time(row.ts_event)),
    column("ts_recv", ColumnType::Time, NONE, |row| time(row.ts_recv)),
    column("symbol", ColumnType::Text, ALL, |row| {
        Value::Text(&row.instrument)
    }),
    column("event", ColumnType::Text, NONE, |row| {
        Value::Text(kind_of(&row.body))
    }),
    column(
        "price",
        ColumnType::Decimal,
        TRADE,
        of_kind!(Trade, trade, Value::Price(trade.price)),
    ),
    column(
        "size",
        ColumnType::Decimal,
        TRADE,
        of_kind!(Trade, trade, Value::Size(trade.size)),
    ),
    column(
        "side",
        ColumnType::Text,
        TRADE,
        of_kind!(Trade, trade, Value::Text(side(trade.side))),
    ),
    column(
        "trade_id",
        ColumnType::Number,
        NONE,
        of_kind!(
            Trade,
            trade,
            match trade.trade_id {
                0 => Value::Null,
                number => Value::Number(number),
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
                TradeIds::Successive => Value::Null,
                ids => Value::Text(trade_ids(ids)),
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
                true => Value::Flag(true),
                false => Value::Null,
            }
        ),
    ),
    column(
        "bid_px",
        ColumnType::Decimal,
        QUOTE,
        of_kind!(Quote, quote, Value::Price(quote.bid_px)),
    ),
    column(
        "bid_sz",
        ColumnType::Decimal,
        QUOTE,
        of_kind!(Quote, quote, Value::Size(quote.bid_sz)),
    ),
    column(
        "ask_px",
        ColumnType::Decimal,
        QUOTE,
        of_kind!(Quote, quote, Value::Price(quote.ask_px)),
    ),
    column(
        "ask_sz",
        ColumnType::Decimal,
        QUOTE,
        of_kind!(Quote, quote, Value::Size(quote.ask_sz)),
    ),
    column(
        "first_sequence",
        ColumnType::Number,
        BOOK,
        of_kind!(Depth, depth, Value::Number(depth.first)),
    ),
    column("sequence", ColumnType::Number, BOOK, |row| {
        match &row.body {
            Body::Depth(depth) => Value::Number(depth.last),
            Body::Quote(quote) if quote.sequence > 0 => Value::Number(quote.sequence),
            _ => Value::Null,
        }
    }),
    column(
        "snapshot",
        ColumnType::Flag,
        BOOK,
        of_kind!(Depth, depth, Value::Flag(depth.snapshot.is_some())),
    ),
    column("bids", ColumnType::Levels, BOOK, |row| match row.body {
        Body::Depth(_) => Value::Levels(&row.bids),
        _ => Value::Null,
    }),
    column("asks", ColumnType::Levels, BOOK, |row| match row.body {
        Body::Depth(_) => Value::Levels(&row.asks),
        _ => Value::Null,
    }),
    column(
        "splice",
        ColumnType::Text,
        NONE,
        of_kind!(
            Depth,
            depth,
            match depth.snapshot {
                Some(Splice::InOrder) => Value::Text("in_order"),
                _ => Value::Null,
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
                Link::Chain => Value::Text("chain"),
                Link::Range => Value::Null,
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
                0 => Value::Null,
                keep => Value::Number(keep.into()),
            }
        ),
    ),
    column(
        "open",
        ColumnType::Decimal,
        BAR,
        of_kind!(Bar, bar, Value::Price(bar.open)),
    ),
    column(
        "high",
        ColumnType::Decimal,
        BAR,
        of_kind!(Bar, bar, Value::Price(bar.high)),
    ),
    column(
        "low",
        ColumnType::Decimal,
        BAR,
        of_kind!(Bar, bar, Value::Price(bar.low)),
    ),
    column(
        "close",
        ColumnType::Decimal,
        BAR,
        of_kind!(Bar, bar, Value::Price(bar.close)),
    ),
    column(
        "volume",
        ColumnType::Decimal,
        NONE,
        of_kind!(Bar, bar, Value::Size(bar.volume)),
    ),
];

fn time(time: Nanos) -> Value<'static> {
    match time {
        Nanos::UNDEFINED => Value::Null,
        time => Value::Time(time.0),
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
fn is_value(value: &Value<'_>) -> bool {
    match value {
        Value::Null => false,
        Value::Price(price) => *price != Price::UNDEFINED,
        Value::Size(size) => *size != Size::UNDEFINED,
        _ => true,
    }
}

/// The places of the columns that some rows need.
pub(super) fn needed(rows: &[EventRow]) -> Vec<usize> {
    let has = |kind: &&&str| rows.iter().any(|row| kind_of(&row.body) == **kind);
    let kinds: Vec<&str> = ALL.iter().filter(has).copied().collect();
    let is_needed = |(at, column): &(usize, &Column)| {
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

/// The schema of these columns, with decimals as text or as float64.
pub(super) fn schema(columns: &[usize], is_exact: bool) -> Arc<Schema> {
    let field = |at: &usize| {
        let column = &COLUMNS[*at];
        let is_needed = column.needed_by == ALL && column.of == ColumnType::Text;
        Field::new(column.name, type_of(column.of, is_exact), !is_needed)
    };
    Arc::new(Schema::new(columns.iter().map(field).collect::<Fields>()))
}

fn type_of(of: ColumnType, is_exact: bool) -> DataType {
    let decimal = match is_exact {
        true => DataType::Utf8,
        false => DataType::Float64,
    };
    match of {
        ColumnType::Time => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        ColumnType::Text => DataType::Utf8,
        ColumnType::Decimal => decimal,
        ColumnType::Number => DataType::Int64,
        ColumnType::Flag => DataType::Boolean,
        ColumnType::Levels => {
            let level = DataType::Struct(level_fields(&decimal));
            DataType::List(Arc::new(Field::new("item", level, true)))
        }
    }
}

fn level_fields(decimal: &DataType) -> Fields {
    let part = |name: &str| Field::new(name, decimal.clone(), true);
    [part("price"), part("size")].into_iter().collect()
}

/// The rows as a batch of these columns.
///
/// # Errors
/// The number that a float64 would change, where decimals are written as such.
pub(super) fn batch(
    rows: &[EventRow],
    columns: &[usize],
    schema: &Arc<Schema>,
    is_exact: bool,
) -> Result<RecordBatch, String> {
    let arrays = columns
        .iter()
        .map(|at| array(rows, &COLUMNS[*at], is_exact));
    let arrays: Result<Vec<ArrayRef>, String> = arrays.collect();
    let batch = RecordBatch::try_new(Arc::clone(schema), arrays?);
    batch.map_err(|error: ArrowError| error.to_string())
}

fn array(rows: &[EventRow], column: &Column, is_exact: bool) -> Result<ArrayRef, String> {
    let values = rows.iter().map(column.value);
    Ok(match column.of {
        ColumnType::Time => {
            let times = values.map(|value| match value {
                Value::Time(time) => Some(time),
                _ => None,
            });
            let times: TimestampNanosecondArray = times.collect();
            Arc::new(times.with_timezone("UTC"))
        }
        ColumnType::Text => {
            let mut texts = StringBuilder::new();
            values.for_each(|value| match value {
                Value::Text(text) => texts.append_value(text),
                _ => texts.append_null(),
            });
            Arc::new(texts.finish())
        }
        ColumnType::Number => {
            let mut numbers = Int64Builder::new();
            values.for_each(|value| match value {
                Value::Number(number) => numbers.append_option(i64::try_from(number).ok()),
                _ => numbers.append_null(),
            });
            Arc::new(numbers.finish())
        }
        ColumnType::Flag => {
            let mut flags = BooleanBuilder::new();
            values.for_each(|value| match value {
                Value::Flag(flag) => flags.append_value(flag),
                _ => flags.append_null(),
            });
            Arc::new(flags.finish())
        }
        ColumnType::Decimal => decimals(values, is_exact)?,
        ColumnType::Levels => levels(values, is_exact)?,
    })
}

fn decimals<'r>(
    values: impl Iterator<Item = Value<'r>>,
    is_exact: bool,
) -> Result<ArrayRef, String> {
    let mut column = Decimals::new(is_exact);
    for value in values {
        match value {
            Value::Price(price) => column.price(price)?,
            Value::Size(size) => column.size(size)?,
            _ => column.null(),
        }
    }
    Ok(match column {
        Decimals::Text(mut texts) => Arc::new(texts.finish()),
        Decimals::Float(mut floats) => Arc::new(floats.finish()),
    })
}

fn levels<'r>(values: impl Iterator<Item = Value<'r>>, is_exact: bool) -> Result<ArrayRef, String> {
    let decimal = type_of(ColumnType::Decimal, is_exact);
    let mut list = ListBuilder::new(StructBuilder::from_fields(level_fields(&decimal), 0));
    for value in values {
        let Value::Levels(levels) = value else {
            list.append(false);
            continue;
        };
        for level in levels {
            let parts = list.values();
            let (price, size) = (level.price.to_string(), level.size.to_string());
            match is_exact {
                true => {
                    for (at, text) in [price, size].iter().enumerate() {
                        if let Some(part) = parts.field_builder::<StringBuilder>(at) {
                            part.append_value(text);
                        }
                    }
                }
                false => {
                    let numbers = [price_float(level.price)?, size_float(level.size)?];
                    for (at, number) in numbers.into_iter().enumerate() {
                        if let Some(part) = parts.field_builder::<Float64Builder>(at) {
                            part.append_value(number);
                        }
                    }
                }
            }
            parts.append(true);
        }
        list.append(true);
    }
    Ok(Arc::new(list.finish()))
}

/// A column of decimals.
enum Decimals {
    Text(StringBuilder),
    Float(Float64Builder),
}

impl Decimals {
    fn new(is_exact: bool) -> Self {
        match is_exact {
            true => Self::Text(StringBuilder::new()),
            false => Self::Float(Float64Builder::new()),
        }
    }

    fn price(&mut self, price: Price) -> Result<(), String> {
        match self {
            _ if price == Price::UNDEFINED => self.null(),
            Self::Text(texts) => texts.append_value(price.to_string()),
            Self::Float(floats) => floats.append_value(price_float(price)?),
        }
        Ok(())
    }

    fn size(&mut self, size: Size) -> Result<(), String> {
        match self {
            _ if size == Size::UNDEFINED => self.null(),
            Self::Text(texts) => texts.append_value(size.to_string()),
            Self::Float(floats) => floats.append_value(size_float(size)?),
        }
        Ok(())
    }

    fn null(&mut self) {
        match self {
            Self::Text(texts) => texts.append_null(),
            Self::Float(floats) => floats.append_null(),
        }
    }
}

/// A price as a float64 that is read as the same price.
fn price_float(price: Price) -> Result<f64, String> {
    let float = price.to_f64();
    match Price::from_float(float) == Ok(price) {
        true => Ok(float),
        false => Err(not_exact(&price.to_string())),
    }
}

fn size_float(size: Size) -> Result<f64, String> {
    let float = size.to_f64();
    match Size::from_float(float) == Ok(size) {
        true => Ok(float),
        false => Err(not_exact(&size.to_string())),
    }
}

fn not_exact(number: &str) -> String {
    format!("{number} has more digits than a float64 keeps: write decimals as text with --exact")
}
