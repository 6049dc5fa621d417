//! What follows from the order of the scores alone.

/// Rows from the highest score to the lowest, those of equal scores in the order in which they came.
#[derive(Clone, Debug)]
pub(super) struct Ranking {
    scores: Vec<f64>,
    rows: Vec<usize>,
}

/// Rows of outcome 1, and of outcome 0.
#[derive(Clone, Copy, Debug, Default)]
struct Split {
    ones: u64,
    zeros: u64,
}

impl Ranking {
    /// Of scores that are numbers.
    pub(super) fn new(scores: Vec<f64>) -> Self {
        let mut rows: Vec<usize> = (0..scores.len()).collect();
        let order = |a: f64, b: f64| b.partial_cmp(&a).expect("a sample's scores are numbers");
        rows.sort_by(|a, b| order(scores[*a], scores[*b]));
        Self { scores, rows }
    }

    /// Runs of rows with one score, from the highest down, and that score.
    pub(super) fn ties(&self) -> impl DoubleEndedIterator<Item = (f64, &[usize])> {
        let runs = self
            .rows
            .chunk_by(|a, b| self.scores[*a] == self.scores[*b]);
        runs.map(|run| (self.scores[run[0]], run))
    }

    /// `None` without rows of both outcomes.
    pub(super) fn auc(&self, one: impl Fn(usize) -> bool, counts: &[u32]) -> Option<f64> {
        let mut above = Split::default();
        // Pairs in the right order count 2, equal ones 1: whole numbers as far as they go.
        let mut won = 0_u128;
        for (_, run) in self.ties() {
            let here = split(run, &one, counts);
            won += u128::from(here.zeros) * u128::from(2 * above.ones + here.ones);
            above = above.plus(here);
        }
        let pairs = u128::from(above.ones) * u128::from(above.zeros);
        (pairs > 0).then(|| won as f64 / (2 * pairs) as f64)
    }

    /// `None` without rows of both outcomes.
    pub(super) fn ks(&self, one: impl Fn(usize) -> bool, counts: &[u32]) -> Option<f64> {
        let all = split(&self.rows, &one, counts);
        if all.ones == 0 || all.zeros == 0 {
            return None;
        }
        let mut above = Split::default();
        let mut furthest = 0.0_f64;
        for (_, run) in self.ties() {
            above = above.plus(split(run, &one, counts));
            let ones = above.ones as f64 / all.ones as f64;
            let zeros = above.zeros as f64 / all.zeros as f64;
            furthest = furthest.max((ones - zeros).abs());
        }
        Some(furthest)
    }

    /// The share of outcome 1 among the first so many; `None` where there is none to find or to look at. Of
    /// the scores at the border, which have no order, as many as their part of the places.
    pub(super) fn recall_of_top(
        &self,
        count: u64,
        one: impl Fn(usize) -> bool,
        counts: &[u32],
    ) -> Option<f64> {
        let (mut left, mut found, mut ones) = (count, 0.0, 0);
        for (_, run) in self.ties() {
            let here = split(run, &one, counts);
            let all = here.ones + here.zeros;
            let taken = left.min(all);
            left -= taken;
            ones += here.ones;
            if taken > 0 {
                // Whole numbers first: where no tie is cut, this is one.
                found += (here.ones * taken) as f64 / all as f64;
            }
        }
        (count > 0 && ones > 0).then(|| found / ones as f64)
    }
}

impl Split {
    fn plus(self, other: Self) -> Self {
        Self {
            ones: self.ones + other.ones,
            zeros: self.zeros + other.zeros,
        }
    }
}

fn split(rows: &[usize], one: impl Fn(usize) -> bool, counts: &[u32]) -> Split {
    let mut split = Split::default();
    for &row in rows {
        let side = if one(row) {
            &mut split.ones
        } else {
            &mut split.zeros
        };
        *side += u64::from(counts[row]);
    }
    split
}
