//! The labels that a pipeline asks for.

use std::path::PathBuf;

use super::point::PriceOf;
use crate::time::session::Session;
use crate::units::Nanos;

/// A label that a pipeline asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelSpec {
    /// Its name, which is its column's.
    pub name: String,
    /// The column of its value.
    pub value_column: String,
    /// The column of its end.
    pub end_column: String,
    /// The kind as the configuration names it.
    pub kind_name: &'static str,
    /// What it looks at.
    pub kind: LabelKind,
}

/// What a label looks at.
#[derive(Clone, Debug, PartialEq)]
pub enum LabelKind {
    /// How far the price moved over the horizon.
    Move {
        /// The price.
        price: PriceOf,
        /// How far ahead.
        horizon: Horizon,
        /// A larger move is up or down, in basis points.
        threshold_bps: f64,
    },
    /// How far the mean price over the horizon is from that at the row, or from the mean before it.
    Smoothed {
        /// The price.
        price: PriceOf,
        /// How far ahead.
        horizon: Horizon,
        /// What the mean is compared with.
        compared: Compared,
        /// A larger move is up or down, in basis points.
        threshold_bps: f64,
    },
    /// Which barrier is met first.
    Barriers {
        /// The price.
        price: PriceOf,
        /// The vertical barrier, in nanoseconds.
        horizon_ns: i64,
        /// How far above the price the upper one is.
        upper: Option<Barrier>,
        /// How far below it the lower one is.
        lower: Option<Barrier>,
    },
    /// How far the price moved to the last one of the next session.
    NextSession {
        /// The price.
        price: PriceOf,
        /// The sessions.
        session: Session,
        /// A larger move is up or down, in basis points.
        threshold_bps: f64,
    },
    /// The realised volatility over the horizon.
    Volatility {
        /// The price.
        price: PriceOf,
        /// The horizon in nanoseconds.
        horizon_ns: i64,
    },
    /// Whether the firm fails within the horizon.
    DefaultWithin {
        /// The horizon in nanoseconds.
        horizon_ns: i64,
        /// The file of failures.
        outcomes: PathBuf,
        /// Up to when all failures are known; none: up to the latest time in the file.
        known_until: Option<Nanos>,
    },
}

/// How far ahead a label looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Horizon {
    /// Nanoseconds of event time.
    Time(i64),
    /// Rows of the instrument.
    Rows(u64),
}

/// What the mean of the future is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The price at the row.
    Now,
    /// The mean over as long before it, the row included.
    Past,
}

/// How far a barrier is from the price at the row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Barrier {
    /// Basis points.
    Bps(f64),
    /// A multiple of a column of the row, which is a fraction of the price.
    Times {
        /// The column.
        column: usize,
        /// The multiple.
        factor: f64,
    },
}

impl LabelSpec {
    /// The names of the classes, by their index; none where the label is a number.
    #[must_use]
    pub fn classes(&self) -> Option<&'static [&'static str]> {
        match self.kind {
            LabelKind::Volatility { .. } => None,
            LabelKind::DefaultWithin { .. } => Some(&["no_default", "default"]),
            _ => Some(&["down", "flat", "up"]),
        }
    }

    /// The horizon in nanoseconds; none where it is not one of time.
    #[must_use]
    pub fn horizon_ns(&self) -> Option<i64> {
        match self.kind {
            LabelKind::Move { horizon, .. } | LabelKind::Smoothed { horizon, .. } => {
                match horizon {
                    Horizon::Time(nanos) => Some(nanos),
                    Horizon::Rows(_) => None,
                }
            }
            LabelKind::Barriers { horizon_ns, .. }
            | LabelKind::Volatility { horizon_ns, .. }
            | LabelKind::DefaultWithin { horizon_ns, .. } => Some(horizon_ns),
            LabelKind::NextSession { .. } => None,
        }
    }

    /// The threshold in basis points, of moves.
    #[must_use]
    pub fn threshold_bps(&self) -> Option<f64> {
        match self.kind {
            LabelKind::Move { threshold_bps, .. }
            | LabelKind::Smoothed { threshold_bps, .. }
            | LabelKind::NextSession { threshold_bps, .. } => Some(threshold_bps),
            _ => None,
        }
    }
}
