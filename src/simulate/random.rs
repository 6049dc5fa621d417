//! Seeded randomness with the same bits on every machine: a 64-bit generator and the laws drawn from it.
//!
//! Reads no entropy and calls no platform math; not for secrets.

/// SplitMix64: one add and three mixing rounds per draw.
#[derive(Clone, Debug)]
pub(super) struct Random {
    state: u64,
}

impl Random {
    /// A stream of numbers for each pair of seed and name, so that one more name changes no other stream.
    pub(super) fn new(seed: u64, name: &str) -> Self {
        let state = name.bytes().fold(seed, |state, byte| {
            let mut mixed = Self {
                state: state ^ u64::from(byte),
            };
            mixed.next()
        });
        Self { state }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Above zero, up to and including one: its logarithm is finite.
    pub(super) fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.uniform() <= probability
    }

    /// An index below `count`, which is above zero.
    pub(super) fn below(&mut self, count: usize) -> usize {
        let wide = u128::from(self.next()) * count as u128;
        (wide >> 64) as usize
    }

    /// The waiting time until an event that comes once per `mean`.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * libm::log(self.uniform())
    }

    /// Failures before the first success, `mean` of them on average.
    pub(super) fn geometric(&mut self, mean: f64) -> i64 {
        let failure = mean / (1.0 + mean);
        (libm::log(self.uniform()) / libm::log(failure)) as i64
    }

    /// Two independent standard normal numbers (Box and Muller's pair).
    pub(super) fn normals(&mut self) -> (f64, f64) {
        let radius = (-2.0 * libm::log(self.uniform())).sqrt();
        let angle = std::f64::consts::TAU * self.uniform();
        (radius * libm::cos(angle), radius * libm::sin(angle))
    }

    /// A log-normal number with this median and this spread of its logarithm.
    pub(super) fn log_normal(&mut self, median: f64, spread: f64) -> f64 {
        median * libm::exp(spread * self.normals().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: usize = 200_000;

    fn mean(mut draw: impl FnMut(&mut Random) -> f64) -> f64 {
        let mut random = Random::new(7, "test");
        (0..DRAWS).map(|_| draw(&mut random)).sum::<f64>() / DRAWS as f64
    }

    #[test]
    fn laws_have_their_moments() {
        for (name, found, expected) in [
            ("uniform", mean(Random::uniform), 0.5),
            ("chance", mean(|r| f64::from(r.chance(0.2))), 0.2),
            ("below", mean(|r| r.below(7) as f64), 3.0),
            ("exponential", mean(|r| r.exponential(2.0)), 2.0),
            ("geometric", mean(|r| r.geometric(4.5) as f64), 4.5),
            ("normal", mean(|r| r.normals().1), 0.0),
            ("normal squared", mean(|r| r.normals().0.powi(2)), 1.0),
            (
                "log-normal below its median",
                mean(|r| f64::from(r.log_normal(3.0, 1.2) < 3.0)),
                0.5,
            ),
        ] {
            assert!((found - expected).abs() < 0.03, "{name}: {found}");
        }
    }

    #[test]
    fn streams_differ_by_seed_and_by_name() {
        let first = |seed, name| Random::new(seed, name).next();
        assert_eq!(first(1, "BTCUSDT"), first(1, "BTCUSDT"));
        assert_ne!(first(1, "BTCUSDT"), first(2, "BTCUSDT"));
        assert_ne!(first(1, "BTCUSDT"), first(1, "ETHUSDT"));
    }
}
