//! Decides where an assigned partition begins, what of it is gone, and what is committed at once.
//!
//! Pure: knows no client and no clock.

use super::commit_note::CommitNote;
use super::starts::{Assigned, Begin};

/// What the broker says of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionFacts {
    /// The offset that the group has committed.
    pub committed: Option<i64>,
    /// What the group noted beside it.
    pub note: Option<CommitNote>,
    /// The offset of the oldest record that is retained, or of the next one where none is.
    pub low: i64,
    /// The offset that the next committed record will have.
    pub high: i64,
}

/// Where a group begins that has committed nothing of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstStart {
    /// At the oldest record: the settings say so, or the group has read other partitions of the topic, and
    /// this one was found later.
    Oldest,
    /// At the next record.
    Next,
}

/// What is decided of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The first new record.
    pub next: i64,
    /// What is missing before it.
    pub missing: Option<Missing>,
    /// The position to commit at once, so that a start before the first commit skips nothing.
    pub commit: Option<i64>,
}

/// Records that the group has not read and will not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Retention has removed records that were not read: at most so many, since markers of transactions and
    /// compacted records have offsets, too.
    Overtaken(u64),
    /// The committed offset is behind the end: the topic was deleted and created again, or its broker lost
    /// records. How many are missing is unknown, and all that it has now is read.
    Anew,
}

/// Where the first new record of a partition is.
#[must_use]
pub fn place(facts: PartitionFacts, first: FirstStart) -> Placement {
    let PartitionFacts {
        committed,
        low,
        high,
        ..
    } = facts;
    let at = |next, missing| Placement {
        next,
        missing,
        commit: None,
    };
    match committed {
        Some(committed) if committed > high => at(low, Some(Missing::Anew)),
        Some(committed) if committed < low => {
            at(low, Some(Missing::Overtaken(low.abs_diff(committed))))
        }
        Some(committed) => at(committed, None),
        None => {
            let next = match first {
                FirstStart::Oldest => low,
                FirstStart::Next => high,
            };
            Placement {
                next,
                missing: None,
                commit: Some(next),
            }
        }
    }
}

/// The offset where reading begins, and the first that is new: as asked, within what is retained.
#[must_use]
pub fn begin(assigned: &Assigned, asked: Option<&Begin>) -> (i64, i64) {
    let Some(asked) = asked else {
        return (assigned.next, assigned.next);
    };
    let new_from = asked.new_from.max(assigned.low);
    (asked.offset.max(assigned.low).min(new_from), new_from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(committed: Option<i64>, low: i64, high: i64, first: FirstStart) -> Placement {
        let facts = PartitionFacts {
            committed,
            note: None,
            low,
            high,
        };
        place(facts, first)
    }

    #[test]
    fn a_committed_offset_is_where_reading_goes_on() {
        for first in [FirstStart::Oldest, FirstStart::Next] {
            for committed in [10, 15, 20] {
                let expected = Placement {
                    next: committed,
                    missing: None,
                    commit: None,
                };
                assert_eq!(placed(Some(committed), 10, 20, first), expected);
            }
        }
    }

    #[test]
    fn what_retention_has_removed_is_missing_and_nothing_else_is_skipped() {
        for first in [FirstStart::Oldest, FirstStart::Next] {
            let expected = Placement {
                next: 10,
                missing: Some(Missing::Overtaken(7)),
                commit: None,
            };
            assert_eq!(placed(Some(3), 10, 20, first), expected);
            assert_eq!(placed(Some(3), 10, 10, first), expected, "emptied");
        }
    }

    #[test]
    fn an_offset_behind_the_end_is_of_another_topic() {
        let expected = Placement {
            next: 2,
            missing: Some(Missing::Anew),
            commit: None,
        };
        assert_eq!(placed(Some(21), 2, 20, FirstStart::Next), expected);
    }

    #[test]
    fn a_group_without_commit_begins_where_the_settings_say_and_commits_that() {
        for (first, next) in [(FirstStart::Oldest, 10), (FirstStart::Next, 20)] {
            let expected = Placement {
                next,
                missing: None,
                commit: Some(next),
            };
            assert_eq!(placed(None, 10, 20, first), expected);
        }
    }

    #[test]
    fn reading_begins_as_asked_within_what_is_retained() {
        let assigned = Assigned {
            stream: 0,
            partition: 0,
            committed: Some(15),
            begun: None,
            low: 10,
            high: 20,
            next: 15,
        };
        let asked = |offset, new_from| Begin {
            stream: 0,
            partition: 0,
            offset,
            new_from,
        };
        for (asked, expected) in [
            (None, (15, 15)),
            (Some(asked(12, 15)), (12, 15)),
            (Some(asked(3, 15)), (10, 15)),
            (Some(asked(17, 15)), (15, 15)),
            (Some(asked(3, 5)), (10, 10)),
        ] {
            assert_eq!(begin(&assigned, asked.as_ref()), expected);
        }
    }
}
