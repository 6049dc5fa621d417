//! Which signal each label is of.
//!
//! A label names the id of its signal, or a key and a time. Where several signals have both, as ticks of one nanosecond do, the first
//! label is of the first signal, the second of the second, and so on, so that each of them counts once.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::outcome::{Labelled, Outcome, OutcomeError, Outcomes};
use super::scored::Scored;

/// Labels with their signals.
#[derive(Debug, Default)]
pub(super) struct Joined {
    /// A signal, its label and the outcome, in the order of the labels; each signal once.
    pub(super) rows: Vec<JoinedRow>,
    /// The same of the training part, where it is not judged.
    pub(super) training: Vec<JoinedRow>,
    /// Labels to be judged with an outcome for which no signal came.
    pub(super) unscored: u64,
    /// Labels without an outcome.
    pub(super) unknown: u64,
    /// Labels that repeat the outcome of a signal.
    pub(super) repeated: u64,
}

/// A signal that has an outcome.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct JoinedRow {
    /// Index into the signals.
    pub(super) signal: usize,
    /// Index into the labels.
    pub(super) label: usize,
    /// The outcome.
    pub(super) outcome: Outcome,
}

type Place = (Arc<str>, Option<i64>);

/// Joins labels with the signals of a run, which are in their order. `key_of` is the name under which signals
/// know a label's key; `meant` has the outcome of each label.
///
/// # Errors
/// [`OutcomeError`] at the label that contradicts another one of the same signal.
pub(super) fn join(
    signals: &[Scored],
    outcomes: &Outcomes,
    meant: &[Option<Outcome>],
    key_of: impl Fn(&Labelled) -> Arc<str>,
) -> Result<Joined, OutcomeError> {
    let mut signals_at: FxHashMap<Place, Vec<usize>> = FxHashMap::default();
    let mut last_of: FxHashMap<Arc<str>, usize> = FxHashMap::default();
    for (signal, one) in signals.iter().enumerate() {
        let place = (Arc::clone(&one.key), Some(one.ts_event));
        signals_at.entry(place).or_default().push(signal);
        last_of.insert(Arc::clone(&one.key), signal);
    }
    let by_id: FxHashMap<&str, usize> = signals
        .iter()
        .enumerate()
        .filter_map(|(signal, one)| Some((one.id.as_deref()?, signal)))
        .collect();
    let mut joined = Joined::default();
    let mut pairs = vec![];
    let is_missed = |label: &usize| meant[*label].is_some() && !outcomes.is_training(*label);
    let mut labels_at: FxHashMap<Place, Vec<usize>> = FxHashMap::default();
    for (label, one) in outcomes.all.iter().enumerate() {
        let Some(id) = &one.signal_id else {
            let place = (key_of(one), one.ts_event);
            labels_at.entry(place).or_default().push(label);
            continue;
        };
        match by_id.get(id.as_str()) {
            Some(signal) => pairs.push((label, *signal)),
            None => joined.unscored += u64::from(is_missed(&label)),
        }
    }
    let mut labels_at: Vec<(Place, Vec<usize>)> = labels_at.into_iter().collect();
    labels_at.sort_unstable_by_key(|(_, labels)| labels[0]);
    for ((key, ts), labels) in labels_at {
        let last;
        let signals: &[usize] = match ts {
            Some(_) => signals_at.get(&(key, ts)).map_or(&[], Vec::as_slice),
            None => {
                last = last_of.get(&key).copied();
                last.as_slice()
            }
        };
        let paired = paired(&labels, signals, outcomes, meant)?;
        if paired.is_empty() {
            let missed = labels.iter().filter(|label| is_missed(label));
            joined.unscored += missed.count() as u64;
        }
        pairs.extend(paired);
    }
    // In the order of the file: the first label of a signal stands.
    pairs.sort_unstable();
    let mut known: FxHashMap<usize, Outcome> = FxHashMap::default();
    for (label, signal) in pairs {
        let Some(outcome) = meant[label] else {
            continue;
        };
        if let Some(before) = known.insert(signal, outcome) {
            if before != outcome {
                let what =
                    "another label says something else of the same signal; leave the right one";
                return Err(outcomes.fail(&outcomes.all[label], what.into()));
            }
            joined.repeated += u64::from(!outcomes.is_training(label));
            continue;
        }
        let rows = match outcomes.is_training(label) {
            true => &mut joined.training,
            false => &mut joined.rows,
        };
        rows.push(JoinedRow {
            signal,
            label,
            outcome,
        });
    }
    let unknown = (0..meant.len()).filter(|label| meant[*label].is_none());
    let unknown = unknown.filter(|label| !outcomes.is_training(*label));
    joined.unknown = unknown.count() as u64;
    Ok(joined)
}

/// The pairs of label and signal of one key and time. As many labels as signals are in the same order. Other
/// numbers of them are no matter where all labels say the same: a single label is of the last signal.
fn paired(
    labels: &[usize],
    signals: &[usize],
    outcomes: &Outcomes,
    meant: &[Option<Outcome>],
) -> Result<Vec<(usize, usize)>, OutcomeError> {
    let Some(&last) = signals.last() else {
        return Ok(vec![]);
    };
    let in_order = labels.iter().copied().zip(signals.iter().copied());
    if labels.len() == signals.len() {
        return Ok(in_order.collect());
    }
    if signals.len() == 1 {
        return Ok(labels.iter().map(|label| (*label, last)).collect());
    }
    let mut known = labels.iter().filter_map(|label| meant[*label]);
    let first = known.next();
    if let Some(other) = labels
        .iter()
        .find(|label| meant[**label].is_some() && meant[**label] != first)
    {
        let what = format!(
            "its key and time have {} labels, which differ, and {} signals: which label is of which signal is not \
             clear; give each signal one, in their order",
            labels.len(),
            signals.len()
        );
        return Err(outcomes.fail(&outcomes.all[*other], what));
    }
    if labels.len() < signals.len() {
        let skipped = signals.len() - labels.len();
        let signals = signals[skipped..].iter().copied();
        return Ok(labels.iter().copied().zip(signals).collect());
    }
    let further = labels[signals.len()..].iter().map(|label| (*label, last));
    Ok(in_order.chain(further).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::evaluate::outcome::Scale;

    /// Joins labels, one a line, with signals of these keys and times: `label signal outcome`.
    fn joined(signals: &[(&str, i64)], labels: &str) -> Result<(Vec<String>, [u64; 3]), String> {
        let signals: Vec<Scored> = signals
            .iter()
            .enumerate()
            .map(|(at, (key, ts))| Scored {
                key: (*key).into(),
                id: Some(format!("id {at}")),
                ts_event: *ts,
                probabilities: vec![],
                score: 0.5,
                start: None,
            })
            .collect();
        let outcomes = Outcomes::of_lines(labels);
        let scale = Scale {
            labels: &[],
            flags: true,
            numbers: false,
            persons: false,
        };
        let meant = outcomes
            .resolve(&scale)
            .map_err(|error| error.to_string())?;
        let found = join(&signals, &outcomes, &meant, |label| {
            label.key.as_str().into()
        });
        let found = found.map_err(|error| error.to_string())?;
        let happened = |row: &JoinedRow| u8::from(row.outcome == Outcome::Flag(true));
        let text = |row: &JoinedRow| format!("{} {} {}", row.label, row.signal, happened(row));
        Ok((
            found.rows.iter().map(text).collect(),
            [found.unscored, found.unknown, found.repeated],
        ))
    }

    fn label(key: &str, ts: i64, outcome: &str) -> String {
        format!("{{\"key\":\"{key}\",\"ts_event\":{ts},\"outcome\":{outcome}}}\n")
    }

    #[test]
    fn equal_timestamps_count_one_each() {
        let ticks = [("a", 1), ("b", 5), ("a", 5), ("a", 5), ("a", 5), ("a", 6)];
        let of_each = ["1", "0", "1"]
            .map(|outcome| label("a", 5, outcome))
            .concat();
        let rows = |text: &str| joined(&ticks, text).unwrap();
        assert_eq!(
            rows(&of_each),
            (
                vec!["0 2 1".into(), "1 3 0".into(), "2 4 1".into()],
                [0, 0, 0]
            )
        );
        // One that is not known yet keeps its place.
        let middle = ["1", "null", "0"]
            .map(|outcome| label("a", 5, outcome))
            .concat();
        assert_eq!(
            rows(&middle),
            (vec!["0 2 1".into(), "2 4 0".into()], [0, 1, 0])
        );
        assert_eq!(rows(&label("a", 5, "1")), (vec!["0 4 1".into()], [0, 0, 0]));
        let two = label("a", 5, "1").repeat(2);
        assert_eq!(
            rows(&two),
            (vec!["0 3 1".into(), "1 4 1".into()], [0, 0, 0])
        );
        let five = label("a", 5, "1").repeat(5);
        assert_eq!(rows(&five).1, [0, 0, 2]);
        assert_eq!(rows(&label("c", 5, "1")), (vec![], [1, 0, 0]));
    }

    #[test]
    fn a_label_with_the_id_of_its_signal_joins_by_it() {
        let ticks = [("a", 5), ("a", 5), ("a", 5)];
        let labels = "{\"signal_id\":\"id 1\",\"outcome\":1}\n{\"signal_id\":\"id 9\",\"outcome\":1}\n\
                      {\"signal_id\":\"id 0\",\"key\":\"b\",\"outcome\":0}\n{\"signal_id\":\"id 1\",\"outcome\":1}\n";
        let rows = vec!["0 1 1".into(), "2 0 0".into()];
        assert_eq!(joined(&ticks, labels).unwrap(), (rows, [1, 0, 1]));
        let contradict = labels.to_owned() + &label("a", 5, "0").repeat(3);
        let error = joined(&ticks, &contradict).unwrap_err();
        assert!(error.contains(":6: another label"), "{error}");
    }

    #[test]
    fn the_training_part_is_joined_and_not_judged() {
        let signals = [Scored::of("a", 1, 0.5), Scored::of("a", 2, 0.5)];
        let text = "{\"key\":\"a\",\"ts_event\":1,\"outcome\":1,\"split\":\"train\"}\n\
                    {\"key\":\"a\",\"ts_event\":9,\"outcome\":1,\"split\":\"train\"}\n\
                    {\"key\":\"a\",\"ts_event\":2,\"outcome\":0,\"split\":\"test\"}\n";
        let outcomes = Outcomes::of_split(text, Some("test"));
        let scale = Scale {
            labels: &[],
            flags: true,
            numbers: false,
            persons: false,
        };
        let meant = outcomes.resolve(&scale).unwrap();
        let key_of = |label: &Labelled| label.key.as_str().into();
        let joined = join(&signals, &outcomes, &meant, key_of).unwrap();
        assert_eq!((joined.rows.len(), joined.training.len()), (1, 1));
        assert_eq!((joined.rows[0].signal, joined.training[0].signal), (1, 0));
        assert_eq!(joined.unscored, 0, "of the training part none is counted");
    }

    #[test]
    fn labels_that_contradict_each_other_are_refused_with_the_line() {
        let signals = [("a", 1), ("a", 5), ("b", 5), ("b", 5)];
        let refused = |labels: String| joined(&signals, &labels).unwrap_err();
        let error = refused(label("a", 5, "1") + &label("a", 5, "0"));
        assert!(error.contains(":2: another label"), "{error}");
        let last = "{\"key\":\"a\",\"outcome\":0}\n";
        let error = refused(label("a", 5, "1") + last);
        assert!(error.contains(":2: another label"), "{error}");
        assert_eq!(
            joined(&signals, &(label("a", 1, "1") + last))
                .unwrap()
                .0
                .len(),
            2
        );
        let error = refused(
            ["1", "0", "1"]
                .map(|outcome| label("b", 5, outcome))
                .concat(),
        );
        assert!(
            error.contains(":2: ") && error.contains("3 labels"),
            "{error}"
        );
        let same = label("a", 5, "1") + &label("a", 5, "true");
        assert_eq!(joined(&signals, &same).unwrap().1, [0, 0, 1]);
    }
}
