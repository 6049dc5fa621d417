//! Whether trading in an instrument is halted.

use serde::{Deserialize, Serialize};

use crate::event::TradingStatus;

/// The trading status of an instrument: traded until its venue says otherwise.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Halt {
    is_halted: bool,
    /// Whether its end may have been missed, because the connection was lost meanwhile.
    is_unsure: bool,
}

impl Halt {
    /// Whether trading is halted.
    pub(super) fn is_on(self) -> bool {
        self.is_halted
    }

    /// Takes a change of the status. Returns the status before it.
    pub(super) fn set(&mut self, status: TradingStatus) -> Self {
        let is_halted = status == TradingStatus::Halted;
        let now = Self {
            is_halted,
            is_unsure: false,
        };
        std::mem::replace(self, now)
    }

    /// The connection was lost.
    pub(super) fn doubt(&mut self) {
        self.is_unsure = self.is_halted;
    }

    /// A trade ends a halt whose end may have been missed.
    pub(super) fn note_trade(&mut self) {
        self.is_halted &= !std::mem::take(&mut self.is_unsure);
    }
}
