//! Which part of the set a row is in.
//!
//! Before a border a row is purged whose labels end at the border or later; after it, one whose window begins
//! before it, and one whose group was seen before it. What comes soon after a border is embargoed.

use crate::news::fold::number;
use crate::pipeline::SplitSettings;

/// What a row is divided by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extent {
    /// The row's time.
    pub(super) at: i64,
    /// When its window begins; none where it has none.
    pub(super) window_start: Option<i64>,
    /// When the last of its labels was known; none without a label.
    pub(super) end: Option<i64>,
    /// Whether it is in no part.
    pub(super) excluded: bool,
    /// When its group was seen first.
    pub(super) group_since: Option<i64>,
    /// Where its group lies among all, from 0 to 1, where groups are divided by shares.
    pub(super) group_place: Option<f64>,
}

impl Extent {
    /// When its window begins: the row's time where it has none.
    pub(super) fn begin(&self) -> i64 {
        self.window_start.unwrap_or(self.at)
    }
}

/// The part of a row.
pub(super) fn split_of(settings: &SplitSettings, row: &Extent) -> &'static str {
    if row.excluded {
        return "excluded";
    }
    if let (Some((validation, test)), Some(place)) = (settings.shares, row.group_place) {
        return match place {
            low if low < test => "test",
            low if low < test + validation => "validation",
            _ => "train",
        };
    }
    let parts = [
        ("validation", settings.validation_from),
        ("test", settings.test_from),
    ];
    let mut part = "train";
    for (name, from) in parts {
        let Some(from) = from.map(|from| from.0) else {
            continue;
        };
        if row.at < from {
            let end = row.end.unwrap_or(row.at);
            let reach = end.max(row.at.saturating_add(settings.purge_ns));
            return if reach >= from { "purge" } else { part };
        }
        if row.begin() < from || row.group_since.is_some_and(|since| since < from) {
            part = "purge";
        } else if row.at < from.saturating_add(settings.embargo_ns) {
            part = "embargo";
        } else {
            part = name;
        }
    }
    part
}

/// Where a group lies among all, from 0 to 1, by the hash of its name: the same in every run.
pub(super) fn place_of(name: &str) -> f64 {
    number(name) as f64 / 2_f64.powi(64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::GroupBy;
    use crate::signal::quality::Quality;
    use crate::units::Nanos;

    fn settings() -> SplitSettings {
        SplitSettings {
            validation_from: Some(Nanos(100)),
            test_from: Some(Nanos(200)),
            steps: 3,
            steps_key: "split.steps",
            purge_ns: 2,
            embargo_ns: 5,
            group_by: None,
            shares: None,
            qualities: vec![Quality::Ok],
            folds: None,
        }
    }

    fn row(at: i64, window_start: i64, end: i64) -> Extent {
        Extent {
            at,
            window_start: Some(window_start),
            end: Some(end),
            excluded: false,
            group_since: None,
            group_place: None,
        }
    }

    #[test]
    fn labels_and_windows_over_a_border_are_purged_and_an_embargo_follows() {
        let settings = settings();
        for (at, window_start, end, expected) in [
            (50, 40, 99, "train"),
            (50, 40, 100, "purge"),
            (97, 90, 97, "train"),
            (98, 90, 98, "purge"), // within purge_ms
            (100, 99, 110, "purge"),
            (104, 100, 110, "embargo"),
            (105, 100, 110, "validation"),
            (150, 140, 199, "validation"),
            (150, 140, 200, "purge"),
            (201, 199, 260, "purge"),
            (204, 200, 260, "embargo"),
            (205, 200, 260, "test"),
        ] {
            assert_eq!(
                split_of(&settings, &row(at, window_start, end)),
                expected,
                "{at}"
            );
        }
        let mut spoilt = row(50, 40, 99);
        spoilt.excluded = true;
        assert_eq!(split_of(&settings, &spoilt), "excluded");
    }

    #[test]
    fn a_group_is_on_one_side_of_a_border() {
        let mut settings = settings();
        settings.group_by = Some(GroupBy::Key);
        let seen_at = |since: i64, at: i64| Extent {
            group_since: Some(since),
            ..row(at, at, at)
        };
        assert_eq!(split_of(&settings, &seen_at(10, 50)), "train");
        assert_eq!(split_of(&settings, &seen_at(10, 150)), "purge");
        assert_eq!(split_of(&settings, &seen_at(120, 150)), "validation");
        assert_eq!(split_of(&settings, &seen_at(120, 250)), "purge");
        assert_eq!(split_of(&settings, &seen_at(220, 250)), "test");
    }

    #[test]
    fn shares_of_groups_are_those_of_their_hashes() {
        let mut settings = settings();
        (settings.validation_from, settings.test_from) = (None, None);
        settings.shares = Some((0.1, 0.2));
        let mut counts = std::collections::BTreeMap::<&str, u32>::new();
        for firm in 0..10_000 {
            let place = place_of(&format!("firm-{firm}"));
            let one = Extent {
                group_place: Some(place),
                ..row(50, 50, 50)
            };
            *counts.entry(split_of(&settings, &one)).or_default() += 1;
        }
        assert!((900..1_100).contains(&counts["validation"]), "{counts:?}");
        assert!((1_850..2_150).contains(&counts["test"]), "{counts:?}");
    }
}
