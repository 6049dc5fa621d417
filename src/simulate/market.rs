//! The market: matches the orders of its participants, numbers the updates, and publishes them.
//!
//! Event time only: no clock, no I/O, no thread. Its messages depend on the settings alone, never on how its
//! time was cut into calls.

use super::book::{OrderBook, TickLevel, opposite};
use super::crowd::{Crowd, OrderAction};
use super::news::HeadlineSource;
use super::random::Random;
use super::wire::{Fills, Message, MessageWriter};
use super::{Listing, MarketSettings, NANOS_PER_SECOND, SimulateError};
use crate::units::{Nanos, Side};

/// All instruments of the simulated exchange.
#[derive(Clone, Debug)]
pub struct Market {
    instruments: Vec<Instrument>,
}

/// One instrument: its book, its participants, and the numbers that its messages carry.
#[derive(Clone, Debug)]
struct Instrument {
    symbol: String,
    book: OrderBook,
    crowd: Crowd,
    writer: MessageWriter,
    next_action: Nanos,
    next_depth: Nanos,
    /// Number of the last change of the book.
    update_id: u64,
    /// The last change that was in a depth message.
    published: u64,
    /// Levels changed since then, with repetitions.
    changed: Vec<(Side, i64)>,
    trade_id: u64,
    aggregate_id: u64,
    /// Headlines about it, which move its price.
    headlines: Option<HeadlineSource>,
}

impl Market {
    /// Opens all books at `settings.start`.
    ///
    /// # Errors
    /// [`SimulateError::Listing`] when an instrument cannot be traded as listed.
    pub fn new(settings: &MarketSettings) -> Result<Self, SimulateError> {
        settings.check()?;
        let listings = settings.instruments.iter().enumerate();
        Ok(Self {
            instruments: listings
                .map(|(at, listing)| Instrument::open(listing, at, settings))
                .collect(),
        })
    }

    /// Lets time pass up to and including `until`, and appends the messages of that time, in order.
    pub fn advance(&mut self, until: Nanos, out: &mut Vec<Message>) {
        while self.step(until, out) {}
    }

    /// The order book as `GET /api/v3/depth` returns it; `None` for a symbol that is not listed.
    #[must_use]
    pub fn snapshot(&self, symbol: &str, limit: usize) -> Option<String> {
        let listed = self.instruments.iter().find(|i| i.symbol == symbol)?;
        Some(
            listed
                .writer
                .snapshot(listed.update_id, &listed.book, limit),
        )
    }

    /// Lets the next action happen, if it is due by `until`. Depth before orders, instruments as listed.
    pub(super) fn step(&mut self, until: Nanos, out: &mut Vec<Message>) -> bool {
        let next = self.instruments.iter_mut().min_by_key(|i| i.next());
        let Some(instrument) = next.filter(|i| i.next() <= until) else {
            return false;
        };
        if instrument.next_depth <= instrument.next_action {
            instrument.publish_depth(out);
        } else {
            instrument.act(out);
        }
        true
    }
}

impl Instrument {
    fn open(listing: &Listing, at: usize, settings: &MarketSettings) -> Self {
        let mut numbers = Random::new(settings.seed, &format!("{} numbers", listing.symbol));
        let mut crowd = Crowd::new(listing, settings.seed);
        let mut book = OrderBook::default();
        for (side, ticks, steps) in crowd.opening() {
            book.rest(side, ticks, steps);
        }
        // A venue has traded for years, and its instruments do not publish at the same instant.
        let update_id = 1_000_000_000 + numbers.below(9_000_000_000) as u64;
        let phase = numbers.below(DEPTH_INTERVAL as usize) as i64;
        let wait = crowd.wait(&book);
        Self {
            symbol: listing.symbol.clone(),
            book,
            crowd,
            writer: MessageWriter::new(listing, at),
            next_action: Nanos(settings.start.0 + wait),
            next_depth: Nanos(settings.start.0 + phase),
            update_id,
            published: update_id,
            changed: Vec::new(),
            trade_id: 10_000_000 + numbers.below(90_000_000) as u64,
            aggregate_id: 1_000_000 + numbers.below(9_000_000) as u64,
            headlines: HeadlineSource::of(listing, settings),
        }
    }

    fn next(&self) -> Nanos {
        self.next_action.min(self.next_depth)
    }

    /// Carries out the action that is due and draws when the next one is.
    fn act(&mut self, out: &mut Vec<Message>) {
        let ts = self.next_action;
        while let Some(headline) = self
            .headlines
            .as_mut()
            .and_then(|source| source.next_by(ts))
        {
            self.crowd.react(headline.tone);
        }
        match self.crowd.act(&self.book) {
            OrderAction::Quote { side, ticks, steps } => self.change(ts, out, |book| {
                book.rest(side, ticks, steps);
                Some((side, ticks))
            }),
            OrderAction::Withdraw { order } => self.change(ts, out, |book| {
                book.cancel(order).map(|order| (order.side, order.ticks))
            }),
            OrderAction::Take { side, steps, limit } => self.take(ts, out, side, steps, limit),
        }
        self.next_action = Nanos(ts.0 + self.crowd.wait(&self.book));
    }

    /// Changes the book at one level, if `change` finds one, and publishes a new best price.
    fn change(
        &mut self,
        ts: Nanos,
        out: &mut Vec<Message>,
        change: impl FnOnce(&mut OrderBook) -> Option<(Side, i64)>,
    ) {
        let best = |book: &OrderBook| (book.best(Side::Buy), book.best(Side::Sell));
        let before = best(&self.book);
        let Some(level) = change(&mut self.book) else {
            return;
        };
        self.update_id += 1;
        self.changed.push(level);
        let after = best(&self.book);
        if let (true, (Some(bid), Some(ask))) = (after != before, after) {
            out.push(self.writer.book_ticker(ts, self.update_id, bid, ask));
        }
    }

    /// Matches a market order: a trade for each order it meets, an aggregate for each price.
    fn take(&mut self, ts: Nanos, out: &mut Vec<Message>, side: Side, steps: i64, limit: i64) {
        let mut left = steps;
        // The last level of a side stays: a book without bids or asks has no price.
        while left > 0 && self.book.depth(opposite(side)) > 1 {
            let best = self.book.best(opposite(side));
            let Some(level) = best.filter(|(ticks, _)| match side {
                Side::Buy => *ticks <= limit,
                Side::Sell => *ticks >= limit,
            }) else {
                return;
            };
            left -= self.take_level(ts, out, side, level, left);
        }
    }

    /// Takes from the best level only; returns the steps taken.
    fn take_level(
        &mut self,
        ts: Nanos,
        out: &mut Vec<Message>,
        taker: Side,
        (ticks, resting): TickLevel,
        steps: i64,
    ) -> i64 {
        let maker = opposite(taker);
        let (wanted, first) = (steps.min(resting), self.trade_id + 1);
        let mut taken = 0;
        while taken < wanted {
            let mut filled = 0;
            let before = out.len();
            self.change(ts, out, |book| {
                let (ticks, steps) = book.fill(maker, wanted - taken)?;
                filled = steps;
                Some((maker, ticks))
            });
            taken += filled;
            self.trade_id += 1;
            let fill = Fills {
                id: self.trade_id,
                trades: (self.trade_id, self.trade_id),
                level: (ticks, filled),
                taker,
            };
            // The trade comes before the quote that it caused.
            out.insert(before, self.writer.trade(ts, &fill));
        }
        self.aggregate_id += 1;
        let all = Fills {
            id: self.aggregate_id,
            trades: (first, self.trade_id),
            level: (ticks, taken),
            taker,
        };
        out.push(self.writer.agg_trade(ts, &all));
        taken
    }

    /// Publishes all levels that changed since the last depth message, best first.
    fn publish_depth(&mut self, out: &mut Vec<Message>) {
        let ts = self.next_depth;
        self.next_depth = Nanos(ts.0 + DEPTH_INTERVAL);
        if self.published == self.update_id {
            return;
        }
        let (mut bids, asks) = (
            self.changed_levels(Side::Buy),
            self.changed_levels(Side::Sell),
        );
        bids.reverse();
        let updates = (self.published + 1, self.update_id);
        out.push(self.writer.depth(ts, updates, &bids, &asks));
        self.changed.clear();
        self.published = self.update_id;
    }

    /// Changed prices of a side, ascending, with the quantity that rests there now.
    fn changed_levels(&self, side: Side) -> Vec<TickLevel> {
        let of_side = self.changed.iter().filter(|(s, _)| *s == side);
        let mut prices: Vec<i64> = of_side.map(|&(_, ticks)| ticks).collect();
        prices.sort_unstable();
        prices.dedup();
        let level = |ticks| (ticks, self.book.steps_at(side, ticks));
        prices.into_iter().map(level).collect()
    }
}

/// Time between two depth messages, in nanoseconds.
const DEPTH_INTERVAL: i64 = NANOS_PER_SECOND as i64 / 10;
