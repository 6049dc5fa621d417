//! What a frame means, as small plain data: trade, quote, depth change, gap, tick.
//!
//! An event owns nothing. The levels of a depth change lie beside it in the [`Batch`], and so does
//! where its frame came from.

mod gap_reason;

pub use self::gap_reason::GapReason;
use serde::{Deserialize, Serialize};

use crate::frame::Origin;
use crate::instrument::InstrumentId;
use crate::units::{Nanos, Price, Side, Size};

/// One thing that happened, as the venue reports it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// The venue's time; [`Nanos::UNDEFINED`] where the message carries none (Binance `bookTicker`).
    pub ts_event: Nanos,
    /// The instrument, company or applicant; [`InstrumentId::ALL`] for ticks, economic figures, and gaps of
    /// a whole feed.
    pub instrument: InstrumentId,
    /// Index of its frame's [`Origin`] in the batch.
    pub frame: u32,
    /// What happened.
    pub body: Body,
}

/// The kinds of event.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// A trade.
    Trade(Trade),
    /// A number among those of the trades that no trade of the market has: the venue spent it on nothing, or
    /// on a transfer at a price of its own. It is not missing.
    SkippedTrade(u64),
    /// The best bid and offer.
    Quote(Quote),
    /// Levels of the book changed, or a snapshot of the whole book.
    Depth(Depth),
    /// Prices and volume over a span of time.
    Bar(Bar),
    /// An economic figure became known.
    Figure(Figure),
    /// The sentiment of the instrument's headlines.
    Sentiment(Sentiment),
    /// A trade that was reported before is corrected or cancelled.
    Amendment(Amendment),
    /// Trading is halted, or goes on.
    Status(TradingStatus),
    /// Messages are missing.
    Gap(Gap),
    /// Messages of the feed are missing, also about this instrument: a gap of all that some shards have.
    FeedGap(Gap),
    /// An application, a statement or a headline.
    Record(Record),
    /// An item, by its number, does not concern the instrument any more, or turned out to be a copy of
    /// another.
    Withdrawn(u64),
    /// The clock, as data: time passed while the market was silent.
    Tick,
}

/// A trade.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trade {
    /// Price paid.
    pub price: Price,
    /// Quantity, above zero.
    pub size: Size,
    /// The venue's number; 0 where the feed has none.
    pub trade_id: u64,
    /// What the number says about other trades.
    pub ids: TradeIds,
    /// Who started it: the side that took liquidity; none where the venue does not tell.
    pub side: Option<Side>,
    /// Whether it is several fills of one order in one message (Binance `aggTrade`), which have numbers of
    /// their own.
    pub aggregate: bool,
}

/// What the numbers of an instrument's trades say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TradeIds {
    /// Each is one higher than the one before: a jump shows how many trades are missing.
    #[default]
    Successive,
    /// Each is higher than those before: a copy shows, a missing trade does not.
    Rising,
    /// Each is another one, in no order: a copy of a recent trade shows.
    Distinct,
}

/// A trade that was reported before turns out to be another one, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    /// What became of it.
    pub kind: AmendmentKind,
    /// The number of the trade that was reported, as [`Trade::trade_id`] has it.
    pub trade_id: u64,
}

/// What became of a trade that was reported before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AmendmentKind {
    /// Its price or its size was another one.
    Correction,
    /// It was cancelled, or reported in error.
    Cancel,
}

/// Whether an instrument is traded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TradingStatus {
    /// It is not: its exchange halted or paused trading.
    Halted,
    /// It is again.
    Trading,
}

/// Best bid and offer. A side without orders has [`Price::UNDEFINED`] and size zero.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    /// Highest price bid.
    pub bid_px: Price,
    /// Quantity at the bid.
    pub bid_sz: Size,
    /// Lowest price asked.
    pub ask_px: Price,
    /// Quantity at the ask.
    pub ask_sz: Size,
    /// The book's update number that this is the state of; 0 where the feed has none.
    pub sequence: u64,
}

/// Changed levels, or a whole book. Its levels are `batch.levels[start..start + bids + asks]`, bids first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Depth {
    /// Number of the first update in it; of the only one in a snapshot.
    pub first: u64,
    /// Number of the last update in it.
    pub last: u64,
    /// Where its levels start in the batch.
    pub start: u32,
    /// How many bid levels.
    pub bids: u32,
    /// How many ask levels, behind the bids.
    pub asks: u32,
    /// Whether it is a whole book, and how that joins the changes around it; none for changed levels.
    pub snapshot: Option<Splice>,
    /// What must be true of the numbers of two changes that follow each other.
    pub link: Link,
    /// Of a whole book: the levels a side that the venue keeps up to date, after which a book is cut off; 0
    /// where it names the end of every level.
    pub keep: u16,
    /// What the book must add up to once this is applied.
    pub checksum: Option<Checksum>,
    /// Whether it came by a new connection while that before was in use: it may be older than what is known.
    pub overlaps: bool,
}

/// What must be true of the numbers of two changes of a book that follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Link {
    /// Each update has the next number: a change begins at or before the one after the last known.
    #[default]
    Range,
    /// A change names the update before it, `first - 1`, which must be the last one known; its own number
    /// `last` may be any. One that names itself (`last == first - 1`) changes nothing, and shows that nothing
    /// is missing.
    Chain,
}

/// A checksum of a book's best levels: CRC-32 (IEEE 802.3). Packed, so that an event fits a cache line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(Rust, packed)]
pub struct Checksum {
    /// The sum.
    pub value: u32,
    /// The digits that it is of.
    pub form: ChecksumForm,
}

/// The text that a checksum is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChecksumForm {
    /// Ten asks from the best up, then ten bids from the best down: price and size of each without point and
    /// leading zeros, written with so many decimal places. Source: Kraken, `book-checksum-v2`.
    Digits {
        /// Decimal places of prices.
        price_places: u8,
        /// Decimal places of sizes.
        size_places: u8,
    },
    /// 25 levels a side, bid and ask in turns, `price:size` with colons between them, no trailing zeros.
    /// Source: OKX, `books` channel; its field has been 0 since 2026, archives have the sum.
    Pairs,
}

/// How a whole book joins the changes around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Splice {
    /// By its number, because it was fetched beside the stream of changes: changes up to its number are in
    /// it, and the first one after it must reach over the number (`first <= number + 1 <= last`).
    ByNumber,
    /// By its place in the stream, which it begins anew: it replaces the book whatever its number, and
    /// changes before it count no more.
    InOrder,
}

/// The fields of an application or a statement, in the pipeline's order, or the pieces of a headline:
/// `batch.values[start..start + count]`, NaN where the record lacks one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Where its values start in the batch.
    pub start: u32,
    /// How many.
    pub count: u32,
    /// The period that a statement describes: a year, or another unit that counts by one; none for records
    /// that stand alone.
    pub period: Option<i64>,
    /// Fields of it that the pipeline does not know; words of a headline that the vocabulary cannot spell.
    pub unknown: u32,
    /// Of a headline: the number of its item, the same for each of its revisions.
    pub item: Option<u64>,
    /// Whether it revises an item.
    pub revised: bool,
    /// Whether part of it could not be read: a headline that is too long, or mostly unknown words.
    pub degraded: bool,
}

/// An instrument over a span of time that ended at the event's time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Quantity traded; undefined where it is unknown.
    pub volume: Size,
}

/// A figure such as a price index or an interest rate, from the event's time on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Its index among the figures that the pipeline's features name.
    pub figure: u16,
    /// Its value, in its own unit.
    pub value: f64,
}

/// The sentiment of an instrument's headlines, an exponentially decayed average, at the event's time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sentiment {
    /// The average, in −1..1.
    pub average: f64,
    /// The sum of the weights of its scores.
    pub weight: f64,
    /// Time after which it weighs half, in nanoseconds.
    pub half_life: i64,
}

/// One price level: the whole quantity now resting there; zero removes the level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Price of the level.
    pub price: Price,
    /// Quantity at it.
    pub size: Size,
}

/// Messages that are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Why they are missing.
    pub reason: GapReason,
    /// How many messages are missing; 0 where that is unknown.
    pub missing: u64,
}

/// Events of some frames in order, with the levels and origins that they point to.
///
/// Reused: [`Batch::clear`] keeps the memory.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The events, in the order of their frames.
    pub events: Vec<Event>,
    /// Levels of the depth events.
    pub levels: Vec<Level>,
    /// Values of the records.
    pub values: Vec<f64>,
    /// Where each frame came from.
    pub origins: Vec<Origin>,
}

/// How much a batch holds.
#[derive(Clone, Copy, Debug)]
pub struct BatchLengths {
    /// Frames.
    pub origins: usize,
    /// Events.
    pub events: usize,
    /// Levels of the depth events.
    pub levels: usize,
    /// Values of the records.
    pub values: usize,
}

impl Batch {
    /// Empties it for the next frames.
    pub fn clear(&mut self) {
        self.events.clear();
        self.levels.clear();
        self.values.clear();
        self.origins.clear();
    }

    /// How much it holds.
    #[must_use]
    pub fn lengths(&self) -> BatchLengths {
        BatchLengths {
            origins: self.origins.len(),
            events: self.events.len(),
            levels: self.levels.len(),
            values: self.values.len(),
        }
    }

    /// Takes out what came after it had these lengths.
    pub fn truncate(&mut self, lengths: BatchLengths) {
        self.origins.truncate(lengths.origins);
        self.events.truncate(lengths.events);
        self.levels.truncate(lengths.levels);
        self.values.truncate(lengths.values);
    }

    /// Notes the frame whose events come next.
    pub fn begin_frame(&mut self, origin: Origin) {
        self.origins.push(origin);
    }

    /// Notes when the frame begun last was first received, where its record says so: that stands for the time
    /// at which we received it.
    pub fn received_first(&mut self, ts_recv: Option<Nanos>) {
        if let (Some(ts_recv), Some(origin)) = (ts_recv, self.origins.last_mut()) {
            origin.ts_recv = ts_recv;
        }
    }

    /// Adds an event of the frame begun last.
    pub fn push(&mut self, instrument: InstrumentId, ts_event: Nanos, body: Body) {
        let frame = self.origins.len() as u32 - 1;
        self.events.push(Event {
            ts_event,
            instrument,
            frame,
            body,
        });
    }

    /// Keeps those events from number `first` on that `keeps` says yes to.
    pub fn retain_events(&mut self, first: usize, keeps: impl Fn(&Event) -> bool) {
        if self.events[first..].iter().all(&keeps) {
            return;
        }
        let mut at = 0;
        self.events.retain(|event| {
            at += 1;
            at <= first || keeps(event)
        });
    }

    /// The values of a record of this batch.
    #[must_use]
    pub fn values(&self, record: &Record) -> &[f64] {
        let start = record.start as usize;
        &self.values[start..start + record.count as usize]
    }

    /// The bid and the ask levels of a depth event of this batch.
    #[must_use]
    pub fn levels(&self, depth: &Depth) -> (&[Level], &[Level]) {
        let bids = depth.start as usize;
        let asks = bids + depth.bids as usize;
        (
            &self.levels[bids..asks],
            &self.levels[asks..asks + depth.asks as usize],
        )
    }
}

/// An event fits one cache line, so that a batch streams through memory.
const _: () = assert!(size_of::<Event>() <= 64);
