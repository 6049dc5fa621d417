//! A capture as the source of a live run would hand it over: where a venue counts the messages of a
//! connection, a gap frame stands before the message that shows that some are missing, and a copy is counted,
//! not applied.

use bytes::Bytes;

use crate::decode::{ConnectionChecks, ConnectionNumbers, ConnectionOrder, Venues};
use crate::frame::Origin;
use crate::source::conflation::sequence_gap;
use crate::source::file::{FileError, FileSource, InputProgress};

/// Files, and the numbers of their connections.
pub(super) struct NumberedSource {
    source: FileSource,
    venues: Venues,
    checks: ConnectionChecks,
    /// The gap that stands before the frame that the source is at.
    gap: Option<Bytes>,
    frames: u64,
}

impl NumberedSource {
    /// These files, of these venues.
    #[must_use]
    pub(super) fn new(source: FileSource, venues: Venues) -> Self {
        Self {
            source,
            venues,
            checks: ConnectionChecks::default(),
            gap: None,
            frames: 0,
        }
    }

    /// Frames of the files so far.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// How much of the files has been read, and up to what time.
    pub(super) fn progress(&mut self) -> InputProgress {
        self.source.progress()
    }

    /// The format of each file, and the records of it so far.
    pub(super) fn read_so_far(&self) -> Vec<(&'static str, u64)> {
        self.source.read_so_far()
    }

    /// The numbers of the connections so far; none where no message had one.
    pub(super) fn numbers(&self) -> Option<ConnectionNumbers> {
        self.checks.numbers()
    }

    /// The next frame, or a gap frame before it.
    ///
    /// # Errors
    /// [`FileError`] where a file cannot be read.
    pub(super) fn next_frame(&mut self) -> Result<Option<(Origin, &[u8])>, FileError> {
        if self.gap.take().is_some() {
            return Ok(Some(self.source.frame()));
        }
        if self.source.advance()? {
            self.frames += 1;
            let (origin, message) = self.source.frame();
            let is_checked = self.source.is_of_session();
            let checks = &mut self.checks;
            let order = checks.take(origin.stream, &self.venues, message, is_checked);
            match order {
                ConnectionOrder::Follows => return Ok(Some(self.source.frame())),
                ConnectionOrder::Lost(missing) => {
                    let gap = self.gap.insert(sequence_gap(missing));
                    return Ok(Some((origin, gap)));
                }
                // What stands for it is counted, and nothing more.
                ConnectionOrder::Behind => return Ok(Some((origin, REPEATED))),
            }
        }
        Ok(None)
    }
}

/// In the place of a frame that came behind a later one of its connection.
const REPEATED: &[u8] = br#"{"foretick":"repeated"}"#;
