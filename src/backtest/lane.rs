//! One instrument's part of the input: its market, and the signals and trades that wait for their time.

use std::collections::VecDeque;

use super::market::{FillOn, RecordedMarket};
use super::rule::Decision;
use crate::event::Trade;

/// One instrument's market, and what waits until the market is known up to its time.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) market: RecordedMarket,
    signals: VecDeque<Decision>,
    trades: VecDeque<(i64, Trade)>,
    /// The latest time of any event.
    pub(super) heard: i64,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
pub(super) enum WaitingInput {
    Signal(Decision),
    Trade(i64, Trade),
}

impl Lane {
    pub(super) fn new(on: FillOn) -> Self {
        Self {
            market: RecordedMarket::new(on),
            signals: VecDeque::new(),
            trades: VecDeque::new(),
            heard: i64::MIN,
        }
    }

    /// Adds a signal; one that is earlier than the one before takes its place in time behind it.
    pub(super) fn push_signal(&mut self, mut signal: Decision) {
        let last = self.signals.back().map_or(i64::MIN, |last| last.ts);
        signal.ts = signal.ts.max(last);
        self.signals.push_back(signal);
    }

    /// Adds a trade at the latest time heard.
    pub(super) fn push_trade(&mut self, trade: Trade) {
        self.trades.push_back((self.heard, trade));
    }

    /// Takes the next of what waits: signals up to one time, trades up to another; at one time the trade.
    pub(super) fn pop(&mut self, signals_until: i64, trades_until: i64) -> Option<WaitingInput> {
        let signal = self.signals.front().map(|signal| signal.ts);
        let signal = signal.filter(|ts| *ts <= signals_until);
        let trade = self.trades.front().map(|(ts, _)| *ts);
        let trade = trade.filter(|ts| *ts <= trades_until);
        match (signal, trade) {
            (None, None) => None,
            (Some(signal), Some(trade)) if signal < trade => self.pop_signal(),
            (Some(_), None) => self.pop_signal(),
            (_, Some(_)) => {
                let trade = self.trades.pop_front();
                trade.map(|(ts, trade)| WaitingInput::Trade(ts, trade))
            }
        }
    }

    fn pop_signal(&mut self) -> Option<WaitingInput> {
        self.signals.pop_front().map(WaitingInput::Signal)
    }

    /// The time of the next signal that waits.
    pub(super) fn next_signal(&self) -> Option<i64> {
        self.signals.front().map(|signal| signal.ts)
    }

    /// Signals whose time the market did not reach.
    pub(super) fn signals_left(&self) -> u64 {
        self.signals.len() as u64
    }
}
