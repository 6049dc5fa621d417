//! How archives are read: `[source.history]`, checked.

use chrono_tz::Tz;

use super::source::lateness_ns;
use crate::config::{
    ConfigFault, HistoryConfig, HistoryPresetName, HistoryUnitName, PipelineFile, TradeIdsName,
};
use crate::event::TradeIds;
use crate::instrument::is_name;
use crate::source::history::HistoryOptions;
use crate::source::history::mapping::{HistoryMapping, HistoryPreset, HistoryUnit, Role};

/// How archives are read.
///
/// # Errors
/// Where a zone or a name is none, or two keys contradict each other.
pub(super) fn history_options(file: &PipelineFile) -> Result<HistoryOptions, ConfigFault> {
    Ok(HistoryOptions {
        lateness_ns: Some(lateness_ns(file)),
        mapping: mapping(&file.source.history)?,
        ..HistoryOptions::default()
    })
}

fn mapping(config: &HistoryConfig) -> Result<HistoryMapping, ConfigFault> {
    let fault = |key: &str, what: String| ConfigFault::at(format!("source.history.{key}"), what);
    let zone = config.zone.as_deref().map(|zone| {
        zone.parse::<Tz>().map_err(|_| {
            let what = format!(
                "`{zone}` is no time zone; write its IANA name, such as `America/New_York`"
            );
            fault("zone", what)
        })
    });
    for (key, name) in [("instrument", &config.instrument), ("venue", &config.venue)] {
        if let Some(name) = name.as_deref().filter(|name| !is_name(name)) {
            let what =
                format!("`{name}` is no name; write one without blanks and dots at its ends");
            return Err(fault(key, what));
        }
    }
    if config.instrument.is_some() && config.symbol.is_some() {
        let what =
            "all rows are of `instrument`, and `symbol` names a column: leave one of the two out";
        return Err(fault("symbol", what.into()));
    }
    let tick_rule = config.side.as_deref() == Some(TICK_RULE);
    Ok(HistoryMapping {
        preset: config.preset.map(preset),
        columns: columns(config, tick_rule),
        ts_unit: config.ts_unit.map(unit),
        zone: zone.transpose()?,
        instrument: config.instrument.clone(),
        venue: config.venue.clone(),
        tick_rule,
        trade_ids: config.trade_ids.map(trade_ids),
        price_places: config.price_places.map(i32::from),
        size_places: config.size_places.map(i32::from),
        bar_ns: config.bar_ms.map(super::source::nanos_of),
    })
}

/// In the place of a column of sides.
const TICK_RULE: &str = "tick_rule";

fn columns(config: &HistoryConfig, tick_rule: bool) -> Vec<(Role, String)> {
    let side = config.side.clone().filter(|_| !tick_rule);
    let named = [
        (Role::TsEvent, &config.ts),
        (Role::TsRecv, &config.ts_recv),
        (Role::Symbol, &config.symbol),
        (Role::Price, &config.price),
        (Role::Size, &config.size),
        (Role::Side, &side),
        (Role::TradeId, &config.trade_id),
        (Role::Sequence, &config.sequence),
        (Role::BidPx, &config.bid_px),
        (Role::BidSz, &config.bid_sz),
        (Role::AskPx, &config.ask_px),
        (Role::AskSz, &config.ask_sz),
        (Role::Open, &config.open),
        (Role::High, &config.high),
        (Role::Low, &config.low),
        (Role::Close, &config.close),
        (Role::Volume, &config.volume),
    ];
    let named = named.into_iter();
    let named = named.filter_map(|(role, name)| Some((role, name.clone()?)));
    named.collect()
}

fn preset(name: HistoryPresetName) -> HistoryPreset {
    match name {
        HistoryPresetName::Binance => HistoryPreset::Binance,
        HistoryPresetName::Tardis => HistoryPreset::Tardis,
        HistoryPresetName::Lean => HistoryPreset::Lean,
        HistoryPresetName::Daily => HistoryPreset::Daily,
    }
}

fn unit(name: HistoryUnitName) -> HistoryUnit {
    match name {
        HistoryUnitName::Seconds => HistoryUnit::Seconds,
        HistoryUnitName::Milliseconds => HistoryUnit::Milliseconds,
        HistoryUnitName::Microseconds => HistoryUnit::Microseconds,
        HistoryUnitName::Nanoseconds => HistoryUnit::Nanoseconds,
    }
}

fn trade_ids(name: TradeIdsName) -> TradeIds {
    match name {
        TradeIdsName::Successive => TradeIds::Successive,
        TradeIdsName::Rising => TradeIds::Rising,
        TradeIdsName::Distinct => TradeIds::Distinct,
    }
}
