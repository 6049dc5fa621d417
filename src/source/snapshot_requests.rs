//! What the engine threads tell a feed of their books: one needs a new snapshot, or has spliced one.
//!
//! It goes straight to the feed and waits for no sink. A full queue drops a report: the engine repeats that a
//! book waits, and the feed asks again where it does not hear that a snapshot was spliced.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::units::Nanos;

/// What an engine says of a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookReport {
    /// The instrument: `BTCUSDT.BINANCE`.
    pub instrument: String,
    /// The shard whose book it is.
    pub shard: usize,
    /// Whether the book is whole now; else it needs a snapshot.
    pub is_whole: bool,
}

/// The engine threads' end. Clones share the queue.
#[derive(Clone, Debug)]
pub struct SnapshotRequests {
    reports: mpsc::Sender<BookReport>,
    shard: usize,
    age_max: Option<Duration>,
}

/// A queue of reports, and the feed's end of it.
#[must_use]
pub fn snapshot_requests() -> (SnapshotRequests, mpsc::Receiver<BookReport>) {
    let (sender, receiver) = mpsc::channel(REPORTS_MAX);
    let requests = SnapshotRequests {
        reports: sender,
        shard: 0,
        age_max: None,
    };
    (requests, receiver)
}

impl SnapshotRequests {
    /// The same for this shard.
    #[must_use]
    pub fn of_shard(&self, shard: usize) -> Self {
        Self {
            shard,
            ..self.clone()
        }
    }

    /// The same where messages may be old: a snapshot of now is of no use to a book of long ago, and is not
    /// requested while the newest message is older than this.
    #[must_use]
    pub fn of_recent(self, age_max: Duration) -> Self {
        Self {
            age_max: Some(age_max),
            ..self
        }
    }

    /// Whether a snapshot that is made `now` is of use to books whose newest message was received then.
    #[must_use]
    pub fn are_of_use(&self, received: Nanos, now: Nanos) -> bool {
        let age = i128::from(now.since(received));
        let is_within = |most: Duration| age <= most.as_nanos().cast_signed();
        received == Nanos::UNDEFINED || self.age_max.is_none_or(is_within)
    }

    /// Requests a snapshot of an instrument. Never waits; a source without snapshots ignores it.
    pub fn request(&self, instrument: &str) {
        self.report(instrument, false);
    }

    /// Tells that the book of an instrument is whole. Never waits.
    pub fn spliced(&self, instrument: &str) {
        self.report(instrument, true);
    }

    fn report(&self, instrument: &str, is_whole: bool) {
        let report = BookReport {
            instrument: instrument.to_owned(),
            shard: self.shard,
            is_whole,
        };
        if let Err(mpsc::error::TrySendError::Full(_)) = self.reports.try_send(report) {
            tracing::debug!(
                instrument,
                "too many reports on books wait: this one is repeated later"
            );
        }
    }
}

/// Reports that may wait for the feed.
const REPORTS_MAX: usize = 4_096;
