//! Where the frames of a window stand in their files: the inputs are read once more, up to the last of them.

use std::collections::HashMap;

use crate::frame::Origin;
use crate::pipeline::Pipeline;
use crate::run::progress_display::ProgressDisplay;
use crate::run::replay::ReplayOptions;
use crate::source::file::{FileError, FramePlace};

/// The address of a frame: stream, partition, offset.
type FrameKey = (u16, i32, i64);

/// The places of frames, as far as they are known.
#[derive(Default)]
pub(super) struct FramePlaces {
    all: HashMap<FrameKey, FramePlace>,
}

impl FramePlaces {
    /// Looks for the frames of these origins in the inputs of a replay. Those of a pipe are gone.
    pub(super) fn find(
        pipeline: &Pipeline,
        options: &ReplayOptions,
        origins: &[Origin],
    ) -> Result<Self, FileError> {
        let mut found = Self::default();
        if !options.inputs.iter().all(|input| input.is_file()) {
            return Ok(found);
        }
        let mut wanted: HashMap<FrameKey, ()> =
            origins.iter().map(|origin| (address(origin), ())).collect();
        let mut source = options.open(pipeline)?;
        let mut progress = ProgressDisplay::new("frames");
        let mut frames = 0;
        while !wanted.is_empty() && source.advance()? {
            frames += 1;
            progress.show(frames, || source.progress());
            let address = address(&source.frame().0);
            if wanted.remove(&address).is_some() {
                found.all.insert(address, source.place());
            }
        }
        Ok(found)
    }

    /// The place of the frame of an origin.
    pub(super) fn of(&self, origin: &Origin) -> Option<&FramePlace> {
        self.all.get(&address(origin))
    }
}

fn address(origin: &Origin) -> FrameKey {
    (origin.stream, origin.partition, origin.offset)
}
