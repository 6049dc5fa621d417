//! A frame that could not be decoded, as sinks take it.

use crate::frame::Origin;

/// A frame that could not be decoded.
#[derive(Clone, Copy, Debug)]
pub struct DeadLetter<'a> {
    /// The reason, as the counters name it.
    pub reason: &'a str,
    /// The field at fault, where one is known.
    pub field: Option<&'a str>,
    /// The address of the frame.
    pub origin: Origin,
    /// The name of its stream.
    pub stream: &'a str,
    /// The frame.
    pub bytes: &'a [u8],
}
