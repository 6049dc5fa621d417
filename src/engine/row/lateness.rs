//! Events that come later than their source allows, or before their time, and what becomes of them.
//!
//! An event is held against the latest time of its own instrument: what it becomes does not depend on other
//! instruments, nor on the number of shards.

use super::counts::EventCounts;
use super::market::MarketState;
use super::rules::{LatePolicy, RowRules};
use crate::event::{Body, Event, Trade};
use crate::units::Nanos;

impl MarketState {
    /// The own time of an event, or undefined where it has none or lies in the future: then the event happens
    /// at the latest time known. A bar may come before it ends.
    pub(crate) fn own_time(
        &mut self,
        event: &Event,
        received: Nanos,
        counts: &mut EventCounts,
    ) -> Nanos {
        let ts = event.ts_event;
        let is_bar = matches!(event.body, Body::Bar(_));
        if ts == Nanos::UNDEFINED || is_bar || self.clock_lead.believes(ts, received) {
            return ts;
        }
        counts.ahead += 1;
        Nanos::UNDEFINED
    }

    /// Counts an event that is late; returns whether it is to be dropped. Call it before the event moves the
    /// time on.
    pub(crate) fn drops_late(
        &self,
        event: &Event,
        rules: &RowRules,
        counts: &mut EventCounts,
    ) -> bool {
        let ts = event.ts_event;
        let is_late = ts != Nanos::UNDEFINED
            && self.now != i64::MIN
            && self.now.saturating_sub(ts.0) > rules.lateness;
        if !is_late {
            return false;
        }
        let can_drop = match event.body {
            Body::Trade(_) | Body::Quote(_) | Body::Bar(_) => true,
            Body::Depth(_) => false,
            _ => return false,
        };
        let drops = can_drop && rules.late == LatePolicy::Drop;
        counts.late_drops += u64::from(drops);
        counts.late_updates += u64::from(!drops);
        drops
    }

    /// Takes a trade that is dropped: its number is not missing.
    pub(crate) fn drop_trade(
        &mut self,
        trade: &Trade,
        ts: Nanos,
        received: Nanos,
        counts: &mut EventCounts,
    ) {
        if self.aggregate.is_none_or(|kind| kind == trade.aggregate) {
            let before = self.trade_numbers.ts();
            let number = self.trade_numbers.take(trade, ts, received);
            self.follow_number(number, before, counts);
        }
    }

    /// Whether it was heard of within the last `idle` nanoseconds before `received`.
    pub(crate) fn is_active(&self, received: Nanos, idle: i64) -> bool {
        let heard = self.heard.last();
        self.now != i64::MIN
            && heard != Nanos::UNDEFINED
            && received != Nanos::UNDEFINED
            && received.since(heard) <= idle
    }
}
