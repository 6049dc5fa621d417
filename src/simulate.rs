//! A simulated exchange: real order books under seeded order flow, published as messages of Binance spot.
//!
//! Replaces a venue in demonstrations and tests; it is no model of a particular market, and its prices mean
//! nothing. [`Market`] is pure, [`write_capture`] writes files of it, [`Exchange`] serves it. [`Newsroom`]
//! makes up headlines that move it; [`Firms`] and [`Applicants`] are made up for credit.

mod book;
pub mod broker;
mod capture;
mod credit;
mod crowd;
mod latent;
mod market;
mod news;
mod random;
mod server;
#[cfg(test)]
mod tests;
mod wire;

use std::io;
use std::net::SocketAddr;

pub use capture::write_capture;
pub use credit::{Applicants, Firms};
pub use market::Market;
pub use news::{Headline, Newsroom, Tone};
pub use server::{Exchange, SnapshotFault};
pub use wire::{MarketStream, Message};

use crate::units::{Nanos, Price, Size};

/// What is traded, and the seed of all that happens.
#[derive(Clone, Debug, PartialEq)]
pub struct MarketSettings {
    /// Same seed, same messages.
    pub seed: u64,
    /// Time of the opening. An [`Exchange`] opens when it starts instead.
    pub start: Nanos,
    /// The instruments; each has its own random numbers, so that one more changes none of the others.
    pub instruments: Vec<Listing>,
    /// Mean time between two headlines about an instrument, in seconds; none: there are no headlines.
    pub news_s: Option<f64>,
}

/// An instrument as listed.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    /// As the venue writes it: `BTCUSDT`.
    pub symbol: String,
    /// Where trading begins.
    pub price: Price,
    /// Prices are multiples of it; at least 1e-8, the venue's last decimal place.
    pub tick: Price,
    /// Quantities are multiples of it.
    pub step: Size,
    /// Median size of a resting order.
    pub order_size: Size,
    /// Orders and cancellations in a second of normal activity.
    pub rate_hz: f64,
    /// Standard deviation of a one-second return in normal activity, in basis points.
    pub volatility_bp: f64,
}

/// Why the simulated exchange cannot start, or its capture not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimulateError {
    /// An instrument cannot be traded as listed.
    #[error("while listing {symbol:?}: {problem}")]
    Listing {
        /// Its symbol, or nothing when no instrument is listed.
        symbol: String,
        /// What is wrong and what would be right.
        problem: &'static str,
    },
    /// The capture cannot be written. The text does not name it: who has its path adds that.
    #[error("{0}; check the disk and the path")]
    Write(#[source] io::Error),
    /// The exchange cannot listen on the address.
    #[error(
        "while opening the simulated exchange on {address}: {source}; choose another port, or 0 for any"
    )]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
}

impl Default for MarketSettings {
    /// Four instruments with some 50 to 150 messages a second each, from 2026-01-05 00:00 UTC.
    fn default() -> Self {
        Self {
            seed: 1,
            start: Nanos::from_millis(1_767_571_200_000),
            instruments: vec![
                listing("BTCUSDT", (91_250, 1_000), (2_000_000, 95.0), 0.75),
                listing("ETHUSDT", (3_140, 10_000), (40_000_000, 75.0), 0.9),
                listing("BNBUSDT", (890, 100_000), (80_000_000, 45.0), 0.8),
                listing("SOLUSDT", (134, 100_000), (600_000_000, 55.0), 1.2),
            ],
            news_s: None,
        }
    }
}

/// A listing with a tick of one cent: (price, step in 1e-8), (order size in 1e-8, rate), volatility.
fn listing(symbol: &str, price: (i64, i64), orders: (i64, f64), volatility_bp: f64) -> Listing {
    Listing {
        symbol: symbol.to_owned(),
        price: Price::from_scaled(price.0, 0).unwrap_or(Price::UNDEFINED),
        tick: Price::from_scaled(1, 2).unwrap_or(Price::UNDEFINED),
        step: Size::from_scaled(price.1, 8).unwrap_or(Size::UNDEFINED),
        order_size: Size::from_scaled(orders.0, 8).unwrap_or(Size::UNDEFINED),
        rate_hz: orders.1,
        volatility_bp,
    }
}

impl MarketSettings {
    fn check(&self) -> Result<(), SimulateError> {
        if self.instruments.is_empty() {
            return Err(SimulateError::Listing {
                symbol: String::new(),
                problem: "there is no instrument; list at least one",
            });
        }
        for (at, listing) in self.instruments.iter().enumerate() {
            let earlier = &self.instruments[..at];
            let twice = earlier.iter().any(|l| l.symbol == listing.symbol);
            let problem = listing
                .problem()
                .or(twice.then_some("the symbol is listed twice; once is enough"));
            if let Some(problem) = problem {
                let symbol = listing.symbol.clone();
                return Err(SimulateError::Listing { symbol, problem });
            }
        }
        Ok(())
    }
}

/// Decimal places of the venue's messages.
const VENUE_PLACES: i32 = 8;

/// The amounts of a listing in 1e-8, the venue's last decimal place. Zero where an amount has more places or
/// is too large.
pub(crate) struct ScaledListing {
    pub(crate) price: i64,
    pub(crate) tick: i64,
    pub(crate) step: i64,
    pub(crate) order_size: i64,
}

impl Listing {
    pub(crate) fn scaled(&self) -> ScaledListing {
        let price = |price: Price| price.scaled(VENUE_PLACES).unwrap_or(0);
        let size = |size: Size| size.scaled(VENUE_PLACES).unwrap_or(0);
        ScaledListing {
            price: price(self.price),
            tick: price(self.tick),
            step: size(self.step),
            order_size: size(self.order_size),
        }
    }

    fn problem(&self) -> Option<&'static str> {
        let upper = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        let scaled = self.scaled();
        let between = |value: f64, low: f64, high: f64| (low..=high).contains(&value);
        if self.symbol.is_empty() || !self.symbol.bytes().all(upper) {
            Some("the symbol needs capital letters and digits only, as in BTCUSDT")
        } else if scaled.tick <= 0 {
            Some("the tick is no multiple of 0.00000001; the messages have eight places")
        } else if !(1_000..=1_000_000_000).contains(&(scaled.price / scaled.tick)) {
            Some("the price is not between a thousand and a billion ticks; choose another tick")
        } else if scaled.step <= 0 || scaled.order_size < scaled.step {
            Some("the order size is below one step, or the step below 0.00000001")
        } else if scaled.order_size > 1_000_000_000_000 {
            Some("the order size is above 10000; list a larger unit")
        } else if !between(self.rate_hz, 0.1, 100_000.0) {
            Some("the rate is not between 0.1 and 100000 a second")
        } else if !between(self.volatility_bp, 0.01, 50.0) {
            Some("the volatility is not between 0.01 and 50 basis points a second")
        } else {
            None
        }
    }
}

const NANOS_PER_SECOND: f64 = 1e9;
