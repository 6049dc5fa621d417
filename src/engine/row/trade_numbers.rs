//! The numbers of an instrument's trades: what is missing, what came twice, and whether the venue has begun
//! to number anew.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::behind::Behind;
use crate::event::{Trade, TradeIds};
use crate::units::{Nanos, Price};

/// Follows the numbers of trades. Trades without a number (0) follow any other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TradeNumbers {
    /// Of the last trades whose numbers have no order.
    recent: VecDeque<u64>,
    /// Of the last trade that had one; 0 before it.
    last: u64,
    /// The own time of the last trade that had one; `i64::MIN` before it.
    ts: i64,
    /// The price of the last trade.
    price: Price,
    /// Trades that lie behind the last one.
    behind: Behind,
}

/// What the number of a trade says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TradeNumber {
    /// It follows the one before.
    Next,
    /// So many trades are missing before it.
    Missing(u64),
    /// The venue has begun to number anew.
    Anew,
    /// The trade came before.
    Copy,
}

impl Default for TradeNumbers {
    fn default() -> Self {
        Self {
            recent: VecDeque::new(),
            last: 0,
            ts: i64::MIN,
            price: Price::UNDEFINED,
            behind: Behind::default(),
        }
    }
}

impl TradeNumbers {
    /// Takes a trade; `ts` is its own time, or undefined, as `received` may be.
    pub fn take(&mut self, trade: &Trade, ts: Nanos, received: Nanos) -> TradeNumber {
        if trade.ids == TradeIds::Distinct && trade.trade_id > 0 {
            return self.take_distinct(trade, ts);
        }
        self.follow((trade.trade_id, trade.ids), trade.price, ts, received)
    }

    fn follow(
        &mut self,
        (id, ids): (u64, TradeIds),
        price: Price,
        ts: Nanos,
        received: Nanos,
    ) -> TradeNumber {
        let is_numbered = id > 0 && self.last > 0;
        let number = if is_numbered && id <= self.last {
            // A copy has a time that is not later; one that was stamped anew has the last number and price.
            let is_again = id == self.last && price == self.price;
            let is_not_later = ts == Nanos::UNDEFINED || ts.0 <= self.ts;
            // Copies of trades may go on for long, where what lies before us sends again from somewhere: but
            // such numbers lie near the last one.
            let is_anew = id < self.last / 2 && self.behind.is_sustained(id, received);
            if is_again || is_not_later && !is_anew {
                return TradeNumber::Copy;
            }
            TradeNumber::Anew
        } else if is_numbered && ids == TradeIds::Successive && id > self.last + 1 {
            TradeNumber::Missing(id - self.last - 1)
        } else {
            TradeNumber::Next
        };
        if id > 0 {
            self.last = id;
            self.behind.end();
        }
        if ts != Nanos::UNDEFINED {
            // Trades may come out of the order of their times; only new numbers begin time anew.
            let is_anew = number == TradeNumber::Anew;
            self.ts = if is_anew { ts.0 } else { self.ts.max(ts.0) };
        }
        self.price = price;
        number
    }

    /// Takes a number that belongs to no trade of the market: none is missing for it.
    pub fn skip(&mut self, number: u64, ts: Nanos, received: Nanos) -> TradeNumber {
        let numbered = (number, TradeIds::Successive);
        self.follow(numbered, Price::UNDEFINED, ts, received)
    }

    /// Takes a trade whose number says only whether it came before.
    fn take_distinct(&mut self, trade: &Trade, ts: Nanos) -> TradeNumber {
        if self.recent.contains(&trade.trade_id) {
            return TradeNumber::Copy;
        }
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(trade.trade_id);
        if ts != Nanos::UNDEFINED {
            self.ts = ts.0;
        }
        self.price = trade.price;
        TradeNumber::Next
    }

    /// The own time of the last trade that had one; undefined before it.
    #[must_use]
    pub fn ts(&self) -> Nanos {
        match self.ts {
            i64::MIN => Nanos::UNDEFINED,
            ts => Nanos(ts),
        }
    }

    /// The number of the last trade that had one; 0 before it.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }
}

/// Trades without an order that are remembered: those of the seconds in which two connections overlap.
const RECENT_MAX: usize = 1_024;
