//! How long connecting may be waited for: until somebody wants the process to end.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::warn;

use crate::clock;

/// Says when connecting is to be given up, though a broker may still answer. By default never.
#[derive(Clone, Default)]
pub struct ConnectPatience(Option<Arc<IsOver>>);

type IsOver = dyn Fn() -> bool + Send + Sync;

impl ConnectPatience {
    /// Until this is true. It is asked often.
    #[must_use]
    pub fn until(is_over: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(is_over)))
    }

    /// Whether somebody says when: then a broker that is absent is waited for until then.
    pub(super) fn is_stated(&self) -> bool {
        self.0.is_some()
    }

    /// Whether it is to be given up.
    pub(crate) fn is_over(&self) -> bool {
        self.0.as_ref().is_some_and(|is_over| is_over())
    }
}

impl fmt::Debug for ConnectPatience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectPatience")
    }
}

/// The wait for the last records: as long as they may take, and not for long once the process is to end.
pub(super) struct LastWait<'a> {
    patience: &'a ConnectPatience,
    longest: Duration,
    began: Instant,
    asked_to_end: Option<Instant>,
    has_told: bool,
}

impl<'a> LastWait<'a> {
    pub(super) fn begin(patience: &'a ConnectPatience, longest: Duration) -> Self {
        Self {
            patience,
            longest,
            began: clock::instant(),
            asked_to_end: None,
            has_told: false,
        }
    }

    /// Whether so many records are not to be waited for any more.
    pub(super) fn is_over(&mut self, records: u64) -> bool {
        let now = clock::instant();
        if self.asked_to_end.is_none() && self.patience.is_over() {
            self.asked_to_end = Some(now);
        }
        if !self.has_told && now - self.began > TOLD_AFTER {
            self.has_told = true;
            warn!(records, "waiting for records to arrive at the brokers");
        }
        let is_ending = self.asked_to_end.is_some_and(|asked| now - asked > AT_END);
        is_ending || now - self.began > self.longest
    }

    pub(super) fn waited(&self) -> Duration {
        clock::elapsed(self.began)
    }
}

/// When it is told that records are waited for.
const TOLD_AFTER: Duration = Duration::from_secs(2);
/// How long records are waited for once the process is to end.
const AT_END: Duration = Duration::from_secs(10);
