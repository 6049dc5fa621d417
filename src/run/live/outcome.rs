//! What a live run is asked for, and what came of it.

use std::time::Duration;

use crate::run::error::RunError;
use crate::run::summary::Summary;
use crate::source::capture::CaptureSettings;

/// How long to run, and what to keep.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Ends once the topics have been read up to where they ended at the start.
    pub until_end: bool,
    /// Ends after so long.
    pub duration: Option<Duration>,
    /// Writes the frames to a capture, in the order in which the engine saw them.
    pub capture: Option<CaptureSettings>,
}

/// What a run did, and why it ended early, if it did.
#[derive(Debug)]
pub struct RunOutcome {
    /// What it did.
    pub summary: Summary,
    /// Why it ended early.
    pub failure: Option<RunError>,
}
