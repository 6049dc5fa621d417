//! One instrument of one trial: its position, and the order or the exit that is under way.
//!
//! Decides nothing (the rule does) and holds no market; whoever calls it keeps the order of time.

use super::fill::{Fill, HeldPosition};
use super::market::RecordedMarket;
use super::order::PlacedOrder;
use super::quantity::Quantity;
use super::queue::Resting;
use super::round_trip::{ExitReason, OpenPosition};
use super::rule::{Decision, Intent};
use super::tally::Tally;
use super::terms::{FillModel, LimitTerms, Terms};
use crate::event::Trade;
use crate::units::Side;

/// One instrument of one trial.
#[derive(Debug)]
pub(super) struct Desk {
    position: HeldPosition,
    order: Option<PlacedOrder>,
    /// When the position has been held long enough; never without one.
    close_at: i64,
    /// An exit that found no market, or not enough of it: it goes on at each update.
    unfinished: Option<Unfinished>,
    /// When funding is paid next; never without a position.
    funding_at: i64,
    /// The earliest of what is due.
    due: i64,
}

/// An exit that goes on, and the position that it leads to.
#[derive(Clone, Copy, Debug)]
struct Unfinished {
    target: Quantity,
    signal: Decision,
    reason: ExitReason,
}

/// A time that does not come.
const NEVER: i64 = i64::MAX;

impl Default for Desk {
    fn default() -> Self {
        Self {
            position: HeldPosition::default(),
            order: None,
            close_at: NEVER,
            unfinished: None,
            funding_at: NEVER,
            due: NEVER,
        }
    }
}

impl Desk {
    /// When something happens without a message.
    pub(super) fn due(&self) -> i64 {
        self.due
    }

    /// Whether updates of the market matter to it before anything is due.
    pub(super) fn watches(&self) -> bool {
        self.unfinished.is_some() || self.rests() || self.waits()
    }

    fn waits(&self) -> bool {
        self.order.is_some_and(|order| order.waits)
    }

    fn rests(&self) -> bool {
        self.order.is_some_and(|order| order.resting.is_some())
    }

    /// Takes a signal: an order may follow from it.
    pub(super) fn signal(&mut self, signal: &Decision, terms: &Terms, tally: &mut Tally) {
        let is_busy = self.order.is_some() || self.unfinished.is_some();
        match terms.rule.decide(signal, self.position.held, is_busy) {
            Ok(intent) => {
                let effect = signal.ts.saturating_add(terms.latency.of(signal.ts));
                self.order = Some(PlacedOrder {
                    signal: *signal,
                    intent,
                    effect,
                    resting: None,
                    waits: false,
                });
                tally.orders += 1;
                self.plan();
            }
            Err(reason) => tally.pass_over(reason),
        }
    }

    /// Does what is due up to a time, in order of time, on the market as it is.
    pub(super) fn advance(
        &mut self,
        until: i64,
        market: &RecordedMarket,
        terms: &Terms,
        tally: &mut Tally,
    ) {
        while self.due <= until {
            let now = self.due;
            if self.funding_at == now {
                self.pay_funding(now, market, terms);
            } else if self.close_at == now {
                self.close_at = NEVER;
                if let Some(signal) = self.position.trip.map(|trip| trip.signal) {
                    let exit = (Quantity::ZERO, ExitReason::Hold);
                    self.reach(exit, &signal, now, market, terms, tally);
                }
            } else if let Some(order) = self.order.take() {
                match order.resting {
                    Some(_) => tally.cancelled += 1,
                    None => self.take_effect(order, market, terms, tally),
                }
            }
            self.plan();
        }
    }

    /// A trade of the market, at the limit order that rests.
    pub(super) fn trade(&mut self, trade: &Trade, now: i64, terms: &Terms, tally: &mut Tally) {
        self.fill_resting(now, terms, tally, |resting| resting.trade(trade));
    }

    /// The market has a new state.
    pub(super) fn update(
        &mut self,
        now: i64,
        market: &RecordedMarket,
        terms: &Terms,
        tally: &mut Tally,
    ) {
        if let Some(exit) = self.unfinished.take() {
            let Unfinished {
                target,
                signal,
                reason,
            } = exit;
            self.reach((target, reason), &signal, now, market, terms, tally);
            self.plan();
        }
        if self.waits()
            && let Some(order) = self.order.take()
        {
            let order = PlacedOrder {
                effect: now,
                waits: false,
                ..order
            };
            self.take_effect(order, market, terms, tally);
            self.plan();
        }
        self.fill_resting(now, terms, tally, |resting| resting.update(market));
    }

    /// What it is worth beyond the round trips that have ended: gross, costs, and the notional of what is
    /// held.
    pub(super) fn worth(&self, mid: Option<f64>) -> Option<(f64, f64, f64)> {
        let (trip, mid) = (self.position.trip?, mid?);
        let held = self.position.held.to_f64() * mid;
        Some((trip.gross() + held, trip.fees + trip.carry, held.abs()))
    }

    /// The position that is left.
    pub(super) fn open_position(&self, mid: Option<f64>) -> Option<OpenPosition> {
        let trip = self.position.trip?;
        let position = self.position.held;
        Some(OpenPosition {
            trip,
            position,
            mid,
        })
    }

    /// Whether an order has not taken effect.
    pub(super) fn has_order(&self) -> bool {
        self.order.is_some()
    }

    fn take_effect(
        &mut self,
        order: PlacedOrder,
        market: &RecordedMarket,
        terms: &Terms,
        tally: &mut Tally,
    ) {
        let now = order.effect;
        if market.is_between_bars() {
            self.order = Some(PlacedOrder {
                waits: true,
                ..order
            });
            return;
        }
        match (order.intent, terms.fill) {
            (Intent::Add(quantity), FillModel::Market) => {
                let taken = self.take(
                    quantity,
                    &order.signal,
                    ExitReason::Flip,
                    now,
                    market,
                    terms,
                    tally,
                );
                if taken < quantity.abs() {
                    tally.unfilled(taken.is_zero());
                }
            }
            (Intent::Add(quantity), FillModel::Limit(limit)) => {
                self.rest(order, quantity, &limit, market, tally);
            }
            (Intent::Become(target), _) => {
                let reason = match target.is_zero() {
                    true => ExitReason::Exit,
                    false => ExitReason::Flip,
                };
                self.reach((target, reason), &order.signal, now, market, terms, tally);
            }
        }
    }

    /// Puts a limit order into the book.
    fn rest(
        &mut self,
        order: PlacedOrder,
        quantity: Quantity,
        limit: &LimitTerms,
        market: &RecordedMarket,
        tally: &mut Tally,
    ) {
        let side = side_of(quantity);
        let placed = market
            .is_open()
            .then(|| Resting::place(market, side, quantity, limit, order.effect));
        match placed.flatten() {
            Some(resting) => {
                self.order = Some(PlacedOrder {
                    resting: Some(resting),
                    ..order
                });
            }
            None => tally.unfilled(true),
        }
    }

    /// Fills the order that rests by what `filled` says.
    fn fill_resting(
        &mut self,
        now: i64,
        terms: &Terms,
        tally: &mut Tally,
        filled: impl FnOnce(&mut Resting) -> Quantity,
    ) {
        let Some(PlacedOrder {
            resting: Some(resting),
            signal,
            ..
        }) = &mut self.order
        else {
            return;
        };
        let quantity = filled(resting);
        if quantity.is_zero() {
            return;
        }
        let (signal, sign) = (*signal, sign_of(resting.side));
        let fill = Fill {
            time: now,
            price: resting.price.to_f64(),
            quantity: quantity.towards(sign),
            fee_bps: terms.fees.maker_bps,
            reason: ExitReason::Flip,
        };
        if resting.left.is_zero() {
            self.order = None;
        }
        self.book(&fill, &signal, terms, tally);
        self.plan();
    }

    /// Trades until `target` is held; what the market does not give goes on at its next update.
    fn reach(
        &mut self,
        (target, reason): (Quantity, ExitReason),
        signal: &Decision,
        now: i64,
        market: &RecordedMarket,
        terms: &Terms,
        tally: &mut Tally,
    ) {
        let wanted = target - self.position.held;
        let taken = self.take(wanted, signal, reason, now, market, terms, tally);
        if taken < wanted.abs() {
            tally.delayed_exits += u64::from(!market.is_between_bars());
            self.unfinished = Some(Unfinished {
                target,
                signal: *signal,
                reason,
            });
        }
    }

    /// A market order: takes what the other side shows, from the best level on. Returns what it got.
    #[expect(
        clippy::too_many_arguments,
        reason = "what an order is, and what it meets"
    )]
    fn take(
        &mut self,
        wanted: Quantity,
        signal: &Decision,
        reason: ExitReason,
        now: i64,
        market: &RecordedMarket,
        terms: &Terms,
        tally: &mut Tally,
    ) -> Quantity {
        let mut left = wanted.abs();
        if left.is_zero() || !market.is_open() {
            return Quantity::ZERO;
        }
        market.walk(side_of(wanted).opposite(), |price, shown| {
            let part = left.min(shown);
            left -= part;
            let fill = Fill {
                time: now,
                price: price.to_f64(),
                quantity: part.towards(wanted.sign()),
                fee_bps: terms.fees.taker_bps,
                reason,
            };
            self.book(&fill, signal, terms, tally);
            !left.is_zero()
        });
        wanted.abs() - left
    }

    /// Applies a fill to the position, and what follows from it.
    fn book(&mut self, fill: &Fill, signal: &Decision, terms: &Terms, tally: &mut Tally) {
        let before = self.position.held;
        if let Some(mut ended) = self.position.fill(fill, signal) {
            if ended.sign < 0 {
                let rate = terms.carry.borrow_bps(ended.entered, ended.exited) / BASIS_POINTS;
                ended.carry += ended.entry_notional * rate;
            }
            tally.close(&ended);
        }
        let held = self.position.held;
        if held.is_zero() {
            (self.close_at, self.funding_at) = (NEVER, NEVER);
            return;
        }
        let has_turned = before.sign() != held.sign();
        if has_turned {
            self.funding_at = terms.carry.next_funding(fill.time);
        }
        if has_turned || held.abs() > before.abs() {
            let hold = terms.rule.hold_ns;
            self.close_at = hold.map_or(NEVER, |hold| fill.time.saturating_add(hold));
        }
    }

    fn pay_funding(&mut self, now: i64, market: &RecordedMarket, terms: &Terms) {
        self.funding_at = terms.carry.next_funding(now);
        if let (Some(trip), Some(mid)) = (&mut self.position.trip, market.mid) {
            let rate = terms.carry.funding_bps_at(now) / BASIS_POINTS;
            trip.carry += self.position.held.to_f64() * mid * rate;
        }
    }

    fn plan(&mut self) {
        let order = self.order.map_or(NEVER, |order| order.due());
        self.due = order.min(self.close_at).min(self.funding_at);
    }
}

/// The side that an order of this quantity is on.
fn side_of(quantity: Quantity) -> Side {
    match quantity.sign() {
        1 => Side::Buy,
        _ => Side::Sell,
    }
}

fn sign_of(side: Side) -> i8 {
    match side {
        Side::Buy => 1,
        Side::Sell => -1,
    }
}

/// Basis points in one.
const BASIS_POINTS: f64 = 10_000.0;
