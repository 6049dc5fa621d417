//! `no_release`: a value of another time was joined without the time of its release.
//!
//! What a figure says of March is known in April. A join by the time that a value is about uses it weeks
//! too early, and nothing in the rows shows it: only the way in which it was joined.

use rustc_hash::FxHashSet;

use super::columns::{AsOfFeature, SetColumns};
use super::finding::{ExampleRow, Leak, LeakKind, Verdict};
use super::row_order::RowOrder;
use super::rows::SetRows;

/// Looks for values that were joined without a release.
pub(super) struct NoRelease {
    /// None where nothing says which features are taken as of another time.
    features: Option<Vec<JoinedFeature>>,
    are_all: bool,
    untold_added: Option<String>,
}

struct JoinedFeature {
    input: AsOfFeature,
    /// Its number among the features; none where it has no column of numbers.
    number: Option<usize>,
    /// The number of its column with the time of release among those columns, where each row must have one.
    known: Option<usize>,
    /// The instruments for which a time was known; none where each row must have one.
    begun: Option<FxHashSet<u32>>,
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
            known: columns
                .known
                .iter()
                .position(|(name, _)| *name == input.feature),
            begun: input.may_begin_later.then(FxHashSet::default),
            rows: 0,
            example: None,
        };
        let features = columns.as_of.as_ref();
        Self {
            features: features.map(|features| features.iter().map(feature).collect()),
            are_all: columns.are_all_as_of_told,
            untold_added: columns.untold(),
        }
    }

    pub(super) fn see(&mut self, rows: &SetRows<'_>) {
        for feature in self.features.iter_mut().flatten() {
            for row in 0..rows.len() {
                feature.see(rows, row);
            }
        }
    }

    /// What was found, in rows whose order is `order`.
    pub(super) fn verdict(self, order: &RowOrder) -> Verdict {
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
            .filter_map(|feature| feature.leak(order))
            .collect();
        let others = (!self.are_all).then(|| "other features: name them with --as-of".to_owned());
        Verdict::checked(kind, how, leaks).without(others.or(self.untold_added))
    }
}

impl JoinedFeature {
    fn see(&mut self, rows: &SetRows<'_>, row: usize) {
        let is_released = match self.known {
            Some(known) if self.input.release.is_some() => {
                let is_known = rows.known[known][row].is_some();
                let instrument = rows.instrument[row];
                match &mut self.begun {
                    Some(begun) if is_known => {
                        begun.insert(instrument);
                        true
                    }
                    // Before the first time there was no value yet.
                    Some(begun) => !begun.contains(&instrument),
                    None => is_known,
                }
            }
            _ => self.input.release.is_some(),
        };
        let has_value = |number| rows.feature(number, row).is_some();
        if is_released || !self.number.is_none_or(has_value) {
            return;
        }
        self.rows += 1;
        if self.example.is_none() {
            self.example = Some(rows.example(row, &[self.input.feature.as_str()]));
        }
    }

    fn leak(mut self, order: &RowOrder) -> Option<Leak> {
        // Out of order, rows before the first time are not told from the others: `late_input` counts them.
        if order.is_broken && self.begun.is_some() && self.input.release.is_some() {
            self.rows = 0;
        }
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
