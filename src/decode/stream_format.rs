//! What the decoder remembers of one stream.

use super::format::Format;
use super::stream_state::StreamState;

/// What the decoder remembers of one stream.
#[derive(Clone, Debug, Default)]
pub(super) struct StreamFormat {
    /// That of its last frame with events, which is tried first for the next frame.
    pub(super) format: Option<Format>,
    /// By partition, so that the answer does not depend on which partitions a shard has.
    pub(super) partitions: Vec<StreamState>,
}
