//! Figures of this wing against recorded vectors (`tests/given/statistic/make.py`), and what they leave out.

use serde_json::Value;

use super::correlation::{GroupedPearson, pearson, spearman};
use super::decay::half_life;
use super::least_squares::{line, mae, r2, rmse};
use super::ranking::{Ranking, gini};
use super::recalibration::Recalibration;
use super::weights::RowWeights;

const VECTORS: &str = include_str!("../../tests/given/statistic/vectors.json");
const TOLERANCE: f64 = 1e-9;

fn cases(kind: &str) -> Vec<Value> {
    let mut all: Value = serde_json::from_str(VECTORS).expect("make.py writes JSON");
    let Value::Array(cases) = all[kind].take() else {
        panic!("make.py writes {kind}");
    };
    assert!(cases.len() > 5);
    cases
}

fn numbers(value: &Value) -> Vec<f64> {
    let all = value.as_array().expect("make.py writes columns");
    all.iter().map(|one| one.as_f64().unwrap()).collect()
}

#[track_caller]
fn assert_near(case: &Value, name: &str, found: Option<f64>) {
    let (expected, of) = (case[name].as_f64(), &case["name"]);
    let is_near = match (expected, found) {
        (None, None) => true,
        (Some(a), Some(b)) => (a - b).abs() <= TOLERANCE * a.abs().max(1.0),
        _ => false,
    };
    assert!(
        is_near,
        "{of}, {name}: {expected:?} expected, {found:?} found"
    );
}

#[test]
fn numbers_have_the_figures_of_scipy_and_scikit_learn() {
    for case in cases("numbers") {
        let (x, y) = (numbers(&case["scores"]), numbers(&case["outcomes"]));
        let weights = numbers(&case["weights"]);
        let counts: Vec<u32> = weights.iter().map(|weight| *weight as u32).collect();
        let drawn = RowWeights::drawn(&counts, None);
        assert_near(&case, "pearson", pearson(&x, &y, &weights));
        assert_near(&case, "spearman", spearman(&x, &y, &weights));
        assert_near(&case, "r2", r2(&x, &y, &weights));
        assert_near(&case, "mae", mae(&x, &y, &weights));
        assert_near(&case, "rmse", rmse(&x, &y, &weights));
        let fitted = line(&x, &y, &weights);
        assert_near(&case, "slope", fitted.map(|line| line.slope));
        assert_near(&case, "intercept", fitted.map(|line| line.intercept));
        let order = Ranking::new(x);
        assert_near(&case, "spread_5", order.quantile_spread(5, &y, &drawn));
        assert_near(&case, "spread_10", order.quantile_spread(10, &y, &drawn));
    }
}

#[test]
fn probabilities_have_the_figures_of_scikit_learn() {
    for case in cases("classes") {
        let (scores, happened) = (numbers(&case["scores"]), numbers(&case["happened"]));
        let own = case["weights"]
            .is_array()
            .then(|| numbers(&case["weights"]));
        let weights = RowWeights::drawn(&vec![1; scores.len()], own.as_deref());
        let one = |row: usize| happened[row] == 1.0;
        let order = Ranking::new(scores.clone());
        let auc = order.auc(one, weights.each());
        assert_near(&case, "auc", auc);
        assert_near(&case, "gini", auc.map(gini));
        let precision = order.average_precision(one, weights.each());
        assert_near(&case, "average_precision", precision);
        let recalibration = Recalibration::new(&scores);
        let fitted = recalibration.fit(one, &weights, None);
        // The solver of scikit-learn stops a little earlier than ours.
        let rounded = |value: f64| (value * 1e8).round() / 1e8;
        let near = |name| match (case[name].as_f64(), fitted) {
            (Some(expected), Some(_)) => Some(rounded(expected)),
            _ => None,
        };
        for (name, of) in [
            ("slope", fitted.map(|line| line.slope)),
            ("intercept", fitted.map(|line| line.intercept)),
        ] {
            assert_eq!(
                case[name].as_f64().is_some(),
                of.is_some(),
                "{}",
                case["name"]
            );
            let far = near(name).zip(of).map_or(0.0, |(a, b)| (a - b).abs());
            assert!(far < 1e-7, "{}, {name}: {far} apart", case["name"]);
        }
        // From where another fit ended the search comes to the same.
        let again = recalibration.fit(one, &weights, fitted);
        let both = fitted.zip(again);
        assert!(both.is_none_or(|(a, b)| (a.slope - b.slope).abs() < 1e-9));
    }
}

#[test]
fn a_decay_is_that_of_a_fitted_exponential() {
    for case in cases("decay") {
        let figure = |value: &Value| value.as_f64();
        let figures = case["figures"].as_array().unwrap().iter().map(figure);
        let points: Vec<(f64, Option<f64>)> = numbers(&case["horizons"])
            .into_iter()
            .zip(figures)
            .collect();
        assert_near(&case, "half_life", half_life(&points));
    }
}

#[test]
fn what_rows_do_not_define_is_none() {
    // The mean of these is not 0.1 in floats, yet they are constant.
    let (same, moving) = (vec![0.1; 10], (0..10).map(f64::from).collect::<Vec<f64>>());
    let ones = vec![1.0; 10];
    for (x, y) in [(&same, &moving), (&moving, &same)] {
        assert_eq!(pearson(x, y, &ones), None);
        assert_eq!(spearman(x, y, &ones), None);
    }
    assert_eq!(r2(&moving, &same, &ones), None);
    assert_eq!(line(&same, &moving, &ones), None);
    assert_eq!(pearson(&[], &[], &[]), None);
    assert_eq!(mae(&[1.0], &[2.0], &[0.0]), None);
    // Only rows that count make a column vary.
    let weights = [vec![1.0], vec![0.0; 9]].concat();
    assert_eq!(pearson(&moving, &moving, &weights), None);
    let order = Ranking::new(moving.clone());
    let ten_times = RowWeights::drawn(&[vec![10], vec![0; 9]].concat(), None);
    assert_eq!(order.quantile_spread(5, &moving, &ten_times), None);
    assert_eq!(order.average_precision(|_| false, &ones), None);
}

#[test]
fn weights_are_repetitions() {
    let (x, y) = (
        [3.0, 1.0, 2.0, 2.0, 5.0, 4.0],
        [1.0, 0.0, 2.0, 1.0, 3.0, 0.0],
    );
    let weights = [2.0, 1.0, 3.0, 0.0, 2.0, 4.0];
    let repeated = |column: &[f64]| -> Vec<f64> {
        let each = column.iter().zip(weights);
        each.flat_map(|(value, count)| vec![*value; count as usize])
            .collect()
    };
    let (long_x, long_y) = (repeated(&x), repeated(&y));
    let ones = vec![1.0; long_x.len()];
    let near = |a: Option<f64>, b: Option<f64>| (a.unwrap() - b.unwrap()).abs() < 1e-12;
    assert!(near(
        spearman(&x, &y, &weights),
        spearman(&long_x, &long_y, &ones)
    ));
    let order = Ranking::new(x.to_vec());
    let own = RowWeights::drawn(&[1; 6], Some(&weights));
    let spread = Ranking::new(long_x).quantile_spread(5, &long_y, &RowWeights::ones(12));
    assert!(near(order.quantile_spread(5, &y, &own), spread));
}

#[test]
fn groups_that_are_drawn_correlate_as_their_rows_do() {
    let x: Vec<f64> = (0..40).map(|at| f64::from(at * 7 % 11) + 1e3).collect();
    let y: Vec<f64> = (0..40).map(|at| f64::from(at * 5 % 13)).collect();
    let groups: Vec<u32> = (0..40).map(|at| at / 8).collect();
    let counts = [2, 0, 1, 1, 3];
    let weights: Vec<f64> = groups
        .iter()
        .map(|group| f64::from(counts[*group as usize]))
        .collect();
    let found = GroupedPearson::new(&x, &y, &groups).drawn(&counts).unwrap();
    let twin = pearson(&x, &y, &weights).unwrap();
    assert!((found - twin).abs() < 1e-12, "{found} and {twin}");
    let constant = GroupedPearson::new(&[0.1; 40], &y, &groups);
    assert_eq!(constant.drawn(&counts), None);
    assert_eq!(constant.drawn(&[0; 5]), None);
}
