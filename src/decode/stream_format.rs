//! What the decoder remembers of one stream.

use super::decoded::{Decoded, Notice};
use super::error::DecodeError;
use super::format::Format;
use super::stream_state::StreamState;
use crate::event::{Body, Event};
use crate::units::Nanos;

/// What the decoder remembers of one stream.
#[derive(Clone, Debug, Default)]
pub(super) struct StreamFormat {
    /// That of its last frame with events, which is tried first for the next frame.
    pub(super) format: Option<Format>,
    /// By partition, so that the answer does not depend on which partitions a shard has.
    pub(super) partitions: Vec<StreamState>,
    /// When one connection took the place of another; none before. What the new one brought before then
    /// comes behind what the old one brought.
    handed_over: Option<Nanos>,
}

impl StreamFormat {
    /// Notes a handover, and marks the book changes that were received before the last one.
    pub(super) fn note_handover(
        &mut self,
        decoded: Result<Decoded, DecodeError>,
        ts_recv: Nanos,
        events: &mut [Event],
    ) {
        if decoded == Ok(Decoded::Notice(Notice::Handover)) {
            self.handed_over = Some(ts_recv).filter(|&ts| ts != Nanos::UNDEFINED);
        }
        if self.handed_over.is_none_or(|at| ts_recv > at) {
            return;
        }
        for event in events {
            if let Body::Depth(depth) = &mut event.body {
                depth.overlaps = true;
            }
        }
    }
}
