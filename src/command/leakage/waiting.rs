//! Train rows of an instrument that wait for held-out rows which begin before they end.

use std::collections::VecDeque;

use super::split_role::bits;

/// A row, and the interval from the begin of its window to the end of its label, both included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RowInterval {
    /// Its number in the file.
    pub(super) row: u64,
    pub(super) time: i64,
    pub(super) start: i64,
    pub(super) end: i64,
}

/// Rows in the order in which they came; neighbours that wait for the same splits are in one run.
#[derive(Default)]
pub(super) struct WaitingRows {
    runs: VecDeque<WaitingRun>,
}

struct WaitingRun {
    /// The splits in which its rows are train, and may still meet a held-out row.
    splits: u64,
    rows: VecDeque<RowInterval>,
}

impl WaitingRows {
    /// Takes a row that is train in these splits.
    pub(super) fn push(&mut self, splits: u64, row: RowInterval) {
        if splits == 0 {
            return;
        }
        match self.runs.back_mut().filter(|run| run.splits == splits) {
            Some(run) => run.rows.push_back(row),
            None => self.runs.push_back(WaitingRun {
                splits,
                rows: VecDeque::from([row]),
            }),
        }
    }

    /// Forgets the oldest rows that end before all windows which are still to come begin.
    pub(super) fn forget_before(&mut self, start: i64) {
        while let Some(run) = self.runs.front_mut() {
            while run.rows.front().is_some_and(|row| row.end < start) {
                run.rows.pop_front();
            }
            if !run.rows.is_empty() {
                return;
            }
            self.runs.pop_front();
        }
    }

    /// Passes each row to `overlap` that meets a held-out row of these splits with a window from `start` on.
    /// Windows begin in order, so that no later row of these splits meets one of the others.
    pub(super) fn meet(
        &mut self,
        held: u64,
        start: i64,
        mut overlap: impl FnMut(usize, RowInterval),
    ) {
        let mut is_done = false;
        for run in &mut self.runs {
            let both = run.splits & held;
            if both == 0 {
                continue;
            }
            for row in run.rows.iter().filter(|row| row.end >= start) {
                bits(both).for_each(|split| overlap(split, *row));
            }
            run.splits &= !both;
            is_done |= run.splits == 0;
        }
        if is_done {
            self.runs.retain(|run| run.splits != 0);
        }
    }
}
