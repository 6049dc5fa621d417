//! Both ways of pairing make the same pairs, whatever the order of the sides.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use serde_json::json;

use super::reader::SignalReader;
use super::*;
use crate::tests::scratch::Scratch;

#[test]
fn times_of_other_writers_are_nanoseconds() {
    let scratch = Scratch::new();
    let path = scratch.path().join("foreign.parquet");
    let times = TimestampMicrosecondArray::from(vec![1_700_000_000_000_000]).with_timezone("UTC");
    let columns: [(&str, ArrayRef); 3] = [
        ("instrument", Arc::new(StringArray::from(vec!["A"]))),
        ("ts_event", Arc::new(times)),
        ("item", Arc::new(Int64Array::from(vec![None]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let mut reader = SignalReader::open(&SignalInput::File(path), "diff").unwrap();
    let signal = reader.next_signal().unwrap().unwrap();
    assert_eq!(signal["ts_event"], 1_700_000_000_000_000_000_i64);
    assert_eq!(signal["item"], Value::Null);
    assert!(reader.next_signal().unwrap().is_none());
}

/// The pairs, by key and number: the scores of both sides.
#[derive(Debug, Default, PartialEq)]
struct Pairs(BTreeMap<(SignalKey, u64), [Option<i64>; 2]>);

impl VisitPairs for Pairs {
    fn visit(&mut self, pair: Pair<'_>) {
        let score = |side: Option<&SignalObject>| side.map(|one| one["score"].as_i64().unwrap());
        let place = (pair.key.clone(), pair.number);
        let scores = [score(pair.left), score(pair.right)];
        assert_eq!(self.0.insert(place, scores), None, "a pair is made once");
    }
}

/// A file of signals, each an instrument and a time; its score is its place.
fn written(scratch: &Scratch, name: &str, signals: &[(u8, i64)]) -> PathBuf {
    let line = |(at, (instrument, ts)): (usize, &(u8, i64))| {
        let signal = json!({"instrument": instrument.to_string(), "ts_event": ts, "score": at});
        format!("{signal}\n")
    };
    scratch.write(
        name,
        signals.iter().enumerate().map(line).collect::<String>(),
    )
}

/// The pairs as they should be: the n-th of an instrument and time on the left with the n-th on the right.
fn expected(sides: [&[(u8, i64)]; 2]) -> Pairs {
    let mut pairs = Pairs::default();
    for (side, signals) in sides.into_iter().enumerate() {
        let mut seen: BTreeMap<(u8, i64), u64> = BTreeMap::new();
        for (at, &(instrument, ts)) in signals.iter().enumerate() {
            let number = seen.entry((instrument, ts)).or_default();
            let place = ((instrument.to_string(), Some(ts)), *number);
            pairs.0.entry(place).or_default()[side] = Some(at as i64);
            *number += 1;
        }
    }
    pairs
}

fn paired(sides: [&[(u8, i64)]; 2]) -> (Pairs, Sides) {
    let scratch = Scratch::new();
    let [left, right] = sides;
    let left = SignalInput::File(written(&scratch, "left", left));
    let right = SignalInput::File(written(&scratch, "right", right));
    let inputs = [&left, &right];
    pair(inputs, SpanOfTimes::default(), "diff", Pairs::default).unwrap()
}

/// Signals whose times rise for each instrument.
fn in_order() -> impl Strategy<Value = Vec<(u8, i64)>> {
    proptest::collection::vec((0..3_u8, 0..3_i64), 0..40).prop_map(|steps| {
        let mut now = [0; 3];
        let step = |(instrument, step): (u8, i64)| {
            now[usize::from(instrument)] += step;
            (instrument, now[usize::from(instrument)])
        };
        steps.into_iter().map(step).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn sides_in_order_are_merged(left in in_order(), right in in_order()) {
        let (pairs, sides) = paired([&left, &right]);
        prop_assert!(sides.merged);
        prop_assert_eq!((sides.left, sides.right), (left.len() as u64, right.len() as u64));
        prop_assert_eq!(pairs, expected([&left, &right]));
    }

    #[test]
    fn sides_in_any_order_make_the_same_pairs(
        left in proptest::collection::vec((0..3_u8, 0..5_i64), 0..30),
        right in in_order(),
    ) {
        prop_assert_eq!(paired([&left, &right]).0, expected([&left, &right]));
        prop_assert_eq!(paired([&right, &left]).0, expected([&right, &left]));
    }
}

#[test]
fn a_correction_takes_the_place_of_its_signal() {
    let scratch = Scratch::new();
    let line = |ts: i64, id: &str, score: i64, revision: i64| {
        let signal = json!({
            "instrument": "A", "ts_event": ts, "signal_id": id, "score": score, "revision": revision,
        });
        format!("{signal}\n")
    };
    let corrected = [line(1, "x", 1, 0), line(2, "y", 2, 0), line(1, "x", 5, 1)].concat();
    let plain = [line(1, "x", 5, 0), line(2, "y", 2, 0)].concat();
    let left = SignalInput::File(scratch.write("left", corrected));
    let right = SignalInput::File(scratch.write("right", plain));
    let inputs = [&left, &right];
    let (pairs, sides) = pair(inputs, SpanOfTimes::default(), "diff", Pairs::default).unwrap();
    assert_eq!((sides.left, sides.right, sides.merged), (2, 2, false));
    let both: Vec<_> = pairs.0.into_values().collect();
    assert_eq!(both, [[Some(5); 2], [Some(2); 2]]);
}

#[test]
fn a_repeated_signal_is_counted_as_one_and_said_to_be_repeated() {
    let scratch = Scratch::new();
    let line = |ts: i64, id: &str| {
        let signal = json!({"instrument": "A", "ts_event": ts, "signal_id": id, "score": 0});
        format!("{signal}\n")
    };
    for again in [
        [line(1, "x"), line(1, "x"), line(2, "y")],
        [line(1, "x"), line(2, "y"), line(1, "x")],
    ] {
        let left = SignalInput::File(scratch.write("left", again.concat()));
        let right = SignalInput::File(scratch.write("right", line(1, "x") + &line(2, "y")));
        let inputs = [&left, &right];
        let (pairs, sides) = pair(inputs, SpanOfTimes::default(), "diff", Pairs::default).unwrap();
        assert_eq!((sides.left, sides.repeated_left), (3, 1));
        assert_eq!((sides.right, sides.repeated_right), (2, 0));
        assert_eq!(pairs.0.len(), 3);
    }
}

#[test]
fn times_outside_of_the_span_are_not_read() {
    let scratch = Scratch::new();
    let left = SignalInput::File(written(&scratch, "left", &[(0, 1), (0, 2), (0, 3), (0, 4)]));
    let span = SpanOfTimes {
        from: Some(Nanos(2)),
        to: Some(Nanos(4)),
    };
    let (pairs, sides) = pair([&left, &left], span, "diff", Pairs::default).unwrap();
    assert_eq!((sides.left, pairs.0.len()), (2, 2));
}
