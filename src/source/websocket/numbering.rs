//! The numbers of a feed's frames, over all of its connections.

use bytes::Bytes;

use crate::clock;
use crate::frame::{Frame, Origin};

/// Gives each frame its number and its time.
pub(super) struct FrameNumbers {
    /// The feed's number: see [`Origin::stream`].
    stream: u16,
    next: i64,
}

impl FrameNumbers {
    pub(super) fn new(stream: u16) -> Self {
        Self { stream, next: 0 }
    }

    /// A frame that came now, by the connection of this number.
    pub(super) fn frame(&mut self, connection: i32, bytes: Bytes) -> Frame {
        let origin = Origin {
            ts_recv: clock::now(),
            offset: self.next,
            partition: connection,
            stream: self.stream,
            late: false,
            reprocessed: false,
        };
        self.next += 1;
        Frame { origin, bytes }
    }
}
