//! One partition of one topic, as a key.

use crate::frame::Frame;

/// A topic's stream (see [`Origin::stream`](crate::frame::Origin::stream)) and a partition of it.
pub(crate) type PartitionKey = (u16, i32);

/// The partition that a frame came from.
pub(crate) fn partition_of(frame: &Frame) -> PartitionKey {
    (frame.origin.stream, frame.origin.partition)
}
