//! Snapshots of books whose changes come from Kafka: fetched over the venue's REST interface, and put into
//! the ring of the shard whose book waits.
//!
//! A topic holds the changes of a book from some day on, and begins anew behind a hole; nobody sends the
//! whole book. Which books wait is told by the engine. Limits of the venue's host hold as for its feeds.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustc_hash::FxHashMap;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{info, warn};

use super::settings::WebsocketSettings;
use super::snapshot::SnapshotFetcher;
use crate::clock;
use crate::decode::route::name_hash;
use crate::frame::{FETCHED, Frame, Origin};
use crate::source::ring::Sender;
use crate::source::snapshot_requests::BookReport;
use crate::source::status::{FeedStatus, count};

/// Fetches what the books need until `stop` turns true. Only the venue, the REST address and the limits of
/// the settings count.
pub async fn fetch_snapshots(
    settings: WebsocketSettings,
    rings: Vec<Sender>,
    reports: mpsc::Receiver<BookReport>,
    status: Arc<FeedStatus>,
    mut stop: watch::Receiver<bool>,
) {
    let books = TopicBooks {
        venue: settings.venue.name(),
        fetcher: SnapshotFetcher::of_topics(&settings, Arc::clone(&status)),
        shards: FxHashMap::default(),
        rings,
        last: 0,
        status,
        has_warned: false,
    };
    tokio::select! {
        () = books.run(reports) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

struct TopicBooks {
    venue: &'static str,
    fetcher: SnapshotFetcher,
    /// The shard of each symbol, by the hash of its name.
    shards: FxHashMap<u64, usize>,
    rings: Vec<Sender>,
    /// The number of the last snapshot.
    last: i64,
    status: Arc<FeedStatus>,
    /// Whether an instrument of another venue was told.
    has_warned: bool,
}

impl TopicBooks {
    async fn run(mut self, mut reports: mpsc::Receiver<BookReport>) {
        let mut beat = interval(LOOK_EVERY);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                report = reports.recv() => match report {
                    Some(report) => self.report(&report),
                    None => return,
                },
                Some((hash, bytes)) = self.fetcher.next_named() => self.send(hash, bytes).await,
                _ = beat.tick() => {}
            }
            let step = self.fetcher.step(clock::instant(), false);
            if !step.messages.is_empty() && !std::mem::replace(&mut self.has_warned, true) {
                let venue = self.venue;
                warn!(
                    venue,
                    "the venue gives snapshots by its websocket alone: write them into the topic"
                );
            }
        }
    }

    fn report(&mut self, report: &BookReport) {
        let (symbol, venue) = match report.instrument.rsplit_once('.') {
            Some((symbol, venue)) => (symbol, venue),
            None => (&*report.instrument, ""),
        };
        if venue == self.venue {
            self.shards
                .insert(name_hash(symbol.as_bytes()), report.shard);
            self.fetcher.report(report);
        } else if !report.is_whole && !std::mem::replace(&mut self.has_warned, true) {
            let (instrument, rest) = (&report.instrument, self.venue);
            warn!(
                instrument,
                rest, "the REST address is of another venue: no snapshot of this book is fetched"
            );
        }
    }

    /// Sends a snapshot to the shard that waits for it, as soon as there is room.
    async fn send(&mut self, hash: u64, bytes: Bytes) {
        let Some(ring) = self
            .shards
            .get(&hash)
            .and_then(|&shard| self.rings.get(shard))
        else {
            return;
        };
        let now = clock::now();
        self.last = now.0.max(self.last + 1);
        let origin = Origin {
            ts_recv: now,
            offset: self.last,
            partition: FETCHED,
            stream: 0,
            late: false,
            reprocessed: false,
        };
        let bytes_sent = bytes.len();
        let mut frame = Frame { origin, bytes };
        while let Err(back) = self.put(ring, frame) {
            frame = back;
            sleep(FULL).await;
        }
        info!(
            venue = self.venue,
            bytes = bytes_sent,
            "fetched a snapshot of a book that waited"
        );
    }

    fn put(&self, ring: &Sender, frame: Frame) -> Result<(), Frame> {
        let _turn = self.status.begin_turn();
        ring.try_send(frame)?;
        count(&self.status.received);
        count(&self.status.sent);
        Ok(())
    }
}

/// How often it is looked whether a request is due again.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long to wait for room in a ring.
const FULL: Duration = Duration::from_millis(2);
