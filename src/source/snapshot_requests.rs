//! What the engine threads tell a feed of their books: one needs a new snapshot, or has spliced one.
//!
//! It goes straight to the feed and waits for no sink. A full queue drops a report: the engine repeats that a
//! book waits, and the feed asks again where it does not hear that a snapshot was spliced.

use tokio::sync::mpsc;

/// What an engine says of a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookReport {
    /// The instrument: `BTCUSDT.BINANCE`.
    pub instrument: String,
    /// Whether the book is whole now; else it needs a snapshot.
    pub is_whole: bool,
}

/// The engine threads' end. Clones share the queue.
#[derive(Clone, Debug)]
pub struct SnapshotRequests(mpsc::Sender<BookReport>);

/// A queue of reports, and the feed's end of it.
#[must_use]
pub fn snapshot_requests() -> (SnapshotRequests, mpsc::Receiver<BookReport>) {
    let (sender, receiver) = mpsc::channel(REPORTS_MAX);
    (SnapshotRequests(sender), receiver)
}

impl SnapshotRequests {
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
            is_whole,
        };
        if let Err(mpsc::error::TrySendError::Full(_)) = self.0.try_send(report) {
            tracing::debug!(
                instrument,
                "too many reports on books wait: this one is repeated later"
            );
        }
    }
}

/// Reports that may wait for the feed.
const REPORTS_MAX: usize = 4_096;
