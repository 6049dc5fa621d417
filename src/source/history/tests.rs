//! Archives as their writers make them, read by what they say.

mod arrow;
mod clocks;
mod csv;
mod mapped;
mod order;
mod tardis;
mod zip;

use std::path::PathBuf;

use super::HistoryOptions;
use super::mapping::{HistoryMapping, Role};
use crate::decode::Decoder;
use crate::event::{Batch, Body};
use crate::instrument::Instruments;
use crate::source::file::{FileOptions, FileSource, TableMeaning};

fn options(mapping: HistoryMapping) -> FileOptions {
    let history = HistoryOptions {
        lateness_ns: Some(0),
        mapping,
        ..HistoryOptions::default()
    };
    FileOptions {
        max_frame_bytes: 1 << 20,
        tables: TableMeaning::History(history),
        ..FileOptions::default()
    }
}

/// The events of some files as text, or the reason of a dead letter and how it is shown.
fn read_with(paths: &[PathBuf], options: &FileOptions) -> Result<Vec<String>, String> {
    let error = |error: crate::source::file::FileError| error.to_string();
    let mut source = FileSource::open_with(paths, options).map_err(error)?;
    let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
    let mut found = vec![];
    while let Some((origin, bytes)) = source.next_frame().map_err(error)? {
        let mut batch = Batch::default();
        let decoded = decoder.decode(origin, bytes, &mut batch);
        if let Err(error) = decoded {
            let shown = String::from_utf8_lossy(&decoder.redacted(bytes)).into_owned();
            found.push(format!("{error:?} {shown}"));
        }
        for event in &batch.events {
            let name = decoder.instruments().name(event.instrument);
            let received = batch.origins[event.frame as usize].ts_recv.0;
            let received = match received {
                i64::MAX => String::new(),
                received => format!(" received {received}"),
            };
            let body = shown(&event.body, &batch);
            found.push(format!("{} {name} {body}{received}", event.ts_event.0));
        }
    }
    Ok(found)
}

fn read(paths: &[PathBuf], mapping: HistoryMapping) -> Result<Vec<String>, String> {
    read_with(paths, &options(mapping))
}

fn shown(body: &Body, batch: &Batch) -> String {
    match body {
        Body::Trade(trade) => format!(
            "trade {} {} {:?} {} {:?}{}",
            trade.price,
            trade.size,
            trade.side,
            trade.trade_id,
            trade.ids,
            if trade.aggregate { " aggregate" } else { "" }
        ),
        Body::Quote(quote) => format!(
            "quote {} {} {} {}",
            quote.bid_px, quote.bid_sz, quote.ask_px, quote.ask_sz
        ),
        Body::Bar(bar) => format!(
            "bar {} {} {} {} {}",
            bar.open, bar.high, bar.low, bar.close, bar.volume
        ),
        Body::Depth(depth) => {
            let (bids, asks) = batch.levels(depth);
            let side = |levels: &[crate::event::Level]| {
                let one = |level: &crate::event::Level| format!("{}x{}", level.price, level.size);
                levels.iter().map(one).collect::<Vec<_>>().join(" ")
            };
            let (bids, asks) = (side(bids), side(asks));
            let (first, last, whole) = (depth.first, depth.last, depth.snapshot);
            format!("book {first}..{last} {whole:?} [{bids}] [{asks}]")
        }
        other => format!("{other:?}"),
    }
}

/// A mapping of columns by name.
fn columns(named: &[(Role, &str)]) -> HistoryMapping {
    let named = named.iter();
    HistoryMapping {
        columns: named
            .map(|(role, name)| (*role, (*name).to_owned()))
            .collect(),
        ..HistoryMapping::default()
    }
}
