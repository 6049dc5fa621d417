//! Inspects captures and archives: what is in them, what is missing, and whether the book agrees with what
//! the venue says of it: its quotes, its checksums, its numbers, its order book file.
//!
//! Needs no pipeline but for a feed that one describes, and is not told which venue's capture it is.

mod book_check;
mod book_files;
mod order;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use self::book_check::BookCheck;
use self::book_files::compare_files;
use self::order::FileOrder;
pub use self::report::{CaptureReport, Comparison, InstrumentReport, Sequence};
use crate::decode::{Decoder, Notice, Venues};
use crate::engine::book::Applied;
use crate::engine::row::{TradeNumber, TradeNumbers};
use crate::event::{AmendmentKind, Batch, Body, Depth, Event, Gap, GapReason, Quote, Trade};
use crate::frame::Origin;
use crate::instrument::{InstrumentId, Instruments};
use crate::run::intake::{FrameOutcome, Intake};
use crate::run::observer::{ObservedStep, Observer};
use crate::run::replay::{ReplayError, observe_events};
use crate::sink::SinkError;
use crate::source::file::{FileError, FileOptions, FileSource};
use crate::source::history::files_in_zip;
use crate::units::{Nanos, Price};

/// Reads captures and archives, the captures of these venues, to their end, or as far as `files` says.
///
/// # Errors
/// [`ReplayError`] where a file cannot be read.
pub fn inspect(
    inputs: &[PathBuf],
    files: &FileOptions,
    venues: Venues,
) -> Result<CaptureReport, ReplayError> {
    let source = FileSource::open_with(inputs, files)?;
    let instruments = Instruments::new(&[], usize::MAX);
    let decoder = Decoder::new(instruments, files.max_frame_bytes).with_venues(venues);
    let mut inspection = Inspection::default();
    let observed = observe_events(source, Intake::new(decoder), &mut inspection)?;
    let Inspection {
        report,
        keys,
        order,
    } = inspection;
    let table = observed.intake.instruments();
    let names = || (0..table.len() as u32).map(|id| table.name(InstrumentId(id)).to_owned());
    let venues = names().filter_map(|name| Some(name.rsplit_once('.')?.1.to_owned()));
    let books = keys.iter().map(|key| key.book.sequence);
    let of_books = books.fold(Sequence::default(), Sequence::and);
    let of_connections = observed.numbers.map(|numbers| Sequence {
        first: Some(numbers.first),
        last: Some(numbers.last),
        missing: numbers.missing,
    });
    let seen = keys.iter().map(|key| InstrumentReport {
        book: key.book.sequence,
        ..key.seen
    });
    let mut inside = BTreeMap::new();
    for input in inputs {
        let files = files_in_zip(input).map_err(|cause| FileError {
            path: input.clone(),
            line: None,
            cause,
        })?;
        inside.extend(files.map(|files| (input.display().to_string(), files)));
    }
    let formats = observed.files.iter().map(|file| file.0.to_owned());
    let records = observed.files.iter().map(|file| file.1);
    let Comparison { compared, equal } = compare_files(inputs)?;
    Ok(CaptureReport {
        format: formats.collect::<BTreeSet<_>>().into_iter().collect(),
        records: records.sum(),
        inside,
        out_of_order: order.out_of_order,
        book_vs_quote: Comparison {
            compared: report.book_vs_quote.compared + compared,
            equal: report.book_vs_quote.equal + equal,
        },
        venue: venues.collect::<BTreeSet<_>>().into_iter().collect(),
        frames: observed.frames,
        errors: observed.intake.account().dropped_by_reason.clone(),
        sequence: of_connections.unwrap_or(of_books),
        instruments: names().collect(),
        by_instrument: names().zip(seen).collect(),
        account: observed.intake.account().clone(),
        readability: observed.intake.readability().clone(),
        ..report
    })
}

/// The report so far, and what is remembered of each instrument.
#[derive(Default)]
struct Inspection {
    report: CaptureReport,
    keys: Vec<InspectedInstrument>,
    order: FileOrder,
}

/// What is remembered of an instrument.
#[derive(Default)]
struct InspectedInstrument {
    book: BookCheck,
    /// Of trades singly and in aggregate.
    trades: [TradeNumbers; 2],
    seen: InstrumentReport,
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
        self.order.take(batch);
        for event in &batch.events {
            let origin = batch.origins[event.frame as usize];
            self.report.event_time(event.ts_event);
            self.report.delay(origin.ts_recv, event.ts_event);
            match event.instrument {
                InstrumentId::ALL => self.event_of_all(&event.body),
                _ => self.event(batch, event),
            }
        }
        Ok(())
    }
}

impl Inspection {
    /// Takes an event that concerns all instruments.
    fn event_of_all(&mut self, body: &Body) {
        self.report.count(match body {
            Body::Tick => "tick",
            Body::Figure(_) => "figure",
            _ => "gap",
        });
        if let Body::Gap(gap) = body {
            self.report.miss(gap.missing);
            self.keys.iter_mut().for_each(|key| key.gap(*gap));
        }
    }

    fn event(&mut self, batch: &Batch, event: &Event) {
        let at = event.instrument.index();
        if at >= self.keys.len() {
            self.keys.resize_with(at + 1, InspectedInstrument::default);
        }
        let (key, report) = (&mut self.keys[at], &mut self.report);
        let received = batch.origins[event.frame as usize].ts_recv;
        key.time(event.ts_event);
        let kind = match &event.body {
            Body::Trade(trade) => report.trade(key, trade, event.ts_event, received),
            Body::SkippedTrade(number) => {
                report.number(key.trades[0].skip(*number, event.ts_event, received));
                "skipped_trade"
            }
            Body::Quote(quote) => {
                report.crossed += u64::from(is_crossed(quote));
                key.book.quote(*quote, &mut report.book_vs_quote);
                "quote"
            }
            Body::Depth(depth) => report.depth(key, batch, depth, event.ts_event),
            Body::Gap(gap) | Body::FeedGap(gap) => {
                report.miss(gap.missing);
                key.gap(*gap);
                "gap"
            }
            Body::Bar(_) => "bar",
            Body::Amendment(amendment) => match amendment.kind {
                AmendmentKind::Correction => "correction",
                AmendmentKind::Cancel => "cancel",
            },
            Body::Status(_) => "status",
            Body::Figure(_) => "figure",
            Body::Sentiment(_) => "sentiment",
            Body::Record(_) => "record",
            Body::Withdrawn(_) => "withdrawn",
            Body::Tick => "tick",
        };
        report.count(kind);
    }
}

impl InspectedInstrument {
    /// Distrusts the book where the gap is one in its changes.
    fn gap(&mut self, gap: Gap) {
        if gap.reason != GapReason::Overflow {
            self.book.gap();
        }
    }

    /// Notes the time of an event.
    fn time(&mut self, ts: Nanos) {
        self.seen.events += 1;
        if ts == Nanos::UNDEFINED {
            return;
        }
        let (first, last) = self.seen.times.unwrap_or((ts.0, ts.0));
        let silence = ts.0.saturating_sub(last);
        self.seen.silence_ns_max = self.seen.silence_ns_max.max(silence);
        self.seen.times = Some((first.min(ts.0), last.max(ts.0)));
    }
}

impl CaptureReport {
    fn event_time(&mut self, ts: Nanos) {
        if ts != Nanos::UNDEFINED {
            self.first = Some(self.first.map_or(ts, |first| first.min(ts)));
            self.last = Some(self.last.map_or(ts, |last| last.max(ts)));
        }
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

    fn trade(
        &mut self,
        key: &mut InspectedInstrument,
        trade: &Trade,
        ts: Nanos,
        received: Nanos,
    ) -> &'static str {
        self.number(key.trades[usize::from(trade.aggregate)].take(trade, ts, received));
        match trade.aggregate {
            true => "agg_trade",
            false => "trade",
        }
    }

    fn number(&mut self, number: TradeNumber) {
        match number {
            TradeNumber::Next | TradeNumber::Copy => {}
            TradeNumber::Anew => self.miss(0),
            TradeNumber::Missing(missing) => self.miss(missing),
        }
    }

    fn depth(
        &mut self,
        key: &mut InspectedInstrument,
        batch: &Batch,
        depth: &Depth,
        ts: Nanos,
    ) -> &'static str {
        let (sums, quotes) = (&mut self.checksums, &mut self.book_vs_quote);
        let applied = key.book.depth(depth, batch.levels(depth), ts, sums, quotes);
        let has_changed = match applied {
            Applied::Gap { missing, .. } => {
                self.miss(missing);
                false
            }
            Applied::Waiting
            | Applied::Stale
            | Applied::Held
            | Applied::TooOld
            | Applied::Unchanged => false,
            Applied::Renumbered => {
                self.miss(0);
                true
            }
            Applied::Spliced { dropped } => {
                self.splice_dropped += dropped;
                true
            }
            Applied::Changed => true,
        };
        self.crossed += u64::from(has_changed && key.book.is_crossed());
        match depth.snapshot {
            Some(_) => "snapshot",
            None => "depth",
        }
    }
}

/// Whether the bid is above the ask, as the engine says it of quotes.
fn is_crossed(quote: &Quote) -> bool {
    let are_both = quote.bid_px != Price::UNDEFINED && quote.ask_px != Price::UNDEFINED;
    are_both && quote.bid_px > quote.ask_px
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
