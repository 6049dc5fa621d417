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
}

struct JoinedFeature {
    input: AsOfFeature,
    /// Its number among the features; none where it has no column of numbers.
    number: Option<usize>,
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
            rows: 0,
            example: None,
        };
        let features = columns.as_of.as_ref();
        Self {
            features: features.map(|features| features.iter().map(feature).collect()),
        }
    }

    pub(super) fn see(&mut self, rows: &SetRows<'_>) {
        let features = self.features.iter_mut().flatten();
        for feature in features.filter(|feature| feature.input.release.is_none()) {
            for row in 0..rows.len() {
                let number = feature.number;
                if number.is_none_or(|number| rows.feature(number, row).is_some()) {
                    feature.rows += 1;
                    if feature.example.is_none() {
                        feature.example =
                            Some(rows.example(row, &[feature.input.feature.as_str()]));
                    }
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
        Verdict::checked(kind, how, leaks)
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
        input.release.is_none().then(|| Leak {
            kind: LeakKind::NoRelease,
            what: format!("`{feature}` is taken as of another time, and nothing says when its values were released"),
            rows,
            example,
            advice: format!(
                "join `{feature}` by its release, and keep that time as `{feature}_known` (figures: `ts_release`)"
            ),
            column: feature,
        })
    }
}
