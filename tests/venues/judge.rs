//! Holds what a run makes of a feed's frames against the truth of the venue, frame by frame.
//!
//! A change of a book is lost while it has not come before a later message of its symbol. What has come is
//! known by its text; a text that the venue never sent has a wrong digit, or is cut.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use foretick::decode::venue::BookProof;
use foretick::engine::book::Applied;
use foretick::event::TradeIds;
use foretick::frame::Frame;
use foretick::signal::quality::Quality;

use crate::cases::Case;
use crate::client::{Client, Taken, is_equal, mid_of, signal_of};
use crate::numerals::START;
use crate::relay::{self, SharedFaults};
use crate::wire::{About, Message};
use crate::world::{self, Shared};

/// What a shard makes of its symbols.
pub(crate) struct Judge {
    pub(crate) client: Client,
    world: Shared,
    faults: SharedFaults,
    proof: BookProof,
    symbols: [Judged; 2],
    tally: Arc<Mutex<Tally>>,
    what: String,
    /// What came last, to be shown where something is wrong.
    trail: VecDeque<String>,
}

/// What has come of a symbol.
#[derive(Default)]
struct Judged {
    /// The newest message of its book, and the newest that a whole book from beside the stream holds.
    newest: u64,
    covered: u64,
    /// A whole book that came too early, and the truth that it is: the first change of new numbers may
    /// take it.
    kept: Option<(u64, usize)>,
    /// The truth that its book has been told.
    told: usize,
    /// Whether a wrong or a late message may have changed its book, and nothing can have shown it yet.
    is_disturbed: bool,
    /// Whether another connection has taken over, and its book is not seen to be ahead yet.
    is_handed_over: bool,
    /// The trades that were used, and how many gaps there were at the last one.
    used: Vec<u64>,
    gaps: u64,
    seen: BTreeSet<u64>,
}

/// What happened in a run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// What the proxy did.
    pub(crate) faults: u64,
    /// Signals of each symbol that were `ok` and true.
    pub(crate) ok: [u64; 2],
    /// Those between a loss and its proof.
    pub(crate) unproved: u64,
    /// Those that were not `ok`.
    pub(crate) marked: u64,
    /// Losses that were proved.
    pub(crate) proved: u64,
    pub(crate) gaps: u64,
    pub(crate) trades: u64,
    /// Trades that came once more.
    pub(crate) repeated: u64,
    /// Trades that never came.
    pub(crate) missing: u64,
}

impl Judge {
    pub(crate) fn new(
        case: Case,
        world: Shared,
        faults: SharedFaults,
        tally: Arc<Mutex<Tally>>,
        what: String,
    ) -> Self {
        let client = Client::new(case);
        Self {
            proof: client.venue.proof().book,
            client,
            world,
            faults,
            symbols: Default::default(),
            tally,
            what,
            trail: VecDeque::new(),
        }
    }

    /// Takes the next frame of the shard.
    pub(crate) fn take(&mut self, frame: &Frame) {
        let text = std::str::from_utf8(&frame.bytes).expect("it is text");
        let taken = self.client.take_frame(frame.origin, &frame.bytes);
        let message = world::lock(&self.world).message(text).cloned();
        self.remember(text, &taken);
        match &message {
            Some(message) => self.note(message, &taken),
            None if text == r#"{"foretick":"handover"}"# => {
                self.symbols
                    .iter_mut()
                    .for_each(|one| one.is_handed_over = true);
            }
            None if text.starts_with(r#"{"foretick""#) => {}
            None if taken.error.is_none() => self.disturb(text),
            None => {}
        }
        self.check_trades(&taken);
        self.check_signals(&taken, message.as_ref().map_or(u64::MAX, |one| one.order));
        if let Some(message) = &message {
            self.check_book(message);
        }
        self.tally().gaps = self.client.gaps;
    }

    pub(crate) fn tick(&mut self, ms: i64) {
        let taken = self.client.tick(ms);
        self.check_signals(&taken, u64::MAX);
    }

    /// What the shard's trades add up to.
    pub(crate) fn end(&self) {
        let ids = self.client.venue.proof().trades;
        for (symbol, judged) in self.symbols.iter().enumerate() {
            let different: BTreeSet<u64> = judged.used.iter().copied().collect();
            let (Some(first), Some(last)) = (different.first(), different.last()) else {
                continue;
            };
            assert_eq!(different.len(), judged.used.len(), "twice: {}", self.what);
            let missing = last + 1 - first - judged.used.len() as u64;
            if ids == Some(TradeIds::Successive) {
                let told = self.client.missing_trades[symbol];
                assert_eq!(told, missing, "missing trades: {}", self.what);
            }
            let mut tally = self.tally();
            tally.missing += missing;
            tally.trades += judged.used.len() as u64;
        }
    }

    fn remember(&mut self, text: &str, taken: &Taken) {
        let about = text.chars().take(TRAIL_CHARS).collect::<String>();
        let (applied, error) = (&taken.applied, &taken.error);
        self.trail
            .push_back(format!("{about} {applied:?} {error:?}"));
        if self.trail.len() > TRAIL {
            self.trail.pop_front();
        }
    }

    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().expect("no holder panics")
    }

    /// Notes a message of a book as it came.
    fn note(&mut self, message: &Message, taken: &Taken) {
        let (order, symbol) = (message.order, message.symbol);
        if matches!(message.about, About::Change(_))
            && taken.applied == Some(Applied::Renumbered)
            && let Some((order, at)) = self.symbols[symbol].kept.take()
        {
            self.symbols[symbol].cover(order, at);
        }
        if let About::Change(at) | About::Whole(at) = message.about
            && self.symbols[symbol].is_handed_over
        {
            let judged = &mut self.symbols[symbol];
            match taken.applied {
                // The book of the new connection is not ahead yet.
                Some(Applied::Stale | Applied::Held) => return,
                Some(Applied::Spliced { .. }) => judged.cover(order, at),
                _ => {}
            }
            judged.is_handed_over = false;
        }
        let is_spoilt = self.has_wrong_digits(symbol, order);
        let has_begun = self.symbols[symbol].newest > 0;
        let is_lost = has_begun && self.is_lost_before(symbol, order);
        let is_live = self.client.books[symbol].is_live();
        let judged = &mut self.symbols[symbol];
        match message.about {
            About::Change(at) if order > judged.newest => {
                let shows = self.proof != BookProof::Checksum && !is_spoilt;
                if is_lost && shows && !judged.is_disturbed {
                    let (what, text) = (&self.what, &message.text);
                    assert!(!is_live, "a loss is not found: {what} {taken:?} {text}");
                    self.tally().proved += 1;
                }
                let judged = &mut self.symbols[symbol];
                (judged.newest, judged.is_disturbed) = (order, false);
                judged.told = judged.told.max(at);
            }
            // It is applied again, and the next one shows it.
            About::Change(_) => judged.is_disturbed |= self.proof == BookProof::Checksum,
            // An old copy of a whole book changes nothing.
            About::Whole(at) if taken.applied == Some(Applied::Stale) && at <= judged.told => {}
            About::Whole(at) => {
                (judged.newest, judged.told) = (order, at);
                judged.is_disturbed = false;
            }
            About::Fetched(at) => {
                let is_taken = matches!(
                    taken.applied,
                    Some(Applied::Spliced { .. } | Applied::Renumbered)
                );
                judged.kept = (!is_taken).then_some((order, at));
                if is_taken {
                    judged.cover(order, at);
                }
            }
            // Whatever came last counts: nothing says whether it is late.
            // An older quote does not replace a newer one.
            About::Quote(at) => judged.told = judged.told.max(at),
            About::Trade | About::Other => {}
        }
    }

    /// A message with a wrong digit has come.
    fn disturb(&mut self, text: &str) {
        let of = self.client.venue.symbol_of(text.as_bytes());
        for symbol in 0..2 {
            let name = self.client.name(symbol).rsplit_once('.');
            let is_it = of
                .as_deref()
                .is_none_or(|of| name.is_some_and(|name| name.0.eq_ignore_ascii_case(of)));
            self.symbols[symbol].is_disturbed |= is_it;
        }
    }

    /// Whether a change of the symbol's book has not come that is before this message.
    fn is_lost_before(&self, symbol: usize, order: u64) -> bool {
        let judged = &self.symbols[symbol];
        let known = judged.newest.max(judged.covered);
        let world = world::lock(&self.world);
        let changes = &world.changes[symbol];
        let next = changes.partition_point(|&change| change <= known);
        changes.get(next).is_some_and(|&change| change < order)
    }

    fn has_wrong_digits(&self, symbol: usize, order: u64) -> bool {
        let from = self.symbols[symbol].newest.min(order);
        let faults = relay::lock(&self.faults);
        faults.digits.range(from..=order).next().is_some()
    }

    /// A signal that is `ok` is true, unless nothing can have shown yet that something is lost.
    fn check_signals(&mut self, taken: &Taken, order: u64) {
        for (symbol, signal) in &taken.signals {
            let symbol = *symbol;
            if signal.quality != Quality::Ok {
                self.tally().marked += 1;
                continue;
            }
            let judged = &self.symbols[symbol];
            // A trade has a number too where all messages of the connection have.
            let by_connection = self.proof == BookProof::ConnectionNumbers;
            let is_unproved = !by_connection && self.is_lost_before(symbol, order);
            if judged.is_disturbed || is_unproved {
                self.tally().unproved += 1;
                continue;
            }
            let ms = signal.ts_event.0 / 1_000_000 - START;
            let world = world::lock(&self.world);
            let truths = &world.server.truths[symbol];
            let then = truths.partition_point(|truth| truth.ms <= ms);
            let should = match world.server.case.has_books() {
                true => signal_of(&truths[then.saturating_sub(1).max(judged.told)]),
                false => {
                    let price = signal.last_price.to_f64();
                    price + mid_of(&truths[judged.told])
                }
            };
            let (is, what) = (signal.outputs[0], &self.what);
            let trail = &self.trail;
            let is_true = (is - should).abs() < 1e-6;
            assert!(is_true, "{is} is not {should}: {what} {trail:#?}");
            drop(world);
            self.tally().ok[symbol] += 1;
        }
    }

    /// A book that is whole is the venue's.
    fn check_book(&self, message: &Message) {
        let (symbol, what) = (message.symbol, &self.what);
        let (judged, book) = (&self.symbols[symbol], &self.client.books[symbol]);
        let is_of_book = !matches!(message.about, About::Trade | About::Quote(_) | About::Other);
        if is_of_book && book.is_live() && !judged.is_disturbed {
            let world = world::lock(&self.world);
            let truth = &world.server.truths[symbol][judged.told];
            let (is_true, trail) = (is_equal(book, truth), &self.trail);
            assert!(is_true, "another book: {what} {message:?} {trail:#?}");
        }
    }

    /// Each trade is the venue's, and is used once.
    fn check_trades(&mut self, taken: &Taken) {
        let mut expected = 0;
        for (symbol, trade, ts) in &taken.trades {
            let (what, ms) = (&self.what, ts.0 / 1_000_000 - START);
            let world = world::lock(&self.world);
            // Some venues' numbers are made of more than one field.
            let trades = &world.trades[*symbol];
            let by_time = || trades.values().rev().find(|truth| truth.ms == ms);
            let truth = trades.get(&trade.trade_id).or_else(by_time);
            let truth = *truth.unwrap_or_else(|| panic!("no such trade: {what} {trade:?}"));
            assert_eq!(truth.ms, ms, "{what} {trade:?}");
            drop(world);
            let is = (Some(trade.price), Some(trade.size));
            let price = foretick::units::Price::from_scaled(truth.price, 1);
            let size = foretick::units::Size::from_scaled(truth.size, 3);
            assert_eq!(is, (price, size), "{what} {trade:?}");
            let gaps = self.client.gaps;
            let judged = &mut self.symbols[*symbol];
            let follows = judged.used.last().is_none_or(|last| truth.id <= last + 1);
            if self.proof == BookProof::ConnectionNumbers && !follows {
                assert!(gaps > judged.gaps, "a lost trade: {what} {trade:?}");
            }
            judged.gaps = gaps;
            expected += u64::from(judged.uses(trade.ids, truth.id));
        }
        assert_eq!(taken.used, expected, "{} {taken:?}", self.what);
        self.tally().repeated += taken.trades.len() as u64 - expected;
    }
}

impl Judged {
    /// The book is one from beside the stream now, or one behind it.
    fn cover(&mut self, order: u64, at: usize) {
        self.told = self.told.max(at);
        self.covered = self.covered.max(order);
    }

    /// Whether a trade is to be used: a copy is not, nor one that is behind where numbers rise.
    fn uses(&mut self, ids: TradeIds, id: u64) -> bool {
        let is_new = match ids {
            TradeIds::Successive | TradeIds::Rising => {
                self.used.last().is_none_or(|last| id > *last)
            }
            TradeIds::Distinct => !self.seen.contains(&id),
        };
        if is_new {
            self.used.push(id);
            self.seen.insert(id);
        }
        is_new
    }
}

/// How much of what came last is shown.
const TRAIL: usize = 200;
const TRAIL_CHARS: usize = 180;
