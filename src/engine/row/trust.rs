//! How far a row of an instrument's market can be trusted.

use super::market::MarketState;
use super::rules::RowRules;
use crate::engine::feature::{FeaturePlan, FeatureState};
use crate::signal::quality::Quality;

impl MarketState {
    /// The quality of the row that is made now, and whether its features are warm; what was marked counts for
    /// this row alone.
    pub(crate) fn row_quality(
        &mut self,
        plan: &FeaturePlan,
        features: &mut FeatureState,
        rules: &RowRules,
    ) -> (Quality, bool) {
        let mut quality = std::mem::take(&mut self.marked);
        quality = quality.max(features.gap_quality(plan, self.now));
        let warm = features.is_warm(plan, self.now);
        if !warm {
            quality = quality.max(Quality::Warming);
        }
        let needs_quotes = plan.uses_book() || plan.uses_top();
        // Each by itself: live quotes say nothing of a book that has stopped.
        let inputs = [
            (plan.uses_book(), self.booked),
            (plan.uses_top(), self.quoted),
        ];
        let is_old = |at: i64| self.now.saturating_sub(at) > rules.stale_after;
        // While trading is halted no price can be acted on.
        if self.halt.is_on() || inputs.iter().any(|&(is_used, at)| is_used && is_old(at)) {
            quality = quality.max(Quality::Stale);
        }
        if needs_quotes && self.is_crossed() {
            quality = quality.max(Quality::Crossed);
        }
        if plan.uses_book() && self.book_known && !self.book.is_live() {
            quality = Quality::Gap;
        }
        (quality, warm)
    }

    /// Whether features need a book or a quote that is not there, or is of before a gap.
    pub(crate) fn is_waiting(&self, plan: &FeaturePlan) -> bool {
        match (plan.uses_book(), plan.uses_top()) {
            (true, _) => !self.book.is_live(),
            (false, true) => self.top.is_none() || self.top_broken,
            (false, false) => false,
        }
    }

    fn is_crossed(&self) -> bool {
        let is_top_crossed = self.top.is_some_and(|top| top.is_crossed());
        is_top_crossed || self.book_known && self.book.is_crossed()
    }

    /// The middle of bid and ask that labels are made of: none while a side is empty, both are crossed, or
    /// they are of before a gap or a silence of more than `max_gap` nanoseconds.
    pub(crate) fn label_mid(&self, max_gap: i64) -> Option<f64> {
        let is_of_before = self.top_broken || self.now.saturating_sub(self.topped) > max_gap;
        let top = self.top.filter(|_| !is_of_before && !self.is_crossed());
        top.map(|top| top.mid())
    }
}
