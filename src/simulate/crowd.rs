//! The participants: providers that quote around the efficient price and withdraw, takers that come in
//! bursts.
//!
//! Decides one action at a time from the book and the latent price; `market` carries it out. Quotes that the
//! latent price has passed are withdrawn or taken, so that the book follows it.

use super::book::{OrderBook, OrderId, opposite};
use super::latent::Latent;
use super::news::Tone;
use super::random::Random;
use super::{Listing, NANOS_PER_SECOND};
use crate::units::Side;

/// What a participant does, in ticks and steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderAction {
    /// Rests a limit order.
    Quote { side: Side, ticks: i64, steps: i64 },
    /// Cancels a resting order.
    Withdraw { order: OrderId },
    /// Takes what the other side offers up to the price `limit`; the rest of the order lapses.
    Take { side: Side, steps: i64, limit: i64 },
}

/// The participants in one instrument.
#[derive(Clone, Debug)]
pub(super) struct Crowd {
    random: Random,
    latent: Latent,
    /// Actions a second in a normal hour.
    rate_hz: f64,
    /// Mean distance of a quote from the efficient price, in ticks.
    reach_ticks: f64,
    /// Median order, in steps.
    order_steps: f64,
    /// Excitement of the takers: each trade raises it, and it decays.
    heat: f64,
    /// Side of the last taker: long orders are sent in pieces.
    streak: Side,
}

/// How likely each kind of action is at this moment, relative to one in a normal hour.
#[derive(Clone, Copy, Debug)]
struct Urges {
    quote: f64,
    withdraw: f64,
    take: f64,
}

impl Crowd {
    pub(super) fn new(listing: &Listing, seed: u64) -> Self {
        let scaled = listing.scaled();
        let ticks = scaled.price as f64 / scaled.tick as f64;
        let volatility = listing.volatility_bp / 1e4;
        Self {
            random: Random::new(seed, &listing.symbol),
            latent: Latent::new(ticks, volatility),
            rate_hz: listing.rate_hz,
            reach_ticks: REACH * volatility * ticks,
            order_steps: scaled.order_size as f64 / scaled.step as f64,
            heat: 0.0,
            streak: Side::Buy,
        }
    }

    /// The quotes that stand when trading begins.
    pub(super) fn opening(&mut self) -> Vec<(Side, i64, i64)> {
        let mut quotes: Vec<_> = (0..ORDERS).map(|_| self.distant_quote()).collect();
        // Both sides have an order, whatever was drawn.
        quotes[0].0 = Side::Buy;
        quotes[0].1 = self.price_at(Side::Buy, 0);
        quotes[1].0 = Side::Sell;
        quotes[1].1 = self.price_at(Side::Sell, 0);
        quotes
    }

    /// The participants learn of a headline of this tone.
    pub(super) fn react(&mut self, tone: Tone) {
        self.latent.add_news(tone.sign());
    }

    /// Draws the nanoseconds until the next action, and lets that time pass.
    pub(super) fn wait(&mut self, book: &OrderBook) -> i64 {
        let urges = self.urges(book);
        let rate = self.rate_hz * self.latent.activity() * urges.total();
        let seconds = self.random.exponential(1.0 / rate);
        self.latent.advance(seconds, &mut self.random);
        self.heat *= libm::exp(-seconds / BURST_S);
        1 + (seconds * NANOS_PER_SECOND) as i64
    }

    /// Draws the next action.
    pub(super) fn act(&mut self, book: &OrderBook) -> OrderAction {
        let urges = self.urges(book);
        let drawn = self.random.uniform() * urges.total();
        if drawn < urges.take {
            self.take(book)
        } else if drawn < urges.take + urges.withdraw {
            self.withdraw(book)
        } else {
            self.quote(book)
        }
    }

    fn urges(&self, book: &OrderBook) -> Urges {
        let crowding = book.orders().len() as f64 / ORDERS as f64;
        let alarm = if self.mispriced(book).is_some() {
            ALARM
        } else {
            1.0
        };
        Urges {
            quote: QUOTE_SHARE,
            withdraw: WITHDRAW_SHARE * crowding * alarm,
            take: TAKE_SHARE * (CALM_TAKERS + self.heat),
        }
    }

    /// A limit order around the efficient price that does not cross.
    fn quote(&mut self, book: &OrderBook) -> OrderAction {
        let (side, ticks, steps) = self.distant_quote();
        let ticks = match side {
            Side::Buy => book
                .best(Side::Sell)
                .map_or(ticks, |(ask, _)| ticks.min(ask - 1)),
            Side::Sell => book
                .best(Side::Buy)
                .map_or(ticks, |(bid, _)| ticks.max(bid + 1)),
        };
        OrderAction::Quote { side, ticks, steps }
    }

    fn distant_quote(&mut self) -> (Side, i64, i64) {
        let side = self.coin(0.5);
        let scale = match self.random.uniform() {
            drawn if drawn < DEEP_CHANCE => DEEP,
            drawn if drawn < DEEP_CHANCE + NEAR_CHANCE => NEAR,
            _ => 1.0,
        };
        let distance = self.random.geometric(self.reach_ticks * scale);
        (side, self.price_at(side, distance), self.size(1.0))
    }

    /// The price so many ticks away from where a side may begin.
    fn price_at(&self, side: Side, distance: i64) -> i64 {
        let fair = self.latent.price();
        match side {
            Side::Buy => ((fair - HALF_SPREAD).floor() as i64 - distance).max(1),
            Side::Sell => (fair + HALF_SPREAD).ceil() as i64 + distance,
        }
    }

    /// Mispriced quotes are withdrawn first, by providers that are alert; otherwise any order may go. The
    /// last level of a side stays, and a quote comes instead.
    fn withdraw(&mut self, book: &OrderBook) -> OrderAction {
        let alert = self.random.chance(ALERTNESS);
        let mispriced = self.mispriced(book).filter(|_| alert);
        let order = mispriced
            .and_then(|side| book.youngest(side))
            .unwrap_or_else(|| book.orders()[self.random.below(book.orders().len())]);
        if book.depth(order.side) > 1 {
            OrderAction::Withdraw { order: order.id }
        } else {
            self.quote(book)
        }
    }

    /// The side whose best quote is on the wrong side of the efficient price.
    fn mispriced(&self, book: &OrderBook) -> Option<Side> {
        let fair = self.latent.price();
        let beyond = |side| book.best(side).map(|(ticks, _)| ticks as f64);
        if beyond(Side::Buy).is_some_and(|bid| bid > fair) {
            Some(Side::Buy)
        } else if beyond(Side::Sell).is_some_and(|ask| ask < fair) {
            Some(Side::Sell)
        } else {
            None
        }
    }

    fn take(&mut self, book: &OrderBook) -> OrderAction {
        self.heat += BURST / (BURST_S * TAKE_SHARE * self.rate_hz);
        let side = self.taker_side(book);
        self.streak = side;
        let large = self.random.chance(LARGE_CHANCE);
        let (scale, walk) = if large {
            (LARGE, LARGE_WALK)
        } else {
            (SMALL, SMALL_WALK)
        };
        let walk = (self.reach_ticks * walk) as i64;
        let best = book.best(opposite(side)).map_or(0, |(ticks, _)| ticks);
        let limit = match side {
            Side::Buy => best + walk,
            Side::Sell => best - walk,
        };
        let steps = self.size(scale);
        OrderAction::Take { side, steps, limit }
    }

    /// Takers follow the drift, a book that lags, and their own last side; much of it is noise.
    fn taker_side(&mut self, book: &OrderBook) -> Side {
        let mid = match (book.best(Side::Buy), book.best(Side::Sell)) {
            (Some((bid, _)), Some((ask, _))) => f64::midpoint(bid as f64, ask as f64),
            _ => self.latent.price(),
        };
        let lag = ((self.latent.price() - mid) / self.reach_ticks).clamp(-1.0, 1.0);
        let streak = match self.streak {
            Side::Buy => 1.0,
            Side::Sell => -1.0,
        };
        let lean = DRIFT_PULL * self.latent.drift() + LAG_PULL * lag + STREAK_PULL * streak;
        self.coin(1.0 / (1.0 + libm::exp(-lean)))
    }

    fn coin(&mut self, buy: f64) -> Side {
        if self.random.chance(buy) {
            Side::Buy
        } else {
            Side::Sell
        }
    }

    fn size(&mut self, scale: f64) -> i64 {
        let steps = self
            .random
            .log_normal(self.order_steps * scale, SIZE_SPREAD);
        // Six orders of magnitude above the median is beyond any order, and far below overflow.
        (steps.min(self.order_steps * 1e6) as i64).max(1)
    }
}

impl Urges {
    fn total(self) -> f64 {
        self.quote + self.withdraw + self.take
    }
}

/// Orders in the book on average: there withdrawals balance quotes.
const ORDERS: usize = 300;
/// Shares of the actions in a normal hour.
const QUOTE_SHARE: f64 = 0.45;
const WITHDRAW_SHARE: f64 = 0.38;
const TAKE_SHARE: f64 = 0.17;
/// Mean distance of a quote from the efficient price, in deviations of a one-second return.
const REACH: f64 = 5.0;
/// Ticks between the efficient price and the closest quote of a provider.
const HALF_SPREAD: f64 = 0.1;
/// Some quotes wait far out for a crash or a spike.
const DEEP_CHANCE: f64 = 0.04;
const DEEP: f64 = 15.0;
/// Others compete for the best price.
const NEAR_CHANCE: f64 = 0.5;
const NEAR: f64 = 0.05;
/// How much quicker providers withdraw while the best quote is mispriced, and how often they withdraw that
/// one.
const ALARM: f64 = 8.0;
const ALERTNESS: f64 = 0.85;
/// Takers without excitement, relative to the mean with it.
const CALM_TAKERS: f64 = 0.6;
/// Further takers that each taker brings in a normal hour; below one in a busy one too.
const BURST: f64 = 0.4;
/// Time in which takers calm down.
const BURST_S: f64 = 0.6;
/// Weights of a taker's choice of side, in units of the logistic function.
const DRIFT_PULL: f64 = 1.2;
const LAG_PULL: f64 = 3.0;
const STREAK_PULL: f64 = 0.4;
/// Deviation of the logarithm of an order's size.
const SIZE_SPREAD: f64 = 1.2;
/// Takers' orders relative to quotes, and how far they walk the book relative to the mean distance of
/// a quote: most are small, a few are large.
const SMALL: f64 = 0.6;
const SMALL_WALK: f64 = 0.05;
const LARGE: f64 = 12.0;
const LARGE_WALK: f64 = 0.3;
const LARGE_CHANCE: f64 = 0.03;
