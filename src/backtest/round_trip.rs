//! A round trip: from no position to no position.

use super::quantity::Quantity;
use super::rule::Decision;
use crate::signal::quality::Quality;

/// Why a position was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitReason {
    /// It had been held as long as the rule says.
    Hold,
    /// A signal's score towards it fell below `exit`.
    Exit,
    /// A signal reversed it.
    Flip,
}

impl ExitReason {
    /// The word used in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Exit => "exit",
            Self::Flip => "flip",
        }
    }
}

/// A trade of the backtest: a position from its opening to its end. Money is in the quote currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoundTrip {
    /// The signal that opened it.
    pub signal: Decision,
    /// 1 for a long position, −1 for a short one.
    pub sign: i8,
    /// When it was opened, in nanoseconds of event time.
    pub entered: i64,
    /// When it was closed.
    pub exited: i64,
    /// Its largest quantity.
    pub quantity: Quantity,
    /// Price times quantity of all fills that increased it.
    pub entry_notional: f64,
    /// Price times quantity of all fills that reduced it.
    pub exit_notional: f64,
    /// Fees of all its fills.
    pub fees: f64,
    /// What holding it cost: funding and borrowing.
    pub carry: f64,
    /// Fills, one for each level of the market that was taken.
    pub fills: u32,
    /// Why it was closed.
    pub reason: ExitReason,
}

impl RoundTrip {
    /// A position that is about to be opened.
    pub(super) fn new(signal: Decision, sign: i8, entered: i64) -> Self {
        Self {
            signal,
            sign,
            entered,
            exited: entered,
            quantity: Quantity::ZERO,
            entry_notional: 0.0,
            exit_notional: 0.0,
            fees: 0.0,
            carry: 0.0,
            fills: 0,
            reason: ExitReason::Hold,
        }
    }

    /// The quality of the signal that opened it.
    #[must_use]
    pub fn quality(&self) -> Quality {
        self.signal.quality
    }

    /// What was won, before costs.
    #[must_use]
    pub fn gross(&self) -> f64 {
        f64::from(self.sign) * (self.exit_notional - self.entry_notional)
    }

    /// What was won, after fees and the costs of holding.
    #[must_use]
    pub fn net(&self) -> f64 {
        self.gross() - self.fees - self.carry
    }

    /// Price times quantity of all fills.
    #[must_use]
    pub fn turnover(&self) -> f64 {
        self.entry_notional + self.exit_notional
    }

    /// How long it was held, in nanoseconds.
    #[must_use]
    pub fn held_ns(&self) -> i64 {
        self.exited.saturating_sub(self.entered)
    }
}

/// A position that is open at the end of the input. It is no trade, and is in no sum over trades.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenPosition {
    /// What happened to it so far; `exited` and `reason` mean nothing.
    pub trip: RoundTrip,
    /// What is held, with its sign.
    pub position: Quantity,
    /// The middle of the market at the end; none where it was never known.
    pub mid: Option<f64>,
}

impl OpenPosition {
    /// What it is worth at this middle of the market, less what it cost, before fees.
    #[must_use]
    pub fn gross_at(&self, mid: Option<f64>) -> f64 {
        match mid {
            Some(mid) => self.trip.gross() + self.position.to_f64() * mid,
            None => 0.0,
        }
    }
}
