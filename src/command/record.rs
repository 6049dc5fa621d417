//! Records a live source to a capture: the frames as received, not decoded.

use std::path::Path;
use std::time::Duration;

use crate::clock;
use crate::pipeline::Pipeline;
use crate::run::error::RunError;
use crate::run::live::sources::Source;
use crate::run::runtime::source_runtime;
use crate::run::stop::StopFlag;
use crate::source::capture::CaptureWriter;
use crate::source::ring::ring;
use crate::source::snapshot_requests::snapshot_requests;

/// Records the pipeline's source until stopped, for `duration` if given. Gives the number of frames.
///
/// # Errors
/// [`RunError`] where the source cannot be read or the file not be written.
pub fn record(
    pipeline: &Pipeline,
    output: &Path,
    duration: Option<Duration>,
    stop: &StopFlag,
) -> Result<u64, RunError> {
    pipeline.may_be_captured()?;
    // Refuses wrong instruments before the file is made: it may replace an older capture.
    pipeline.stream_names()?;
    let runtime = source_runtime(pipeline.file.source.kind)?;
    let mut capture = CaptureWriter::create(output)?;
    let (sender, receiver) = ring(pipeline.file.engine.ring_frames);
    // Nothing is decoded here, so no book requests a snapshot.
    let (_, requested) = snapshot_requests();
    let source = Source::start(pipeline, false, vec![sender], requested, &runtime)?;
    let deadline = duration.map(|duration| clock::instant() + duration);
    let (mut frames, mut positions) = (Vec::with_capacity(BATCH), vec![]);
    let mut stopping = false;
    while receiver.drain(&mut frames, BATCH, PATIENCE) {
        for frame in frames.drain(..) {
            capture.write(&frame)?;
            frame.origin.after().note(&mut positions);
        }
        // Only what the file has may be committed.
        capture.flush()?;
        for position in positions.drain(..) {
            source.progress.done(position);
        }
        let late = deadline.is_some_and(|deadline| clock::instant() >= deadline);
        if !stopping && (late || stop.is_set() || source.is_finished()) {
            stopping = true;
            source.stop();
        }
    }
    let written = capture.close()?;
    source.join(&runtime)?;
    Ok(written)
}

const BATCH: usize = 1_024;
const PATIENCE: Duration = Duration::from_millis(100);
