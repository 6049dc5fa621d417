//! The efficient price of one instrument, which the order flow follows with noise.
//!
//! Knows no orders and no trades. Its drift lasts some seconds, and nothing else can be predicted here.

use super::news::{LASTS_S, MOVE};
use super::random::Random;

/// A random walk whose drift reverts to zero and whose variance changes by regime.
#[derive(Clone, Debug)]
pub(super) struct Latent {
    log_price: f64,
    /// In units of its own stationary deviation.
    drift: f64,
    regime: Regime,
    /// Deviation of a one-second return in the normal regime, as a fraction.
    volatility: f64,
    /// How far headlines have still to move it, in such deviations.
    news: f64,
}

#[derive(Clone, Copy, Debug)]
enum Regime {
    Calm,
    Normal,
    Busy,
}

impl Latent {
    /// Starts at `price` with this deviation of one-second returns.
    pub(super) fn new(price: f64, volatility: f64) -> Self {
        Self {
            log_price: libm::log(price),
            drift: 0.0,
            regime: Regime::Normal,
            volatility,
            news: 0.0,
        }
    }

    /// Lets so many seconds pass.
    pub(super) fn advance(&mut self, seconds: f64, random: &mut Random) {
        if random.chance(seconds / REGIME_S) {
            self.regime = [Regime::Calm, Regime::Normal, Regime::Busy][random.below(3)];
        }
        let (shock, noise) = random.normals();
        let kept = libm::exp(-seconds / DRIFT_S);
        let before = self.drift;
        self.drift = before * kept + shock * (1.0 - kept * kept).sqrt();
        let drifted = (DRIFT_SHARE / (2.0 * DRIFT_S)).sqrt() * (before + self.drift) / 2.0;
        let diffused = noise * ((1.0 - DRIFT_SHARE) * seconds).sqrt();
        self.log_price +=
            self.volatility * self.regime.volatility() * (drifted * seconds + diffused);
        if self.news != 0.0 {
            let left = self.news * libm::exp(-seconds / LASTS_S);
            self.log_price += self.volatility * (self.news - left);
            self.news = left;
        }
    }

    /// Adds the move of a headline of this sign.
    pub(super) fn add_news(&mut self, sign: f64) {
        self.news += sign * MOVE;
    }

    /// The efficient price, in the unit of the first one.
    pub(super) fn price(&self) -> f64 {
        libm::exp(self.log_price)
    }

    /// The drift of the price, in standard deviations: seldom beyond ±3.
    pub(super) fn drift(&self) -> f64 {
        self.drift + BELIEF * self.news / MOVE
    }

    /// The rate of actions relative to a normal hour.
    pub(super) fn activity(&self) -> f64 {
        match self.regime {
            Regime::Calm => 0.7,
            Regime::Normal => 1.0,
            Regime::Busy => 1.5,
        }
    }
}

impl Regime {
    fn volatility(self) -> f64 {
        match self {
            Self::Calm => 0.6,
            Self::Normal => 1.0,
            Self::Busy => 1.6,
        }
    }
}

/// Mean time in a regime.
const REGIME_S: f64 = 60.0;
/// Time constant of the drift.
const DRIFT_S: f64 = 4.0;
/// How strongly a headline drives the takers, in standard deviations of the drift.
const BELIEF: f64 = 2.0;
/// Share of the long-run variance that comes from the drift; the rest cannot be predicted.
const DRIFT_SHARE: f64 = 0.6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn returns_have_the_volatility_asked_for_and_some_momentum() {
        let (mut latent, mut random) = (Latent::new(100.0, 1e-4), Random::new(3, "test"));
        let returns: Vec<f64> = (0..40_000)
            .map(|_| {
                let before = latent.log_price;
                (0..20).for_each(|_| latent.advance(0.05, &mut random));
                latent.log_price - before
            })
            .collect();
        let variance = returns.iter().map(|r| r * r).sum::<f64>() / returns.len() as f64;
        let lagged = returns.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / returns.len() as f64;
        assert!(
            (0.7e-4..1.3e-4).contains(&variance.sqrt()),
            "deviation {}",
            variance.sqrt()
        );
        assert!(
            (0.02..0.2).contains(&(lagged / variance)),
            "momentum {}",
            lagged / variance
        );
    }
}
