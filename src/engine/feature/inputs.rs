//! What features are computed from, as far as gaps are concerned.

use std::ops::BitOr;

use serde::{Deserialize, Serialize};

/// What a feature is computed from, as far as gaps are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs(u8);

impl Inputs {
    /// Figures, sentiment, the time of day: no gap in the market concerns them.
    pub const NONE: Self = Self(0);
    /// Trades.
    pub const TRADES: Self = Self(1);
    /// Quotes and the order book.
    pub const QUOTES: Self = Self(2);
    /// Bars.
    pub const BARS: Self = Self(4);
    /// All of them.
    pub const ALL: Self = Self(7);

    /// Whether both name one of the same.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Inputs {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
