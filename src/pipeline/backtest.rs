//! `[backtest]`, checked, as the terms of a backtest.

mod rates;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use self::rates::read_rates;
use crate::backtest::{
    Carry, Fees, FillModel, FillOn, LimitTerms, OrderLatency, OwnTerms, Quantity, Rule, Sides,
    Terms,
};
use crate::config::{
    BacktestConfig, ConfigFault, FillKind, FillMarket, PipelineFile, RowOn, SizeBy, TradedSides,
};
use crate::engine::feature::FeaturePlan;
use crate::signal::quality::Quality;
use crate::units::{NumberError, Price, Size};

/// How signals are traded, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct BacktestSettings {
    /// The terms.
    pub terms: Terms,
    /// What orders are filled on.
    pub on: FillOn,
    /// The step of the equity curve, in nanoseconds.
    pub step_ns: i64,
}

/// What to write where there is no `[backtest]`.
const EXAMPLE: &str = "write a table [backtest] with enter, hold_ms (or exit, or flip), size, latency_ms and \
                       fee_bps, or add --set backtest.enter=0.15 --set backtest.hold_ms=2000 \
                       --set backtest.size=0.01 --set backtest.latency_ms=50 --set backtest.fee_bps=5.0";

/// Checks the values of `[backtest]`, where it is written; reads no file.
///
/// # Errors
/// The key at fault.
pub(super) fn check(file: &PipelineFile) -> Result<(), ConfigFault> {
    file.backtest
        .as_ref()
        .map_or(Ok(()), |config| terms(config).map(drop))
}

/// How signals are traded.
///
/// # Errors
/// The key at fault, or that there is no `[backtest]`.
pub(super) fn settings(
    file: &PipelineFile,
    plan: &FeaturePlan,
) -> Result<BacktestSettings, ConfigFault> {
    let Some(config) = &file.backtest else {
        let what = format!("a backtest needs to know how signals are traded: {EXAMPLE}");
        return Err(ConfigFault::at("backtest", what));
    };
    let on = match (config.fill_on, file.row.on) {
        (_, RowOn::News | RowOn::Statement | RowOn::Application) => {
            let what = "orders are filled on a book, on quotes or on bars, and this pipeline reads none: a backtest \
                        needs rows on trades, quotes, books or bars";
            return Err(ConfigFault::at("row.on", what));
        }
        (Some(FillMarket::Book), _) | (None, RowOn::Book) => FillOn::Book,
        (Some(FillMarket::Quotes), _) => FillOn::Quotes,
        (Some(FillMarket::Bars), _) | (None, RowOn::Bar) => bars(config)?,
        (None, RowOn::Trade | RowOn::Quote) if plan.uses_book() => FillOn::Book,
        (None, RowOn::Trade | RowOn::Quote) => FillOn::Quotes,
    };
    let mut terms = terms(config)?;
    if let Some(path) = &config.latency_file {
        let samples = read_latencies(path);
        terms.latency.samples = samples.map_err(|what| at("latency_file", what))?;
    }
    let mut own = OwnTerms::clone(&terms.own);
    if let Some(path) = &config.funding_file {
        own.funding = read_rates(path).map_err(|what| at("funding_file", what))?;
    }
    if let Some(path) = &config.borrow_file {
        own.borrowing = read_rates(path).map_err(|what| at("borrow_file", what))?;
    }
    terms.own = Arc::new(own);
    Ok(BacktestSettings {
        terms,
        on,
        step_ns: nanos(config.step_ms),
    })
}

/// Orders are filled on bars, of a length that must be known: an event is the end of one.
fn bars(config: &BacktestConfig) -> Result<FillOn, ConfigFault> {
    let Some(bar_ms) = config.bar_ms.filter(|millis| *millis > 0) else {
        let what = "on bars orders are filled at the next open: write how long a bar lasts, such as bar_ms = 60000";
        return Err(at("bar_ms", what));
    };
    if config.fill == FillKind::Limit {
        let what = "a bar does not say what limit orders meet; write fill = \"market\"";
        return Err(at("fill", what));
    }
    Ok(FillOn::Bars {
        length_ns: nanos(bar_ms),
    })
}

/// The terms, without what is in files.
fn terms(config: &BacktestConfig) -> Result<Terms, ConfigFault> {
    if config.step_ms == 0 {
        return Err(at("step_ms", "`step_ms` must be above zero"));
    }
    Ok(Terms {
        rule: rule(config)?,
        latency: OrderLatency {
            constant_ns: latency_ns(config.latency_ms)?,
            samples: Arc::default(),
        },
        fill: fill(config)?,
        fees: fees(config)?,
        carry: carry(config)?,
        own: Arc::new(OwnTerms {
            sizes: sizes(config)?,
            ..OwnTerms::default()
        }),
    })
}

/// The sizes of instruments that have one of their own.
fn sizes(config: &BacktestConfig) -> Result<BTreeMap<String, Quantity>, ConfigFault> {
    let lot = config.lot_size.map(|lot| quantity("lot_size", lot));
    let lot = lot.transpose()?.unwrap_or(Quantity::ZERO);
    let mut sizes = BTreeMap::new();
    for (name, size) in &config.sizes {
        let key = format!("sizes.{name}");
        let size = quantity(&key, *size)?;
        if size.in_lots(lot).is_zero() {
            let what =
                format!("`{name}` has a size below `lot_size`, so that no order can be sent");
            return Err(at("sizes", what));
        }
        sizes.insert(name.clone(), size);
    }
    Ok(sizes)
}

fn rule(config: &BacktestConfig) -> Result<Rule, ConfigFault> {
    if !(config.enter.is_finite() && config.enter > 0.0) {
        return Err(at("enter", "`enter` must be a number above zero"));
    }
    if config
        .exit
        .is_some_and(|exit| !exit.is_finite() || exit > config.enter)
    {
        let what = "`exit` must be a number that is at most `enter`, or a position is closed by the signal that \
                    opens it";
        return Err(at("exit", what));
    }
    if config.exit.is_none() && config.hold_ms.is_none() && !config.flip {
        let what = "no position would ever be closed; write hold_ms, exit, or flip = true";
        return Err(at("hold_ms", what));
    }
    if config.hold_ms == Some(0) {
        return Err(at("hold_ms", "`hold_ms` must be above zero"));
    }
    let size = quantity("size", config.size)?;
    let max_position = config
        .max_position
        .map(|most| quantity("max_position", most));
    let max_position = max_position.transpose()?.unwrap_or(size);
    if max_position < size {
        return Err(at(
            "max_position",
            "`max_position` must not be below `size`",
        ));
    }
    let lot = config
        .lot_size
        .map(|lot| quantity("lot_size", lot))
        .transpose()?;
    let lot = lot.unwrap_or(Quantity::ZERO);
    if size.in_lots(lot).is_zero() {
        return Err(at(
            "size",
            "`size` is below `lot_size`, so that no order can be sent",
        ));
    }
    Ok(Rule {
        enter: config.enter,
        exit: config.exit,
        hold_ns: config.hold_ms.map(nanos),
        flip: config.flip,
        size,
        by_confidence: config.size_by == SizeBy::Confidence,
        max_position,
        adds: config.max_position.is_some(),
        lot,
        sides: match config.sides {
            TradedSides::Both => Sides::Both,
            TradedSides::Long => Sides::Long,
            TradedSides::Short => Sides::Short,
        },
        act_on: qualities(&config.act_on)?,
    })
}

fn qualities(words: &[String]) -> Result<Vec<Quality>, ConfigFault> {
    let mut found = vec![];
    for (number, word) in words.iter().enumerate() {
        let quality = Quality::ALL
            .into_iter()
            .find(|quality| quality.word() == word);
        found.push(quality.ok_or_else(|| {
            let all: Vec<&str> = Quality::ALL.iter().map(|quality| quality.word()).collect();
            let what = format!("`{word}` is no quality; write one of {}", all.join(", "));
            at(&format!("act_on[{number}]"), what)
        })?);
    }
    if found.is_empty() {
        return Err(at("act_on", "no signal would be acted on; write [\"ok\"]"));
    }
    Ok(found)
}

fn fill(config: &BacktestConfig) -> Result<FillModel, ConfigFault> {
    if config.fill == FillKind::Market {
        return Ok(FillModel::Market);
    }
    let Some(cancel_ms) = config.cancel_ms.filter(|millis| *millis > 0) else {
        let what = "with fill = \"limit\", write how long an order rests: cancel_ms = 1000";
        return Err(at("cancel_ms", what));
    };
    let tick = config.tick_size.map(|tick| {
        let price = Price::parse_float(tick.to_string().as_bytes());
        price
            .ok()
            .filter(|price| *price > Price::ZERO && *price != Price::UNDEFINED)
            .ok_or_else(|| at("tick_size", "`tick_size` must be a price above zero"))
    });
    let tick = tick.transpose()?;
    if config.limit_ticks != 0 && tick.is_none() {
        let what = "`limit_ticks` counts steps of prices; write tick_size, such as 0.01";
        return Err(at("limit_ticks", what));
    }
    Ok(FillModel::Limit(LimitTerms {
        cancel_ns: nanos(cancel_ms),
        ticks_behind: config.limit_ticks,
        tick: tick.unwrap_or(Price::UNDEFINED),
    }))
}

fn fees(config: &BacktestConfig) -> Result<Fees, ConfigFault> {
    for (key, fee) in [
        ("fee_bps", config.fee_bps),
        ("maker_fee_bps", config.maker_fee_bps),
        ("taker_fee_bps", config.taker_fee_bps),
    ] {
        if fee.is_some_and(|fee| !fee.is_finite()) {
            return Err(at(key, format!("`{key}` must be a finite number")));
        }
    }
    let fee = |own: Option<f64>, key| {
        let missing = || {
            let what =
                "write what fills cost: fee_bps, or maker_fee_bps and taker_fee_bps (0.0 is free)";
            at(key, what)
        };
        own.or(config.fee_bps).ok_or_else(missing)
    };
    Ok(Fees {
        maker_bps: fee(config.maker_fee_bps, "maker_fee_bps")?,
        taker_bps: fee(config.taker_fee_bps, "taker_fee_bps")?,
    })
}

fn carry(config: &BacktestConfig) -> Result<Carry, ConfigFault> {
    if !config.funding_bps.is_finite() {
        return Err(at("funding_bps", "`funding_bps` must be a finite number"));
    }
    if !(config.borrow_bps.is_finite() && config.borrow_bps >= 0.0) {
        return Err(at(
            "borrow_bps",
            "`borrow_bps` must be a number that is not below zero",
        ));
    }
    if config.funding_file.is_some() && config.funding_bps != 0.0 {
        let what = "`funding_file` is in place of `funding_bps`; write one of them";
        return Err(at("funding_bps", what));
    }
    if config.borrow_file.is_some() && config.borrow_bps != 0.0 {
        let what = "`borrow_file` is in place of `borrow_bps`; write one of them";
        return Err(at("borrow_bps", what));
    }
    if config.funding_hours == 0 {
        return Err(at("funding_hours", "`funding_hours` must be above zero"));
    }
    let is_funded = config.funding_bps != 0.0;
    Ok(Carry {
        funding_bps: config.funding_bps,
        funding_ns: match is_funded {
            true => i64::from(config.funding_hours) * HOUR_NS,
            false => 0,
        },
        borrow_bps: config.borrow_bps,
        ..Carry::default()
    })
}

/// A quantity that was written as a number; its shortest decimal text is what is meant.
fn quantity(key: &str, number: f64) -> Result<Quantity, ConfigFault> {
    let size = Size::parse_float(number.to_string().as_bytes());
    let size = size.map_err(|error| match error {
        NumberError::NotANumber => "it is no number",
        NumberError::OutOfRange => "it is 10^18 or more",
        NumberError::TooPrecise => "it has more digits than are kept",
    });
    let size = size.map_err(|what| at(key, format!("`{key}` cannot be a quantity: {what}")))?;
    let quantity = Quantity::of(size);
    match quantity > Quantity::ZERO {
        true => Ok(quantity),
        false => Err(at(key, format!("`{key}` must be above zero"))),
    }
}

fn latency_ns(millis: f64) -> Result<i64, ConfigFault> {
    match (0.0..=LATENCY_MAX_MS).contains(&millis) {
        true => Ok((millis * 1e6).round() as i64),
        false => Err(at(
            "latency_ms",
            "`latency_ms` must be from 0 to 86400000 (a day)",
        )),
    }
}

/// Measured latencies in nanoseconds: numbers in milliseconds, or signals of a live run.
fn read_latencies(path: &Path) -> Result<Arc<[i64]>, String> {
    let text = fs::read_to_string(path)
        .map_err(|cause| format!("while reading {}: {cause}", path.display()))?;
    let mut found = vec![];
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let latency = latency_of(line).map_err(|what| {
            let (path, number) = (path.display(), number + 1);
            format!("while reading {path}, line {number}: {what}")
        });
        found.push(latency?);
    }
    match found.is_empty() {
        true => Err(format!(
            "while reading {}: it has no latencies",
            path.display()
        )),
        false => Ok(found.into()),
    }
}

/// The latency of a line, or why it is none.
fn latency_of(line: &str) -> Result<i64, String> {
    const NONE: &str = "this is no latency; write a number of milliseconds, from 0 to 86400000 (a day), or a signal \
                        with ts_event and ts_out";
    #[derive(Deserialize)]
    struct Stamps {
        ts_event: i64,
        ts_out: i64,
    }
    if line.starts_with('{') {
        let stamps: Stamps = serde_json::from_str(line).map_err(|_| NONE)?;
        let latency = stamps.ts_out.saturating_sub(stamps.ts_event);
        if latency > HOUR_NS {
            return Err(format!(
                "this signal was given {:.1} hours after its event, as those of a replay are; take the signals of a \
                 live run, or write numbers of milliseconds",
                latency as f64 / HOUR_NS as f64
            ));
        }
        // The venue's clock may be ahead of ours: no order is there before its signal's event.
        return Ok(latency.max(0));
    }
    let millis = line.parse().map_err(|_| NONE)?;
    latency_ns(millis).map_err(|_| NONE.to_owned())
}

fn nanos(millis: u64) -> i64 {
    i64::try_from(millis).map_or(i64::MAX, |millis| millis.saturating_mul(1_000_000))
}

fn at(key: &str, what: impl Into<String>) -> ConfigFault {
    ConfigFault::at(format!("backtest.{key}"), what)
}

/// Nanoseconds in an hour.
const HOUR_NS: i64 = 3_600_000_000_000;

/// A day: no order takes longer.
const LATENCY_MAX_MS: f64 = 86_400_000.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::scratch::Scratch;

    #[test]
    fn latencies_are_numbers_or_signals_of_a_live_run() {
        let scratch = Scratch::new();
        let text = "# measured on Tuesday\n1.5\n\n{\"ts_event\":1000,\"ts_out\":4000,\"score\":0.1}\n0\n\
                    {\"ts_event\":9,\"ts_out\":3}\n";
        let read = read_latencies(&scratch.write("sound.txt", text)).unwrap();
        assert_eq!(*read, [1_500_000, 3_000, 0, 0]);
        for (text, words) in [
            ("1\nfast\n", "line 2: this is no latency"),
            ("-1\n", "line 1: this is no latency"),
            ("{\"ts_event\":1}\n", "line 1: this is no latency"),
            ("86400001\n", "line 1: this is no latency"),
            (
                "0\n{\"ts_event\":1700000000000000000,\"ts_out\":1700005400000000000}\n",
                "line 2: this signal was given 1.5 hours after its event, as those of a replay are",
            ),
            ("# none\n", "it has no latencies"),
        ] {
            let said = read_latencies(&scratch.write("bad.txt", text)).unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn a_quantity_is_what_its_shortest_text_says() {
        let exact = |text: &str| Quantity::of(Size::parse(text.as_bytes()).unwrap());
        assert_eq!(quantity("size", 0.01), Ok(exact("0.01")));
        assert_eq!(quantity("size", 1.0), Ok(exact("1")));
        assert_eq!(quantity("size", 1e-7), Ok(exact("0.0000001")));
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e19] {
            assert!(quantity("size", wrong).is_err(), "{wrong}");
        }
    }
}
