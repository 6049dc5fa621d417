//! The rows of an archive as packed frames, in order.

use std::io;

use super::format::Archive;
use super::row::{HistoryRow, HistoryRows};
use crate::frame::packed::time_of;
use crate::units::Nanos;

/// The rows of an archive as packed frames.
pub(in crate::source) struct PackedRows {
    rows: Box<dyn HistoryRows>,
    format: &'static str,
    row: HistoryRow,
    /// Rows so far.
    count: u64,
    lateness_ns: Option<i64>,
    max_jump_ns: Option<i64>,
    /// The latest time so far by which rows are merged.
    latest: Nanos,
    /// The latest time before the last jump, and the rows since then.
    before_jump: (Nanos, u32),
}

impl PackedRows {
    /// The rows of an archive, none of which may be more than `lateness_ns` earlier than one before it; but a
    /// row, and up to 31 behind it, that are more than `max_jump_ns` ahead of the row before may be followed
    /// by earlier ones: their times may be wrong, which is found out where files are merged.
    pub(in crate::source) fn new(
        archive: Archive,
        lateness_ns: Option<i64>,
        max_jump_ns: Option<i64>,
    ) -> Self {
        Self {
            rows: archive.rows,
            format: archive.format,
            count: 0,
            row: HistoryRow::default(),
            lateness_ns,
            max_jump_ns,
            latest: NEVER,
            before_jump: (NEVER, 0),
        }
    }

    /// The name of the format, and the records that have been read.
    pub(in crate::source) fn read_so_far(&self) -> (&'static str, u64) {
        (self.format, self.rows.records().unwrap_or(self.count))
    }

    /// Whether a row that is out of order is an error.
    pub(in crate::source) fn are_in_order(&self) -> bool {
        self.lateness_ns.is_some()
    }

    /// Writes the next row over `frame`; false at the end. An error names the row.
    pub(in crate::source) fn next_frame(&mut self, frame: &mut Vec<u8>) -> io::Result<bool> {
        if !self.rows.next_row(&mut self.row)? {
            return Ok(false);
        }
        self.count += 1;
        self.row.pack(|| self.rows.position(), frame);
        if let Some(lateness) = self.lateness_ns
            && let Some(time) = time_of(frame)
        {
            self.check_order(time, lateness)?;
        }
        Ok(true)
    }

    fn check_order(&mut self, time: Nanos, lateness: i64) -> io::Result<()> {
        self.before_jump.1 = self.before_jump.1.saturating_add(1);
        if let Some(max_jump) = self.max_jump_ns {
            let is_back = self.latest.since(time) > max_jump && self.before_jump.1 <= JUMPED_MAX;
            if is_back {
                self.latest = self.before_jump.0;
            } else if time.since(self.latest) > max_jump {
                self.before_jump = (self.latest, 0);
            }
        }
        if self.latest.since(time) > lateness && self.latest != NEVER {
            return Err(self.out_of_order(time));
        }
        self.latest = self.latest.max(time);
        Ok(())
    }

    fn out_of_order(&self, time: Nanos) -> io::Error {
        let millis = self.latest.since(time) as f64 / 1e6;
        io::Error::other(format!(
            "{} is {millis} ms earlier than a row before it: sort the file by time (by the receive time, where it \
             has one), or allow so much with `source.lateness_ms`",
            self.rows.position()
        ))
    }
}

/// Before all rows.
const NEVER: Nanos = Nanos(i64::MIN);
/// Rows that may jump together: see `source.max_ahead_ms`.
const JUMPED_MAX: u32 = 32;
