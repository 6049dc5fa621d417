//! A shard of a replay: the frames of each part in, what came of them out, each with the number of its frame.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

use bytes::Bytes;

use super::parts::{FrameOutput, NumberedFrame, PartOutputs, PartResult};
use crate::engine::row::GapRecord;
use crate::frame::Origin;
use crate::instrument::InstrumentId;
use crate::model::ModelError;
use crate::run::delivery::DeliveredCommand;
use crate::run::intake::FrameOutcome;
use crate::run::shard::Shard;
use crate::signal::Signal;

/// A shard on a thread of its own.
pub(super) struct ShardThread {
    shard: Shard,
    /// The most frames in a batch.
    batch: usize,
    /// The numbers of the frames of the batch.
    numbers: Vec<u64>,
    names: HashMap<InstrumentId, Arc<str>>,
    /// Instruments that are known.
    known: usize,
    signals: Vec<Signal>,
    gaps: Vec<GapRecord>,
    outcomes: PartOutputs,
}

impl ShardThread {
    /// A shard that works on so many frames at once. A correction does not tell which frame it came of, so
    /// that with these it must be one.
    pub(super) fn new(shard: Shard, batch: usize) -> Self {
        Self {
            shard,
            batch,
            numbers: vec![],
            names: HashMap::new(),
            known: 0,
            signals: vec![],
            gaps: vec![],
            outcomes: PartOutputs::default(),
        }
    }

    /// Works until there are no more parts, or nobody takes what comes of them. Gives the shard back.
    ///
    /// # Errors
    /// [`ModelError`] when the model fails, which is sent in the place of the outcomes.
    pub(super) fn run(
        mut self,
        parts: &Receiver<Vec<NumberedFrame>>,
        results: &SyncSender<PartResult>,
    ) -> Shard {
        for part in parts {
            let result = self.work_on(part);
            let has_failed = result.is_err();
            if results.send(result).is_err() || has_failed {
                break;
            }
        }
        self.shard
    }

    fn work_on(&mut self, part: Vec<NumberedFrame>) -> PartResult {
        let mut waiting = 0;
        for one in part {
            self.frame(one)?;
            waiting += 1;
            if waiting == self.batch {
                waiting = 0;
                self.step()?;
            }
        }
        self.step()?;
        let mut outcomes = std::mem::take(&mut self.outcomes);
        // A dead letter is known before the signals of the frames before it.
        outcomes.all.sort_by_key(|(number, _)| *number);
        Ok(outcomes)
    }

    fn frame(&mut self, NumberedFrame { number, frame }: NumberedFrame) -> Result<(), ModelError> {
        let (origin, bytes) = (frame.origin, frame.bytes);
        let outcome = self.shard.frame(origin, &bytes);
        let frames = self.shard.batch().origins.len();
        self.numbers.resize(frames.max(self.numbers.len()), number);
        self.note_names(number);
        let command = match outcome {
            FrameOutcome::Command(command) => (command, false),
            FrameOutcome::ReprocessedCommand(command) => (command, true),
            FrameOutcome::DeadLetter(error) => {
                let shown = Bytes::copy_from_slice(&self.shard.dead_letter(&bytes));
                let letter = FrameOutput::DeadLetter {
                    error,
                    origin,
                    bytes: shown,
                };
                self.outcomes.all.push((number, letter));
                return Ok(());
            }
            FrameOutcome::Events | FrameOutcome::Notice(_) | FrameOutcome::Dropped(_) => {
                return Ok(());
            }
        };
        self.step()?;
        let command = DeliveredCommand {
            before: 0,
            command: command.0,
            reprocessed: command.1,
        };
        self.outcomes
            .all
            .push((number, FrameOutput::Command(command)));
        Ok(())
    }

    /// Notes the instruments that a frame names first.
    fn note_names(&mut self, number: u64) {
        let instruments = self.shard.instruments();
        if instruments.are_per_batch() {
            return;
        }
        for id in self.known..instruments.len() {
            let id = InstrumentId(id as u32);
            let name: Arc<str> = instruments.name(id).into();
            self.names.insert(id, Arc::clone(&name));
            self.outcomes.new_names.push((number, name));
        }
        self.known = instruments.len();
    }

    fn step(&mut self) -> Result<(), ModelError> {
        self.shard.step(&mut self.signals)?;
        self.shard.take_gaps(&mut self.gaps);
        let places = self.places();
        let mut at = 0;
        for signal in std::mem::take(&mut self.signals) {
            let number = places.number_of(&mut at, &signal.origin, signal.instrument);
            let name = self.name_of(signal.instrument);
            let outcome = FrameOutput::Signal(Box::new(signal), name);
            self.outcomes.all.push((number, outcome));
        }
        let mut at = 0;
        for gap in std::mem::take(&mut self.gaps) {
            let number = places.number_of(&mut at, &gap.origin, gap.instrument);
            let name = self.name_of(gap.instrument);
            self.outcomes
                .all
                .push((number, FrameOutput::Gap(Box::new(gap), name)));
        }
        self.numbers.clear();
        if self.shard.instruments().are_per_batch() {
            self.names.clear();
        }
        self.shard.end_batch();
        Ok(())
    }

    fn name_of(&mut self, instrument: InstrumentId) -> Arc<str> {
        let instruments = self.shard.instruments();
        let name = self.names.entry(instrument);
        Arc::clone(name.or_insert_with(|| instruments.name(instrument).into()))
    }

    /// The events of the batch, by which the frame of a signal is found.
    fn places(&self) -> BatchPlaces {
        let batch = self.shard.batch();
        let place = |event: &crate::event::Event| BatchPlace {
            number: self.numbers.get(event.frame as usize).copied().unwrap_or(0),
            origin: batch.origins[event.frame as usize],
            instrument: event.instrument,
        };
        BatchPlaces {
            all: batch.events.iter().map(place).collect(),
            last: self.numbers.last().copied().unwrap_or(0),
        }
    }
}

/// Where events of a batch came from.
struct BatchPlaces {
    all: Vec<BatchPlace>,
    /// The number of the last frame.
    last: u64,
}

struct BatchPlace {
    number: u64,
    origin: Origin,
    instrument: InstrumentId,
}

impl BatchPlaces {
    /// The number of the frame of an origin that concerns an instrument, from the place `at` on; the last one
    /// where there is none. Signals come in the order of their events, so that the place moves on.
    fn number_of(&self, at: &mut usize, origin: &Origin, instrument: InstrumentId) -> u64 {
        let address = |origin: &Origin| (origin.stream, origin.partition, origin.offset);
        let is_of = |place: &BatchPlace| {
            address(&place.origin) == address(origin)
                && (place.instrument == instrument || place.instrument == InstrumentId::ALL)
        };
        let rest = &self.all[*at..];
        match rest.iter().position(is_of) {
            Some(found) => {
                let place = &rest[found];
                // An event of all instruments gives signals of several.
                *at += found + usize::from(place.instrument != InstrumentId::ALL);
                place.number
            }
            None => self.last,
        }
    }
}
