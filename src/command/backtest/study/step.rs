//! What is heard in one step of the engine, until its signals are known.

use std::collections::{HashMap, HashSet, VecDeque};

use super::agreement::Prediction;
use crate::engine::row::Row;
use crate::frame::Origin;
use crate::instrument::InstrumentId;
use crate::label::LabelPoint;
use crate::units::Nanos;

/// What was heard in one step, until its signals are known.
#[derive(Debug, Default)]
pub(super) struct StudiedStep {
    pub(super) heard: Vec<HeardMid>,
    /// The rows, each with what its signal says, if it has one that is acted on.
    pub(super) rows: Vec<(Row, Option<Prediction>)>,
    pub(super) cells: Vec<f64>,
    /// Rows that wait for their signals, by what a signal says of its event.
    pub(super) waiting: HashMap<RowKey, VecDeque<usize>>,
    /// Events of the frame so far, by instrument.
    pub(super) parts: (u32, HashMap<InstrumentId, u16>),
    /// Messages of which the input does not say when they were received: stream, partition, offset.
    unreceived: HashSet<(u16, i32, i64)>,
}

/// An event that may have moved a mid, and the row that it made.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeardMid {
    pub(super) instrument: InstrumentId,
    pub(super) point: Option<LabelPoint>,
    pub(super) row: Option<usize>,
}

/// What a signal says of its event: instrument, stream, partition, offset, part.
pub(super) type RowKey = (InstrumentId, u16, i32, i64, u16);

pub(super) fn key(instrument: InstrumentId, origin: &Origin, part: u16) -> RowKey {
    (
        instrument,
        origin.stream,
        origin.partition,
        origin.offset,
        part,
    )
}

fn place_of(origin: &Origin) -> (u16, i32, i64) {
    (origin.stream, origin.partition, origin.offset)
}

impl StudiedStep {
    pub(super) fn clear(&mut self) {
        self.heard.clear();
        self.rows.clear();
        self.cells.clear();
        self.waiting.clear();
        self.parts.1.clear();
        self.unreceived.clear();
    }

    /// Notes whether a message has a receive time.
    pub(super) fn note_receipt(&mut self, origin: &Origin) {
        if origin.ts_recv == Nanos::UNDEFINED {
            self.unreceived.insert(place_of(origin));
        }
    }

    /// Whether the message of a signal of this step has a receive time of its own.
    pub(super) fn is_received(&self, origin: &Origin) -> bool {
        !self.unreceived.contains(&place_of(origin))
    }

    /// Which event of its instrument within its frame the next one is, from 0.
    pub(super) fn part(&mut self, frame: u32, instrument: InstrumentId) -> u16 {
        if self.parts.0 != frame {
            self.parts.0 = frame;
            self.parts.1.clear();
        }
        let next = self.parts.1.entry(instrument).or_default();
        let part = *next;
        *next = next.saturating_add(1);
        part
    }

    /// Adds a row that waits for its signal; returns its place.
    pub(super) fn row(&mut self, row: Row, cells: &[f64], key: RowKey) -> usize {
        let at = self.rows.len();
        self.rows.push((row, None));
        self.cells.extend_from_slice(cells);
        self.waiting.entry(key).or_default().push_back(at);
        at
    }
}
