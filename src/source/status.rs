//! The counters of a feed, which add up, and whether it is healthy.
//!
//! Only counts; knows no metrics format.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use super::partition_figures::PartitionFigures;
use super::turn::{Turn, WriterTurns};
use crate::units::Nanos;

/// Counters of one feed, shared by its source and the reports on it.
///
/// Between the source's turns, `received + copies = sent + conflated + dropped + held`.
#[derive(Debug, Default)]
pub struct FeedStatus {
    /// Messages and records that came in.
    pub received: AtomicU64,
    /// Copies of frames that go to more than one shard.
    pub copies: AtomicU64,
    /// Frames put into a ring; gap frames, which we write ourselves, are not counted here.
    pub sent: AtomicU64,
    /// Quotes replaced by a newer one of the same instrument before there was room.
    pub conflated: AtomicU64,
    /// Frames lost, by reason.
    pub dropped: Dropped,
    /// Frames that wait for room in a ring now.
    pub held: AtomicU64,
    /// Gap frames put into a ring.
    pub gaps: AtomicU64,
    /// Connections made (websocket) or assignments received (Kafka).
    pub connections: AtomicU64,
    /// Connections that failed or were lost, and errors of a broker.
    pub failures: AtomicU64,
    /// Ends of connections, by reason.
    pub ends: EndCounts,
    /// Parts of a subscription that the venue refused, for good or for the moment.
    pub rejections: AtomicU64,
    /// Other errors and notices of the venue.
    pub notices: AtomicU64,
    /// Snapshots of books that were fetched and spliced.
    pub snapshots: AtomicU64,
    /// Attempts to get a snapshot of a book that failed: refused, no snapshot, or never spliced.
    pub snapshot_failures: AtomicU64,
    /// What a Kafka source knows of its partitions.
    pub partitions: PartitionFigures,
    /// The source's turns: in each, frames are received, sent, held or dropped, and counted.
    pub turns: WriterTurns,
    healthy: AtomicBool,
    /// Whether questions to the brokers are not answered.
    silent: AtomicBool,
    last_data: AtomicI64,
}

/// Why connections ended.
#[derive(Debug, Default)]
pub struct EndCounts([AtomicU64; EndReason::ALL.len()]);

/// Why a connection ended, or could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// We renewed it before the venue's age limit.
    Renewed,
    /// The venue announced that it would close it.
    Shutdown,
    /// Nothing came for too long, not even an answer to a ping.
    Idle,
    /// It lived, but a venue that sends heartbeats sent no data for too long.
    Silent,
    /// A book could not be repaired on it.
    Unrepaired,
    /// The venue closed it.
    Closed,
    /// The venue refused to open it, by an HTTP status.
    Refused,
    /// The venue reported a fault of it: too many connections, or a client that is too slow.
    Fault,
    /// The venue refuses it for good: a wrong key, for example.
    Fatal,
    /// There was no way to the venue: no address, no route, nobody listening.
    Unreachable,
    /// Connecting or sending took too long.
    Timeout,
    /// TLS failed.
    Tls,
    /// A message was larger than is taken.
    TooLarge,
    /// What came was no websocket.
    Protocol,
    /// It broke off.
    Broken,
}

impl EndReason {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Renewed,
        Self::Shutdown,
        Self::Idle,
        Self::Silent,
        Self::Unrepaired,
        Self::Closed,
        Self::Refused,
        Self::Fault,
        Self::Fatal,
        Self::Unreachable,
        Self::Timeout,
        Self::Tls,
        Self::TooLarge,
        Self::Protocol,
        Self::Broken,
    ];

    /// The word used in metrics.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Renewed => "renewed",
            Self::Shutdown => "shutdown",
            Self::Idle => "idle",
            Self::Silent => "silent",
            Self::Unrepaired => "unrepaired",
            Self::Closed => "closed",
            Self::Refused => "refused",
            Self::Fault => "fault",
            Self::Fatal => "fatal",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::TooLarge => "too_large",
            Self::Protocol => "protocol",
            Self::Broken => "broken",
        }
    }

    /// Whether it is part of normal work.
    #[must_use]
    pub fn is_planned(self) -> bool {
        matches!(self, Self::Renewed | Self::Shutdown)
    }
}

impl EndCounts {
    /// How many ended so.
    #[must_use]
    pub fn of(&self, reason: EndReason) -> u64 {
        self.0[reason as usize].load(Ordering::Relaxed)
    }

    pub(super) fn count(&self, reason: EndReason) {
        count(&self.0[reason as usize]);
    }
}

/// Why frames were lost.
#[derive(Debug, Default)]
pub struct Dropped {
    /// The ring was full; a gap frame follows.
    pub overflow: AtomicU64,
    /// A binary message on a text feed.
    pub binary: AtomicU64,
    /// A Kafka record without a payload.
    pub tombstone: AtomicU64,
    /// Held when its connection ended or its partition was taken away, or a record of a partition that is not
    /// read on in this run.
    pub orphaned: AtomicU64,
    /// A second connection brought it once more, or it came behind a later one of its connection.
    pub repeated: AtomicU64,
}

impl Dropped {
    /// How many of each, by the reason as it is shown.
    #[must_use]
    pub fn by_reason(&self) -> [(&'static str, u64); 5] {
        [
            ("overflow", &self.overflow),
            ("binary", &self.binary),
            ("tombstone", &self.tombstone),
            ("orphaned", &self.orphaned),
            ("repeated", &self.repeated),
        ]
        .map(|(reason, count)| (reason, count.load(Ordering::Relaxed)))
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_reason().iter().map(|(_, count)| count).sum()
    }
}

impl FeedStatus {
    /// Begins a turn of the source.
    pub(super) fn begin_turn(&self) -> Turn<'_> {
        self.turns.begin()
    }

    /// Frames that no counter explains: 0 between the source's turns, or there is a bug.
    #[must_use]
    pub fn unexplained(&self) -> i64 {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let due = read(&self.received) + read(&self.copies);
        let explained =
            read(&self.sent) + read(&self.conflated) + self.dropped.total() + read(&self.held);
        due.wrapping_sub(explained).cast_signed()
    }

    /// Whether the feed is connected and, as far as it knows, alive.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.is_connected() && !self.silent.load(Ordering::Relaxed)
    }

    /// Whether the feed is connected, or has its partitions, though nobody may answer.
    pub(super) fn is_connected(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    /// Says whether questions to the brokers are not answered. Returns what was said before.
    pub(super) fn set_silent(&self, silent: bool) -> bool {
        self.silent.swap(silent, Ordering::Relaxed)
    }

    /// When the last data came; `None` before the first.
    #[must_use]
    pub fn last_data(&self) -> Option<Nanos> {
        let nanos = self.last_data.load(Ordering::Relaxed);
        (nanos != 0).then_some(Nanos(nanos))
    }

    pub(crate) fn set_healthy(&self, healthy: bool) {
        self.healthy.store(healthy, Ordering::Relaxed);
    }

    pub(super) fn data_came(&self, at: Nanos) {
        self.received.fetch_add(1, Ordering::Relaxed);
        self.last_data.store(at.0, Ordering::Relaxed);
    }
}

/// Adds one.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
