//! Inputs as the field sends them: each module is a kind of fault, and holds the right answers to it.

mod given;
mod needs;

#[path = "field/amounts.rs"]
mod amounts;
#[path = "field/archives.rs"]
mod archives;
#[path = "field/comparing.rs"]
mod comparing;
#[path = "field/converted.rs"]
mod converted;
#[path = "field/default_rules.rs"]
mod default_rules;
#[path = "field/described_feeds.rs"]
mod described_feeds;
#[path = "field/features.rs"]
mod features;
#[path = "field/headlines.rs"]
mod headlines;
#[path = "field/inspected.rs"]
mod inspected;
#[path = "field/json.rs"]
mod json;
#[path = "field/judged.rs"]
mod judged;
#[path = "field/lateness.rs"]
mod lateness;
#[path = "field/names.rs"]
mod names;
#[path = "field/numbering.rs"]
mod numbering;
#[path = "field/replayed.rs"]
mod replayed;
#[path = "field/times.rs"]
mod times;
#[path = "field/unknown.rs"]
mod unknown;
#[path = "field/venue_bad_input.rs"]
mod venue_bad_input;
#[path = "field/venue_binance_usdm.rs"]
mod venue_binance_usdm;
#[path = "field/venue_bybit.rs"]
mod venue_bybit;
#[path = "field/venue_coinbase.rs"]
mod venue_coinbase;
#[path = "field/venue_frames.rs"]
mod venue_frames;
#[path = "field/venue_kraken.rs"]
mod venue_kraken;
#[path = "field/venue_okx.rs"]
mod venue_okx;
