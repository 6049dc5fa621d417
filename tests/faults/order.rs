//! Two sequences of one key, compared: what is missing, there twice, different, or not in its place.

use std::collections::BTreeMap;

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) expected: usize,
    pub(crate) lost: usize,
    pub(crate) twice: usize,
    pub(crate) different: usize,
    pub(crate) disordered: usize,
}

impl Verdict {
    pub(crate) fn is_clean(&self) -> bool {
        (self.lost, self.twice, self.different, self.disordered) == (0, 0, 0, 0)
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.expected += other.expected;
        self.lost += other.lost;
        self.twice += other.twice;
        self.different += other.different;
        self.disordered += other.disordered;
    }
}

/// Compares what was found of a key with what was expected.
pub(crate) fn compare(expected: &[String], found: &[String]) -> Verdict {
    let mut verdict = Verdict {
        expected: expected.len(),
        ..Verdict::default()
    };
    if expected == found {
        return verdict;
    }
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for one in expected {
        counts.entry(one).or_default().0 += 1;
    }
    for one in found {
        counts.entry(one).or_default().1 += 1;
    }
    let mut unknown = 0;
    for (expected, found) in counts.values().copied() {
        verdict.lost += expected.saturating_sub(found);
        match expected {
            0 => unknown += found,
            _ => verdict.twice += found.saturating_sub(expected),
        }
    }
    // One that should not be there stands for one that is missing.
    verdict.different = unknown.min(verdict.lost);
    verdict.lost -= verdict.different;
    verdict.twice += unknown - verdict.different;
    verdict.disordered = usize::from(verdict.is_clean());
    verdict
}

#[test]
fn each_kind_of_difference_is_counted() {
    let of = |expected: &[&str], found: &[&str]| {
        let all = |names: &[&str]| names.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
        let verdict = compare(&all(expected), &all(found));
        [
            verdict.lost,
            verdict.twice,
            verdict.different,
            verdict.disordered,
        ]
    };
    assert_eq!(of(&["a", "b", "c"], &["a", "b", "c"]), [0, 0, 0, 0]);
    assert_eq!(of(&["a", "b", "c"], &["a", "c"]), [1, 0, 0, 0]);
    assert_eq!(of(&["a", "b", "c"], &["a", "b", "b", "c"]), [0, 1, 0, 0]);
    assert_eq!(of(&["a", "b", "c"], &["a", "x", "c"]), [0, 0, 1, 0]);
    assert_eq!(of(&["a", "b", "c"], &["a", "c", "b"]), [0, 0, 0, 1]);
    assert_eq!(of(&["a"], &["a", "x"]), [0, 1, 0, 0]);
}
