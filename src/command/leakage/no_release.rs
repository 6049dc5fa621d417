//! `no_release`: a value of another time was joined without the time of its release.
//!
//! What a figure says of March is known in April. A join by the time that a value is about uses it weeks
//! too early, and nothing in the rows shows it: only the way in which it was joined.

use super::columns::{AsOfFeature, SetColumns};
use super::finding::{ExampleRow, Leak, LeakKind, Verdict};
use super::rows::SetRows;

/// Looks for values that were joined without a release.
pub(super) struct NoRelease {
    /// None where nothing says which features are taken as of another time.
    features: Option<Vec<JoinedFeature>>,
    are_all: bool,
}

struct JoinedFeature {
    input: AsOfFeature,
    /// Its number among the features; none where it has no column of numbers.
    number: Option<usize>,
    /// The number of its column with the time of release among those columns, where each row must have one.
    known: Option<usize>,
    rows: u64,
    example: Option<ExampleRow>,
}

impl NoRelease {
    pub(super) fn new(columns: &SetColumns) -> Self {
        let feature = |input: &AsOfFeature| JoinedFeature {
            input: input.clone(),
            number: columns
                .features
                .iter()
                .position(|name| *name == input.feature),
            // Of a set that describes itself, the time may be missing where there was no value yet.
            known: columns
                .known
                .iter()
                .position(|(name, _)| *name == input.feature)
                .filter(|_| !columns.is_described),
            rows: 0,
            example: None,
        };
        let features = columns.as_of.as_ref();
        Self {
            features: features.map(|features| features.iter().map(feature).collect()),
            are_all: columns.are_all_as_of_told,
        }
    }

    pub(super) fn see(&mut self, rows: &SetRows<'_>) {
        for feature in self.features.iter_mut().flatten() {
            for row in 0..rows.len() {
                let is_released = match feature.known {
                    Some(known) => rows.known[known][row].is_some(),
                    None => feature.input.release.is_some(),
                };
                let has_value = |number| rows.feature(number, row).is_some();
                if is_released || !feature.number.is_none_or(has_value) {
                    continue;
                }
                feature.rows += 1;
                if feature.example.is_none() {
                    feature.example = Some(rows.example(row, &[feature.input.feature.as_str()]));
                }
            }
        }
    }

    pub(super) fn verdict(self) -> Verdict {
        let kind = LeakKind::NoRelease;
        let Some(features) = self.features else {
            return Verdict::unchecked(
                kind,
                "the set does not say which features are taken as of another time; name them with --as-of",
            );
        };
        let how = match features.len() {
            0 => "the set says that no feature is taken as of another time".to_owned(),
            _ => {
                let names = features
                    .iter()
                    .map(|feature| feature.input.feature.as_str());
                format!("how {} were joined", names.collect::<Vec<_>>().join(", "))
            }
        };
        let leaks = features
            .into_iter()
            .filter_map(JoinedFeature::leak)
            .collect();
        let others = (!self.are_all).then(|| "other features: name them with --as-of".to_owned());
        Verdict::checked(kind, how, leaks).without(others)
    }
}

impl JoinedFeature {
    fn leak(self) -> Option<Leak> {
        let Self {
            input,
            rows,
            example,
            ..
        } = self;
        let feature = input.feature;
        let what = match input.release {
            None => "nothing says when its values were released",
            Some(_) => "nothing says when some of its values were released",
        };
        let is_leak = input.release.is_none() || rows > 0;
        is_leak.then(|| Leak {
            kind: LeakKind::NoRelease,
            what: format!("`{feature}` is taken as of another time, and {what}"),
            rows,
            example,
            advice: format!(
                "join `{feature}` by its release, and keep that time as `{feature}_known` (figures: `ts_release`)"
            ),
            column: feature,
        })
    }
}
