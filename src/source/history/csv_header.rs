//! The names of the columns of separated values: of a header, or of a form that has none.

use std::io;
use std::path::Path;

use chrono_tz::Tz;
use csv::ByteRecord;

use super::archive_name::ArchiveName;
use super::format::HistoryOptions;
use super::known::{
    BINANCE_AGGREGATES, BINANCE_BARS, BINANCE_TRADES, KnownForm, LEAN_DAYS, LEAN_HOURS,
    LEAN_MINUTES, LEAN_QUOTES, LEAN_SECONDS, LEAN_TRADES,
};
use super::layout::Layout;
use super::mapping::{HistoryMapping, HistoryPreset, HistoryUnit};
use super::time_form::TimeForm;
use super::told::ToldOfFile;

/// The names of the columns.
pub(super) struct CsvHeader {
    pub(super) names: Vec<String>,
    /// Whether there is no header: the first row is one of data.
    pub(super) is_row: bool,
    form: Option<&'static KnownForm>,
    instrument: Option<String>,
    times: TimeForm,
}

/// The forms of files without header.
static BINANCE_TRADES_FORM: KnownForm = BINANCE_TRADES;
static BINANCE_AGGREGATES_FORM: KnownForm = BINANCE_AGGREGATES;
static BINANCE_BARS_FORM: KnownForm = BINANCE_BARS;
static LEAN_TRADES_FORM: KnownForm = LEAN_TRADES;
static LEAN_QUOTES_FORM: KnownForm = LEAN_QUOTES;
static LEAN_DAYS_FORM: KnownForm = LEAN_DAYS;
static LEAN_HOURS_FORM: KnownForm = LEAN_HOURS;
static LEAN_MINUTES_FORM: KnownForm = LEAN_MINUTES;
static LEAN_SECONDS_FORM: KnownForm = LEAN_SECONDS;

const TRADE_COLUMNS: &[&str] = &["id", "price", "qty", "quote_qty", "time", "is_buyer_maker"];
const AGGREGATE_COLUMNS: &[&str] = &[
    "agg_trade_id",
    "price",
    "quantity",
    "first_trade_id",
    "last_trade_id",
    "transact_time",
    "is_buyer_maker",
];
const BAR_COLUMNS: &[&str] = &[
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "close_time",
];
const TICK_TRADE_COLUMNS: &[&str] = &["lean_ms", "price", "size"];
const TICK_QUOTE_COLUMNS: &[&str] = &["lean_ms", "bid", "bid_size", "ask", "ask_size"];
const TICK_BAR_COLUMNS: &[&str] = &["lean_ms", "open", "high", "low", "close", "volume"];
const DAY_BAR_COLUMNS: &[&str] = &["lean_time", "open", "high", "low", "close", "volume"];

/// The zone of LEAN's data of shares.
const LEAN_ZONE: Tz = chrono_tz::America::New_York;

impl CsvHeader {
    /// Reads the first row as a header, or, where it has numbers, finds a form of files without header.
    pub(super) fn read(
        first: &ByteRecord,
        name: &ArchiveName,
        path: &Path,
        mapping: &HistoryMapping,
    ) -> io::Result<Self> {
        let cells = first.iter().map(|cell| String::from_utf8_lossy(cell));
        let cells: Vec<String> = cells.map(|cell| cell.trim().to_owned()).collect();
        if cells.iter().all(|cell| !is_value(cell)) {
            return Ok(Self {
                names: cells,
                is_row: false,
                form: None,
                instrument: None,
                times: TimeForm::default(),
            });
        }
        let wants = |preset| mapping.preset.is_none_or(|told| told == preset);
        let lean = wants(HistoryPreset::Lean).then(|| lean(&cells, name, path));
        if let Some(header) = lean.flatten() {
            return Ok(header);
        }
        let binance = wants(HistoryPreset::Binance).then(|| binance(&cells, name, mapping));
        if let Some((columns, form)) = binance.flatten() {
            return Ok(Self::of_form(columns, cells.len(), form));
        }
        if mapping.columns.is_empty() {
            return Err(io::Error::other(format!(
                "its first line is no header (`{}`), and by its name it is of no form that has none: write a header, \
                 or say in [source.history] which column is what by their numbers, as `ts = \"1\"`, or its `preset`",
                cells.join(",").chars().take(80).collect::<String>()
            )));
        }
        Ok(Self {
            names: (1..=cells.len()).map(|number| number.to_string()).collect(),
            is_row: true,
            form: None,
            instrument: None,
            times: TimeForm::default(),
        })
    }

    fn of_form(columns: &[&str], cells: usize, form: &'static KnownForm) -> Self {
        let others = (columns.len()..cells).map(|number| format!("column {}", number + 1));
        let named = columns.iter().map(|name| (*name).to_owned());
        Self {
            names: named.chain(others).collect(),
            is_row: true,
            form: Some(form),
            instrument: None,
            times: TimeForm::default(),
        }
    }

    /// Which column is which field.
    pub(super) fn layout(
        &self,
        name: &ArchiveName,
        options: &HistoryOptions,
    ) -> io::Result<Layout> {
        let told = ToldOfFile {
            name,
            mapping: &options.mapping,
            form: self.form,
            instrument: self.instrument.clone(),
            times: self.times,
            lateness_ns: options.lateness_ns,
        };
        Layout::find(&self.names, &told)
    }
}

/// Whether a cell is one of data: a number, or a time.
fn is_value(cell: &str) -> bool {
    cell.starts_with(|first: char| first.is_ascii_digit() || first == '-')
        && cell.parse::<f64>().is_ok()
        || cell.starts_with(|first: char| first.is_ascii_digit())
            && TimeForm::default().of_text(cell).is_ok()
}

type Form = (&'static [&'static str], &'static KnownForm);

/// A file of Binance, by its name, or by the number of its cells where that is told to be one.
fn binance(cells: &[String], name: &ArchiveName, mapping: &HistoryMapping) -> Option<Form> {
    let is_told = mapping.preset == Some(HistoryPreset::Binance);
    let is_flag = |at: usize| {
        let cell = cells.get(at).map(|cell| cell.to_ascii_lowercase());
        matches!(cell.as_deref(), Some("true" | "false"))
    };
    if name.stem.contains("-aggTrades-") || is_told && is_flag(6) && !is_flag(5) {
        Some((AGGREGATE_COLUMNS, &BINANCE_AGGREGATES_FORM))
    } else if name.stem.contains("-trades-") || is_told && is_flag(5) {
        Some((TRADE_COLUMNS, &BINANCE_TRADES_FORM))
    } else if cells.len() == 12 && (is_told || is_bar_name(&name.stem)) {
        Some((BAR_COLUMNS, &BINANCE_BARS_FORM))
    } else {
        None
    }
}

/// Whether a name is as `BTCUSDT-1m-2024-08-08`.
fn is_bar_name(stem: &str) -> bool {
    let span = stem.split('-').nth(1).unwrap_or_default();
    let (digits, unit) = span.split_at(span.len() - usize::from(!span.is_empty()));
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && ["s", "m", "h", "d", "w"].contains(&unit)
}

/// A file of LEAN: ticks and short bars by their name (`20131007_ibm_Trade_Tick`), long ones by the form of
/// their times, and by their folder.
fn lean(cells: &[String], name: &ArchiveName, path: &Path) -> Option<CsvHeader> {
    let stem = name.stem.to_ascii_lowercase();
    let parts: Vec<&str> = stem.split('_').collect();
    let day = |text: &str| chrono::NaiveDate::parse_from_str(text, "%Y%m%d").ok();
    if let [date, symbol, first, second] = parts[..]
        && date.len() == 8
        && let Some(day) = day(date)
    {
        let (columns, form): Form = match (first, second) {
            ("trade", "tick") => (TICK_TRADE_COLUMNS, &LEAN_TRADES_FORM),
            ("quote", "tick") => (TICK_QUOTE_COLUMNS, &LEAN_QUOTES_FORM),
            ("minute", "trade") => (TICK_BAR_COLUMNS, &LEAN_MINUTES_FORM),
            ("second", "trade") => (TICK_BAR_COLUMNS, &LEAN_SECONDS_FORM),
            _ => return None,
        };
        let mut header = CsvHeader::of_form(columns, cells.len(), form);
        header.instrument = Some(symbol.to_ascii_uppercase());
        header.times = TimeForm {
            unit: Some(HistoryUnit::Milliseconds),
            zone: Some(LEAN_ZONE),
            day: Some(day),
            later: (0, 0),
            lateness_ns: 0,
        };
        return Some(header);
    }
    let is_long = cells.first().is_some_and(|cell| {
        cell.split_once(' ').is_some_and(|(date, clock)| {
            date.len() == 8 && day(date).is_some() && clock.len() == 5 && clock.contains(':')
        })
    });
    if !is_long || cells.len() < 5 {
        return None;
    }
    let is_of_hours = path.components().any(|part| part.as_os_str() == "hour");
    let form = match is_of_hours {
        true => &LEAN_HOURS_FORM,
        false => &LEAN_DAYS_FORM,
    };
    let mut header = CsvHeader::of_form(DAY_BAR_COLUMNS, cells.len(), form);
    header.instrument = Some(name.stem.to_ascii_uppercase());
    header.times.zone = Some(LEAN_ZONE);
    Some(header)
}

/// What separates the cells: of the usual bytes, the one that the first line has most of.
pub(super) fn separator_of(head: &[u8]) -> u8 {
    let header = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |byte: u8| header.iter().filter(|&&other| other == byte).count();
    let found = [b'|', b';', b'\t', b','].into_iter();
    found.max_by_key(|&byte| count(byte)).unwrap_or(b',')
}
