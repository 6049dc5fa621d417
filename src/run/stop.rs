//! The request to end a run, shared by threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::clock;
use crate::sink::kafka::patience::ConnectPatience;

/// A request to end that a signal of the system, a timer or a test can make. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// Requests the end.
    pub fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Patience with brokers that do not answer: until the end is requested, or for this long from now on.
    #[must_use]
    pub fn patience(&self, longest: Option<Duration>) -> ConnectPatience {
        let (stop, end) = (
            self.clone(),
            longest.map(|longest| clock::instant() + longest),
        );
        let is_late = move || end.is_some_and(|end| clock::instant() >= end);
        ConnectPatience::until(move || stop.is_set() || is_late())
    }

    /// Whether the end was requested.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
