//! Fills: pieces of quantity at prices, and what they do to a position.

use super::quantity::Quantity;
use super::round_trip::{ExitReason, RoundTrip};
use super::rule::Decision;

/// One piece of an order that was filled at one price.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fill {
    /// When.
    pub(super) time: i64,
    pub(super) price: f64,
    /// Above zero: bought.
    pub(super) quantity: Quantity,
    /// The fee in basis points.
    pub(super) fee_bps: f64,
    /// Why it closes a position, where it does.
    pub(super) reason: ExitReason,
}

/// A position, and the round trip that it is part of.
#[derive(Clone, Debug, Default)]
pub(super) struct HeldPosition {
    /// What is held, with its sign.
    pub(super) held: Quantity,
    /// The round trip, while anything is held.
    pub(super) trip: Option<RoundTrip>,
}

impl HeldPosition {
    /// Applies a fill of an order that `signal` asked for. Returns the round trip that it ends, if it does:
    /// what is more than was held opens the next one.
    pub(super) fn fill(&mut self, fill: &Fill, signal: &Decision) -> Option<RoundTrip> {
        let closes = match fill.quantity.sign() == -self.held.sign() {
            true => fill.quantity.abs().min(self.held.abs()),
            false => Quantity::ZERO,
        };
        let opens = fill.quantity.abs() - closes;
        let mut ended = None;
        if !closes.is_zero()
            && let Some(trip) = &mut self.trip
        {
            trip.exit_notional += pay(trip, fill, closes);
            self.held += closes.towards(fill.quantity.sign());
            if self.held.is_zero() {
                (trip.exited, trip.reason) = (fill.time, fill.reason);
                ended = self.trip.take();
            }
        }
        if !opens.is_zero() {
            let sign = fill.quantity.sign();
            let new = || RoundTrip::new(*signal, sign, fill.time);
            let trip = self.trip.get_or_insert_with(new);
            trip.entry_notional += pay(trip, fill, opens);
            self.held += opens.towards(sign);
            trip.quantity = trip.quantity.max(self.held.abs());
        }
        ended
    }
}

/// Books the fee of a part of a fill; returns the part's notional.
fn pay(trip: &mut RoundTrip, fill: &Fill, quantity: Quantity) -> f64 {
    let notional = fill.price * quantity.to_f64();
    trip.fees += notional * fill.fee_bps / BASIS_POINTS;
    trip.fills += 1;
    notional
}

/// Basis points in one.
const BASIS_POINTS: f64 = 10_000.0;
