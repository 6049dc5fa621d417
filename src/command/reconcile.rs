//! Compares what was published with what a replay gives: how many signals are equal, what differs, and by
//! how much.

mod report;
mod scores;

use std::path::{Path, PathBuf};

use serde_json::Value;

pub use self::report::ReconcileReport;
use self::scores::Scores;
use super::pairing::compare::{CompareOptions, Comparer, FirstDifference, value};
use super::pairing::{
    Pair, PairingError, SignalInput, SignalObject, SpanOfTimes, VisitPairs, pair,
};
use crate::kafka::Properties;

/// What to compare.
#[derive(Clone, Debug, Default)]
pub struct ReconcileOptions {
    /// What was published: a file, or a topic as `kafka://host:port/topic`.
    pub left: PathBuf,
    /// What a replay gives.
    pub right: PathBuf,
    /// Which event times.
    pub span: SpanOfTimes,
    /// Which fields, and how exactly.
    pub compare: CompareOptions,
    /// The properties of the clients of topics.
    pub properties: Properties,
}

/// Compares two streams of signals.
///
/// # Errors
/// [`PairingError`] where one of them cannot be read, or neither has a signal.
pub fn reconcile(options: &ReconcileOptions) -> Result<ReconcileReport, PairingError> {
    let input = |named: &Path| SignalInput::new(named, &options.properties);
    let inputs = [&input(&options.left)?, &input(&options.right)?];
    let visitor = || Reconciled {
        comparer: Comparer::new(options.compare),
        scores: Scores::default(),
        report: ReconcileReport::default(),
    };
    let (found, sides) = pair(inputs, options.span, "reconcile", visitor)?;
    if sides.left + sides.right == 0 {
        return Err(PairingError::Nothing);
    }
    let Reconciled { scores, report, .. } = found;
    Ok(report.with(sides, scores))
}

/// Counts what differs.
struct Reconciled {
    comparer: Comparer,
    scores: Scores,
    report: ReconcileReport,
}

impl VisitPairs for Reconciled {
    fn visit(&mut self, pair: Pair<'_>) {
        let report = &mut self.report;
        let (Some(ours), Some(theirs)) = (pair.left, pair.right) else {
            report.only_left += u64::from(pair.right.is_none());
            report.only_right += u64::from(pair.left.is_none());
            return FirstDifference::note(&mut report.first, &pair, None);
        };
        let number = |signal: &SignalObject| value(signal, "score").as_f64();
        if let (Some(a), Some(b)) = (number(ours), number(theirs)) {
            self.scores.add(a, b);
        }
        if let Some(flip) = flip(ours, theirs) {
            report.label_flips += 1;
            *report.flips.entry(flip).or_default() += 1;
        }
        match self.comparer.differing(ours, theirs).first() {
            None => report.equal += 1,
            Some(first) => {
                report.different += 1;
                *report.by_field.entry((*first).to_owned()).or_default() += 1;
                FirstDifference::note(&mut report.first, &pair, Some(first));
            }
        }
    }
}

/// How the label changed, or the grade of a signal without labels, where both signals have one.
fn flip(ours: &SignalObject, theirs: &SignalObject) -> Option<String> {
    let of = |field| {
        let text = |signal: &SignalObject| value(signal, field).as_str().map(str::to_owned);
        Some((text(ours)?, text(theirs)?))
    };
    let has_label = |signal: &SignalObject| value(signal, "label") != &Value::Null;
    let field = match has_label(ours) || has_label(theirs) {
        true => "label",
        false => "grade",
    };
    let (a, b) = of(field)?;
    (a != b).then(|| format!("{a} -> {b}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::scratch::Scratch;

    fn line(ts: i64, label: &str, score: f64) -> String {
        let signal = serde_json::json!({
            "instrument": "A", "ts_event": ts, "label": label, "score": score, "quality": "ok",
        });
        format!("{signal}\n")
    }

    fn reconciled(left: &str, right: &str, tolerance: f64) -> ReconcileReport {
        let scratch = Scratch::new();
        let options = ReconcileOptions {
            left: scratch.write("left", left),
            right: scratch.write("right", right),
            compare: CompareOptions {
                tolerance,
                ..CompareOptions::default()
            },
            ..ReconcileOptions::default()
        };
        reconcile(&options).unwrap()
    }

    #[test]
    fn each_signal_is_counted_once() {
        let left = [
            line(1, "up", 0.5),
            line(2, "up", 0.5),
            line(3, "flat", 0.1),
            line(4, "down", -0.5),
        ];
        let right = [
            line(2, "up", 0.25),
            line(3, "down", -0.1),
            line(4, "down", -0.5),
            line(5, "up", 0.5),
        ];
        let report = reconciled(&left.concat(), &right.concat(), 0.0);
        assert_eq!((report.left, report.right), (4, 4));
        assert_eq!((report.equal, report.different), (1, 2));
        assert_eq!((report.only_left, report.only_right), (1, 1));
        assert_eq!(report.by_field["label"], 1, "in the order of publication");
        assert_eq!(report.by_field["score"], 1);
        assert_eq!((report.label_flips, report.flips["flat -> down"]), (1, 1));
        assert_eq!(report.max_abs_score, Some(0.25));
        assert_eq!(report.median_abs_score, Some(0.2));
        assert_eq!(report.first.as_ref().unwrap().ts_event, Some(1));
        assert!(report.merged && !report.is_equal());
        let text = report.to_string();
        for part in ["1 equal, 2 different", "flat -> down", "only on the left"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_difference_within_the_tolerance_is_none_but_is_told() {
        let (left, right) = (line(1, "up", 0.5), line(1, "up", 0.5 + 1e-9));
        assert!(!reconciled(&left, &right, 0.0).is_equal());
        let report = reconciled(&left, &right, 1e-6);
        assert!(report.is_equal() && report.max_abs_score > Some(0.9e-9));
    }
}
