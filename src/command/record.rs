//! Records a live source: the frames as received to a capture, and what they mean to our own topics.

mod books;
mod publisher;
mod records;

use std::fmt;
use std::time::Duration;

use self::books::RecordedBooks;
use self::publisher::Publisher;
use super::arguments::{RecordArguments, RecordTarget};
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
    /// The capture of the frames; none where they are not kept.
    pub capture: Option<CaptureSettings>,
    /// Whether trades, quotes and books go to our topics.
    pub publishes: bool,
    /// Ends after so long.
    pub duration: Option<Duration>,
}

impl RecordOptions {
    /// Those of the command line.
    ///
    /// # Errors
    /// [`CaptureNameError`] for an unknown placeholder.
    pub fn of(arguments: &RecordArguments) -> Result<Self, CaptureNameError> {
        let capture = arguments.output.as_deref().map(CaptureSettings::new);
        Ok(Self {
            capture: capture.transpose()?.map(|capture| CaptureSettings {
                rotate_bytes: arguments.rotate_bytes,
                ..capture
            }),
            publishes: arguments.to == Some(RecordTarget::Kafka),
            duration: arguments.seconds.map(Duration::from_secs),
        })
    }
}

/// What was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The capture, where there is one.
    pub capture: Option<CaptureEnd>,
    /// Records published, where they were asked for.
    pub published: Option<u64>,
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(capture) = &self.capture {
            writeln!(f, "{capture}")?;
        }
        if let Some(published) = self.published {
            writeln!(f, "{published} records published")?;
        }
        Ok(())
    }
}

/// Records the pipeline's source until stopped, or for the duration.
///
/// # Errors
/// [`RunError`] where the source cannot be read, the file not be written, or Kafka takes no records.
pub fn record(
    pipeline: &Pipeline,
    options: &RecordOptions,
    stop: &StopFlag,
) -> Result<Recorded, RunError> {
    pipeline.may_be_captured()?;
    // Refuses wrong instruments before the file is made: it may replace an older capture.
    pipeline.stream_names()?;
    let mut publisher = match options.publishes {
        true => Some(Publisher::connect(
            pipeline,
            stop.patience(options.duration),
        )?),
        false => None,
    };
    let runtime = source_runtime(pipeline)?;
    let capture = options.capture.clone().map(|capture| CaptureSettings {
        feed: pipeline.file.name.clone(),
        ..capture
    });
    let mut capture = capture.map(CaptureWriter::create).transpose()?;
    let (sender, receiver) = ring(pipeline.file.engine.ring_frames);
    let (requests, requested) = snapshot_requests();
    let mut books = RecordedBooks::of(pipeline, requests, options.publishes);
    let source_options = SourceOptions {
        until_end: false,
        is_recorded: true,
        starts: None,
    };
    let source = Source::start(pipeline, source_options, vec![sender], requested, &runtime)?;
    let deadline = options.duration.map(|duration| clock::instant() + duration);
    let (mut frames, mut positions) = (Vec::with_capacity(BATCH), vec![]);
    let mut stopping = false;
    // One output that fails leaves the other; what the capture has is kept.
    let mut failure: Option<RunError> = None;
    let mut synced = clock::instant();
    while receiver.drain(&mut frames, BATCH, PATIENCE) {
        for frame in frames.drain(..) {
            let written = capture.as_mut().map(|capture| capture.write(&frame));
            if let Some(Err(error)) = written {
                end_capture(&mut capture);
                failure = told(failure, error.into());
            }
            let records = books.take(&frame);
            let published = publisher.as_mut().map(|sink| sink.publish(&records));
            if let Some(Err(error)) = published {
                publisher = None;
                failure = told(failure, error);
            }
            frame.origin.after().note(&mut positions);
        }
        let now = clock::instant();
        if now.saturating_duration_since(synced) >= SYNC_EVERY {
            synced = now;
            if let Some(Err(error)) = capture.as_mut().map(CaptureWriter::sync) {
                end_capture(&mut capture);
                failure = told(failure, error.into());
            }
            // Only what the disk has may be committed.
            if failure.is_none() {
                for position in positions.drain(..) {
                    source.progress.done(position);
                }
            }
        }
        let is_done = capture.is_none() && publisher.is_none();
        let late = deadline.is_some_and(|deadline| now >= deadline);
        if !stopping && (late || stop.is_set() || source.is_finished() || is_done) {
            stopping = true;
            source.stop();
        }
    }
    let recorded = Recorded {
        capture: capture.map(CaptureWriter::close).transpose()?,
        published: publisher.map(Publisher::close).transpose()?,
    };
    if let Some(failure) = failure {
        source.progress.abandon();
        drop(source.join(&runtime));
        return Err(failure);
    }
    for position in positions.drain(..) {
        source.progress.done(position);
    }
    source.join(&runtime)?;
    Ok(recorded)
}

/// Ends a capture that cannot be written any more, as far as that can be done.
fn end_capture(capture: &mut Option<CaptureWriter>) {
    drop(capture.take().map(CaptureWriter::close));
}

/// The first failure; tells of it at once, because another output may go on for long.
fn told(before: Option<RunError>, failure: RunError) -> Option<RunError> {
    tracing::error!(%failure, "an output has failed; the other one, if there is one, goes on");
    before.or(Some(failure))
}

const BATCH: usize = 1_024;
const PATIENCE: Duration = Duration::from_millis(100);
/// How often the capture is brought to the disk: a crash loses what came since.
const SYNC_EVERY: Duration = Duration::from_millis(500);
