//! What a set says of itself, in the metadata of its file.

use std::collections::HashMap;

use serde::Serialize;

use super::folds::{DescribedFold, Folds};
use super::known::{DescribedInput, KnownTimes};
use crate::config::{NormaliseBy, RowOn};
use crate::label::{LabelKind, LabelSpec};
use crate::pipeline::Pipeline;
use crate::time::rfc3339;

/// What a set is, as JSON under the key `foretick.set`.
#[derive(Serialize)]
struct Set<'a> {
    version: u32,
    pipeline: &'a str,
    features: &'a [String],
    features_sha256: &'a str,
    steps: u64,
    row: &'static str,
    break_ms: Option<i64>,
    labels: Vec<DescribedLabel<'a>>,
    split: DescribedSplit,
    folds: Vec<DescribedFold>,
    paths: Vec<Vec<usize>>,
    normalise: DescribedNormaliser,
    inputs: Vec<DescribedInput>,
}

#[derive(Serialize)]
struct DescribedLabel<'a> {
    name: &'a str,
    kind: &'static str,
    column: &'a str,
    value_column: &'a str,
    end_column: &'a str,
    classes: Option<&'static [&'static str]>,
    horizon_ms: Option<i64>,
}

#[derive(Serialize)]
struct DescribedSplit {
    validation_from: Option<String>,
    test_from: Option<String>,
    purge_ms: i64,
    embargo_ms: i64,
}

#[derive(Serialize)]
struct DescribedNormaliser {
    kind: &'static str,
    fitted_from: Option<String>,
    fitted_to: Option<String>,
}

const MS: i64 = 1_000_000;

/// The longest horizon of the labels in nanoseconds; 0 where none is one of time.
pub(super) fn longest_horizon(labels: &[LabelSpec]) -> i64 {
    let horizons = labels.iter().filter_map(LabelSpec::horizon_ns);
    horizons.max().unwrap_or(0)
}

/// The metadata of a set's file.
pub(super) fn metadata(
    pipeline: &Pipeline,
    known: &KnownTimes,
    folds: Option<&Folds>,
) -> HashMap<String, String> {
    let (plan, split) = (&pipeline.plan, &pipeline.split);
    let mut texts = vec![
        ("pipeline", pipeline.file.name.clone()),
        ("features", serde_json::json!(plan.names()).to_string()),
        ("features_sha256", plan.sha256().to_owned()),
    ];
    if let Some(label) = pipeline.labels.first() {
        let classes = label.classes();
        texts.extend(classes.map(|names| ("labels", serde_json::json!(names).to_string())));
        let horizon = label.horizon_ns().map(|nanos| (nanos / MS).to_string());
        texts.extend(horizon.map(|ms| ("horizon_ms", ms)));
        let threshold = label.threshold_bps().map(|bps| bps.to_string());
        texts.extend(threshold.map(|bps| ("threshold_bps", bps)));
        texts.push(("steps", split.steps.to_string()));
    }
    let set = Set {
        version: 1,
        pipeline: &pipeline.file.name,
        features: plan.names(),
        features_sha256: plan.sha256(),
        steps: split.steps,
        row: row_name(pipeline.file.row.on),
        break_ms: (pipeline.rules.max_gap < i64::MAX / 2).then_some(pipeline.rules.max_gap / MS),
        labels: pipeline.labels.iter().map(described).collect(),
        split: DescribedSplit {
            validation_from: split.validation_from.map(rfc3339),
            test_from: split.test_from.map(rfc3339),
            purge_ms: split.purge_ns.max(longest_horizon(&pipeline.labels)) / MS,
            embargo_ms: split.embargo_ns / MS,
        },
        folds: folds.map(Folds::described).unwrap_or_default(),
        paths: folds.map(Folds::paths).unwrap_or_default(),
        normalise: DescribedNormaliser {
            // Rows are written as they are, unless they are normalised by those before them.
            kind: match pipeline.file.model.normalise {
                NormaliseBy::Expanding => "expanding",
                NormaliseBy::Model | NormaliseBy::None => "none",
            },
            fitted_from: None,
            fitted_to: None,
        },
        inputs: known.described(),
    };
    texts.push(("set", serde_json::json!(set).to_string()));
    let keyed = texts
        .into_iter()
        .map(|(key, text)| (format!("foretick.{key}"), text));
    keyed.collect()
}

fn described(label: &LabelSpec) -> DescribedLabel<'_> {
    DescribedLabel {
        name: &label.name,
        kind: label.kind_name,
        column: &label.name,
        value_column: &label.value_column,
        end_column: &label.end_column,
        classes: label.classes(),
        horizon_ms: label.horizon_ns().map(|nanos| nanos / MS),
    }
}

fn row_name(on: RowOn) -> &'static str {
    match on {
        RowOn::Trade => "trade",
        RowOn::Quote => "quote",
        RowOn::Book => "book",
        RowOn::Application => "application",
        RowOn::Statement => "statement",
        RowOn::Bar => "bar",
        RowOn::News => "news",
    }
}

/// Whether a label is a number.
pub(super) fn is_number(label: &LabelSpec) -> bool {
    matches!(label.kind, LabelKind::Volatility { .. })
}
