//! The time from a signal's event until its order takes effect.

use std::sync::Arc;

/// A constant, and one of some measured times on top of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OrderLatency {
    /// The constant, in nanoseconds.
    pub constant_ns: i64,
    /// Measured times, in nanoseconds; none where the latency is constant.
    pub samples: Arc<[i64]>,
}

impl OrderLatency {
    /// The latency of the order of a signal of this event time. It depends on that time alone, so that all
    /// terms that are tried, and every run, meet the same one.
    #[must_use]
    pub fn of(&self, ts: i64) -> i64 {
        let count = self.samples.len() as u64;
        if count == 0 {
            return self.constant_ns;
        }
        let at = split_mix(ts.cast_unsigned()) % count;
        self.constant_ns.saturating_add(self.samples[at as usize])
    }
}

/// Spreads a number evenly over 64 bits. Source: S. Vigna, `splitmix64.c` (2015, public domain).
fn split_mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_is_that_of_the_published_generator() {
        // The first output for the seed 1234567, as Rosetta Code lists it.
        assert_eq!(split_mix(1_234_567), 6_457_827_717_110_365_317);
    }

    #[test]
    fn samples_are_all_used_and_the_same_each_time() {
        let latency = OrderLatency {
            constant_ns: 1_000,
            samples: [1, 2, 3].into(),
        };
        let mut seen = [0_u32; 3];
        for ts in 0..3_000 {
            assert_eq!(latency.of(ts), latency.of(ts));
            seen[(latency.of(ts) - 1_001) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| count > 900), "{seen:?}");
        assert_eq!(OrderLatency::default().of(7), 0);
    }
}
