//! A made-up market of two symbols: books that change, trades, and what is true at each moment.
//!
//! Knows no venue. Prices are in tenths, sizes in thousandths.

use std::collections::BTreeMap;

/// A price and how much rests there.
pub(crate) type Rests = (i64, i64);

/// Random numbers from a seed (xorshift64*).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Whether something happens that has this probability.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        (self.next() as f64) < probability * (1_u64 << 53) as f64
    }
}

/// The book of a symbol from a time on, best levels first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Truth {
    pub(crate) ms: i64,
    pub(crate) bids: Vec<Rests>,
    pub(crate) asks: Vec<Rests>,
}

/// What happened.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The book of a symbol is `truth` now, after it was `before`.
    Book { before: Truth, truth: Truth },
    /// A trade at a price.
    Trade { price: i64, size: i64, ms: i64 },
    /// Nothing of interest.
    Beat { ms: i64 },
}

/// The market.
pub(crate) struct Market {
    dice: Dice,
    pub(crate) ms: i64,
    mids: [i64; 2],
    sides: [[BTreeMap<i64, i64>; 2]; 2],
}

impl Market {
    pub(crate) fn new(seed: u64) -> Self {
        let mut market = Self {
            dice: Dice::new(seed),
            ms: 0,
            mids: [601_000, 30_000],
            sides: Default::default(),
        };
        for symbol in 0..2 {
            for _ in 0..200 {
                market.change(symbol);
            }
        }
        market
    }

    /// The next step, of one symbol.
    pub(crate) fn step(&mut self) -> (usize, Step) {
        self.ms += 20 + self.dice.below(60) as i64;
        let (symbol, ms) = (self.dice.below(2) as usize, self.ms);
        let step = match self.dice.below(20) {
            0..12 => {
                let before = self.truth(symbol);
                for _ in 0..=self.dice.below(4) {
                    self.change(symbol);
                }
                let truth = self.truth(symbol);
                Step::Book { before, truth }
            }
            12..18 => {
                let price = self.mids[symbol] + self.dice.below(3) as i64 - 1;
                let size = 1 + self.dice.below(5_000) as i64;
                Step::Trade { price, size, ms }
            }
            _ => Step::Beat { ms },
        };
        (symbol, step)
    }

    /// The book of a symbol now.
    pub(crate) fn truth(&self, symbol: usize) -> Truth {
        let [bids, asks] = &self.sides[symbol];
        Truth {
            ms: self.ms,
            bids: bids
                .iter()
                .rev()
                .map(|(&price, &size)| (price, size))
                .collect(),
            asks: asks.iter().map(|(&price, &size)| (price, size)).collect(),
        }
    }

    fn change(&mut self, symbol: usize) {
        let dice = &mut self.dice;
        let [bids, asks] = &mut self.sides[symbol];
        if dice.below(10) == 0 {
            self.mids[symbol] += dice.below(5) as i64 - 2;
            let mid = self.mids[symbol];
            bids.retain(|&price, _| price < mid && price > mid - REACH);
            asks.retain(|&price, _| price > mid && price < mid + REACH);
        }
        let (mid, off) = (self.mids[symbol], 1 + dice.below(REACH as u64 - 1) as i64);
        let (side, price) = match dice.below(2) {
            0 => (bids, mid - off),
            _ => (asks, mid + off),
        };
        // A side never becomes empty.
        if dice.below(3) == 0 && side.len() > 12 {
            side.remove(&price);
        } else {
            side.insert(price, 1 + dice.below(9_000_000) as i64);
        }
    }
}

/// How far levels lie from the middle at most.
const REACH: i64 = 24;
