//! What of the input is the training period, and what the test period, by `[label] test_from`.

use serde::Serialize;

use super::figures::PartFigures;
use crate::backtest::{RoundTrip, TradeFigures};
use crate::command::backtest::study::{MoveLabel, SplitCounts};
use crate::time::rfc3339;

/// The parts of the input, before and after the border.
#[derive(Clone, Debug, Serialize)]
pub struct SplitFigures {
    /// The border: rows before it are for training.
    pub test_from: String,
    /// The time until a label is known, in milliseconds.
    pub horizon_ms: f64,
    /// Before the border.
    pub training: SplitPart,
    /// Before the border, with a horizon that reaches it.
    pub border: SplitPart,
    /// From the border on.
    pub test: SplitPart,
}

/// One part.
#[derive(Clone, Debug, Serialize)]
pub struct SplitPart {
    /// Signals that are acted on.
    pub signals: u64,
    /// Trades of signals of this part.
    #[serde(flatten)]
    pub figures: PartFigures,
}

/// The parts; none where there is no border.
pub(super) fn split(
    labelling: Option<MoveLabel>,
    signals: SplitCounts,
    trips: &[RoundTrip],
) -> Option<SplitFigures> {
    let MoveLabel {
        horizon_ns,
        test_from,
        ..
    } = labelling?;
    let border = test_from?;
    let mut parts = [TradeFigures::default(); 3];
    for trip in trips {
        let ends = trip.signal.ts.saturating_add(horizon_ns);
        let part = match (trip.signal.ts < border.0, ends < border.0) {
            (true, true) => 0,
            (true, false) => 1,
            (false, _) => 2,
        };
        parts[part].add(trip);
    }
    let [training, at_border, test] = &parts;
    let part = |signals, figures: &TradeFigures| SplitPart {
        signals,
        figures: figures.into(),
    };
    Some(SplitFigures {
        test_from: rfc3339(border),
        horizon_ms: horizon_ns as f64 / 1e6,
        training: part(signals.training, training),
        border: part(signals.border, at_border),
        test: part(signals.test, test),
    })
}
