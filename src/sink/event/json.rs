//! Events as JSON records of the topics `md.trades.v1`, `md.quotes.v1`, `md.book.v1` and `md.bars.v1`, and as
//! lines of them. Gaps, and ticks of the clock, have the form that they have in captures.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::named::{NamedEvent, is_written, side, trade_ids};
use crate::event::{Body, Gap, Level};
use crate::sink::SinkError;
use crate::sink::line_file::{Appears, LineFile};
use crate::units::{Nanos, Price, Size};

/// A file of lines.
pub struct EventLines(LineFile);

impl EventLines {
    /// Begins a file, which is compressed where its name ends in `.gz` or `.zst`; standard output for `-`.
    ///
    /// # Errors
    /// Where its folder does not exist or cannot be written.
    pub fn create(path: &Path) -> Result<Self, SinkError> {
        Ok(Self(match path.as_os_str() == "-" {
            true => LineFile::stdout()?,
            false => LineFile::create(path, Appears::AtEnd)?,
        }))
    }

    /// Writes an event; one that has no form in JSON is passed over.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&mut self, event: &NamedEvent<'_>) -> Result<(), SinkError> {
        match json_record(event) {
            Some(record) => self.0.write(format!("{record}\n").as_bytes()),
            None => Ok(()),
        }
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(mut self) -> Result<(), SinkError> {
        self.0.close()
    }
}

/// Whether an event has a form in JSON: beside those that are written everywhere gaps, and ticks.
#[must_use]
pub fn is_json_event(body: &Body) -> bool {
    is_written(body) || matches!(body, Body::Gap(_) | Body::FeedGap(_) | Body::Tick)
}

/// A gap, or a tick of the clock, of an instrument; of all where it has no name.
fn control_record(event: &NamedEvent<'_>) -> Option<Value> {
    let mut record = match event.body {
        Body::Gap(Gap { reason, missing }) | Body::FeedGap(Gap { reason, missing }) => {
            json!({"foretick": "gap", "reason": reason.word(), "missing": missing})
        }
        Body::Tick => json!({"foretick": "tick", "ts": event.ts_event.0}),
        _ => return None,
    };
    if !event.instrument.is_empty() {
        // The name is whole: it has its venue.
        record["symbol"] = json!(event.instrument);
        record["venue"] = json!("");
    }
    Some(record)
}

/// An event as a record of JSON; none where it has no such form.
#[must_use]
pub fn json_record(event: &NamedEvent<'_>) -> Option<Value> {
    if let Some(control) = control_record(event) {
        return Some(control);
    }
    let mut record = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            record.insert(name.to_owned(), value);
        }
    };
    // A message without a time of its venue counts from when it was received.
    let ts_event = match event.ts_event {
        Nanos::UNDEFINED => event.ts_recv,
        ts_event => ts_event,
    };
    put("ts_event", json!(ts_event.0));
    if event.ts_recv != Nanos::UNDEFINED {
        put("ts_recv", json!(event.ts_recv.0));
    }
    put("symbol", json!(event.instrument));
    match event.body {
        Body::Trade(trade) => {
            put("price", price(trade.price));
            put("size", size(trade.size));
            put("side", json!(side(trade.side)));
            if trade.trade_id > 0 {
                put("trade_id", json!(trade.trade_id));
                put("trade_ids", json!(trade_ids(trade.ids)));
            }
        }
        Body::Quote(quote) => {
            let sides = [
                ("bid_px", price(quote.bid_px), "bid_sz", size(quote.bid_sz)),
                ("ask_px", price(quote.ask_px), "ask_sz", size(quote.ask_sz)),
            ];
            for (px_name, px, sz_name, sz) in sides {
                let sz = if px.is_null() { Value::Null } else { sz };
                record.insert(px_name.to_owned(), px);
                record.insert(sz_name.to_owned(), sz);
            }
            if quote.sequence > 0 {
                record.insert("sequence".to_owned(), json!(quote.sequence));
            }
        }
        Body::Depth(depth) => {
            put("first_sequence", json!(depth.first));
            put("sequence", json!(depth.last));
            put("snapshot", json!(depth.snapshot.is_some()));
            put("bids", levels(event.bids));
            put("asks", levels(event.asks));
        }
        Body::Bar(bar) => {
            put("open", price(bar.open));
            put("high", price(bar.high));
            put("low", price(bar.low));
            put("close", price(bar.close));
            put("volume", size(bar.volume));
        }
        _ => return None,
    }
    Some(Value::Object(record))
}

fn price(price: Price) -> Value {
    match price {
        Price::UNDEFINED => Value::Null,
        price => json!(price.to_string()),
    }
}

fn size(size: Size) -> Value {
    match size {
        Size::UNDEFINED => Value::Null,
        size => json!(size.to_string()),
    }
}

fn levels(levels: &[Level]) -> Value {
    let pair = |level: &Level| json!([price(level.price), size(level.size)]);
    levels.iter().map(pair).collect()
}
