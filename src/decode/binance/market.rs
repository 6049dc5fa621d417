//! Binance's markets, and the fields that show whose a message is: both write nearly the same ones.
//!
//! | message | spot | USD-M futures |
//! | --- | --- | --- |
//! | `depthUpdate` | | `pu`, the update before it |
//! | `trade` | `M` | `X`, what the number was given to |
//! | `aggTrade` | `M` | `f` without `M` |
//! | `bookTicker`, the answer to a request of a book | | `T` |
//!
//! Messages of neither kind, and trades that have none of these fields, may be of either market.

use crate::decode::text::{members, value_of};

/// A market of Binance: a venue of its own, which has symbols and numbers of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BinanceMarket {
    /// Spot.
    Spot,
    /// Futures that are margined in dollars (USDⓈ-M).
    UsdMargined,
}

impl BinanceMarket {
    /// The venue's name in the names of instruments.
    pub(super) fn venue(self) -> &'static str {
        match self {
            Self::Spot => "BINANCE",
            Self::UsdMargined => "BINANCE_USDM",
        }
    }

    /// The market of a change of a book, which names the update before it, or does not.
    pub(super) fn of_change(names_previous: bool) -> Self {
        match names_previous {
            true => Self::UsdMargined,
            false => Self::Spot,
        }
    }

    /// The market of a quote or of a snapshot, which has a time of the matching engine, or has none.
    pub(super) fn of_state(has_time: bool) -> Self {
        match has_time {
            true => Self::UsdMargined,
            false => Self::Spot,
        }
    }

    /// The market of a trade, by its fields `X`, or of an aggregate, by `f`; and by `M`.
    pub(super) fn of_trade(has_mark: bool, has_best_match: bool) -> Option<Self> {
        match (has_best_match, has_mark) {
            (true, _) => Some(Self::Spot),
            (false, true) => Some(Self::UsdMargined),
            (false, false) => None,
        }
    }

    /// The market that a message shows, bare or in a combined stream; none where either may have sent it.
    pub(super) fn shown_by(message: &[u8]) -> Option<Self> {
        let data = value_of(message, "data").map_or(message, |data| data.0);
        let mut kind = None;
        let mut has = Fields::default();
        for (key, value) in members(data) {
            if key.is("e") {
                kind = value.text();
            } else if let Some(field) = has.field(|name| key.is(name)) {
                *field = value.0 != b"null";
            }
        }
        match kind.as_deref() {
            Some("depthUpdate") => Some(Self::of_change(has.previous)),
            Some("trade") => Self::of_trade(has.kind, has.best_match),
            Some("aggTrade") => Self::of_trade(has.first_fill, has.best_match),
            Some("bookTicker") => Some(Self::of_state(has.time)),
            None if has.snapshot || has.quote => Some(Self::of_state(has.time)),
            _ => None,
        }
    }
}

/// The fields of a message that tell its market, or its kind where it has no `e`.
#[derive(Default)]
struct Fields {
    previous: bool,
    kind: bool,
    best_match: bool,
    first_fill: bool,
    time: bool,
    snapshot: bool,
    quote: bool,
}

impl Fields {
    /// The one with this name.
    fn field(&mut self, is: impl Fn(&str) -> bool) -> Option<&mut bool> {
        let names: [(&str, &mut bool); 7] = [
            ("pu", &mut self.previous),
            ("X", &mut self.kind),
            ("M", &mut self.best_match),
            ("f", &mut self.first_fill),
            ("T", &mut self.time),
            ("lastUpdateId", &mut self.snapshot),
            ("B", &mut self.quote),
        ];
        names
            .into_iter()
            .find_map(|(name, field)| is(name).then_some(field))
    }
}
