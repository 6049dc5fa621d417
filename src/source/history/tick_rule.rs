//! The side of trades on tapes that do not tell it: the tick test.
//!
//! Source: C. Lee and M. Ready, "Inferring Trade Direction from Intraday Data", Journal of Finance 46 (1991),
//! section I: a trade above the price before is a buy, one below it a sell, and one at the same price is as
//! the last one at another price (a "zero-uptick" is a buy).

use rustc_hash::FxHashMap;

use crate::units::{Price, Side};

/// Finds the sides of trades by the prices before them, for each instrument by itself.
#[derive(Debug, Default)]
pub(super) struct TickRule {
    last: FxHashMap<Box<str>, (Price, Option<Side>)>,
}

impl TickRule {
    /// The side of an instrument's next trade; none before its price has changed.
    pub(super) fn side(&mut self, instrument: &str, price: Price) -> Option<Side> {
        let Some((last, side)) = self.last.get_mut(instrument) else {
            self.last.insert(instrument.into(), (price, None));
            return None;
        };
        *side = match price.cmp(last) {
            std::cmp::Ordering::Greater => Some(Side::Buy),
            std::cmp::Ordering::Less => Some(Side::Sell),
            std::cmp::Ordering::Equal => *side,
        };
        *last = price;
        *side
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trade_is_a_buy_above_the_last_price_and_a_sell_below_it() {
        let mut rule = TickRule::default();
        let mut side = |name: &str, price: &str| {
            let price = Price::parse(price.as_bytes()).unwrap();
            rule.side(name, price)
        };
        for (price, expected) in [
            ("10", None),
            ("10", None),
            ("10.5", Some(Side::Buy)),
            ("10.5", Some(Side::Buy)),
            ("10.4", Some(Side::Sell)),
            ("10.4", Some(Side::Sell)),
            ("10.6", Some(Side::Buy)),
        ] {
            assert_eq!(side("A", price), expected, "{price}");
        }
        assert_eq!(side("B", "1"), None);
        assert_eq!(side("B", "2"), Some(Side::Buy));
        assert_eq!(side("A", "10.6"), Some(Side::Buy));
    }
}
