//! Inspects a capture: what is in it, what is missing, and whether the book agrees with the quotes.
//!
//! Needs no pipeline. The rebuilt book is compared with the venue's own best bid and offer: the book
//! after a depth update numbered u must equal the last quote numbered u or below, which is known once a
//! quote above u has come.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::decode::{Decoder, Notice};
use crate::engine::book::{Applied, Book};
use crate::engine::row::{TradeNumber, TradeNumbers};
use crate::event::{AmendmentKind, Batch, Body, Depth, Event, Level, Quote, Trade};
use crate::frame::Origin;
use crate::instrument::{InstrumentId, Instruments};
use crate::run::account::Account;
use crate::run::intake::{FrameOutcome, Intake};
use crate::run::observer::{ObservedStep, Observer};
use crate::run::readability::Readability;
use crate::run::replay::{ReplayError, observe_events};
use crate::sink::SinkError;
use crate::source::file::FileSource;
use crate::units::{Nanos, Price, Size};

/// The contents of a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CaptureReport {
    /// Frames read.
    pub frames: u64,
    /// Events and notices by kind.
    pub events: BTreeMap<&'static str, u64>,
    /// Places where the numbering of updates or trades jumps.
    pub gaps: u64,
    /// Messages missing in those places.
    pub missing: u64,
    /// Depth updates that left the book crossed.
    pub crossed: u64,
    /// Depth updates dropped at the splice, because the snapshot held them.
    pub splice_dropped: u64,
    /// Frames that were not decoded, by reason.
    pub errors: BTreeMap<&'static str, u64>,
    /// The rebuilt book against the venue's best bid and offer.
    pub book_vs_quote: Comparison,
    /// Instruments seen.
    pub instruments: Vec<String>,
    /// First and last receive time, where the capture has them.
    pub received: Option<(i64, i64)>,
    /// Receive time minus venue time, in nanoseconds: lowest and highest. Negative where our clock
    /// runs behind the venue's.
    pub delay_ns: Option<(i64, i64)>,
    /// What became of the frames.
    #[serde(skip)]
    pub account: Account,
    /// Whether the frames were readable.
    #[serde(skip)]
    pub readability: Readability,
}

/// How often two views of the same thing were equal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// Comparisons made.
    pub compared: u64,
    /// Of them equal, in price and size of both sides.
    pub equal: u64,
}

/// What is remembered of an instrument.
#[derive(Default)]
struct InspectedInstrument {
    book: Book,
    /// Of trades singly and in aggregate.
    trades: [TradeNumbers; 2],
    quotes: VecDeque<Quote>,
    tops: VecDeque<(u64, Option<Level>, Option<Level>)>,
}

/// Reads captures to their end.
///
/// # Errors
/// [`ReplayError`] where a file cannot be read.
pub fn inspect(inputs: &[PathBuf], max_frame_bytes: usize) -> Result<CaptureReport, ReplayError> {
    let source = FileSource::open(inputs, max_frame_bytes)?;
    let decoder = Decoder::new(Instruments::new(&[], usize::MAX), max_frame_bytes);
    let mut inspection = Inspection::default();
    let intake = observe_events(source, Intake::new(decoder), &mut inspection)?;
    let table = intake.instruments();
    let names = (0..table.len() as u32).map(|id| table.name(InstrumentId(id)).to_owned());
    Ok(CaptureReport {
        frames: intake.account().received,
        errors: intake.account().dropped_by_reason.clone(),
        instruments: names.collect(),
        account: intake.account().clone(),
        readability: intake.readability().clone(),
        ..inspection.report
    })
}

/// The report so far, and what is remembered of each instrument.
#[derive(Default)]
struct Inspection {
    report: CaptureReport,
    keys: Vec<InspectedInstrument>,
}

impl Observer for Inspection {
    fn frame(&mut self, origin: &Origin, outcome: &FrameOutcome) {
        self.report.time(origin.ts_recv);
        if let FrameOutcome::Notice(notice) = outcome {
            self.report.count(word(*notice));
        }
    }

    fn step(&mut self, step: &ObservedStep<'_>) -> Result<(), SinkError> {
        let batch = step.batch;
        for event in &batch.events {
            let origin = batch.origins[event.frame as usize];
            self.report.delay(origin.ts_recv, event.ts_event);
            self.report.event(batch, event, &mut self.keys);
        }
        Ok(())
    }
}

impl InspectedInstrument {
    /// Compares no quote with the book as it was.
    fn forget(&mut self) {
        self.quotes.clear();
        self.tops.clear();
    }
}

impl CaptureReport {
    fn count(&mut self, kind: &'static str) {
        *self.events.entry(kind).or_default() += 1;
    }

    fn time(&mut self, ts: Nanos) {
        if ts != Nanos::UNDEFINED {
            let (first, last) = self.received.unwrap_or((ts.0, ts.0));
            self.received = Some((first.min(ts.0), last.max(ts.0)));
        }
    }

    fn delay(&mut self, ts_recv: Nanos, ts_event: Nanos) {
        if ts_recv != Nanos::UNDEFINED && ts_event != Nanos::UNDEFINED {
            let delay = ts_recv.since(ts_event);
            let (least, most) = self.delay_ns.unwrap_or((delay, delay));
            self.delay_ns = Some((least.min(delay), most.max(delay)));
        }
    }

    fn event(&mut self, batch: &Batch, event: &Event, keys: &mut Vec<InspectedInstrument>) {
        let (id, body) = (event.instrument, &event.body);
        if id == InstrumentId::ALL {
            return self.count(match body {
                Body::Tick => "tick",
                Body::Figure(_) => "figure",
                _ => "gap",
            });
        }
        if id.index() >= keys.len() {
            keys.resize_with(id.index() + 1, InspectedInstrument::default);
        }
        let key = &mut keys[id.index()];
        match body {
            Body::Trade(trade) => self.trade(key, trade, event.ts_event),
            Body::SkippedTrade(number) => {
                self.count("skipped_trade");
                let number = key.trades[0].skip(*number, event.ts_event);
                self.number(number);
            }
            Body::Quote(quote) => {
                self.count("quote");
                let before = key.quotes.back();
                if before.is_some_and(|before| quote.sequence < before.sequence) {
                    // Numbers that begin anew are not compared with those from before.
                    key.forget();
                }
                key.quotes.push_back(*quote);
                self.compare(key);
            }
            Body::Depth(depth) => self.depth(key, batch, depth, event.ts_event),
            Body::Gap(_) => self.count("gap"),
            Body::Bar(_) => self.count("bar"),
            Body::Amendment(amendment) => self.count(match amendment.kind {
                AmendmentKind::Correction => "correction",
                AmendmentKind::Cancel => "cancel",
            }),
            Body::Status(_) => self.count("status"),
            Body::Figure(_) => self.count("figure"),
            Body::Sentiment(_) => self.count("sentiment"),
            Body::Record(_) => self.count("record"),
            Body::Withdrawn(_) => self.count("withdrawn"),
            Body::Tick => self.count("tick"),
        }
    }

    fn trade(&mut self, key: &mut InspectedInstrument, trade: &Trade, ts: Nanos) {
        self.count(if trade.aggregate {
            "agg_trade"
        } else {
            "trade"
        });
        let number = key.trades[usize::from(trade.aggregate)].take(trade, ts);
        self.number(number);
    }

    fn number(&mut self, number: TradeNumber) {
        match number {
            TradeNumber::Next | TradeNumber::Copy => {}
            TradeNumber::Anew => self.gaps += 1,
            TradeNumber::Missing(missing) => {
                self.gaps += 1;
                self.missing = self.missing.saturating_add(missing);
            }
        }
    }

    fn depth(&mut self, key: &mut InspectedInstrument, batch: &Batch, depth: &Depth, ts: Nanos) {
        self.count(match depth.snapshot {
            Some(_) => "snapshot",
            None => "depth",
        });
        let (bids, asks) = batch.levels(depth);
        match key.book.apply(depth, bids, asks, ts) {
            Applied::Gap { missing, .. } => {
                self.gaps += 1;
                self.missing = self.missing.saturating_add(missing);
                key.forget();
                return;
            }
            Applied::Waiting | Applied::Stale | Applied::TooOld | Applied::Unchanged => return,
            Applied::Renumbered => {
                self.gaps += 1;
                key.forget();
            }
            Applied::Spliced { dropped } => self.splice_dropped += dropped,
            Applied::Changed => {}
        }
        self.crossed += u64::from(key.book.is_crossed());
        // A snapshot counts with the diff that was joined to it, if one was.
        if key.book.sequence() > depth.last || depth.snapshot.is_none() {
            key.tops.push_back((
                key.book.sequence(),
                key.book.best_bid(),
                key.book.best_ask(),
            ));
            self.compare(key);
        }
    }

    /// Compares the tops of the book for which the venue's own quote is now known.
    fn compare(&mut self, key: &mut InspectedInstrument) {
        while let (Some(&(sequence, bid, ask)), Some(newest)) =
            (key.tops.front(), key.quotes.back())
        {
            if newest.sequence <= sequence {
                return;
            }
            key.tops.pop_front();
            let newer = key
                .quotes
                .iter()
                .take_while(|quote| quote.sequence <= sequence)
                .count();
            let Some(quoted) = newer
                .checked_sub(1)
                .and_then(|at| key.quotes.get(at).copied())
            else {
                continue;
            };
            key.quotes.drain(..newer - 1);
            let side = |level: Option<Level>| {
                level.map_or((Price::UNDEFINED, Size::ZERO), |level| {
                    (level.price, level.size)
                })
            };
            self.book_vs_quote.compared += 1;
            let equal = side(bid) == (quoted.bid_px, quoted.bid_sz)
                && side(ask) == (quoted.ask_px, quoted.ask_sz);
            self.book_vs_quote.equal += u64::from(equal);
        }
    }
}

fn word(notice: Notice) -> &'static str {
    match notice {
        Notice::Ack => "ack",
        Notice::VenueError => "venue_error",
        Notice::Shutdown => "server_shutdown",
        Notice::Ping => "ping",
        Notice::Handover => "handover",
        Notice::Opened => "connection_opened",
        Notice::Ended => "connection_ended",
        Notice::Session => "session",
    }
}

impl fmt::Display for CaptureReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "frames         {:>10}", self.frames)?;
        for (kind, count) in &self.events {
            writeln!(f, "  {kind:<12} {count:>10}")?;
        }
        for (reason, count) in &self.errors {
            writeln!(f, "  not read     {count:>10}  {reason}")?;
        }
        writeln!(
            f,
            "gaps           {:>10}  ({} messages missing)",
            self.gaps, self.missing
        )?;
        writeln!(f, "crossed books  {:>10}", self.crossed)?;
        writeln!(f, "splice dropped {:>10}", self.splice_dropped)?;
        let Comparison { compared, equal } = self.book_vs_quote;
        writeln!(f, "book = quote   {equal:>10}  of {compared} depth updates")?;
        if let Some((least, most)) = self.delay_ns {
            let millis = |nanos: i64| nanos as f64 / 1e6;
            writeln!(
                f,
                "delay, ms      {:>10.1}  to {:.1}",
                millis(least),
                millis(most)
            )?;
        }
        writeln!(f, "instruments    {}", self.instruments.join(" "))
    }
}
