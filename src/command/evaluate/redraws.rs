//! What intervals draw together: rows that are not independent of each other.
//!
//! Rows of one group are drawn together where labels name groups, else those of one firm or applicant. Rows
//! of a market are not independent of their neighbours in time, of the same and of other instruments, so they
//! are drawn by blocks of time.

use std::fmt;

use serde::Serialize;

use super::scored::Scored;
use crate::statistic::bootstrap::numbered;

/// What intervals draw together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Redraws {
    /// What a unit is.
    pub by: RedrawnUnit,
    /// The number of units; below two there are no intervals.
    pub units: u64,
    /// The length of a block of time, in nanoseconds.
    pub block_ns: Option<i64>,
}

/// What rows have in common that are drawn together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RedrawnUnit {
    /// The group that the label names.
    Group,
    /// The firm, the applicant or the instrument.
    Key,
    /// The block of time.
    Time,
}

/// What rows depend on each other by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Grouping<'a> {
    /// The block of time, as of a market.
    Time,
    /// The key.
    Key,
    /// The group of each row.
    Given(&'a [&'a str]),
}

/// What these rows draw together, and the number of each row's unit.
///
/// A block of time is as long as two horizons of the model, so that outcomes overlap those of the next block
/// alone, and at least as long as n^(1/3) of the n times of rows need (Hall, Horowitz and Jing 1995, "On
/// blocking rules for the bootstrap with dependent data"). Rows within one block are drawn by their key.
pub(super) fn redraws<'a>(
    rows: impl ExactSizeIterator<Item = &'a Scored> + Clone,
    grouping: Grouping<'_>,
    horizon_ns: i64,
) -> (Redraws, Vec<u32>) {
    if let Grouping::Given(groups) = grouping {
        return drawn_by(RedrawnUnit::Group, numbered(groups.iter()));
    }
    if matches!(grouping, Grouping::Time) {
        let (block_ns, blocks) = blocks(rows.clone(), horizon_ns);
        let (units, numbers) = numbered(blocks.into_iter());
        if units > 1 {
            let redraws = Redraws {
                by: RedrawnUnit::Time,
                units: units as u64,
                block_ns: Some(block_ns),
            };
            return (redraws, numbers);
        }
    }
    drawn_by(RedrawnUnit::Key, numbered(rows.map(|row| &row.key)))
}

fn drawn_by(by: RedrawnUnit, (units, numbers): (usize, Vec<u32>)) -> (Redraws, Vec<u32>) {
    let redraws = Redraws {
        by,
        units: units as u64,
        block_ns: None,
    };
    (redraws, numbers)
}

/// The length of a block, and the block of each row.
fn blocks<'a>(
    rows: impl ExactSizeIterator<Item = &'a Scored> + Clone,
    horizon_ns: i64,
) -> (i64, Vec<i64>) {
    let times = rows.map(|row| row.ts_event);
    let count = numbered(times.clone()).0 as f64;
    let first = times.clone().min().unwrap_or(0);
    let span = times.clone().max().unwrap_or(0).saturating_sub(first);
    let of_rows = (span as f64 / libm::cbrt(count * count)).ceil() as i64;
    let block = horizon_ns.saturating_mul(2).max(of_rows).max(1);
    (
        block,
        times.map(|ts| ts.saturating_sub(first) / block).collect(),
    )
}

impl Redraws {
    /// How many of which unit, in a word or two.
    pub(super) fn unit_text(&self) -> String {
        let unit = match self.by {
            RedrawnUnit::Group => "groups",
            RedrawnUnit::Key => "keys",
            RedrawnUnit::Time => "blocks",
        };
        match self.units {
            0 | 1 => "none".into(),
            units => format!("{units} {unit}"),
        }
    }
}

impl fmt::Display for Redraws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { units, .. } = self;
        match (self.by, self.block_ns) {
            (RedrawnUnit::Time, Some(block_ns)) => {
                let seconds = block_ns as f64 / 1e9;
                write!(f, "intervals redraw {units} blocks of {seconds} s of time")
            }
            (RedrawnUnit::Group, _) if *units < 2 => {
                f.write_str("no intervals: all rows are of one group")
            }
            (RedrawnUnit::Group, _) => {
                write!(
                    f,
                    "intervals redraw {units} groups of the labels, each with all of its rows"
                )
            }
            _ if *units < 2 => f.write_str("no intervals: all rows are of one key"),
            _ => write!(
                f,
                "intervals redraw {units} keys, each with all of its rows"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(keys: &[&str], times: impl Iterator<Item = i64>) -> Vec<Scored> {
        let row = |(at, ts): (usize, i64)| Scored::of(keys[at % keys.len()], ts, 0.5);
        times.enumerate().map(row).collect()
    }

    #[test]
    fn ticks_are_drawn_by_blocks_of_time_across_instruments() {
        let ticks = rows(&["a", "b"], (0..1_000).map(|at| 50 + at * 10));
        let (by, numbers) = redraws(ticks.iter(), Grouping::Time, 0);
        assert_eq!(
            (by.by, by.units, by.block_ns),
            (RedrawnUnit::Time, 100, Some(100))
        );
        assert_eq!(numbers[8..12], [0, 0, 1, 1]);
        // Rows of one time are one: 500 times of two rows each.
        let together = rows(&["a", "b"], (0..1_000).map(|at| 50 + at / 2 * 20));
        let (by, _) = redraws(together.iter(), Grouping::Time, 0);
        assert_eq!((by.units, by.block_ns), (63, Some(159)));
        let (by, _) = redraws(ticks.iter(), Grouping::Time, 1_000);
        assert_eq!((by.units, by.block_ns), (5, Some(2_000)));
        assert!(by.to_string().contains("5 blocks of 0.000002 s"), "{by}");
    }

    #[test]
    fn firms_are_drawn_with_all_their_rows() {
        let years = rows(&["x", "y", "z"], (0..30).map(|at| at * 1_000));
        let (by, numbers) = redraws(years.iter(), Grouping::Key, 500);
        assert_eq!((by.by, by.units, by.block_ns), (RedrawnUnit::Key, 3, None));
        assert_eq!(numbers[..4], [0, 1, 2, 0]);
    }

    #[test]
    fn groups_of_the_labels_go_before_keys() {
        let years = rows(&["x", "y"], (0..4).map(|at| at * 1_000));
        let groups = ["banks", "banks", "mines", "banks"];
        let (by, numbers) = redraws(years.iter(), Grouping::Given(&groups), 0);
        assert_eq!((by.by, by.units), (RedrawnUnit::Group, 2));
        assert_eq!(numbers, [0, 0, 1, 0]);
        assert!(by.to_string().contains("2 groups"), "{by}");
    }

    #[test]
    fn rows_of_one_block_are_drawn_by_key_or_not_at_all() {
        let of = |keys| redraws(rows(keys, (0..9).map(|_| 7)).iter(), Grouping::Time, 1).0;
        assert_eq!(
            (of(&["a", "b"]).by, of(&["a", "b"]).units),
            (RedrawnUnit::Key, 2)
        );
        assert_eq!(of(&["a"]).units, 1);
        assert!(of(&["a"]).to_string().starts_with("no intervals"));
    }
}
