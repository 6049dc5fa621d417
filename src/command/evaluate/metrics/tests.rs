//! The figures are scikit-learn's: recorded vectors (`tests/given/metrics/make.py`), and what they leave out.

use serde_json::Value;

use super::*;

const VECTORS: &str = include_str!("../../../../tests/given/metrics/vectors.json");
const TOLERANCE: f64 = 1e-9;

#[test]
fn figures_are_those_of_scikit_learn() {
    for case in cases() {
        let name = case["name"].as_str().expect("a case has a name");
        let sample = sample(&case);
        assert_same(name, &case["figures"], &written(&sample.figures()));
        let guess = sample.guess(&sample.shares()).unwrap().figures();
        assert_same(&format!("{name}, guess"), &case["guess"], &written(&guess));
    }
}

#[test]
fn intervals_are_those_of_numpy() {
    let with_intervals: Vec<Value> = cases()
        .filter(|case| case["bootstrap"].is_object())
        .collect();
    assert_eq!(with_intervals.len(), 3);
    for case in with_intervals {
        let drawn = &case["bootstrap"];
        let bootstrap = Bootstrap {
            resamples: drawn["resamples"].as_u64().unwrap() as usize,
            seed: drawn["seed"].as_u64().unwrap(),
            level: drawn["level"].as_f64().unwrap(),
        };
        let groups: Option<Vec<u32>> = drawn["groups"].as_array().map(|groups| {
            let group = |group: &Value| group.as_u64().unwrap() as u32;
            groups.iter().map(group).collect()
        });
        let figures = sample(&case).figures_within(&bootstrap, groups.as_deref());
        let name = case["name"].as_str().unwrap();
        let intervals = written(&figures.unwrap())["intervals"].clone();
        assert_same(name, &drawn["intervals"], &intervals);
        assert_same(name, &intervals, &drawn["intervals"]);
    }
}

#[test]
fn no_rows_have_no_figures() {
    let empty = [
        Sample::binary(&[], &[], EVEN).unwrap(),
        Sample::multiclass(&[], &[], 3).unwrap(),
    ];
    for sample in empty {
        let figures = sample.figures_within(&Bootstrap::default(), None).unwrap();
        assert!(figures.named().iter().all(|(_, figure)| figure.is_none()));
        assert!(figures.reliability.is_empty() && figures.intervals.is_empty());
        assert_eq!(written(&figures)["auc"], Value::Null);
    }
}

#[test]
fn the_order_of_rows_moves_no_figure() {
    let outcomes: Vec<bool> = (0..90).map(|row| row % 7 == 0).collect();
    let scores: Vec<f64> = (0..90).map(|row| f64::from(row % 5) / 4.0).collect();
    let turned: (Vec<bool>, Vec<f64>) = (
        outcomes.iter().rev().copied().collect(),
        scores.iter().rev().copied().collect(),
    );
    let one = Sample::binary(&outcomes, &scores, EVEN).unwrap().figures();
    let other = Sample::binary(&turned.0, &turned.1, EVEN)
        .unwrap()
        .figures();
    assert_same("turned", &written(&one), &written(&other));
    let even = Sample::binary(&outcomes, &[0.3; 90], EVEN).unwrap();
    let recall = even.figures().recall_top_decile;
    assert!(recall.is_some_and(|recall| (recall - 0.1).abs() < 1e-12));
}

#[test]
fn a_row_that_counts_twice_is_two_rows() {
    let outcomes = [true, false, false, true, false, true, false];
    let scores = [0.9, 0.4, 0.4, 0.4, 0.1, 0.2, 0.8];
    let counts = [2, 0, 3, 4, 1, 2, 1];
    let (mut long_outcomes, mut long_scores) = (vec![], vec![]);
    for (row, count) in counts.iter().enumerate() {
        long_outcomes.extend(vec![outcomes[row]; *count as usize]);
        long_scores.extend(vec![scores[row]; *count as usize]);
    }
    let short = Sample::binary(&outcomes, &scores, EVEN)
        .unwrap()
        .counted(&counts, None);
    let long = Sample::binary(&long_outcomes, &long_scores, EVEN)
        .unwrap()
        .figures();
    assert_same("twice", &written(&long), &written(&short));
}

#[test]
fn a_threshold_changes_predictions_only() {
    let (outcomes, scores) = ([true, false, true], [0.04, 0.02, 0.01]);
    let figures = Sample::binary(&outcomes, &scores, 0.03).unwrap().figures();
    assert_eq!(figures.confusion, [[1, 0], [1, 1]]);
    let even = Sample::binary(&outcomes, &scores, EVEN).unwrap().figures();
    assert_eq!(even.confusion, [[1, 0], [2, 0]]);
    assert_eq!((even.auc, even.brier), (figures.auc, figures.brier));
}

#[test]
fn an_invalid_sample_is_refused() {
    let score = |score| Sample::binary(&[true], &[score], EVEN).unwrap_err();
    assert!(matches!(score(f64::NAN), SampleError::Score { row: 0, .. }));
    assert!(matches!(score(1.1), SampleError::Score { .. }));
    let of = |labels: &[usize], given: &[f64]| Sample::multiclass(labels, given, 2).unwrap_err();
    assert!(matches!(
        of(&[0, 2], &[0.5; 4]),
        SampleError::Label { row: 1, .. }
    ));
    assert!(matches!(
        of(&[0], &[0.5]),
        SampleError::Length { needed: 2, .. }
    ));
    let error = of(&[0, 1], &[0.5, 0.5, 0.5, 0.4]);
    assert_eq!(
        error.to_string(),
        "while judging scores: the probabilities of row 1 add up to 0.9, not 1"
    );
    let sample = Sample::binary(&[true], &[0.5], EVEN).unwrap();
    assert!(sample.guess(&[1.0]).is_err());
    assert!(
        sample
            .figures_within(&Bootstrap::default(), Some(&[]))
            .is_err()
    );
}

fn cases() -> impl Iterator<Item = Value> {
    let cases: Vec<Value> = serde_json::from_str(VECTORS).expect("make.py writes JSON");
    cases.into_iter()
}

fn sample(case: &Value) -> Sample {
    let numbers = |key: &str| case[key].as_array().expect("make.py writes both").iter();
    let labels: Vec<usize> = numbers("labels")
        .map(|label| label.as_u64().unwrap() as usize)
        .collect();
    let scores: Vec<f64> = numbers("scores")
        .map(|score| score.as_f64().unwrap())
        .collect();
    match case["classes"].as_u64() {
        Some(classes) => Sample::multiclass(&labels, &scores, classes as usize).unwrap(),
        None => {
            let outcomes: Vec<bool> = labels.iter().map(|label| *label == 1).collect();
            Sample::binary(&outcomes, &scores, EVEN).unwrap()
        }
    }
}

fn written(figures: &EvaluationFigures) -> Value {
    serde_json::to_value(figures).expect("figures are plain data")
}

/// Each expected number is there and the same; what is not expected is passed over.
fn assert_same(place: &str, expected: &Value, found: &Value) {
    match expected {
        Value::Object(fields) => {
            for (key, expected) in fields {
                assert!(found.get(key).is_some(), "{place}: no {key}");
                assert_same(&format!("{place}, {key}"), expected, &found[key]);
            }
        }
        Value::Array(items) => {
            let count = found.as_array().map(Vec::len);
            assert_eq!(count, Some(items.len()), "{place}: {expected} and {found}");
            for (at, expected) in items.iter().enumerate() {
                assert_same(&format!("{place} {at}"), expected, &found[at]);
            }
        }
        Value::Number(_) => {
            let (a, b) = (expected.as_f64(), found.as_f64());
            let near = a.zip(b).is_some_and(|(a, b)| (a - b).abs() <= TOLERANCE);
            assert!(near, "{place}: {expected} expected, {found} found");
        }
        _ => assert_eq!(expected, found, "{place}"),
    }
}
