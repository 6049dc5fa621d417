//! `late_input`: the value of a feature was known later than the decision for which it is used.
//!
//! Compares, in each row, the time at which the value became known with the row's `ts_event`.

use super::columns::SetColumns;
use super::finding::{ExampleRow, Leak, LeakKind, Verdict};
use super::rows::SetRows;

/// Looks for inputs that were known too late.
pub(super) struct LateInput {
    features: Vec<LateFeature>,
    untold: Vec<String>,
    columns: [Option<String>; 2],
    /// Whether the set says that it has no such input.
    says_none: bool,
    untold_added: Option<String>,
}

struct LateFeature {
    feature: String,
    column: String,
    /// Its number among the features; none where it has no column of numbers.
    number: Option<usize>,
    /// Rows with a value and no time at which it was known.
    untimed: u64,
    /// Rows with a time.
    timed: u64,
    /// Rows in which it is later than the decision.
    late: u64,
    /// Of these, rows in which it is even later than the row's arrival.
    after_arrival: u64,
    /// The longest time by which it is late, in nanoseconds.
    latest_ns: i64,
    example: Option<ExampleRow>,
}

impl LateInput {
    pub(super) fn new(columns: &SetColumns) -> Self {
        let feature = |(feature, column): &(String, String)| LateFeature {
            feature: feature.clone(),
            column: column.clone(),
            number: columns.features.iter().position(|name| name == feature),
            untimed: 0,
            timed: 0,
            late: 0,
            after_arrival: 0,
            latest_ns: 0,
            example: None,
        };
        let is_untold = |name: &&String| columns.known.iter().all(|(feature, _)| feature != *name);
        let as_of = columns.as_of.iter().flatten().map(|input| &input.feature);
        Self {
            features: columns.known.iter().map(feature).collect(),
            untold: as_of.filter(is_untold).cloned().collect(),
            columns: [columns.time.clone(), columns.received.clone()],
            says_none: columns.as_of.as_ref().is_some_and(Vec::is_empty),
            untold_added: columns.untold(),
        }
    }

    pub(super) fn see(&mut self, rows: &SetRows<'_>) {
        for (feature, known) in self.features.iter_mut().zip(&rows.known) {
            for (row, known) in known.iter().enumerate() {
                let has_value = |number| rows.feature(number, row).is_some();
                if known.is_none() && feature.number.is_none_or(has_value) {
                    feature.untimed += 1;
                }
                let Some((known, time)) = known.zip(rows.time[row]) else {
                    continue;
                };
                feature.timed += 1;
                if known <= time {
                    continue;
                }
                feature.late += 1;
                feature.latest_ns = feature.latest_ns.max(known.saturating_sub(time));
                feature.after_arrival +=
                    u64::from(rows.received[row].is_some_and(|recv| known > recv));
                if feature.example.is_none() {
                    let mut shown = vec![feature.feature.as_str(), feature.column.as_str()];
                    shown.extend(self.columns[1].as_deref());
                    feature.example = Some(rows.example(row, &shown));
                }
            }
        }
    }

    pub(super) fn verdict(self) -> Verdict {
        let kind = LeakKind::LateInput;
        if self.columns[0].is_none() {
            return Verdict::unchecked(kind, "there is no column of times; name it with --time");
        }
        if self.features.is_empty() && self.says_none {
            let how = "the set says that no feature is taken as of another time";
            return Verdict::checked(kind, how, vec![]).without(self.untold_added);
        }
        let untold = self.untold.iter().map(|feature| {
            format!(
                "`{feature}`: no column says when its value was known (--known COLUMN={feature})"
            )
        });
        let untold: Vec<String> = untold.collect();
        let empty = self.features.iter().filter(|feature| feature.timed == 0);
        let empty =
            empty.map(|feature| format!("`{}`: `{}` is empty", feature.feature, feature.column));
        let partly = self
            .features
            .iter()
            .filter(|f| f.timed > 0 && f.untimed > 0);
        let partly = partly.map(|feature| {
            let LateFeature {
                feature,
                column,
                untimed,
                ..
            } = feature;
            format!("`{feature}`: {untimed} rows have a value, and no time in `{column}`")
        });
        let not_covered = untold
            .into_iter()
            .chain(empty)
            .chain(partly)
            .chain(self.untold_added.clone());
        let not_covered: Vec<String> = not_covered.collect();
        if self.features.iter().all(|feature| feature.timed == 0) {
            let why = match not_covered.is_empty() {
                true => {
                    "no column says when an input was known; name one with --known COLUMN=FEATURE"
                        .into()
                }
                false => not_covered.join("; "),
            };
            return Verdict::unchecked(kind, why);
        }
        let names: Vec<&str> = self
            .features
            .iter()
            .map(|feature| feature.column.as_str())
            .collect();
        let how = format!("{} against the time of each row", names.join(", "));
        let leaks = self
            .features
            .into_iter()
            .filter_map(LateFeature::leak)
            .collect();
        Verdict::checked(kind, how, leaks).without(not_covered)
    }
}

impl LateFeature {
    fn leak(self) -> Option<Leak> {
        let Self {
            feature,
            column,
            late,
            after_arrival,
            latest_ns,
            ..
        } = self;
        let by = latest_ns as f64 / 1e9;
        let even = match after_arrival {
            0 => String::new(),
            rows => format!(
                "; in {rows} rows it was not known when the row had arrived (ts_recv) either"
            ),
        };
        (late > 0).then(|| Leak {
            kind: LeakKind::LateInput,
            what: format!("`{feature}` has values that were known later than the row, by up to {by} s{even}"),
            column: feature,
            rows: late,
            example: self.example,
            advice: format!(
                "join it by the time of its release: the latest value whose `{column}` is not after the row's time"
            ),
        })
    }
}
