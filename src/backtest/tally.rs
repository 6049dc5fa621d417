//! What a trial adds up: round trips by hour, instrument and quality, and what became of orders.

use std::collections::BTreeMap;

use super::round_trip::{ExitReason, RoundTrip};
use super::rule::PassedOver;
use crate::instrument::InstrumentId;
use crate::signal::quality::Quality;

/// Sums over some round trips. Money is in the quote currency.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TradeFigures {
    /// How many.
    pub trades: u64,
    /// How many won, after costs.
    pub wins: u64,
    /// How many won, before costs.
    pub gross_wins: u64,
    /// What they won, before costs.
    pub gross: f64,
    /// Fees.
    pub fees: f64,
    /// Funding and borrowing.
    pub carry: f64,
    /// Price times quantity of all fills.
    pub turnover: f64,
}

impl TradeFigures {
    /// Adds a trade.
    pub fn add(&mut self, trip: &RoundTrip) {
        self.trades += 1;
        self.wins += u64::from(trip.net() > 0.0);
        self.gross_wins += u64::from(trip.gross() > 0.0);
        self.gross += trip.gross();
        self.fees += trip.fees;
        self.carry += trip.carry;
        self.turnover += trip.turnover();
    }

    /// What they won, after costs.
    #[must_use]
    pub fn net(&self) -> f64 {
        self.gross - self.fees - self.carry
    }

    /// The share that won, after costs; none without trades.
    #[must_use]
    pub fn hit_rate(&self) -> Option<f64> {
        (self.trades > 0).then(|| self.wins as f64 / self.trades as f64)
    }

    /// The share that won, before costs; none without trades.
    #[must_use]
    pub fn gross_hit_rate(&self) -> Option<f64> {
        (self.trades > 0).then(|| self.gross_wins as f64 / self.trades as f64)
    }

    /// The fee in basis points of each notional at which nothing would be won or lost, funding and borrowing
    /// included; below zero where even free trading loses. None without trades.
    #[must_use]
    pub fn breakeven_bps(&self) -> Option<f64> {
        (self.turnover > 0.0).then(|| (self.gross - self.carry) / self.turnover * BASIS_POINTS)
    }
}

/// Basis points in one.
const BASIS_POINTS: f64 = 10_000.0;

/// Hours in a day.
const HOURS: usize = 24;

/// Nanoseconds in an hour.
const HOUR_NS: i64 = 3_600_000_000_000;

/// All that a trial adds up.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Over all round trips, in the order in which they ended.
    pub all: TradeFigures,
    /// By the hour in UTC in which they were opened.
    pub by_hour: [TradeFigures; HOURS],
    /// By instrument.
    pub by_instrument: BTreeMap<InstrumentId, TradeFigures>,
    /// By the quality of the signal that opened them.
    pub by_quality: BTreeMap<Quality, TradeFigures>,
    /// How many were closed for what reason.
    pub by_exit: BTreeMap<ExitReason, u64>,
    /// How long they were held, all together, in nanoseconds.
    pub held_ns: i128,
    /// The shortest and the longest time that one was held, in nanoseconds.
    pub held_range_ns: Option<(i64, i64)>,
    /// Orders that signals asked for.
    pub orders: u64,
    /// Orders of which nothing was filled, because the market was not open or showed nothing.
    pub unfilled: u64,
    /// Orders of which a part was filled: the market showed no more.
    pub partly_filled: u64,
    /// Limit orders that were cancelled before they were filled whole.
    pub cancelled: u64,
    /// How often an exit had to wait for the market.
    pub delayed_exits: u64,
    /// Signals that asked for nothing, by reason.
    pub passed_over: BTreeMap<PassedOver, u64>,
    /// The round trips, where they are kept.
    pub trips: Option<Vec<RoundTrip>>,
}

impl Tally {
    /// A tally that keeps the round trips, or their sums alone.
    pub(super) fn new(keeps_trips: bool) -> Self {
        Self {
            trips: keeps_trips.then(Vec::new),
            ..Self::default()
        }
    }

    /// Adds a round trip that has ended.
    pub(super) fn close(&mut self, trip: &RoundTrip) {
        self.all.add(trip);
        let hour = trip.entered.div_euclid(HOUR_NS).rem_euclid(HOURS as i64);
        self.by_hour[hour as usize].add(trip);
        let instrument = trip.signal.instrument;
        self.by_instrument.entry(instrument).or_default().add(trip);
        self.by_quality.entry(trip.quality()).or_default().add(trip);
        *self.by_exit.entry(trip.reason).or_default() += 1;
        let held = trip.held_ns();
        self.held_ns += i128::from(held);
        let (least, most) = self.held_range_ns.unwrap_or((held, held));
        self.held_range_ns = Some((least.min(held), most.max(held)));
        if let Some(trips) = &mut self.trips {
            trips.push(*trip);
        }
    }

    /// Counts a signal that asks for nothing.
    pub(super) fn pass_over(&mut self, reason: PassedOver) {
        *self.passed_over.entry(reason).or_default() += 1;
    }

    /// Counts an order that the market did not fill, wholly or in part.
    pub(super) fn unfilled(&mut self, wholly: bool) {
        match wholly {
            true => self.unfilled += 1,
            false => self.partly_filled += 1,
        }
    }
}
