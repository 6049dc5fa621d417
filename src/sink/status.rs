//! What a sink shows of its delivery while it runs, for the metrics and for readiness.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::clock;

/// The latest figures of a sink, shared by the threads that deliver and those that report.
#[derive(Debug, Default)]
pub struct SinkStatus(Mutex<SinkFigures>);

/// The figures of a sink at some moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SinkFigures {
    /// Records that have arrived.
    pub delivered: u64,
    /// Records that were taken and have not arrived.
    pub in_flight: u64,
    /// When the oldest of those in flight was taken; none where nothing is in flight.
    pub oldest: Option<Instant>,
    /// When the commit of a transaction began that has not ended; none where none is on its way.
    pub commit_began: Option<Instant>,
    /// Dead letters that were cut, because they are larger than their topic takes.
    pub cut_letters: u64,
    /// Dead letters that their topic did not take even so, in the order of [`RefusalReason::ALL`].
    pub refused_letters: [u64; RefusalReason::ALL.len()],
}

/// Why a topic does not take a dead letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    /// It is larger than the topic takes, also without its payload.
    TooLarge,
    /// There is no such topic, and the broker does not create it.
    NoTopic,
    /// The user may not write to the topic.
    NotAuthorised,
    /// The topic does not take such records, as a compacted one takes none without a key.
    Invalid,
}

impl RefusalReason {
    /// All reasons.
    pub const ALL: [Self; 4] = [
        Self::TooLarge,
        Self::NoTopic,
        Self::NotAuthorised,
        Self::Invalid,
    ];

    /// Whether a smaller record might be taken.
    pub(crate) fn may_be_smaller(self) -> bool {
        self == Self::TooLarge
    }

    /// Its name in the metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::NoTopic => "no_topic",
            Self::NotAuthorised => "not_authorised",
            Self::Invalid => "invalid",
        }
    }
}

impl SinkStatus {
    /// The latest figures.
    #[must_use]
    pub fn figures(&self) -> SinkFigures {
        self.lock().clone()
    }

    /// Changes the figures.
    pub(crate) fn update(&self, change: impl FnOnce(&mut SinkFigures)) {
        change(&mut self.lock());
    }

    /// Shows that a transaction is being committed, until `commit` has ended.
    pub(crate) fn committing<T>(&self, commit: impl FnOnce() -> T) -> T {
        self.update(|figures| figures.commit_began = Some(clock::instant()));
        let ended = commit();
        self.update(|figures| figures.commit_began = None);
        ended
    }

    fn lock(&self) -> MutexGuard<'_, SinkFigures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SinkFigures {
    /// Dead letters that were given up, for whatever reason.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused_letters.iter().sum()
    }
}
