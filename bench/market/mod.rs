//! The input of the benchmarks: a simulated market, seeded, so that every run measures the same bytes.
//!
//! Measures nothing itself.
#![allow(dead_code, reason = "each benchmark takes the functions that it needs")]

use std::path::Path;
use std::time::Duration;

use foretick::decode::Decoder;
use foretick::event::{Batch, Body, Event};
use foretick::frame::Origin;
use foretick::instrument::Instruments;
use foretick::pipeline::Pipeline;
use foretick::simulate::{MarketSettings, write_capture};
use foretick::units::{Nanos, Side};

/// What a recorder of the simulated exchange wrote down: Binance messages, one a frame, with their times.
pub(crate) fn capture() -> Vec<Vec<u8>> {
    let mut text = vec![];
    let latency = Duration::from_millis(20);
    write_capture(&MarketSettings::default(), SESSION, latency, &mut text)
        .expect("memory takes the capture");
    text.split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

/// The trades of that capture as records of `md.trades.v1`.
pub(crate) fn trade_records() -> Vec<Vec<u8>> {
    let (batch, instruments) = decoded(&capture());
    let record = |event: &Event| {
        let Body::Trade(trade) = event.body else {
            return None;
        };
        let side = match trade.side? {
            Side::Buy => "buy",
            Side::Sell => "sell",
        };
        let (ts, symbol) = (event.ts_event.0, instruments.name(event.instrument));
        let (price, size) = (trade.price, trade.size);
        Some(
            format!(
                r#"{{"ts_event":{ts},"symbol":"{symbol}","price":{price},"size":{size},"side":"{side}"}}"#
            )
            .into_bytes(),
        )
    };
    batch.events.iter().filter_map(record).collect()
}

/// All events of some frames in one batch, and the names of their instruments.
pub(crate) fn decoded(frames: &[Vec<u8>]) -> (Batch, Instruments) {
    let mut decoder = Decoder::new(Instruments::new(&[], 16), MAX_FRAME_BYTES);
    let mut batch = Batch::default();
    let mut names = Instruments::new(&[], 16);
    for (at, frame) in (0..).zip(frames) {
        decoder
            .decode(origin(at), frame, &mut batch)
            .expect("the simulated exchange writes what can be read");
    }
    for id in 0..decoder.instruments().len() as u32 {
        let name = decoder
            .instruments()
            .name(foretick::instrument::InstrumentId(id));
        names
            .intern(name, "")
            .expect("both tables have the same size");
    }
    (batch, names)
}

/// The place of a frame in a capture.
pub(crate) fn origin(number: i64) -> Origin {
    Origin {
        ts_recv: Nanos::UNDEFINED,
        offset: number,
        partition: 0,
        stream: 0,
        late: false,
        reprocessed: false,
    }
}

/// A pipeline below the repository's root, with overrides.
pub(crate) fn pipeline(folder: &str, overrides: &[&str]) -> Pipeline {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let overrides: Vec<String> = overrides.iter().map(|&text| text.to_owned()).collect();
    Pipeline::load(&path, &overrides).expect("the pipeline is part of the repository")
}

/// Length of the simulated session.
const SESSION: Duration = Duration::from_secs(120);
pub(crate) const MAX_FRAME_BYTES: usize = 16 << 20;
