//! The prices and scores that charts show: of some instruments, while they are traded.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::thinned::ThinnedSeries;
use crate::backtest::{Terms, TradedSpan};
use crate::instrument::InstrumentId;

/// Instruments whose price and scores are kept for charts.
const DRAWN_MAX: usize = 32;

/// Spans of time of such a series.
const SPANS_MAX: usize = 1_024;

/// What of an instrument is drawn.
#[derive(Clone, Debug)]
pub(crate) struct DrawnInstrument {
    pub(crate) instrument: InstrumentId,
    /// Times and mids; extremes are kept.
    pub(crate) mids: Vec<(i64, f64)>,
    /// Times and scores; extremes are kept.
    pub(crate) scores: Vec<(i64, f64)>,
}

/// What is drawn so far.
#[derive(Debug)]
pub(super) struct Drawing {
    /// The times whose mids are drawn.
    times: RangeInclusive<i64>,
    series: BTreeMap<InstrumentId, (ThinnedSeries, ThinnedSeries)>,
}

impl Drawing {
    /// A drawing of what is traded: to the end of the last position where time closes it, else of the input.
    pub(super) fn of(traded: TradedSpan, terms: &Terms) -> Self {
        let until = traded.to.zip(terms.rule.hold_ns).map(|(to, held)| {
            let latest = terms.latency.samples.iter().max().copied();
            to.saturating_add(held)
                .saturating_add(terms.latency.constant_ns)
                .saturating_add(latest.unwrap_or(0))
        });
        Self {
            times: traded.from.unwrap_or(i64::MIN)..=until.unwrap_or(i64::MAX),
            series: BTreeMap::new(),
        }
    }

    /// Adds the middle of a market.
    pub(super) fn mid(&mut self, instrument: InstrumentId, ts: i64, mid: f64) {
        if self.times.contains(&ts)
            && let Some((mids, _)) = self.series_of(instrument)
        {
            mids.add(ts, mid);
        }
    }

    /// Adds the score of a signal.
    pub(super) fn score(&mut self, instrument: InstrumentId, ts: i64, score: f64) {
        if let Some((_, scores)) = self.series_of(instrument) {
            scores.add(ts, score);
        }
    }

    /// The series of an instrument, if it is one of the first.
    fn series_of(
        &mut self,
        instrument: InstrumentId,
    ) -> Option<&mut (ThinnedSeries, ThinnedSeries)> {
        let is_new = !self.series.contains_key(&instrument);
        if is_new && self.series.len() >= DRAWN_MAX {
            return None;
        }
        let series = || (ThinnedSeries::new(SPANS_MAX), ThinnedSeries::new(SPANS_MAX));
        Some(self.series.entry(instrument).or_insert_with(series))
    }

    /// What was drawn, in the order of the instruments.
    pub(super) fn finish(self) -> Vec<DrawnInstrument> {
        let drawn = self.series.into_iter();
        drawn
            .map(|(instrument, (mids, scores))| DrawnInstrument {
                instrument,
                mids: mids.points(),
                scores: scores.points(),
            })
            .collect()
    }
}
