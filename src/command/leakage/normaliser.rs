//! `normaliser`: features were scaled by figures of rows that are held out.
//!
//! Where the set says on which span its normaliser was fitted, the held-out rows in that span are counted.
//! Whatever it says, a column whose mean is 0 and whose standard deviation is 1 over all rows (of all
//! instruments, or of each), but not over the train rows, was scaled by all; so was one that reaches exactly
//! from 0 to 1 (or -1 to 1) with an end that only held-out rows have.

use super::columns::SetColumns;
use super::description::DescribedNormaliser;
use super::finding::{ExampleRow, Leak, LeakKind, Verdict};
use super::rows::SetRows;
use super::scaling::{FeatureScaling, Scaling};
use super::split_counts::UsableSplits;
use super::split_role::bits;
use crate::time::parse_rfc3339;

/// Looks for scales that know held-out rows.
pub(super) struct Normaliser {
    stated: Option<StatedSpan>,
    kind: Option<String>,
    /// How many features have ranges of their own, such as shares: those of a pipeline.
    with_ranges: usize,
    features: Vec<String>,
    first_split: Option<String>,
    scaling: Scaling,
    /// The first row that the first split holds out.
    held_out: Option<ExampleRow>,
}

/// The span on which a normaliser was fitted, and the held-out rows of each split in it.
struct StatedSpan {
    text: String,
    from: i64,
    to: i64,
    found: Vec<(u64, Option<ExampleRow>)>,
}

impl Normaliser {
    pub(super) fn new(columns: &SetColumns) -> Self {
        let described = columns.normaliser.as_ref();
        Self {
            stated: described
                .and_then(|described| StatedSpan::new(described, columns.splits.len())),
            kind: described
                .map(|described| described.kind.clone())
                .filter(|kind| !kind.is_empty()),
            with_ranges: match columns.is_described {
                true => columns.own_features(),
                false => 0,
            },
            features: columns.features.clone(),
            first_split: columns.splits.first().map(|split| split.name.clone()),
            scaling: Scaling::new(columns.features.len()),
            held_out: None,
        }
    }

    pub(super) fn see(&mut self, rows: &SetRows<'_>) {
        if let Some(stated) = &mut self.stated {
            stated.see(rows);
        }
        if self.first_split.is_none() {
            return;
        }
        for row in 0..rows.len() {
            let (instrument, role) = (rows.instrument[row] as usize, rows.role[row]);
            for feature in 0..self.features.len() {
                if let Some(value) = rows.feature(feature, row) {
                    self.scaling.add(instrument, feature, role, value);
                }
            }
            if self.held_out.is_none() && role.is_held_out() {
                let shown: Vec<&str> = self.features.iter().map(String::as_str).collect();
                self.held_out = Some(rows.example(row, &shown));
            }
        }
    }

    pub(super) fn verdict(mut self, splits: &UsableSplits) -> Verdict {
        let kind = LeakKind::Normaliser;
        if let Some(why) = splits.lacks() {
            return Verdict::unchecked(kind, why);
        }
        let mut leaks: Vec<Leak> = vec![];
        let mut how = vec![];
        match (self.stated.take(), &self.kind) {
            (Some(stated), _) => {
                how.push(format!("the span {} on which it was fitted", stated.text));
                leaks.extend(stated.leaks(splits));
            }
            (None, Some(kind)) => how.push(format!("the set says `{kind}`, without a span")),
            (None, None) => {}
        }
        let mut not_covered = splits.others.clone();
        match &self.first_split {
            Some(name) if splits.mask & 1 != 0 && !self.features.is_empty() => {
                let by = self
                    .scaling
                    .instruments()
                    .map_or(String::new(), |number| match number {
                        1 => String::new(),
                        number => format!(", also of each of {number} instruments"),
                    });
                how.push(format!(
                    "means and deviations of {} features in `{name}`{by}",
                    self.features.len()
                ));
                if splits.mask & (splits.mask - 1) != 0 && self.kind.is_none() {
                    not_covered.push(format!("by the values: splits other than `{name}`"));
                }
                leaks.extend(self.by_values(name));
            }
            _ => not_covered.push("the values of the features".into()),
        }
        if self.with_ranges > 0 {
            not_covered
                .push("scales to a range: features of a pipeline have ranges of their own".into());
        }
        if self.scaling.instruments().is_none() {
            not_covered.push("means and deviations of each instrument: there are too many".into());
        }
        match how.is_empty() {
            true => Verdict::unchecked(
                kind,
                "no span of a fit is told, and there are no features to look at",
            ),
            false => Verdict::checked(kind, how.join("; "), leaks).without(not_covered),
        }
    }

    /// What the values themselves show.
    fn by_values(&self, split: &str) -> Vec<Leak> {
        let features = self.features.iter().enumerate();
        let leaks = features.filter_map(|(feature, name)| {
            let found = self.scaling.found(feature, feature >= self.with_ranges)?;
            let mut example = self.held_out.clone();
            if let Some(row) = &mut example {
                row.values.retain(|column, _| column == name);
                for (what, number) in found.figures() {
                    row.values.insert(what.into(), number.into());
                }
            }
            let (what, rows) = match found {
                FeatureScaling::Standard { over, rows, .. } => {
                    (format!("`{name}` has mean 0 and standard deviation 1 over {over}: it was scaled by held-out rows"), rows)
                }
                FeatureScaling::Range { from, rows, .. } => (
                    format!("`{name}` reaches from {from} to 1, and only held-out rows of `{split}` have an end of that"),
                    rows,
                ),
            };
            Some(Leak {
                kind: LeakKind::Normaliser,
                column: name.clone(),
                what,
                rows,
                example,
                advice: "fit the scale on train rows alone, and apply it to all".into(),
            })
        });
        leaks.collect()
    }
}

impl StatedSpan {
    /// None where no end is told, or nothing is fitted.
    fn new(described: &DescribedNormaliser, splits: usize) -> Option<Self> {
        let time = |text: &Option<String>| {
            let text = text.as_deref()?;
            parse_rfc3339(text).ok().map(|time| time.0)
        };
        let to = time(&described.fitted_to)?;
        let from = time(&described.fitted_from);
        Some(Self {
            text: format!(
                "{} to {}",
                described.fitted_from.as_deref().unwrap_or("the first row"),
                described.fitted_to.as_deref().unwrap_or_default()
            ),
            from: from.unwrap_or(i64::MIN),
            to,
            found: vec![(0, None); splits],
        })
    }

    fn see(&mut self, rows: &SetRows<'_>) {
        for row in 0..rows.len() {
            let is_fitted = |time: i64| self.from <= time && time < self.to;
            if !rows.time[row].is_some_and(is_fitted) {
                continue;
            }
            for split in bits(rows.held[row]) {
                let (count, example) = &mut self.found[split];
                *count += 1;
                if example.is_none() {
                    *example = Some(rows.example(row, &[]));
                }
            }
        }
    }

    fn leaks(self, splits: &UsableSplits) -> Vec<Leak> {
        let text = self.text;
        let found = self.found.into_iter().zip(&splits.names).enumerate();
        let found =
            found.filter(|(split, ((rows, _), _))| *rows > 0 && splits.mask >> split & 1 == 1);
        let leaks = found.map(|(_, ((rows, mut example), split))| {
            if let Some(row) = &mut example {
                row.values.insert("fitted".into(), text.clone().into());
            }
            Leak {
                kind: LeakKind::Normaliser,
                column: split.clone(),
                what: format!("the normaliser was fitted on {text}, which holds validation or test rows of `{split}`"),
                rows,
                example,
                advice: "fit it up to the first held-out row, or split after its fit".into(),
            }
        });
        leaks.collect()
    }
}
