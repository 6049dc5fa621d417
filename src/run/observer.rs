//! What watches a run: the export of rows, the evaluation and `inspect` see each step of the one frame loop.
//!
//! An observer changes nothing: with one or without, the engine does the same and the signals are equal.

use super::intake::FrameOutcome;
use crate::alert::command::AlertCommand;
use crate::event::Batch;
use crate::frame::Origin;
use crate::instrument::Instruments;
use crate::signal::Signal;
use crate::sink::SinkError;

/// Something that watches a run, in the order of its frames.
pub trait Observer {
    /// A frame was taken; its events, if it has any, come with the next step.
    fn frame(&mut self, _origin: &Origin, _outcome: &FrameOutcome) {}

    /// A step is done.
    ///
    /// # Errors
    /// [`SinkError`] where the observer cannot write what it has seen. The run then ends with it.
    fn step(&mut self, step: &ObservedStep<'_>) -> Result<(), SinkError>;

    /// A command about alerts takes effect, after the step of the frames before it.
    fn command(&mut self, _command: &AlertCommand) {}

    /// Whether it has seen all that it wants to: the run then ends after the step.
    fn is_done(&self) -> bool {
        false
    }
}

/// One step: the events of some frames, and the signals that they gave.
#[derive(Clone, Copy, Debug)]
pub struct ObservedStep<'a> {
    /// The events, with what they refer to.
    pub batch: &'a Batch,
    /// Their signals; none where the run has no model.
    pub signals: &'a [Signal],
    /// The names of the instruments.
    pub instruments: &'a Instruments,
}

/// The observer of a run that nothing watches.
impl Observer for () {
    fn step(&mut self, _: &ObservedStep<'_>) -> Result<(), SinkError> {
        Ok(())
    }
}
