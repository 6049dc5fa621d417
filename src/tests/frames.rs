//! Frames without contents, for tests of their way.

use bytes::Bytes;

use crate::frame::{Frame, Origin};
use crate::units::Nanos;

/// A frame of the first partition.
pub(crate) fn frame(offset: i64) -> Frame {
    Frame {
        origin: Origin {
            ts_recv: Nanos(0),
            offset,
            partition: 0,
            stream: 0,
            late: false,
            reprocessed: false,
        },
        bytes: Bytes::new(),
    }
}
