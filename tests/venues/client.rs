//! What a run does with a venue's messages, without sockets: the numbers of the connection, decoder and
//! engine; and a second book beside the engine's, which can be looked into.

use std::sync::Arc;

use foretick::decode::venue::Venue;
use foretick::decode::{ConnectionCheck, ConnectionOrder, DecodeError, Decoder};
use foretick::engine::book::{Applied, Book};
use foretick::engine::row::GapInput;
use foretick::engine::{Engine, EngineSettings};
use foretick::event::{Batch, Body, Gap, Trade};
use foretick::frame::Origin;
use foretick::instrument::InstrumentId;
use foretick::model::normalise::Normalise;
use foretick::model::score_form::ScoreForm;
use foretick::model::{Model, ModelError};
use foretick::signal::Signal;
use foretick::units::{Nanos, Price, Size};

use crate::cases::Case;
use crate::given::Folder;
use crate::market::{Rests, Truth};
use crate::numerals::START;

/// Connection check, decoder, engine and books of a run.
pub(crate) struct Client {
    pub(crate) venue: &'static dyn Venue,
    decoder: Decoder,
    pub(crate) engine: Engine,
    check: ConnectionCheck,
    connection: i32,
    batch: Batch,
    names: [String; 2],
    pub(crate) books: [Book; 2],
    /// Gaps that were found: by the books, and by the numbers of the connection.
    pub(crate) gaps: u64,
    /// Frames that could not be read, or were copies.
    pub(crate) unread: u64,
    /// Trades that were reported as missing, by symbol.
    pub(crate) missing_trades: [u64; 2],
    frames: i64,
}

/// What a message did.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) signals: Vec<(usize, Signal)>,
    /// What it did to the book of its symbol.
    pub(crate) applied: Option<Applied>,
    pub(crate) error: Option<DecodeError>,
    /// Whether its number says that it was late, or a copy.
    pub(crate) is_behind: bool,
    /// The trades in it.
    pub(crate) trades: Vec<(usize, Trade, Nanos)>,
    /// How many of them the engine has used.
    pub(crate) used: u64,
}

/// The sum of the newest row.
struct Sum;

impl Model for Sum {
    fn score(&mut self, windows: &[f64], scores: &mut Vec<f64>) -> Result<(), ModelError> {
        scores.extend(windows.chunks_exact(2).map(|row| row[0] + row[1]));
        Ok(())
    }
}

impl Client {
    pub(crate) fn new(case: Case) -> Self {
        let names = case
            .symbols
            .map(|symbol| format!("{symbol}.{}", case.venue));
        let id = std::thread::current().id();
        let folder = Folder::new(&format!("venues-{id:?}"));
        let rows = if case.has_books() { ROW } else { ROW_OF_QUOTES };
        let pipeline = case.pipeline(&folder, rows);
        let settings = EngineSettings {
            rules: pipeline.rules,
            steps: 1,
            every: 1,
            while_warming: pipeline.file.row.while_warming,
            normalise: Normalise::None,
            form: ScoreForm::SCORE,
            reasons: 0,
            values: vec![],
            model: 0,
            half_life: None,
        };
        Self {
            venue: pipeline
                .venues()
                .named(case.venue)
                .expect("it is registered, or described"),
            decoder: pipeline.decoder(),
            engine: Engine::new(Arc::clone(&pipeline.plan), settings, Box::new(Sum)),
            check: ConnectionCheck::default(),
            connection: 1,
            batch: Batch::default(),
            names,
            books: Default::default(),
            gaps: 0,
            unread: 0,
            missing_trades: [0; 2],
            frames: 0,
        }
    }

    /// A new connection begins, as the feed tells it.
    pub(crate) fn reconnect(&mut self, ms: i64) {
        self.check = ConnectionCheck::default();
        self.connection += 1;
        self.frame(
            ms,
            br#"{"foretick":"gap","reason":"reconnect","missing":0}"#,
        );
    }

    /// The clock.
    pub(crate) fn tick(&mut self, ms: i64) -> Taken {
        let ts = (START + ms) * 1_000_000;
        self.frame(ms, format!(r#"{{"foretick":"tick","ts":{ts}}}"#).as_bytes())
    }

    /// Takes a message of the venue, received at that time.
    pub(crate) fn take(&mut self, ms: i64, text: &str) -> Taken {
        let mut gap = None;
        match self.check.take(self.venue, text.as_bytes()) {
            ConnectionOrder::Follows => {}
            ConnectionOrder::Lost(missing) => {
                let text =
                    format!(r#"{{"foretick":"gap","reason":"sequence","missing":{missing}}}"#);
                gap = Some(self.frame(ms, text.as_bytes()));
            }
            ConnectionOrder::Behind => {
                self.unread += 1;
                return Taken {
                    is_behind: true,
                    ..Taken::default()
                };
            }
        }
        let mut taken = self.frame(ms, text.as_bytes());
        taken
            .signals
            .splice(..0, gap.into_iter().flat_map(|gap| gap.signals));
        taken
    }

    /// A message beside the stream, as a feed makes it of an answer.
    pub(crate) fn take_fetched(&mut self, ms: i64, symbol: &str, body: &str) -> Taken {
        let message = self.venue.snapshot_message(symbol, body.as_bytes());
        self.frame(ms, &message)
    }

    fn frame(&mut self, ms: i64, bytes: &[u8]) -> Taken {
        let origin = Origin {
            ts_recv: Nanos((START + ms) * 1_000_000),
            offset: self.frames,
            partition: self.connection,
            stream: 0,
            late: false,
            reprocessed: false,
        };
        self.frames += 1;
        self.take_frame(origin, bytes)
    }

    /// Takes a frame of a feed.
    pub(crate) fn take_frame(&mut self, origin: Origin, bytes: &[u8]) -> Taken {
        self.batch.clear();
        let mut taken = Taken::default();
        if let Err(error) = self.decoder.decode(origin, bytes, &mut self.batch) {
            self.unread += 1;
            taken.error = Some(error);
        }
        for at in 0..self.batch.events.len() {
            let event = self.batch.events[at];
            match event.body {
                Body::Gap(Gap { .. }) => {
                    self.gaps += 1;
                    self.books.iter_mut().for_each(Book::freeze);
                }
                Body::Depth(depth) => {
                    let symbol = self.symbol(event.instrument);
                    let (bids, asks) = self.batch.levels(&depth);
                    let book = &mut self.books[symbol];
                    let applied = book.apply(&depth, bids, asks, event.ts_event);
                    let is_gap = matches!(applied, Applied::Gap { .. } | Applied::Renumbered);
                    self.gaps += u64::from(is_gap);
                    taken.applied = Some(applied);
                }
                Body::Trade(trade) => {
                    let symbol = self.symbol(event.instrument);
                    taken.trades.push((symbol, trade, event.ts_event));
                }
                _ => {}
            }
        }
        let (mut signals, mut gaps) = (vec![], vec![]);
        let before = self.engine.counts().trades;
        let stepped = self.engine.step(&self.batch, &mut signals);
        stepped.expect("a sum never fails");
        taken.used = self.engine.counts().trades - before;
        self.engine.take_gaps(&mut gaps);
        for gap in gaps {
            if gap.change.input == GapInput::Trades {
                let symbol = self.symbol(gap.instrument);
                self.missing_trades[symbol] += gap.change.missing;
            }
        }
        let named = signals.into_iter();
        taken.signals = named
            .map(|signal| (self.symbol(signal.instrument), signal))
            .collect();
        taken
    }

    /// The symbols whose book needs a new snapshot.
    pub(crate) fn wanted(&mut self) -> Vec<usize> {
        let mut ids = vec![];
        self.engine.take_snapshot_requests(&mut ids);
        ids.into_iter().map(|id| self.symbol(id)).collect()
    }

    /// The symbols whose book has become whole.
    pub(crate) fn whole(&mut self) -> Vec<usize> {
        let mut ids = vec![];
        self.engine.take_whole_books(&mut ids);
        ids.into_iter().map(|id| self.symbol(id)).collect()
    }

    /// A symbol as instruments are named.
    pub(crate) fn name(&self, symbol: usize) -> &str {
        &self.names[symbol]
    }

    fn symbol(&self, id: InstrumentId) -> usize {
        let name = self.decoder.instruments().name(id);
        let at = self.names.iter().position(|own| own == name);
        at.unwrap_or_else(|| panic!("{name} is none of {:?}", self.names))
    }
}

/// The best bid and offer, and three levels of the book, at each trade.
pub(crate) const ROW: &str = r#"
[row]
on = "trade"
stale_after_ms = 3_000
[[feature]]
name = "mid"
kind = "mid"
[[feature]]
name = "imbalance"
kind = "queue_imbalance"
levels = 3
[model]
kind = "sum"
"#;

/// The best bid and offer, and the last price, at each trade.
const ROW_OF_QUOTES: &str = r#"
[row]
on = "trade"
stale_after_ms = 3_000
[[feature]]
name = "mid"
kind = "mid"
[[feature]]
name = "price"
kind = "price"
[model]
kind = "sum"
"#;

/// What the signal is of a book that is true.
pub(crate) fn signal_of(truth: &Truth) -> f64 {
    let mid = mid_of(truth);
    let sum = |side: &[Rests]| side.iter().take(3).map(|one| one.1).sum::<i64>() as f64;
    let (bids, asks) = (sum(&truth.bids), sum(&truth.asks));
    mid + (bids - asks) / (bids + asks)
}

/// The middle of the best bid and offer.
pub(crate) fn mid_of(truth: &Truth) -> f64 {
    (truth.bids[0].0 + truth.asks[0].0) as f64 / 20.0
}

/// Whether a book has these levels, and no others.
pub(crate) fn is_equal(book: &Book, truth: &Truth) -> bool {
    let level = |&(price, size): &Rests| {
        let price = Price::from_scaled(price, 1).expect("it is small");
        (price, Size::from_scaled(size, 3).expect("it is small"))
    };
    book.bids()
        .map(|one| (one.price, one.size))
        .eq(truth.bids.iter().map(level))
        && book
            .asks()
            .map(|one| (one.price, one.size))
            .eq(truth.asks.iter().map(level))
}
