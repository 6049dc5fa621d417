//! Backtests of small markets whose outcomes were computed by hand.

mod limit;
mod market;
mod span;
mod twenty;

use std::sync::Arc;

use super::*;
use crate::event::{
    Bar, Batch, Body, Depth, Gap, GapReason, Level, Quote, Splice, Trade, TradeIds,
};
use crate::frame::Origin;
use crate::instrument::InstrumentId;
use crate::signal::quality::Quality;
use crate::units::{Nanos, Price, Side, Size};

/// Nanoseconds in a millisecond.
const MS: i64 = 1_000_000;

const ID: InstrumentId = InstrumentId(0);

fn quantity(text: &str) -> Quantity {
    Quantity::of(size(text))
}

fn size(text: &str) -> Size {
    Size::parse(text.as_bytes()).unwrap()
}

fn price(text: &str) -> Price {
    Price::parse(text.as_bytes()).unwrap()
}

/// Terms whose orders take 100 ms, are of 2, and cost 10 basis points; positions are held for a second.
fn terms() -> Terms {
    Terms {
        rule: Rule {
            enter: 0.2,
            exit: None,
            hold_ns: Some(1_000 * MS),
            flip: false,
            size: quantity("2"),
            by_confidence: false,
            max_position: quantity("2"),
            adds: false,
            lot: Quantity::ZERO,
            sides: Sides::Both,
            act_on: vec![Quality::Ok],
        },
        latency: OrderLatency {
            constant_ns: 100 * MS,
            samples: [].into(),
        },
        fill: FillModel::Market,
        fees: Fees {
            maker_bps: 1.0,
            taker_bps: 10.0,
        },
        carry: Carry::default(),
        own: Arc::default(),
    }
}

/// What happens, in order.
#[derive(Default)]
struct Script {
    /// Each event with the signals that it gives.
    steps: Vec<(Batch, Vec<Decision>)>,
}

impl Script {
    fn event(mut self, ms: i64, body: Body, levels: &[Level]) -> Self {
        let mut batch = Batch::default();
        batch.begin_frame(Origin::of_test());
        batch.levels.extend(levels);
        batch.push(ID, Nanos(ms * MS), body);
        self.steps.push((batch, vec![]));
        self
    }

    fn quote(self, ms: i64, bid: &str, ask: &str) -> Self {
        let quote = Quote {
            bid_px: price(bid),
            bid_sz: size("10"),
            ask_px: price(ask),
            ask_sz: size("10"),
            sequence: 0,
        };
        self.event(ms, Body::Quote(quote), &[])
    }

    /// A bar that ends then: open and close, of which the other two prices are made.
    fn bar(self, ms: i64, open: &str, close: &str) -> Self {
        let (open, close) = (price(open), price(close));
        let bar = Bar {
            open,
            high: open.max(close),
            low: open.min(close),
            close,
            volume: Size::UNDEFINED,
        };
        self.event(ms, Body::Bar(bar), &[])
    }

    /// A whole book: bids and asks as pairs of price and quantity.
    fn book(self, ms: i64, bids: &[(&str, &str)], asks: &[(&str, &str)]) -> Self {
        let levels = bids.iter().chain(asks).map(|(at, of)| Level {
            price: price(at),
            size: size(of),
        });
        let depth = Depth {
            bids: bids.len() as u32,
            asks: asks.len() as u32,
            snapshot: Some(Splice::InOrder),
            ..Depth::default()
        };
        self.event(ms, Body::Depth(depth), &levels.collect::<Vec<_>>())
    }

    fn trade(self, ms: i64, at: &str, of: &str, side: Side) -> Self {
        let trade = Trade {
            price: price(at),
            size: size(of),
            trade_id: 0,
            ids: TradeIds::Successive,
            side: Some(side),
            aggregate: false,
        };
        self.event(ms, Body::Trade(trade), &[])
    }

    fn gap(self, ms: i64) -> Self {
        let gap = Gap {
            reason: GapReason::Sequence,
            missing: 1,
        };
        self.event(ms, Body::Gap(gap), &[])
    }

    /// A signal of the last event, with a time of its own.
    fn signal(self, ms: i64, score: f64) -> Self {
        self.signal_of(ms, score, Quality::Ok)
    }

    fn signal_of(mut self, ms: i64, score: f64, quality: Quality) -> Self {
        let signal = Decision {
            instrument: ID,
            ts: ms * MS,
            score,
            quality,
        };
        let (_, signals) = self.steps.last_mut().unwrap();
        signals.push(signal);
        self
    }

    /// Plays it on these terms.
    fn play(&self, on: FillOn, terms: &Terms) -> TrialOutcome {
        self.play_within(TradedSpan::default(), on, terms)
    }

    /// The same, with this much of it traded.
    fn play_within(&self, span: TradedSpan, on: FillOn, terms: &Terms) -> TrialOutcome {
        let mut backtest = Backtest::new(on, 1_000 * MS, span, vec![(terms.clone(), Keep::All)]);
        for (batch, signals) in &self.steps {
            backtest.step(batch, signals);
        }
        backtest.finish().0.remove(0)
    }

    /// The same in one step.
    fn play_at_once(&self, on: FillOn, terms: &Terms) -> TrialOutcome {
        let mut backtest = Backtest::new(
            on,
            1_000 * MS,
            TradedSpan::default(),
            vec![(terms.clone(), Keep::All)],
        );
        let (mut all, mut signals) = (Batch::default(), vec![]);
        for (batch, given) in &self.steps {
            all.begin_frame(Origin::of_test());
            for event in &batch.events {
                let mut body = event.body;
                if let Body::Depth(depth) = &mut body {
                    depth.start += all.levels.len() as u32;
                }
                all.push(event.instrument, event.ts_event, body);
            }
            all.levels.extend(&batch.levels);
            signals.extend(given);
        }
        backtest.step(&all, &signals);
        backtest.finish().0.remove(0)
    }
}

/// The round trips of an outcome: sign, times in milliseconds, notionals.
fn trips(outcome: &TrialOutcome) -> Vec<(i8, i64, i64, f64, f64)> {
    let trips = outcome.tally.trips.iter().flatten();
    let figures = trips.map(|trip| {
        let (entered, exited) = (trip.entered / MS, trip.exited / MS);
        (
            trip.sign,
            entered,
            exited,
            trip.entry_notional,
            trip.exit_notional,
        )
    });
    figures.collect()
}

fn near(left: f64, right: f64) {
    assert!((left - right).abs() < 1e-9, "{left} is not {right}");
}
