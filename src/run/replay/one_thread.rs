//! A replay on the calling thread: frames of a file through one shard to the writer, watched by an observer.

use super::error::ReplayError;
use super::numbered_source::NumberedSource;
use super::pace::Pace;
use crate::engine::row::GapRecord;
use crate::frame::Origin;
use crate::run::delivery::DeliveredCommand;
use crate::run::intake::FrameOutcome;
use crate::run::observer::{ObservedStep, Observer};
use crate::run::progress_display::ProgressDisplay;
use crate::run::shard::Shard;
use crate::run::writer::Writer;
use crate::signal::Signal;

/// A replay on the calling thread.
pub(super) struct OneThread<'a, O> {
    pub(super) shard: Shard,
    pub(super) writer: Writer,
    pub(super) observer: &'a mut O,
    pub(super) signals: Vec<Signal>,
    pub(super) gaps: Vec<GapRecord>,
    /// Frames in a batch.
    pub(super) batch: usize,
}

impl<O: Observer> OneThread<'_, O> {
    /// Reads to the end.
    pub(super) fn run(
        &mut self,
        mut source: NumberedSource,
        mut pace: Pace,
    ) -> Result<(), ReplayError> {
        let mut progress = ProgressDisplay::new("frames");
        let mut waiting = 0;
        // A capture that is cut off still gives what it held, and then its error.
        let read = loop {
            let (origin, bytes) = match source.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            };
            if pace.is_early(&origin) {
                self.step()?;
                self.writer.flush()?;
                pace.wait(&origin);
            }
            self.frame(origin, bytes)?;
            waiting += 1;
            if waiting == self.batch {
                waiting = 0;
                self.step()?;
                progress.show(self.shard.account().received, || source.progress());
                if self.observer.is_done() {
                    break Ok(());
                }
            }
        };
        self.step()?;
        self.writer.end(read.map_err(ReplayError::from))
    }

    /// Takes a frame, as one message or as those of which it is made.
    fn frame(&mut self, origin: Origin, bytes: &[u8]) -> Result<(), ReplayError> {
        let messages = self.shard.split(bytes);
        if messages.is_empty() {
            return self.message(origin, bytes);
        }
        let mut messages = messages.iter();
        messages.try_for_each(|message| self.message(origin, message))
    }

    fn message(&mut self, origin: Origin, bytes: &[u8]) -> Result<(), ReplayError> {
        let outcome = self.shard.frame(origin, bytes);
        self.observer.frame(&origin, &outcome);
        match outcome {
            FrameOutcome::Command(command) => {
                self.step()?;
                self.observer.command(&command);
                self.writer.command(&command)?;
            }
            FrameOutcome::DeadLetter(error) => {
                let shown = self.shard.dead_letter(bytes);
                self.writer.dead_letter(error, origin, &shown)?;
            }
            FrameOutcome::ReprocessedCommand(command) => {
                self.step()?;
                self.writer.delivered_command(&DeliveredCommand {
                    before: 0,
                    command,
                    reprocessed: true,
                })?;
            }
            FrameOutcome::Events | FrameOutcome::Notice(_) | FrameOutcome::Dropped(_) => {}
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), ReplayError> {
        self.shard.step(&mut self.signals)?;
        self.shard.take_gaps(&mut self.gaps);
        let instruments = self.shard.instruments();
        for signal in &self.signals {
            let name = instruments.name(signal.instrument);
            self.writer.signal(signal, name)?;
        }
        // What is read again was published before: it is of use to alerts alone.
        self.signals.retain(|signal| !signal.origin.reprocessed);
        self.observer.step(&ObservedStep {
            batch: self.shard.batch(),
            signals: &self.signals,
            instruments,
        })?;
        self.signals.clear();
        for gap in self.gaps.drain(..) {
            let name = instruments.name(gap.instrument);
            self.writer.gap(&gap, name)?;
        }
        self.shard.end_batch();
        Ok(())
    }
}
