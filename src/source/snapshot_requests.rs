//! Requests for new book snapshots, from the engine threads to a feed.
//!
//! They go straight to the feed and wait for no sink. A full queue drops a request: the engine repeats it as
//! long as the book waits.

use tokio::sync::mpsc;

/// The engine threads' end. Clones share the queue.
#[derive(Clone, Debug)]
pub struct SnapshotRequests(mpsc::Sender<String>);

/// A queue of requests, and the feed's end of it: names of instruments.
#[must_use]
pub fn snapshot_requests() -> (SnapshotRequests, mpsc::Receiver<String>) {
    let (sender, receiver) = mpsc::channel(REQUESTS_MAX);
    (SnapshotRequests(sender), receiver)
}

impl SnapshotRequests {
    /// Requests a snapshot of an instrument (`BTCUSDT.BINANCE`). Never waits; a source without snapshots
    /// ignores it.
    pub fn request(&self, instrument: &str) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.0.try_send(instrument.to_owned()) {
            tracing::debug!(
                instrument,
                "too many snapshot requests wait: this one is repeated later"
            );
        }
    }
}

/// Requests that may wait for the feed.
const REQUESTS_MAX: usize = 1_024;
