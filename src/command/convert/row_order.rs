//! Which rows of a conversion are earlier than one before them: what reads them may refuse them.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::event::Event;
use crate::frame::Origin;
use crate::run::replay::stream_names;
use crate::sink::event::{NamedEvent, is_written};
use crate::time::rfc3339;
use crate::units::Nanos;

/// Rows that are out of order, without any lateness allowed.
#[derive(Clone, Debug, Serialize)]
pub struct OutOfOrder {
    /// How many.
    pub rows: u64,
    /// By how much at most, in milliseconds.
    pub latest_ms: f64,
    /// The first.
    pub first: EarlyRow,
}

/// A row that is earlier than one before it.
#[derive(Clone, Debug, Serialize)]
pub struct EarlyRow {
    /// Its input.
    pub input: String,
    /// The number of its frame in it, from 0.
    pub frame: i64,
    /// Its instrument.
    pub instrument: String,
    /// Its receive time, else that of the event.
    pub time: String,
}

/// The times of rows, by file or by instrument, and what is out of order.
pub(super) struct RowOrder {
    /// The names of the inputs.
    inputs: Vec<String>,
    by_instrument: bool,
    latest: Vec<Option<Nanos>>,
    pub(super) found: Option<OutOfOrder>,
}

impl RowOrder {
    /// No rows so far. With `by_instrument` each has an order for itself.
    pub(super) fn new(inputs: &[PathBuf], by_instrument: bool) -> Self {
        Self {
            inputs: stream_names(inputs),
            by_instrument,
            latest: vec![],
            found: None,
        }
    }

    /// Takes a row: readers order it by its receive time, else by that of the event. Gaps and ticks have no
    /// order to keep.
    pub(super) fn take(&mut self, event: &Event, origin: &Origin, row: &NamedEvent<'_>) {
        let time = match row.ts_recv {
            Nanos::UNDEFINED => row.ts_event,
            ts_recv => ts_recv,
        };
        if time == Nanos::UNDEFINED || !is_written(row.body) {
            return;
        }
        let group = match self.by_instrument {
            true => event.instrument.0 as usize,
            false => 0,
        };
        if self.latest.len() <= group {
            self.latest.resize(group + 1, None);
        }
        let latest = self.latest[group].get_or_insert(time);
        if time >= *latest {
            *latest = time;
            return;
        }
        let late_ms = latest.since(time) as f64 / 1e6;
        let found = self.found.get_or_insert_with(|| OutOfOrder {
            rows: 0,
            latest_ms: 0.0,
            first: EarlyRow {
                input: self
                    .inputs
                    .get(usize::from(origin.stream))
                    .cloned()
                    .unwrap_or_default(),
                frame: origin.offset,
                instrument: row.instrument.to_owned(),
                time: rfc3339(time),
            },
        });
        found.rows += 1;
        found.latest_ms = found.latest_ms.max(late_ms);
    }
}

impl fmt::Display for OutOfOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EarlyRow {
            input,
            frame,
            instrument,
            time,
        } = &self.first;
        writeln!(
            f,
            "out of order {} rows are earlier than one before them, by up to {} ms; the first: {instrument} \
             at {time}, frame {frame} (from 0) of {input}",
            self.rows, self.latest_ms
        )?;
        writeln!(
            f,
            "             sort the input by time, or read the output with `source.lateness_ms`: `replay` \
             refuses such Parquet without"
        )
    }
}
