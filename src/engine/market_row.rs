//! One event of an instrument's market, up to the row that it makes.

use super::feature::{FeaturePlan, FeatureState, Fired};
use super::row::{Effect, EventCounts, Figures, MarketState, Row, RowRules, SnapshotNeed};
use crate::event::{Batch, Body, Event};
use crate::units::Nanos;

/// What an event of a market is worked on with, beside the state of its instrument.
pub(super) struct MarketRows<'a> {
    pub(super) plan: &'a FeaturePlan,
    pub(super) rules: &'a RowRules,
    pub(super) figures: &'a Figures,
    pub(super) counts: &'a mut EventCounts,
    pub(super) fired: &'a mut Fired,
}

impl MarketRows<'_> {
    /// Takes an event; where it makes a row, writes that to `row`. Also returns when the book needs a new
    /// snapshot, if it does.
    #[inline]
    pub(super) fn take(
        &mut self,
        market: &mut MarketState,
        features: &mut FeatureState,
        batch: &Batch,
        event: &Event,
        row: &mut [f64],
    ) -> (Option<Row>, Option<SnapshotNeed>) {
        let Self {
            plan,
            rules,
            figures,
            counts,
            fired,
        } = self;
        let mut need = None;
        let received = batch.origins[event.frame as usize].ts_recv;
        let before = market.now;
        let is_dropped = market.drops_late(event, rules, counts);
        let ts = market.own_time(event, received, counts);
        let timed = market.pass_time(ts, counts);
        if timed {
            market.note_event(rules.max_gap);
        }
        counts.stale += market.read_context(plan, features, figures, before, fired);
        let passed_over = counts.passed_over();
        let effect = match &event.body {
            Body::Trade(trade) if is_dropped => {
                market.drop_trade(trade, ts, received, counts);
                Effect::default()
            }
            _ if is_dropped => Effect::default(),
            Body::Trade(trade) => market.trade(trade, ts, received, counts),
            Body::SkippedTrade(number) => {
                market.skipped_trade(*number, ts, received, counts);
                Effect::default()
            }
            Body::Quote(quote) => market.quote(quote, ts, received, counts),
            Body::Depth(depth) => {
                let (effect, needed) = market.depth(batch, depth, ts, received, counts);
                need = needed;
                effect
            }
            Body::Gap(gap) => {
                need = market.gap(*gap, counts).then_some(SnapshotNeed::Now);
                Effect::default()
            }
            Body::Bar(bar) => market.bar(bar, counts),
            Body::Amendment(amendment) => {
                market.amend(amendment.kind, counts);
                Effect::default()
            }
            Body::Status(status) => {
                market.set_status(*status, counts);
                Effect::default()
            }
            Body::Record(_)
            | Body::Withdrawn(_)
            | Body::Figure(_)
            | Body::Sentiment(_)
            | Body::FeedGap(_)
            | Body::Tick => Effect::default(),
        };
        if counts.passed_over() == passed_over {
            // What came before is no sign of life.
            market.silent = false;
            market.heard.take(&event.body, received);
        }
        if !timed || !effect.any() {
            return (None, need);
        }
        let makes_row = effect.triggers(rules.on, &event.body);
        if makes_row {
            market.end_silence(rules.max_gap, counts);
        }
        market.apply(plan, features, &effect, fired);
        if !makes_row {
            return (None, need);
        }
        if !features.row(plan, market.now, row, fired) {
            counts.incomplete_rows += 1;
            return (None, need);
        }
        counts.rows += 1;
        market.note_row(rules.max_gap, counts);
        let (quality, warm) = market.row_quality(plan, features, rules);
        let row = Row {
            quality,
            warm,
            mid: market.top.map(|top| top.mid()),
            price: market.price,
            ..Row::bare(event.instrument, Nanos(market.now), Default::default())
        };
        (Some(row), need)
    }
}
