//! Which columns of a set mean what: by the options, else by the set's description, else by their names.

use std::collections::HashMap;
use std::path::Path;

use arrow_schema::{DataType, Schema};

use super::columns::{AsOfFeature, SetColumns, SplitColumn};
use super::description::{DescribedInput, DescribedLabel, SetDescription};
use super::error::WrongColumns;
use super::options::LeakageOptions;

const TIMES: &[&str] = &["ts_event", "timestamp", "time", "datetime", "ts", "date"];
const KEYS: &[&str] = &[
    "instrument",
    "symbol",
    "ticker",
    "obligor",
    "company",
    "applicant",
];
const LABELS: &[&str] = &["label", "target", "y", "move_bps"];
const OTHERS: &[&str] = &[
    "quality",
    "source_stream",
    "source_offset",
    "weight",
    "period",
    "window_start",
    "group",
    "split",
];

/// The meaning of the columns of `schema`.
///
/// # Errors
/// [`WrongColumns`] where an option names a column that is not there, or the metadata cannot be read.
pub(super) fn columns_of(
    path: &Path,
    schema: &Schema,
    metadata: &HashMap<String, String>,
    options: &LeakageOptions,
) -> Result<SetColumns, WrongColumns> {
    let wrong = |what| WrongColumns {
        path: path.to_owned(),
        what,
    };
    let described = SetDescription::read(metadata).map_err(wrong)?;
    let finder = Finder { schema };
    let found = finder.columns(described, options).map_err(wrong)?;
    Ok(found)
}

/// Looks for columns in a schema.
struct Finder<'a> {
    schema: &'a Schema,
}

impl Finder<'_> {
    fn columns(
        &self,
        described: Option<SetDescription>,
        options: &LeakageOptions,
    ) -> Result<SetColumns, String> {
        let is_described = described.is_some();
        let description = described.unwrap_or_default();
        check_hash(&description, options)?;
        let mut found = SetColumns {
            time: self
                .named("--time", options.time.as_ref())?
                .or_else(|| self.time()),
            received: self.first(&["ts_recv"]),
            instrument: self
                .named("--instrument", options.instrument.as_ref())?
                .or_else(|| self.first(KEYS)),
            window_start: self.first(&["window_start"]),
            group: self
                .named("--group", options.group.as_ref())?
                .or_else(|| self.first(&["group"])),
            steps: options.steps.or(description.steps).unwrap_or(1).max(1),
            embargo_ns: embargo_ns(&description),
            normaliser: description.normalise.clone(),
            is_described,
            ..SetColumns::default()
        };
        self.labels(&mut found, &description.labels, options)?;
        self.splits(&mut found, &description, options)?;
        let names = description
            .features
            .iter()
            .filter(|name| self.has(name))
            .cloned();
        found.features = names.collect();
        if !is_described {
            found.features = self.numbers(&found);
        }
        self.times_known(&mut found, description.inputs.as_deref(), options)?;
        let (features, known) = (&mut found.features, &found.known);
        features.retain(|feature| known.iter().all(|(_, column)| column != feature));
        if is_described {
            found.added = self.numbers(&found);
            // The set's own column, where the mid is no feature.
            found.added.retain(|name| name != "mid");
            found.features.extend(found.added.iter().cloned());
        }
        found.unexamined = self.unexamined(&found);
        Ok(found)
    }

    fn has(&self, name: &str) -> bool {
        self.schema.field_with_name(name).is_ok()
    }

    fn kind(&self, name: &str) -> Option<&DataType> {
        Some(self.schema.field_with_name(name).ok()?.data_type())
    }

    fn first(&self, names: &[&str]) -> Option<String> {
        let found = names.iter().find(|name| self.has(name))?;
        Some((*found).to_owned())
    }

    /// The column that an option names.
    fn named(&self, option: &str, name: Option<&String>) -> Result<Option<String>, String> {
        match name {
            Some(name) if !self.has(name) => {
                let names = self
                    .schema
                    .fields()
                    .iter()
                    .map(|field| field.name().as_str());
                let names: Vec<&str> = names.take(40).collect();
                Err(format!(
                    "{option}: there is no column `{name}`; name one of: {}",
                    names.join(", ")
                ))
            }
            name => Ok(name.cloned()),
        }
    }

    /// A column of times by its name, or else the only one by its type.
    fn time(&self) -> Option<String> {
        let is_time = |kind: &DataType| {
            matches!(
                kind,
                DataType::Timestamp(..) | DataType::Date32 | DataType::Date64
            )
        };
        let by_type = || {
            let fields = self.schema.fields().iter();
            let is_other = |name: &str| {
                name.ends_with("_end") || name.ends_with("_known") || OTHERS.contains(&name)
            };
            let mut times = fields.filter(|f| is_time(f.data_type()) && !is_other(f.name()));
            let first = times.next()?;
            times.next().is_none().then(|| first.name().clone())
        };
        self.first(TIMES).or_else(by_type)
    }

    fn labels(
        &self,
        found: &mut SetColumns,
        described: &[DescribedLabel],
        options: &LeakageOptions,
    ) -> Result<(), String> {
        let mut columns = vec![];
        let there = |name: Option<&String>| name.filter(|name| self.has(name)).cloned();
        for label in described {
            columns.extend(there(label.column.as_ref()));
            columns.extend(there(label.value_column.as_ref()));
            found.ends.extend(there(label.end_column.as_ref()));
        }
        for label in &options.labels {
            columns.extend(self.named("--label", Some(label))?);
        }
        if columns.is_empty() {
            columns = self.labels_by_name();
        }
        for end in &options.label_ends {
            found.ends.extend(self.named("--label-end", Some(end))?);
        }
        let ends = columns.iter().map(|label| format!("{label}_end"));
        let more = ends
            .chain(["label_end".to_owned()])
            .filter(|end| self.has(end));
        found.ends.extend(more.collect::<Vec<_>>());
        for column in columns {
            let is_number = self.kind(&column).is_some_and(is_number);
            let list = if is_number {
                &mut found.values
            } else {
                &mut found.classes
            };
            list.push(column);
        }
        for list in [&mut found.ends, &mut found.values, &mut found.classes] {
            let mut seen = vec![];
            list.retain(|name| {
                !seen.contains(name) && {
                    seen.push(name.clone());
                    true
                }
            });
        }
        let horizons = described.iter().filter_map(|label| label.horizon_ms);
        let horizon = horizons.max().map(|ms| ms.saturating_mul(1_000_000));
        found.horizon_ns = options.horizon_ns.or(horizon);
        Ok(())
    }

    /// Without a description: `label`, `target`, `y` and their `X_value` and `X_bps`, or if there is none of
    /// them what begins so (`y_60s`); and what has an `X_end` beside it, with its `X_value`.
    fn labels_by_name(&self) -> Vec<String> {
        let is_exact = |name: &str| LABELS.contains(&name);
        let fields = self.schema.fields().iter().map(|field| field.name());
        let has_exact = fields.clone().any(|name| is_exact(name));
        let is_label = |name: &str| {
            let values = ["_value", "_bps"]
                .iter()
                .filter_map(|end| name.strip_suffix(end));
            let is_value = values
                .into_iter()
                .any(|label| is_exact(label) || self.has(&format!("{label}_end")));
            let begins = |label: &&str| {
                let rest = name.strip_prefix(*label);
                !has_exact && rest.is_some_and(|rest| rest.starts_with('_'))
            };
            let has_end = self.has(&format!("{name}_end"));
            is_exact(name) || is_value || has_end || LABELS.iter().any(begins)
        };
        let is_other = |name: &str| name.ends_with("_end") || name.ends_with("_known");
        let labels = fields.filter(|name| is_label(name) && !is_other(name));
        labels.cloned().collect()
    }

    fn splits(
        &self,
        found: &mut SetColumns,
        description: &SetDescription,
        options: &LeakageOptions,
    ) -> Result<(), String> {
        let split = self.named("--split", options.split.as_ref())?;
        let column = |name: String| SplitColumn {
            name,
            test_from: None,
        };
        match (split, options.test_from) {
            (Some(name), _) => found.splits.push(column(name)),
            (None, Some(from)) => found.splits.push(SplitColumn {
                name: "--test-from".into(),
                test_from: Some(from),
            }),
            (None, None) => found.splits.extend(self.first(&["split"]).map(column)),
        }
        let is_fold = |name: &str| {
            let number = name.strip_prefix("fold_");
            number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
                || description.folds.iter().any(|fold| fold.name == name)
        };
        let names = self.schema.fields().iter().map(|field| field.name());
        let folds: Vec<String> = names.filter(|name| is_fold(name)).cloned().collect();
        found.splits.extend(folds.into_iter().map(column));
        if found.splits.len() > SetColumns::SPLITS_MAX {
            let left_out = found.splits.split_off(SetColumns::SPLITS_MAX).into_iter();
            found.splits_left_out = left_out.map(|split| split.name).collect();
        }
        Ok(())
    }

    /// The columns of numbers that mean nothing else.
    fn numbers(&self, found: &SetColumns) -> Vec<String> {
        let used = found.used();
        let is_feature = |name: &str, kind: &DataType| {
            let is_other = OTHERS.contains(&name) || used.contains(&name) || name.starts_with("__");
            is_number(kind)
                && !is_other
                && !name.ends_with("_known")
                && !found.splits_left_out.iter().any(|s| s == name)
        };
        let fields = self.schema.fields().iter();
        let features = fields.filter(|field| is_feature(field.name(), field.data_type()));
        features.map(|field| field.name().clone()).collect()
    }

    /// The columns without a meaning that hold no numbers.
    fn unexamined(&self, found: &SetColumns) -> Vec<String> {
        let used = found.used();
        let has_meaning = |name: &str| {
            let is_other = OTHERS.contains(&name) || used.contains(&name) || name.starts_with("__");
            is_other || found.splits_left_out.iter().any(|split| split == name)
        };
        let fields = self.schema.fields().iter();
        let others = fields.filter(|f| !is_number(f.data_type()) && !has_meaning(f.name()));
        others.map(|field| field.name().clone()).collect()
    }

    fn times_known(
        &self,
        found: &mut SetColumns,
        inputs: Option<&[DescribedInput]>,
        options: &LeakageOptions,
    ) -> Result<(), String> {
        for known in &options.known {
            self.named("--known", Some(&known.column))?;
            self.named("--known", Some(&known.feature))?;
            found
                .known
                .push((known.feature.clone(), known.column.clone()));
        }
        for feature in &options.as_of {
            self.named("--as-of", Some(feature))?;
        }
        let is_new = |known: &[(String, String)], feature: &str| {
            known.iter().all(|(name, _)| name != feature)
        };
        for input in inputs.unwrap_or_default() {
            let column = input.known_column.clone().filter(|column| self.has(column));
            if let Some(column) = column.filter(|_| is_new(&found.known, &input.feature)) {
                found.known.push((input.feature.clone(), column));
            }
        }
        for field in self.schema.fields() {
            let Some(feature) = field.name().strip_suffix("_known") else {
                continue;
            };
            if is_new(&found.known, feature) {
                found.known.push((feature.to_owned(), field.name().clone()));
            }
        }
        let is_told = inputs.is_some() || !options.as_of.is_empty() || !found.known.is_empty();
        if !is_told {
            return Ok(());
        }
        let described = inputs.unwrap_or_default().iter().map(|input| AsOfFeature {
            feature: input.feature.clone(),
            release: input.release.clone(),
            may_begin_later: true,
        });
        let mut as_of: Vec<AsOfFeature> = described.collect();
        let known = found.known.iter().map(|(feature, _)| feature);
        let described: Vec<String> = as_of.iter().map(|input| input.feature.clone()).collect();
        let more = known.filter(|feature| !options.as_of.contains(feature));
        let others = options.as_of.iter().chain(more);
        for feature in others.filter(|feature| !described.contains(feature)) {
            let column = found.known.iter().find(|(name, _)| name == feature);
            as_of.push(AsOfFeature {
                feature: feature.clone(),
                release: column.map(|(_, column)| column.clone()),
                may_begin_later: false,
            });
        }
        found.as_of = Some(as_of);
        found.are_all_as_of_told = inputs.is_some();
        Ok(())
    }
}

fn is_number(kind: &DataType) -> bool {
    kind.is_numeric() || *kind == DataType::Boolean
}

fn embargo_ns(description: &SetDescription) -> i64 {
    let stated = description
        .split
        .as_ref()
        .and_then(|split| split.embargo_ms);
    stated.unwrap_or(0).saturating_mul(1_000_000)
}

fn check_hash(description: &SetDescription, options: &LeakageOptions) -> Result<(), String> {
    match (&options.features_sha256, &description.features_sha256) {
        (Some(wanted), Some(found)) if wanted != found => Err(format!(
            "its features have the hash {found}, but those of the pipeline have {wanted}; export it again with \
             `foretick features`"
        )),
        _ => Ok(()),
    }
}
