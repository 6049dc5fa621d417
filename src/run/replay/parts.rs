//! A replay's frames in parts, one for each shard, and what came of them.

use std::sync::Arc;

use bytes::Bytes;

use crate::decode::DecodeError;
use crate::engine::row::GapRecord;
use crate::frame::{Frame, Origin};
use crate::model::ModelError;
use crate::run::delivery::DeliveredCommand;
use crate::signal::Signal;

/// A message, and its number among all that were read.
#[derive(Debug)]
pub(super) struct NumberedFrame {
    pub(super) number: u64,
    pub(super) frame: Frame,
}

/// Frames that come one behind the other, by the shards that get them.
#[derive(Debug)]
pub(super) struct FrameParts {
    pub(super) shards: Vec<Vec<NumberedFrame>>,
    frames: usize,
    bytes: usize,
}

/// So many messages are read before the shards get them, or so many bytes of them.
const FRAMES_MAX: usize = 8_192;
const BYTES_MAX: usize = 8 << 20;

impl FrameParts {
    pub(super) fn new(shards: usize) -> Self {
        Self {
            shards: (0..shards).map(|_| vec![]).collect(),
            frames: 0,
            bytes: 0,
        }
    }

    pub(super) fn push(&mut self, shard: usize, frame: NumberedFrame) {
        self.frames += 1;
        self.bytes += frame.frame.bytes.len();
        self.shards[shard].push(frame);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames == 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.frames >= FRAMES_MAX || self.bytes >= BYTES_MAX
    }

    /// The frames of each shard, which are no longer here then.
    pub(super) fn take(&mut self) -> Vec<Vec<NumberedFrame>> {
        let shards = self.shards.len();
        std::mem::replace(self, Self::new(shards)).shards
    }
}

/// What came of the frames of a part.
#[derive(Debug, Default)]
pub(super) struct PartOutputs {
    /// In the order of the frames.
    pub(super) all: Vec<(u64, FrameOutput)>,
    /// The instruments that are new, with the number of the frame that names them.
    pub(super) new_names: Vec<(u64, Arc<str>)>,
}

/// What came of a part; the shard ends with an error.
pub(super) type PartResult = Result<PartOutputs, ModelError>;

/// What came of a frame.
#[derive(Debug)]
pub(super) enum FrameOutput {
    Signal(Box<Signal>, Arc<str>),
    Gap(Box<GapRecord>, Arc<str>),
    DeadLetter {
        error: DecodeError,
        origin: Origin,
        bytes: Bytes,
    },
    Command(DeliveredCommand),
}

impl FrameOutput {
    /// The instrument that it is about.
    pub(super) fn instrument(&self) -> Option<&str> {
        match self {
            Self::Signal(_, name) | Self::Gap(_, name) => Some(name),
            Self::DeadLetter { .. } | Self::Command(_) => None,
        }
    }
}
