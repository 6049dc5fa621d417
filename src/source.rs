//! Sources hand over frames: the bytes as received, when, and from where.
//!
//! `ts_recv` is stamped here and nowhere else. A source knows its transport; what the bytes mean is
//! `decode`'s business.

pub mod file;
pub mod kafka;
pub mod outlet;
pub mod route;
pub mod status;
pub mod table;
pub mod websocket;

use bytes::Bytes;

use crate::units::Nanos;

/// Bytes as received.
#[derive(Clone, Debug)]
pub struct Frame {
    /// When and from where.
    pub origin: Origin,
    /// The message, whole.
    pub bytes: Bytes,
}

/// Where a frame came from. A signal carries it, so that every signal can be traced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// When we received it, or what the capture says of that.
    pub ts_recv: Nanos,
    /// Number within its partition: Kafka's offset, the line of a file, the count of a connection's frames.
    pub offset: i64,
    /// Kafka's partition; 0 elsewhere.
    pub partition: i32,
    /// Which topic, file or feed: an index into the names that the driver keeps.
    pub stream: u16,
    /// Whether the shard had been behind for longer than the pipeline allows when it came to this frame.
    /// The capture keeps it, so that a replay gives the same signals.
    pub late: bool,
    /// Whether what comes of it has been published before: it is read once more for what must be remembered
    /// of it.
    pub known: bool,
}

#[cfg(test)]
impl Origin {
    /// The first frame of a stream, received at 5.
    pub(crate) fn of_test() -> Self {
        Self {
            ts_recv: Nanos(5),
            offset: 0,
            partition: 0,
            stream: 0,
            late: false,
            known: false,
        }
    }
}
