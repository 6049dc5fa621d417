//! Records a live source to a capture: the frames as received, not decoded.

mod books;

use std::time::Duration;

use self::books::RecordedBooks;
use super::arguments::RecordArguments;
use crate::clock;
use crate::pipeline::Pipeline;
use crate::run::error::RunError;
use crate::run::live::sources::{Source, SourceOptions};
use crate::run::runtime::source_runtime;
use crate::run::stop::StopFlag;
use crate::source::capture::{CaptureEnd, CaptureNameError, CaptureSettings, CaptureWriter};
use crate::source::ring::ring;
use crate::source::snapshot_requests::snapshot_requests;

/// What to record, and for how long.
#[derive(Clone, Debug)]
pub struct RecordOptions {
    /// Where to.
    pub capture: CaptureSettings,
    /// Ends after so long.
    pub duration: Option<Duration>,
}

impl RecordOptions {
    /// Those of the command line.
    ///
    /// # Errors
    /// [`CaptureNameError`] for an unknown placeholder.
    pub fn of(arguments: &RecordArguments) -> Result<Self, CaptureNameError> {
        Ok(Self {
            capture: CaptureSettings {
                rotate_bytes: arguments.rotate_bytes,
                ..CaptureSettings::new(&arguments.output)?
            },
            duration: arguments.seconds.map(Duration::from_secs),
        })
    }
}

/// Records the pipeline's source until stopped, or for the duration.
///
/// # Errors
/// [`RunError`] where the source cannot be read or the file not be written.
pub fn record(
    pipeline: &Pipeline,
    options: &RecordOptions,
    stop: &StopFlag,
) -> Result<CaptureEnd, RunError> {
    pipeline.may_be_captured()?;
    // Refuses wrong instruments before the file is made: it may replace an older capture.
    pipeline.stream_names()?;
    let runtime = source_runtime(pipeline.file.source.kind)?;
    let mut capture = CaptureWriter::create(CaptureSettings {
        feed: pipeline.file.name.clone(),
        ..options.capture.clone()
    })?;
    let (sender, receiver) = ring(pipeline.file.engine.ring_frames);
    let (requests, requested) = snapshot_requests();
    let mut books = RecordedBooks::of(pipeline, requests);
    let source_options = SourceOptions {
        until_end: false,
        is_recorded: true,
    };
    let source = Source::start(pipeline, source_options, vec![sender], requested, &runtime)?;
    let deadline = options.duration.map(|duration| clock::instant() + duration);
    let (mut frames, mut positions) = (Vec::with_capacity(BATCH), vec![]);
    let mut stopping = false;
    let mut synced = clock::instant();
    while receiver.drain(&mut frames, BATCH, PATIENCE) {
        for frame in frames.drain(..) {
            capture.write(&frame)?;
            books.take(&frame);
            frame.origin.after().note(&mut positions);
        }
        let now = clock::instant();
        if now.saturating_duration_since(synced) >= SYNC_EVERY {
            synced = now;
            capture.sync()?;
            // Only what the disk has may be committed.
            for position in positions.drain(..) {
                source.progress.done(position);
            }
        }
        let late = deadline.is_some_and(|deadline| now >= deadline);
        if !stopping && (late || stop.is_set() || source.is_finished()) {
            stopping = true;
            source.stop();
        }
    }
    let written = capture.close()?;
    for position in positions.drain(..) {
        source.progress.done(position);
    }
    source.join(&runtime)?;
    Ok(written)
}

const BATCH: usize = 1_024;
const PATIENCE: Duration = Duration::from_millis(100);
/// How often the capture is brought to the disk: a crash loses what came since.
const SYNC_EVERY: Duration = Duration::from_millis(500);
