//! The rows that are measured with: read from a file or random, and whose turn it is to take them.
//!
//! Scores nothing. A tape has no end: after its last row comes its first again, which completes windows
//! as good as any others.

use std::fs;
use std::path::Path;

use super::BenchError;
use crate::model::slide::recurrent::network::Scale;
use crate::model::strategy::random_rows;

/// Rows, numbered from 1.
#[derive(Debug)]
pub(super) struct Tape {
    /// The rows, and behind the last the first ones once more, so that a window lies in one piece.
    cells: Vec<f64>,
    features: usize,
    steps: usize,
    every: u64,
    rows: u64,
    /// Whether all of it is to be scored, however long that takes.
    pub(super) given: bool,
}

/// Rows of a random tape beyond the first window.
const RANDOM_ROWS: usize = 4_000;

impl Tape {
    /// Rows that look random, spread as the model's normalisation expects them; the same each time.
    pub(super) fn random(
        scaling: &[(Scale, Vec<f32>)],
        features: usize,
        steps: usize,
        every: u64,
    ) -> Self {
        let rows = first(steps, every) as usize + RANDOM_ROWS;
        let cells = random_rows(scaling, features, rows);
        Self::new(cells, features, steps, every, false)
    }

    /// The rows of a file.
    pub(super) fn read(
        path: &Path,
        features: usize,
        steps: usize,
        every: u64,
    ) -> Result<Self, BenchError> {
        let text = fs::read_to_string(path).map_err(|cause| BenchError::File {
            doing: "reading rows from",
            path: path.to_owned(),
            cause,
        })?;
        let mut cells = vec![];
        for (line, text) in (1..).zip(text.lines()) {
            if text.trim().is_empty() || line == 1 && is_header(text) {
                continue;
            }
            parse(text, features, &mut cells).map_err(|what| BenchError::Row {
                path: path.to_owned(),
                line,
                what,
            })?;
        }
        let (rows, needed) = (cells.len() / features, first(steps, every));
        if (rows as u64) < needed {
            let path = path.to_owned();
            return Err(BenchError::Few { path, rows, needed });
        }
        Ok(Self::new(cells, features, steps, every, true))
    }

    fn new(mut cells: Vec<f64>, features: usize, steps: usize, every: u64, given: bool) -> Self {
        let rows = (cells.len() / features) as u64;
        cells.extend_from_within(..(steps - 1) * features);
        Self {
            cells,
            features,
            steps,
            every,
            rows,
            given,
        }
    }

    /// Numbers in a row.
    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// Windows that are complete before it begins anew.
    pub(super) fn windows(&self) -> usize {
        self.number(self.rows) + 1
    }

    /// Whether the window that a row completes is scored.
    pub(super) fn is_due(&self, row: u64) -> bool {
        row >= self.steps as u64 && row.is_multiple_of(self.every)
    }

    /// The number of the window that a due row completes, counted from 0.
    pub(super) fn number(&self, row: u64) -> usize {
        ((row - first(self.steps, self.every)) / self.every) as usize
    }

    /// The last row before the first that is due.
    pub(super) fn before_due(&self) -> u64 {
        first(self.steps, self.every) - 1
    }

    /// A row.
    pub(super) fn row(&self, number: u64) -> &[f64] {
        let at = ((number - 1) % self.rows) as usize * self.features;
        &self.cells[at..at + self.features]
    }

    /// The rows of the window of this number, counted from 0: oldest first.
    pub(super) fn window(&self, number: usize) -> &[f64] {
        let end = first(self.steps, self.every) + number as u64 * self.every;
        let begin = (end - self.steps as u64) % self.rows;
        let at = begin as usize * self.features;
        &self.cells[at..at + self.steps * self.features]
    }
}

/// The first row that is due.
fn first(steps: usize, every: u64) -> u64 {
    (steps as u64).div_ceil(every) * every
}

fn is_header(line: &str) -> bool {
    let cell = line.split(',').next().unwrap_or(line);
    cell.trim().parse::<f64>().is_err()
}

fn parse(line: &str, features: usize, cells: &mut Vec<f64>) -> Result<(), String> {
    let count = line.split(',').count();
    if count != features {
        return Err(format!(
            "{count} numbers, and the model takes rows of {features}; write {features} with commas between"
        ));
    }
    for (column, text) in (1..).zip(line.split(',')) {
        let text = text.trim();
        let number: f64 = text.parse().map_err(|_| {
            format!("`{text}` in column {column} is no number; write one such as -1.5 or 2e-3")
        })?;
        if !(number as f32).is_finite() {
            return Err(format!(
                "`{text}` in column {column} is no finite float32; fill it in or leave the row out"
            ));
        }
        cells.push(number);
    }
    Ok(())
}

/// Whose turn it is: every instrument takes every row, in an order of its own for each.
#[derive(Debug)]
pub(super) struct Turns {
    order: Vec<usize>,
    taken: usize,
    row: u64,
    state: u64,
}

impl Turns {
    pub(super) fn new(instruments: usize) -> Self {
        Self {
            order: (0..instruments).collect(),
            taken: instruments,
            row: 0,
            state: 0x2545_f491_4f6c_dd1d,
        }
    }

    /// The next instrument, and the number of the row that it takes.
    pub(super) fn next(&mut self) -> (usize, u64) {
        if self.taken == self.order.len() {
            self.row += 1;
            self.taken = 0;
            for at in (1..self.order.len()).rev() {
                let other = self.below(at + 1);
                self.order.swap(at, other);
            }
        }
        self.taken += 1;
        (self.order[self.taken - 1], self.row)
    }

    /// Whether every instrument has taken the rows up to this one.
    pub(super) fn have_taken(&self, row: u64) -> bool {
        self.row > row || self.row == row && self.taken == self.order.len()
    }

    /// From here on only the first instrument takes rows.
    pub(super) fn leave_the_first(&mut self) {
        let waits = self.order[self.taken..].contains(&0);
        self.order = vec![0];
        self.taken = usize::from(!waits);
    }

    /// One of so many, all as likely.
    pub(super) fn below(&mut self, count: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        ((u128::from(self.state) * count as u128) >> 64) as usize
    }
}
