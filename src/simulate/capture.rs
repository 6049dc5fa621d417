//! Writes a simulated session as a capture: lines of `local_ns {json}`, as a recorder writes them.
//!
//! Each instrument's REST snapshot is among the lines, so that a reader has to buffer and splice.

use std::io::{self, Write};
use std::time::Duration;

use super::random::Random;
use super::wire::Message;
use super::{Market, MarketSettings, SimulateError};
use crate::units::Nanos;

/// Writes the messages that a recorder receives within `duration`, at a mean `latency` from the exchange.
///
/// Local times never decrease. The snapshot of each instrument is requested some hundred milliseconds after
/// the start and arrives behind diffs that it contains, one that it half contains, and newer ones.
///
/// # Errors
/// [`SimulateError::Listing`] when an instrument cannot be traded as listed, and
/// [`SimulateError::Write`] when `out` does not take the text.
pub fn write_capture(
    settings: &MarketSettings,
    duration: Duration,
    latency: Duration,
    out: &mut impl Write,
) -> Result<(), SimulateError> {
    let mut market = Market::new(settings)?;
    let mut recorder = Recorder::new(settings.seed, latency, out);
    let mut snapshots = SnapshotSchedule::new(settings);
    let end = Nanos(settings.start.0 + nanos(duration));
    let mut messages = Vec::new();
    let mut time = settings.start;
    while time < end {
        time = end.min(Nanos(time.0 + SLICE));
        market.advance(time, &mut messages);
        messages
            .drain(..)
            .try_for_each(|message| recorder.message(&message))
            .map_err(SimulateError::Write)?;
        snapshots
            .write_due(time, &market, settings, &mut recorder)
            .map_err(SimulateError::Write)?;
    }
    recorder.out.flush().map_err(SimulateError::Write)
}

/// The recorder, whose receive times are later than the exchange's times.
struct Recorder<'a, W> {
    random: Random,
    latency: f64,
    local: Nanos,
    out: &'a mut W,
}

impl<'a, W: Write> Recorder<'a, W> {
    fn new(seed: u64, latency: Duration, out: &'a mut W) -> Self {
        Self {
            random: Random::new(seed, "latency"),
            latency: nanos(latency) as f64,
            local: Nanos(i64::MIN),
            out,
        }
    }

    fn message(&mut self, message: &Message) -> io::Result<()> {
        self.arrive(message.ts);
        writeln!(self.out, "{} {}", self.local.0, message.json)
    }

    fn snapshot(&mut self, ts: Nanos, symbol: &str, json: &str) -> io::Result<()> {
        self.arrive(ts);
        let (local, symbol) = (self.local.0, symbol.to_ascii_lowercase());
        writeln!(
            self.out,
            r#"{local} {{"stream":"{symbol}@depth_snapshot","data":{json}}}"#
        )
    }

    /// Half of the latency is distance, half is queueing.
    fn arrive(&mut self, ts: Nanos) {
        let half = self.latency / 2.0;
        let late = half + self.random.exponential(half);
        self.local = self.local.max(Nanos(ts.0 + late as i64));
    }
}

/// Snapshots that are to be requested, and answers on their way.
struct SnapshotSchedule {
    /// When each instrument's book is read, by its index; later ones first.
    to_read: Vec<(Nanos, usize)>,
    /// When each answer arrives: later ones first.
    to_arrive: Vec<(Nanos, usize, String)>,
}

impl SnapshotSchedule {
    fn new(settings: &MarketSettings) -> Self {
        let read = |at: usize| Nanos(settings.start.0 + FIRST_SNAPSHOT + at as i64 * SPACING);
        Self {
            to_read: (0..settings.instruments.len())
                .rev()
                .map(|at| (read(at), at))
                .collect(),
            to_arrive: Vec::new(),
        }
    }

    /// Reads the books that are due at `time` and writes the answers that arrive.
    fn write_due<W: Write>(
        &mut self,
        time: Nanos,
        market: &Market,
        settings: &MarketSettings,
        recorder: &mut Recorder<'_, W>,
    ) -> io::Result<()> {
        while let Some((_, at)) = self.to_read.pop_if(|(due, _)| *due <= time) {
            let symbol = &settings.instruments[at].symbol;
            let json = market.snapshot(symbol, SNAPSHOT_LIMIT).unwrap_or_default();
            self.to_arrive
                .insert(0, (Nanos(time.0 + ROUND_TRIP), at, json));
        }
        while let Some((ts, at, json)) = self.to_arrive.pop_if(|(due, ..)| *due <= time) {
            recorder.snapshot(ts, &settings.instruments[at].symbol, &json)?;
        }
        Ok(())
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// Snapshots that are due are looked for this often; messages do not depend on it.
const SLICE: i64 = 10_000_000;
/// When the first book is requested, after the start, and the time to the next ones.
const FIRST_SNAPSHOT: i64 = 350_000_000;
const SPACING: i64 = 70_000_000;
/// Between the reading of a book and the arrival of the answer: more than two depth intervals.
const ROUND_TRIP: i64 = 250_000_000;
/// Levels a side, as much as the venue gives.
const SNAPSHOT_LIMIT: usize = 5_000;
