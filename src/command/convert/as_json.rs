//! What events become where records have less than they have: each has a time, trades are of one kind, and a
//! number that no trade has is not told of.
//!
//! As the engine takes them, so that the records give the same rows.

use crate::event::{Body, Event, TradeIds};
use crate::instrument::InstrumentId;
use crate::units::Nanos;

/// What is remembered of instruments for their next records.
#[derive(Default)]
pub(super) struct JsonForm {
    instruments: Vec<InstrumentForm>,
}

#[derive(Clone, Copy, Default)]
struct InstrumentForm {
    /// The latest time of its events.
    latest: Option<Nanos>,
    /// Whether its trades are aggregates: the kind that came first.
    is_aggregate: Option<bool>,
    /// Whether the number before that of the next trade is of no trade.
    has_skipped: bool,
}

impl JsonForm {
    /// The event as records can have it: a message without a time happens at the latest time known. None for
    /// a number without a trade, of which the next trade tells, and for a trade that is told in two ways.
    pub(super) fn of(&mut self, event: &Event) -> Option<(Nanos, Body)> {
        if event.instrument == InstrumentId::ALL {
            return Some((event.ts_event, event.body));
        }
        let at = event.instrument.index();
        if at >= self.instruments.len() {
            self.instruments.resize(at + 1, InstrumentForm::default());
        }
        let own = &mut self.instruments[at];
        let ts = match event.ts_event {
            Nanos::UNDEFINED => own.latest.unwrap_or(Nanos::UNDEFINED),
            ts => ts,
        };
        if ts != Nanos::UNDEFINED {
            own.latest = Some(own.latest.map_or(ts, |latest| latest.max(ts)));
        }
        match event.body {
            Body::SkippedTrade(_) => {
                own.has_skipped = true;
                None
            }
            Body::Trade(trade)
                if *own.is_aggregate.get_or_insert(trade.aggregate) != trade.aggregate =>
            {
                None
            }
            Body::Trade(mut trade) => {
                if std::mem::take(&mut own.has_skipped) && trade.ids == TradeIds::Successive {
                    trade.ids = TradeIds::Rising;
                }
                Some((ts, Body::Trade(trade)))
            }
            body => Some((ts, body)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Trade;
    use crate::units::{Price, Size};

    #[test]
    fn an_event_gets_what_records_must_have() {
        let mut form = JsonForm::default();
        let mut of = |ts: Nanos, body: Body| {
            form.of(&Event {
                ts_event: ts,
                instrument: InstrumentId(1),
                frame: 0,
                body,
            })
        };
        let trade = |aggregate| {
            Body::Trade(Trade {
                price: Price::parse(b"1").unwrap(),
                size: Size::parse(b"1").unwrap(),
                trade_id: 7,
                side: None,
                aggregate,
                ids: TradeIds::Successive,
            })
        };
        assert_eq!(
            of(Nanos::UNDEFINED, Body::Tick).unwrap().0,
            Nanos::UNDEFINED
        );
        assert_eq!(of(Nanos(9), trade(false)).unwrap().0, Nanos(9));
        assert_eq!(of(Nanos(5), trade(true)), None);
        assert_eq!(of(Nanos(5), Body::SkippedTrade(8)), None);
        let (ts, body) = of(Nanos::UNDEFINED, trade(false)).unwrap();
        assert_eq!(ts, Nanos(9));
        assert!(matches!(body, Body::Trade(trade) if trade.ids == TradeIds::Rising));
        assert_eq!(of(Nanos(6), trade(false)), Some((Nanos(6), trade(false))));
    }
}
