//! What is wrong with a cell that cannot be read, and what is read there, for people.

use super::cells::{BUY, CellFault, SELL, UNKNOWN};
use super::layout::Layout;
use super::mapping::Role;
use crate::frame::packed::RowFault;

/// What is wrong with a cell of this role, with what could stand there. `time` is the fault of a time.
pub(super) fn advice(
    fault: RowFault,
    role: Role,
    layout: &Layout,
    time: Option<CellFault>,
) -> String {
    match fault {
        RowFault::Missing(_) => return "it is empty".into(),
        RowFault::TooPrecise(_) => return "it has more digits than are kept exactly".into(),
        _ => {}
    }
    if let (Some(CellFault::Skipped), Some(zone)) = (time, layout.times.zone) {
        return format!("the clocks of {zone} skip this time");
    }
    let decimal = |places: Option<i32>| match (fault, places) {
        (RowFault::OutOfRange(_), _) => "it is out of range",
        (_, Some(_)) => "it is no whole number",
        (_, None) => "it is no decimal number",
    };
    match role {
        Role::TsEvent | Role::TsRecv => {
            "a time is a number since 1970, RFC 3339, or a day with or without a time".into()
        }
        Role::Side if !layout.is_maker_flag() => {
            let unknown = &UNKNOWN[..UNKNOWN.len() - 1];
            format!(
                "a side is {}, or {}; {} or nothing where it is unknown",
                listed(&BUY),
                listed(&SELL),
                listed(unknown)
            )
        }
        Role::Side | Role::Snapshot | Role::Aggregate => "it is neither true nor false".into(),
        Role::Event => "a row is a trade, quote, book or bar of which all columns are there".into(),
        Role::TradeIds => "it is none of successive, rising, distinct".into(),
        Role::TradeId | Role::Sequence | Role::FirstSequence | Role::Keep => {
            "it is no whole number".into()
        }
        Role::Bids | Role::Asks => "it is no list of levels of price and size".into(),
        Role::Size | Role::BidSz | Role::AskSz | Role::Volume => decimal(layout.size_places).into(),
        _ => decimal(layout.price_places).into(),
    }
}

fn listed(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}
