//! Terms that differ from the pipeline's own in one thing: how results depend on latency and on size.

use std::sync::Arc;

use crate::backtest::{OrderLatency, OwnTerms, Terms};

/// Latencies that are tried, in milliseconds.
const LATENCIES_MS: [i64; 10] = [0, 10, 20, 50, 100, 150, 200, 300, 400, 500];

/// Multiples of the size that are tried.
const SIZES: [u32; 7] = [1, 2, 5, 10, 20, 50, 100];

/// Fees for which results are told, in basis points of each notional.
pub(super) const FEES_BPS: [f64; 10] = [0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0];

/// What is tried beside the pipeline's own terms.
#[derive(Clone, Debug)]
pub(super) struct Sensitivities {
    /// By latency in milliseconds.
    pub(super) latencies: Vec<(i64, Terms)>,
    /// By multiple of the size.
    pub(super) sizes: Vec<(u32, Terms)>,
}

impl Sensitivities {
    pub(super) fn of(terms: &Terms) -> Self {
        let late = |millis: i64| Terms {
            latency: OrderLatency {
                constant_ns: millis * 1_000_000,
                samples: Arc::default(),
            },
            ..terms.clone()
        };
        let large = |times: u32| {
            let mut large = terms.clone();
            large.rule.size = terms.rule.size.times(times);
            large.rule.max_position = terms.rule.max_position.times(times);
            let mut own = OwnTerms::clone(&terms.own);
            own.sizes
                .values_mut()
                .for_each(|size| *size = size.times(times));
            large.own = Arc::new(own);
            large
        };
        Self {
            latencies: LATENCIES_MS.map(|millis| (millis, late(millis))).to_vec(),
            sizes: SIZES.map(|times| (times, large(times))).to_vec(),
        }
    }

    /// All terms, latencies first.
    pub(super) fn terms(&self) -> impl Iterator<Item = Terms> {
        let latencies = self.latencies.iter().map(|(_, terms)| terms.clone());
        latencies.chain(self.sizes.iter().map(|(_, terms)| terms.clone()))
    }
}
