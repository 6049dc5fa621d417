//! `label_in_features`: a feature is the label: a copy, the same in another unit, or its class as a number.
//!
//! A correlation of one with a column of label values, or one value of the feature for each class of a label.

use super::columns::SetColumns;
use super::finding::{ExampleRow, Leak, LeakKind, Verdict};
use super::moments::PairMoments;
use super::rows::SetRows;

/// Looks for features that are labels.
pub(super) struct LabelInFeatures {
    features: Vec<String>,
    /// Columns that hold no numbers.
    unexamined: Vec<String>,
    values: Vec<LabelValues>,
    classes: Vec<LabelClasses>,
}

/// A column with the value of a label.
struct LabelValues {
    label: String,
    /// With each feature.
    pairs: Vec<PairMoments>,
    example: Option<ExampleRow>,
}

/// A column with the class of a label.
struct LabelClasses {
    label: String,
    /// Of each feature, its value in each class; none where it has several.
    by_feature: Vec<Option<Vec<ClassValue>>>,
    example: Option<ExampleRow>,
}

/// The one value of a feature in a class.
#[derive(Clone, Copy, Default)]
struct ClassValue {
    rows: u64,
    value: f64,
}

/// Fewer rows prove nothing.
const ROWS_MIN: f64 = 10.0;
/// A correlation as near to 1 as this is a copy: what remains is rounding, of 32 bits too.
const COPY: f64 = 1.0 - 1e-9;
/// A label with more classes than this is none.
const CLASSES_MAX: usize = 32;

impl LabelInFeatures {
    pub(super) fn new(columns: &SetColumns) -> Self {
        let features = columns.features.len();
        let values = columns.values.iter().map(|label| LabelValues {
            label: label.clone(),
            pairs: vec![PairMoments::default(); features],
            example: None,
        });
        let classes = columns.classes.iter().map(|label| LabelClasses {
            label: label.clone(),
            by_feature: vec![Some(vec![]); features],
            example: None,
        });
        Self {
            features: columns.features.clone(),
            unexamined: columns.unexamined.clone(),
            values: values.collect(),
            classes: classes.collect(),
        }
    }

    pub(super) fn see(&mut self, rows: &SetRows<'_>) {
        let shown: Vec<&str> = self.features.iter().map(String::as_str).collect();
        for (number, label) in self.values.iter_mut().enumerate() {
            for row in 0..rows.len() {
                let Some(value) = rows.value(number, row) else {
                    continue;
                };
                for (feature, pairs) in label.pairs.iter_mut().enumerate() {
                    if let Some(cell) = rows.feature(feature, row) {
                        pairs.add([cell, value]);
                    }
                }
                if label.example.is_none() {
                    label.example =
                        Some(rows.example(row, &[&shown[..], &[label.label.as_str()]].concat()));
                }
            }
        }
        for (label, classes) in self.classes.iter_mut().zip(&rows.classes) {
            label.see(rows, classes, &shown);
        }
    }

    pub(super) fn verdict(self) -> Verdict {
        let kind = LeakKind::LabelInFeatures;
        if self.features.is_empty() {
            return Verdict::unchecked(
                kind,
                "there is no column of numbers that could be a feature",
            );
        }
        let values = self.values.iter().map(|label| label.label.as_str());
        let labels: Vec<&str> = values
            .chain(self.classes.iter().map(|label| label.label.as_str()))
            .collect();
        if labels.is_empty() {
            return Verdict::unchecked(kind, "there is no label; name its columns with --label");
        }
        let how = format!(
            "{} features against {}",
            self.features.len(),
            labels.join(", ")
        );
        let mut leaks: Vec<Leak> = self
            .values
            .iter()
            .flat_map(|label| label.leaks(&self.features))
            .collect();
        leaks.extend(
            self.classes
                .iter()
                .flat_map(|label| label.leaks(&self.features)),
        );
        let unexamined = (!self.unexamined.is_empty()).then(|| {
            let names: Vec<String> = self
                .unexamined
                .iter()
                .map(|name| format!("`{name}`"))
                .collect();
            format!("columns that hold no numbers: {}", names.join(", "))
        });
        Verdict::checked(kind, how, leaks).without(unexamined)
    }
}

impl LabelValues {
    fn leaks(&self, features: &[String]) -> Vec<Leak> {
        let pairs = self.pairs.iter().zip(features);
        let copies = pairs.filter_map(|(pairs, feature)| {
            let correlation = pairs.correlation()?;
            (pairs.count() >= ROWS_MIN && correlation.abs() >= COPY).then(|| {
                let what = format!(
                    "`{feature}` is `{}`: their correlation is {correlation:.9}",
                    self.label
                );
                leak(
                    feature,
                    &self.label,
                    what,
                    pairs.count() as u64,
                    self.example.as_ref(),
                )
            })
        });
        copies.collect()
    }
}

impl LabelClasses {
    fn see(&mut self, rows: &SetRows<'_>, classes: &[Option<u32>], shown: &[&str]) {
        for (row, class) in classes.iter().enumerate() {
            let Some(class) = class.map(|class| class as usize) else {
                continue;
            };
            for (feature, values) in self.by_feature.iter_mut().enumerate() {
                let Some(found) = values else { continue };
                let Some(cell) = rows.feature(feature, row) else {
                    continue;
                };
                if class >= CLASSES_MAX {
                    *values = None;
                    continue;
                }
                if class >= found.len() {
                    found.resize(class + 1, ClassValue::default());
                }
                let of_class = &mut found[class];
                if of_class.rows > 0 && of_class.value != cell {
                    *values = None;
                    continue;
                }
                *of_class = ClassValue {
                    rows: of_class.rows + 1,
                    value: cell,
                };
            }
            if self.example.is_none() {
                self.example = Some(rows.example(row, &[shown, &[self.label.as_str()]].concat()));
            }
        }
    }

    fn leaks(&self, features: &[String]) -> Vec<Leak> {
        let by_feature = self.by_feature.iter().zip(features);
        let copies = by_feature.filter_map(|(values, feature)| {
            let seen: Vec<ClassValue> = values
                .as_ref()?
                .iter()
                .copied()
                .filter(|v| v.rows > 0)
                .collect();
            let rows: u64 = seen.iter().map(|value| value.rows).sum();
            let differ = |(at, value): (usize, &ClassValue)| {
                seen[..at].iter().all(|other| other.value != value.value)
            };
            let is_code = seen.len() > 1 && seen.iter().enumerate().all(differ);
            let is_proof = rows as f64 >= ROWS_MIN && seen.iter().all(|value| value.rows > 1);
            (is_code && is_proof).then(|| {
                let what = format!(
                    "`{feature}` is `{}` as a number: it has one value for each class",
                    self.label
                );
                leak(feature, &self.label, what, rows, self.example.as_ref())
            })
        });
        copies.collect()
    }
}

fn leak(feature: &str, label: &str, what: String, rows: u64, example: Option<&ExampleRow>) -> Leak {
    let mut example = example.cloned();
    if let Some(row) = &mut example {
        row.values
            .retain(|name, _| name == feature || name == label);
    }
    Leak {
        kind: LeakKind::LabelInFeatures,
        column: feature.to_owned(),
        what,
        rows,
        example,
        advice: format!("leave `{feature}` out of the features: live it is not known"),
    }
}
