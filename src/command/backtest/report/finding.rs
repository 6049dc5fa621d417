//! What a reader of a backtest must know before its figures: what is in sample, chosen, or free of cost.

use serde::Serialize;

use super::split::SplitFigures;
use super::terms::TermsFigures;
use crate::backtest::Terms;
use crate::command::backtest::study::DriftFigures;
use crate::time::rfc3339;
use crate::units::Nanos;

/// Something that bears on what the figures mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `warning`: the figures may not be what they seem; or `note`.
    pub severity: &'static str,
    /// A word for programs.
    pub code: &'static str,
    /// What was found, and what it means.
    pub text: String,
}

/// Trades below which figures say little.
const TRADES_MIN: u64 = 30;

/// A population stability index from which a change is large.
const PSI_MAX: f64 = 0.25;

/// A shift from which a change is large, where there is no index, in standard deviations.
const SHIFT_MAX: f64 = 1.0;

/// The share of the span that the input has a market of, below which ratios by time say less.
const KNOWN_MIN: f64 = 0.9;

/// What findings are made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    pub(super) split: Option<&'a SplitFigures>,
    pub(super) terms: &'a TermsFigures,
    pub(super) drift: &'a DriftFigures,
    /// Trades.
    pub(super) trades: u64,
    /// Combinations of a sweep.
    pub(super) swept: usize,
    /// Positions that are open at the end.
    pub(super) open: usize,
    /// Signals after the last update of their market.
    pub(super) signals_left: u64,
    /// The span that was traded, and the times of the first and the last update of a market.
    pub(super) span: Option<((i64, i64), (i64, i64))>,
}

/// What is found.
pub(super) fn findings(report: &Facts<'_>) -> Vec<Finding> {
    let mut found = vec![];
    split(report, &mut found);
    selection(report, &mut found);
    costs(report, &mut found);
    drift(report, &mut found);
    silence(report, &mut found);
    remains(report, &mut found);
    found
}

fn warn(found: &mut Vec<Finding>, code: &'static str, text: String) {
    let severity = "warning";
    found.push(Finding {
        severity,
        code,
        text,
    });
}

fn note(found: &mut Vec<Finding>, code: &'static str, text: String) {
    let severity = "note";
    found.push(Finding {
        severity,
        code,
        text,
    });
}

/// Whether the model may have seen the outcomes.
fn split(report: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some(split) = report.split else {
        let text = "The pipeline has no [label] test_from, so that nobody can tell which part of this input the \
                    model was trained on. Results on training data say nothing about new data.";
        warn(found, "no_split", text.into());
        return;
    };
    let (training, border, test) = (&split.training, &split.border, &split.test);
    let all = training.signals + border.signals + test.signals;
    let before = training.signals + border.signals;
    let trades = training.figures.trades + border.figures.trades;
    if before > 0 {
        let text = format!(
            "{before} of {all} signals and {trades} of {} trades are from before {}, the end of the training \
             period by [label] test_from. The model may have been fitted to their outcomes: their results \
             are in sample and say nothing about new data. Read the row test of the table of the periods, or \
             run again with --from {}.",
            report.trades, split.test_from, split.test_from
        );
        warn(found, "in_sample", text);
    }
    if border.signals > 0 {
        let text = format!(
            "Signals before the border with a horizon of {} ms that reaches across it: {}. A training set leaves them \
             out (split purge).",
            split.horizon_ms, border.signals
        );
        note(found, "border", text);
    }
    if before == 0 && all > 0 {
        let text = format!(
            "All {all} signals are from {} on, the test period by [label] test_from. That is out of sample as \
             long as neither the model nor this rule was chosen by results on it.",
            split.test_from
        );
        note(found, "out_of_sample", text);
    }
}

/// Whether the result was chosen among others.
fn selection(report: &Facts<'_>, found: &mut Vec<Finding>) {
    if report.swept > 0 {
        let text = format!(
            "{} combinations were tried on this input. The best of them is the best by luck too: hold the deflated \
             Sharpe ratio against it, and try the choice on later data.",
            report.swept
        );
        warn(found, "selection", text);
    }
    let trades = report.trades;
    if trades < TRADES_MIN {
        let text = format!("Trades: {trades}. Ratios and hit rates of so few mean nothing.");
        warn(found, "few_trades", text);
    }
}

/// Whether trading is easier here than outside.
fn costs(report: &Facts<'_>, found: &mut Vec<Finding>) {
    let terms = report.terms;
    if terms.taker_fee_bps == 0.0 || (terms.fill == "limit" && terms.maker_fee_bps <= 0.0) {
        let text = "Orders cost no fee, or are paid one. Few accounts trade on such terms.";
        warn(found, "free", text.into());
    }
    if terms.latency_ms == 0.0 && terms.measured_latencies == 0 {
        let text = "Orders take effect with no latency: they meet the very market that the signal was made of.";
        warn(found, "no_latency", text.into());
    }
}

/// Whether the input looks like what the model was trained on.
fn drift(report: &Facts<'_>, found: &mut Vec<Finding>) {
    let drift = report.drift;
    if drift.baseline.is_none() {
        let text = "There is nothing to hold the features against: the input has no rows of the training period \
                    beside others, and the model's file keeps neither means nor deviations of its training. \
                    So drift cannot be told.";
        note(found, "no_baseline", text.into());
        return;
    }
    let drifted = drift.features.iter().filter(|feature| match feature.psi {
        Some(psi) => psi > PSI_MAX,
        None => feature.shift.is_some_and(|shift| shift.abs() > SHIFT_MAX),
    });
    let names: Vec<&str> = drifted.map(|feature| feature.name.as_str()).collect();
    if !names.is_empty() {
        let text = format!(
            "{} of {} features are far from the training baseline: {}.",
            names.len(),
            drift.features.len(),
            names.join(", ")
        );
        warn(found, "drift", text);
    }
}

/// Whether the input has a market for the span that was traded.
fn silence(report: &Facts<'_>, found: &mut Vec<Finding>) {
    let Some(((from, to), (first, last))) = report.span else {
        return;
    };
    let known = to.min(last).saturating_sub(from.max(first)).max(0) as f64;
    if known < KNOWN_MIN * to.saturating_sub(from) as f64 {
        let time = |ts| rfc3339(Nanos(ts));
        let text = format!(
            "Traded from {} to {}, of which the input has a market from {} to {} alone. Ratios by time count the \
             rest as time without a position; --from and --to set the span.",
            time(from),
            time(to),
            time(first),
            time(last)
        );
        note(found, "silence", text);
    }
}

/// Instruments with a size of their own that the input does not name; none where it names all.
pub(crate) fn unknown_sizes(terms: &Terms, names: &[String]) -> Option<Finding> {
    let sizes = terms.own.sizes.keys();
    let unknown: Vec<&str> = sizes
        .filter(|name| !names.contains(name))
        .map(String::as_str)
        .collect();
    let text = format!(
        "The input has no instrument that is named in [backtest] sizes as {}: such a size is of no order. A name is \
         written as in the signals, with the venue.",
        unknown.join(", ")
    );
    (!unknown.is_empty()).then_some(Finding {
        severity: "warning",
        code: "unknown_size",
        text,
    })
}

/// What is in no figure.
fn remains(report: &Facts<'_>, found: &mut Vec<Finding>) {
    if report.open > 0 {
        let text = format!(
            "Positions that are open at the end of the input: {}. They are in the equity curve, and in no sum over \
             trades.",
            report.open
        );
        note(found, "open_positions", text);
    }
    if report.signals_left > 0 {
        let text = format!(
            "Signals after the last update of their market, which were not acted on: {}.",
            report.signals_left
        );
        note(found, "signals_left", text);
    }
}
