//! The windows of an instrument's rows as the engine has them: when each begins, and whether it would be
//! scored and trusted.

use std::collections::VecDeque;

use crate::engine::row::Row;
use crate::pipeline::Pipeline;
use crate::signal::quality::Quality;

/// When windows are scored, and which qualities are used.
#[derive(Clone, Debug)]
pub(super) struct WindowRules {
    steps: u64,
    every: u64,
    while_warming: bool,
    qualities: Vec<Quality>,
}

/// The last rows of an instrument.
#[derive(Debug, Default)]
pub(super) struct WindowTrack {
    rows: u64,
    /// Of each quality the number of the last row that has it, from 1.
    last: [u64; Quality::ALL.len()],
    last_warming: u64,
    /// The times of the rows of the window.
    times: VecDeque<i64>,
}

impl WindowRules {
    pub(super) fn of(pipeline: &Pipeline) -> Self {
        Self {
            steps: pipeline.split.steps,
            every: pipeline.file.row.every,
            while_warming: pipeline.file.row.while_warming,
            qualities: pipeline.split.qualities.clone(),
        }
    }

    /// When the window begins that ends with a row that stands alone, and why the row is in no part.
    pub(super) fn alone(&self, row: &Row) -> (Option<i64>, Option<&'static str>) {
        let is_used = self.qualities.contains(&row.quality);
        let why = (!is_used).then(|| row.quality.word());
        (Some(row.ts_event.0), why)
    }
}

impl WindowTrack {
    /// Takes a row. Returns when the window begins that ends with it, and why it is in no part: the word of
    /// the window's quality, or `not_scored` where live would pass it over.
    pub(super) fn take(
        &mut self,
        row: &Row,
        rules: &WindowRules,
    ) -> (Option<i64>, Option<&'static str>) {
        self.rows += 1;
        self.last[row.quality as usize] = self.rows;
        if !row.warm {
            self.last_warming = self.rows;
        }
        self.times.push_back(row.ts_event.0);
        if self.times.len() as u64 > rules.steps {
            self.times.pop_front();
        }
        if self.rows < rules.steps {
            return (None, Some(Quality::Warming.word()));
        }
        let since = self.rows - rules.steps;
        let all = Quality::ALL.into_iter().rev();
        let worst = all
            .into_iter()
            .find(|&quality| self.last[quality as usize] > since);
        let worst = worst.unwrap_or_default();
        let is_scored = self.rows.is_multiple_of(rules.every)
            && (rules.while_warming || self.last_warming <= since);
        let why = match rules.qualities.contains(&worst) {
            false => Some(worst.word()),
            true => (!is_scored).then_some("not_scored"),
        };
        (self.times.front().copied(), why)
    }
}
