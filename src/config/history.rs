//! `[source.history]`: what the columns of archives of trades, quotes, books and bars mean.

use serde::Deserialize;

/// `[source.history]`. Not needed where the columns of Parquet, Arrow and CSV files are named as the
/// fields of our topics (`ts_event`, `symbol`, `price`, `size`, `side`, …), or as in public data of
/// Binance and Tardis. Columns of kinds of row that a file does not hold may be missing from it. Files of
/// Parquet that `convert` wrote are read as they were written, whatever stands here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HistoryConfig {
    /// The form of the files, where their names and headers do not say it: `binance` (trades, aggTrades,
    /// klines), `tardis` (trades, quotes, incremental_book_L2, book_snapshot_5 and _25), `lean` (ticks and
    /// bars), `daily` (`Date,Open,High,Low,Close,Volume`). Default: told by header and name.
    pub preset: Option<HistoryPresetName>,
    /// The column of the time of a row: a timestamp or a date of Parquet and Arrow, a number, RFC 3339, or a
    /// day. In a file without header a column is named by its number, as `"1"`. Default: `"ts_event"`.
    pub ts: Option<String>,
    /// The column of the time at which a row was received, by which files are merged. Default: `"ts_recv"`.
    pub ts_recv: Option<String>,
    /// The unit of times that are numbers: `s`, `ms`, `us` or `ns`. Default: `ns` for `ts_event`, otherwise
    /// told by the magnitude of each number.
    pub ts_unit: Option<HistoryUnitName>,
    /// The zone of times that are written without one, as an IANA name. A time that its clocks show twice is
    /// the first one, unless that would be behind the row before; one that they skip is refused. Default:
    /// `"UTC"`.
    pub zone: Option<String>,
    /// The column of the symbol, or of the whole name of the instrument. Default: `"symbol"` or
    /// `"instrument"`.
    pub symbol: Option<String>,
    /// The instrument of all rows, as `SYMBOL.VENUE`, in the place of a column. Not given: `symbol`.
    pub instrument: Option<String>,
    /// The venue of the symbols that do not end in it: `BINANCE` makes `BTCUSDT.BINANCE`. Not given: symbols
    /// are whole names, or of the form's venue.
    pub venue: Option<String>,
    /// The column of a trade's price. Default: `"price"`.
    pub price: Option<String>,
    /// The column of a trade's size. Default: `"size"`.
    pub size: Option<String>,
    /// The column of the side that took (`buy`, `sell`; `b`, `s`; `1`, `-1`), or `tick_rule`: a trade above
    /// the price before is a buy, one below it a sell, one at it as the one before. Default: `"side"`; where
    /// there is no such column, sides are unknown.
    pub side: Option<String>,
    /// The column of a trade's number. Default: `"trade_id"`.
    pub trade_id: Option<String>,
    /// What the numbers of trades say: `successive` (each is one higher: a jump is a gap), `rising`,
    /// `distinct`. Default: `successive` for a column `trade_id` that is not named here, else `distinct`.
    pub trade_ids: Option<TradeIdsName>,
    /// The column of the number of a quote. Default: `"sequence"`.
    pub sequence: Option<String>,
    /// The column of the best bid. Default: `"bid_px"`.
    pub bid_px: Option<String>,
    /// The column of the size at the best bid. Default: `"bid_sz"`.
    pub bid_sz: Option<String>,
    /// The column of the best ask. Default: `"ask_px"`.
    pub ask_px: Option<String>,
    /// The column of the size at the best ask. Default: `"ask_sz"`.
    pub ask_sz: Option<String>,
    /// The column of a bar's first price. Default: `"open"`.
    pub open: Option<String>,
    /// The column of a bar's highest price. Default: `"high"`.
    pub high: Option<String>,
    /// The column of a bar's lowest price. Default: `"low"`.
    pub low: Option<String>,
    /// The column of a bar's last price. Default: `"close"`.
    pub close: Option<String>,
    /// The column of the quantity traded in a bar. Default: `"volume"`.
    pub volume: Option<String>,
    /// Prices are whole numbers of 10^-`price_places`: 4 makes 1815200 to 181.52. Default: `0`, or that
    /// of the form.
    pub price_places: Option<u8>,
    /// Sizes are whole numbers of 10^-`size_places`. Default: `0`.
    pub size_places: Option<u8>,
    /// How long after its time a bar ends, in milliseconds, because a bar is known at its end alone: 60000
    /// where minutes are named by their beginning. Default: `0`, or that of the form: a day for `daily`.
    pub bar_ms: Option<u64>,
}

/// The name of a form of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryPresetName {
    /// Public data of Binance.
    Binance,
    /// Tardis.
    Tardis,
    /// LEAN of QuantConnect.
    Lean,
    /// Bars of days.
    Daily,
}

/// The name of a unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum HistoryUnitName {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Microseconds.
    #[serde(rename = "us")]
    Microseconds,
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanoseconds,
}

/// What the numbers of trades say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradeIdsName {
    /// Each is one higher than the one before.
    Successive,
    /// Each is higher than those before.
    Rising,
    /// Each is another one.
    Distinct,
}
