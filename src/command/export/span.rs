//! The first and the last time of the inputs, for folds whose borders are not written.

use crate::run::observer::{ObservedStep, Observer};
use crate::sink::SinkError;
use crate::units::Nanos;

/// Notes the first and the last time of events.
#[derive(Debug, Default)]
pub(super) struct InputSpan {
    ends: Option<(i64, i64)>,
}

impl InputSpan {
    /// The first time, and the time after the last one.
    pub(super) fn ends(&self) -> Option<(i64, i64)> {
        self.ends
            .map(|(first, last)| (first, last.saturating_add(1)))
    }
}

impl Observer for InputSpan {
    fn step(&mut self, step: &ObservedStep<'_>) -> Result<(), SinkError> {
        for event in &step.batch.events {
            let ts = event.ts_event;
            if ts != Nanos::UNDEFINED {
                let (first, last) = self.ends.unwrap_or((ts.0, ts.0));
                self.ends = Some((first.min(ts.0), last.max(ts.0)));
            }
        }
        Ok(())
    }
}
