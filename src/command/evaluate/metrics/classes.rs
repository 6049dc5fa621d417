//! What follows from the confusion matrix alone.

use super::figures::{Class, EvaluationFigures};

/// Accuracy, F1 and MCC of a confusion matrix; the other figures are left empty.
pub(super) fn figures(confusion: Vec<Vec<u64>>) -> EvaluationFigures {
    let classes = 0..confusion.len();
    let happened: Vec<u64> = confusion.iter().map(|row| row.iter().sum()).collect();
    let predicted: Vec<u64> = classes
        .clone()
        .map(|class| confusion.iter().map(|row| row[class]).sum())
        .collect();
    let right: u64 = classes.clone().map(|class| confusion[class][class]).sum();
    let rows: u64 = happened.iter().sum();

    let of_class = |class: usize| {
        let hits = confusion[class][class];
        Class {
            precision: ratio(hits, predicted[class]),
            recall: ratio(hits, happened[class]),
            f1: ratio(2 * hits, happened[class] + predicted[class]),
            support: happened[class],
        }
    };
    let per_class: Vec<Class> = classes.clone().map(of_class).collect();
    let known = classes
        .filter(|class| happened[*class] + predicted[*class] > 0)
        .count();
    // Classes that never came up have an F1 of 0: they count in neither sum.
    let all: f64 = per_class.iter().map(|class| class.f1).sum();
    let by_support = per_class
        .iter()
        .map(|class| class.f1 * class.support as f64);
    let weighted: f64 = by_support.sum();
    let defined = |figure: f64| (rows > 0).then_some(figure);
    EvaluationFigures {
        accuracy: defined(ratio(right, rows)),
        macro_f1: defined(all / known as f64),
        weighted_f1: defined(weighted / rows as f64),
        mcc: defined(mcc(right, &happened, &predicted)),
        per_class,
        confusion,
        ..EvaluationFigures::default()
    }
}

fn mcc(right: u64, happened: &[u64], predicted: &[u64]) -> f64 {
    let dot =
        |a: &[u64], b: &[u64]| -> f64 { a.iter().zip(b).map(|(x, y)| *x as f64 * *y as f64).sum() };
    let rows = happened.iter().sum::<u64>() as f64;
    let spread =
        (rows * rows - dot(predicted, predicted)) * (rows * rows - dot(happened, happened));
    if spread == 0.0 {
        return 0.0;
    }
    (right as f64 * rows - dot(happened, predicted)) / spread.sqrt()
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}
