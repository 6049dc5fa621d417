//! What follows from the confusion matrix alone.

use super::figures::{Class, EvaluationFigures};

/// Accuracy, F1 and MCC of a matrix of what the rows of each outcome (outer) and prediction (inner) count
/// together; the other figures are left empty. `support` has the numbers of rows of each outcome.
pub(super) fn figures(counted: &[Vec<f64>], support: &[u64]) -> EvaluationFigures {
    let classes = 0..counted.len();
    let happened: Vec<f64> = counted.iter().map(|row| row.iter().sum()).collect();
    let predicted: Vec<f64> = classes
        .clone()
        .map(|class| counted.iter().map(|row| row[class]).sum())
        .collect();
    let right: f64 = classes.clone().map(|class| counted[class][class]).sum();
    let rows: f64 = happened.iter().sum();

    let of_class = |class: usize| {
        let hits = counted[class][class];
        Class {
            precision: ratio(hits, predicted[class]),
            recall: ratio(hits, happened[class]),
            f1: ratio(2.0 * hits, happened[class] + predicted[class]),
            support: support[class],
        }
    };
    let per_class: Vec<Class> = classes.clone().map(of_class).collect();
    let known = classes
        .clone()
        .filter(|class| happened[*class] + predicted[*class] > 0.0)
        .count();
    // Classes that never came up have an F1 of 0: they count in neither sum.
    let all: f64 = per_class.iter().map(|class| class.f1).sum();
    let by_support = classes
        .clone()
        .map(|class| per_class[class].f1 * happened[class]);
    let weighted: f64 = by_support.sum();
    let came: Vec<usize> = classes.filter(|class| happened[*class] > 0.0).collect();
    let recalls: f64 = came.iter().map(|class| per_class[*class].recall).sum();
    let defined = |figure: f64| (rows > 0.0).then_some(figure);
    EvaluationFigures {
        accuracy: defined(ratio(right, rows)),
        balanced_accuracy: defined(recalls / came.len() as f64),
        macro_f1: defined(all / known as f64),
        weighted_f1: defined(weighted / rows),
        mcc: defined(mcc(right, &happened, &predicted)),
        per_class,
        ..EvaluationFigures::default()
    }
}

fn mcc(right: f64, happened: &[f64], predicted: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(x, y)| x * y).sum() };
    let rows = happened.iter().sum::<f64>();
    // One class alone leaves nothing; with weights its square is off by a rounding.
    let one_alone = |sums: &[f64]| sums.iter().filter(|sum| **sum > 0.0).count() < 2;
    if one_alone(happened) || one_alone(predicted) {
        return 0.0;
    }
    let spread =
        (rows * rows - dot(predicted, predicted)) * (rows * rows - dot(happened, happened));
    (right * rows - dot(happened, predicted)) / spread.sqrt()
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole <= 0.0 {
        return 0.0;
    }
    part / whole
}
