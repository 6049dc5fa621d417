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

    /// A frame that was held, with the next number: numbers rise in the order in which frames are handed on.
    pub(super) fn renumbered(&mut self, mut frame: Frame) -> Frame {
        frame.origin.offset = self.next;
        self.next += 1;
        frame
    }
}
