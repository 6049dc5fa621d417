//! The rows that are scored: random, or read from a file.
//!
//! A tape has no end: its last row is followed by its first, and the windows across that border are as good
//! as any others to measure with.

use std::fs;
use std::path::Path;

use super::error::BenchError;
use crate::model::slide::recurrent::network::ScaleStep;
use crate::model::strategy::random_rows;

/// Rows, numbered from 1.
#[derive(Debug)]
pub(super) struct Tape {
    /// The rows, and after the last one the first ones again, so that every window lies in one piece.
    cells: Vec<f64>,
    features: usize,
    steps: usize,
    stride: u64,
    rows: u64,
    /// Whether it was read from a file: it is then scored to its end, however long that takes.
    pub(super) from_file: bool,
}

/// Rows of a random tape beyond the first window.
const RANDOM_ROWS: usize = 4_000;

impl Tape {
    /// Rows that look random, spread as the model's normalisation expects them; the same each time.
    pub(super) fn random(
        scaling: &[(ScaleStep, Vec<f32>)],
        features: usize,
        steps: usize,
        stride: u64,
    ) -> Self {
        let rows = first_due(steps, stride) as usize + RANDOM_ROWS;
        let cells = random_rows(scaling, features, rows);
        Self::new(cells, features, steps, stride, false)
    }

    /// The rows of a file.
    pub(super) fn read(
        path: &Path,
        features: usize,
        steps: usize,
        stride: u64,
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
        let (rows, needed) = (cells.len() / features, first_due(steps, stride));
        if (rows as u64) < needed {
            let path = path.to_owned();
            return Err(BenchError::TooFewRows { path, rows, needed });
        }
        Ok(Self::new(cells, features, steps, stride, true))
    }

    fn new(
        mut cells: Vec<f64>,
        features: usize,
        steps: usize,
        stride: u64,
        from_file: bool,
    ) -> Self {
        let rows = (cells.len() / features) as u64;
        cells.extend_from_within(..(steps - 1) * features);
        Self {
            cells,
            features,
            steps,
            stride,
            rows,
            from_file,
        }
    }

    /// Numbers in a row.
    pub(super) fn features(&self) -> usize {
        self.features
    }

    /// Windows that are complete before the rows repeat.
    pub(super) fn windows(&self) -> usize {
        self.window_number(self.rows) + 1
    }

    /// Whether the window that a row completes is scored.
    pub(super) fn is_due(&self, row: u64) -> bool {
        row >= self.steps as u64 && row.is_multiple_of(self.stride)
    }

    /// The number of the window that a due row completes, counted from 0.
    pub(super) fn window_number(&self, row: u64) -> usize {
        ((row - first_due(self.steps, self.stride)) / self.stride) as usize
    }

    /// The row before the first that is due.
    pub(super) fn rows_before_due(&self) -> u64 {
        first_due(self.steps, self.stride) - 1
    }

    /// A row.
    pub(super) fn row(&self, number: u64) -> &[f64] {
        let at = ((number - 1) % self.rows) as usize * self.features;
        &self.cells[at..at + self.features]
    }

    /// The rows of the window of this number, counted from 0: oldest first.
    pub(super) fn window(&self, number: usize) -> &[f64] {
        let end = first_due(self.steps, self.stride) + number as u64 * self.stride;
        let begin = (end - self.steps as u64) % self.rows;
        let at = begin as usize * self.features;
        &self.cells[at..at + self.steps * self.features]
    }
}

/// The first row that is due.
fn first_due(steps: usize, stride: u64) -> u64 {
    (steps as u64).div_ceil(stride) * stride
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
            format!("`{text}` in column {column} is not a number; write one such as -1.5 or 2e-3")
        })?;
        if !(number as f32).is_finite() {
            return Err(format!(
                "`{text}` in column {column} is not a finite float32; fill it in or leave the row out"
            ));
        }
        cells.push(number);
    }
    Ok(())
}
