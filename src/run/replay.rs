//! The driver for history: captures in, the same signals out as live gave.
//!
//! Opens no socket but to the brokers of topics that are named. With one shard everything runs on the calling
//! thread; with more, each has its thread. What is written does not depend on it, nor does its order.

mod error;
mod numbered_source;
mod on_shards;
mod one_thread;
mod pace;
mod parts;
mod router;
mod shard_thread;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Instant;

pub use self::error::ReplayError;
use self::numbered_source::NumberedSource;
use self::on_shards::OnShards;
use self::one_thread::OneThread;
use self::pace::Pace;
use self::router::FrameRouter;
use super::intake::{FrameOutcome, Intake};
use super::observer::{ObservedStep, Observer};
use super::progress_display::{FRAMES_BETWEEN_LOOKS, ProgressDisplay};
use super::shard::Shard;
use super::summary::{Summary, summarise};
use super::writer::Writer;
use crate::clock;
use crate::decode::ConnectionNumbers;
use crate::decode::Decoder;
use crate::engine::row::{LatePolicy, RowRules};
use crate::pipeline::{Loaded, Pipeline};
use crate::sink::existing_file::ExistingFile;
use crate::sink::file::SideFiles;
use crate::sink::line_file::Appears;
use crate::sink::open::open_file;
use crate::sink::{Sink, SinkError};
use crate::source::file::{FileError, FileSource, SpanEnd};
use crate::units::Nanos;

/// What to replay.
#[derive(Clone, Debug, Default)]
pub struct ReplayOptions {
    /// Captures, merged by receive time.
    pub inputs: Vec<PathBuf>,
    /// Where signals go: JSON lines (compressed where the name ends in `.gz` or `.zst`), or Parquet where it
    /// ends in `.parquet` or `.pq`; `-` is standard output. The file appears when it is finished, or at once
    /// and grows where there is a `speed`. None: nowhere, only the digest is needed.
    pub output: Option<PathBuf>,
    /// Where unreadable frames go, as JSON lines; without it they are dropped and counted.
    pub dead_letters: Option<PathBuf>,
    /// Where alerts go, as JSON lines; nowhere without it.
    pub alerts: Option<PathBuf>,
    /// Where gaps go, as JSON lines; nowhere without it.
    pub gaps: Option<PathBuf>,
    /// Signals before this time are not given; the frames still warm the windows.
    pub from: Option<Nanos>,
    /// How long before `from` a frame may have been received to be read, in nanoseconds, beside
    /// [`CLOCKS_DIFFER_NS`]; none: all frames are.
    pub warm_up: Option<i64>,
    /// Signals from this time on are not given, and what cannot be of use for those before is not read.
    pub to: Option<Nanos>,
    /// Whether frames are read to the end of the inputs all the same, for an observer that follows the
    /// market.
    pub reads_on: bool,
    /// So many times the speed of the recording; none: as fast as possible.
    pub speed: Option<f64>,
}

impl ReplayOptions {
    /// Since when frames are read; none: from the beginning.
    fn begin(&self) -> Option<Nanos> {
        let (from, warm_up) = (self.from?, self.warm_up?);
        Some(Nanos(
            from.0
                .saturating_sub(warm_up)
                .saturating_sub(CLOCKS_DIFFER_NS),
        ))
    }

    /// Where reading may end; none: at the end of the inputs. Late events may still be put in their place.
    fn end(&self, rules: &RowRules) -> Option<SpanEnd> {
        let within = match rules.late {
            LatePolicy::Correct { within } => within,
            LatePolicy::Update | LatePolicy::Drop => 0,
        };
        let margin = CLOCKS_DIFFER_NS.saturating_add(rules.lateness.max(within));
        let to = self.to.filter(|_| !self.reads_on);
        to.map(|to| SpanEnd::new(to, margin))
    }

    /// The outputs that a replay leaves where it fails: those that grow, and those that replace no file.
    fn kept_at_failure(&self) -> Vec<PathBuf> {
        let outputs = [&self.output, &self.dead_letters, &self.alerts, &self.gaps];
        let paths = outputs.into_iter().flatten();
        let kept = paths.filter(|path| self.speed.is_some() || !path.exists());
        kept.cloned().collect()
    }

    /// Opens the inputs.
    ///
    /// # Errors
    /// [`FileError`] naming the file.
    pub fn open(&self, pipeline: &Pipeline) -> Result<FileSource, FileError> {
        pipeline.open_span(&self.inputs, self.begin(), self.end(&pipeline.rules))
    }
}

/// How far the clock of a venue may be ahead of ours, in nanoseconds, beside the warm-up: no event from
/// `from` on is left out. As much later than its event a message may be received, so that none before `to`
/// is left out.
pub const CLOCKS_DIFFER_NS: i64 = 10_000_000_000;

/// Replays captures through a pipeline.
///
/// # Errors
/// [`ReplayError`]. What a damaged capture gave until then has been written, but over no file: see
/// [`ReplayError::Incomplete`].
pub fn replay(pipeline: &Pipeline, options: &ReplayOptions) -> Result<Summary, ReplayError> {
    let mut loaded = pipeline.load_model()?;
    loaded.lineage.streams = stream_names(&options.inputs);
    let kept = options.kept_at_failure();
    let sink = open_file(
        &loaded.lineage,
        &pipeline.fields,
        options.output.as_deref(),
        SideFiles {
            dead_letters: options.dead_letters.as_deref(),
            alerts: options.alerts.as_deref(),
            gaps: options.gaps.as_deref(),
        },
        match options.speed {
            Some(_) => Appears::Growing(ExistingFile::Replaced),
            None => Appears::AtEnd,
        },
    )?;
    replay_into(pipeline, &loaded, sink, options).map_err(|cause| {
        let outputs: Vec<PathBuf> = kept.into_iter().filter(|path| path.is_file()).collect();
        match outputs.is_empty() {
            true => cause,
            false => ReplayError::Incomplete {
                cause: Box::new(cause),
                outputs,
            },
        }
    })
}

/// Replays captures through a loaded pipeline into a sink.
///
/// # Errors
/// [`ReplayError`]. What was made until then has been taken by the sink.
pub fn replay_into(
    pipeline: &Pipeline,
    loaded: &Loaded,
    sink: Box<dyn Sink>,
    options: &ReplayOptions,
) -> Result<Summary, ReplayError> {
    if pipeline.file.engine.shards == 1 {
        return replay_on_one_thread(pipeline, loaded, sink, options, &mut ());
    }
    let began = clock::instant();
    let source = options.open(pipeline)?;
    let mut writer = writer(pipeline, loaded, sink)?;
    let (shards, copies) = replay_on_shards(pipeline, loaded, source, &mut writer, options)?;
    let mut summary = finish(pipeline, loaded, shards, &writer, began);
    summary.frames.leave_out_copies(copies);
    Ok(summary)
}

/// Replays captures through a loaded pipeline while `observer` watches, on one thread whatever the
/// pipeline's number of shards: signals do not depend on it.
///
/// # Errors
/// [`ReplayError`], also for what the observer cannot write.
pub fn replay_observed(
    pipeline: &Pipeline,
    loaded: &Loaded,
    inputs: &[PathBuf],
    observer: &mut impl Observer,
) -> Result<Summary, ReplayError> {
    let options = ReplayOptions {
        inputs: inputs.to_vec(),
        ..ReplayOptions::default()
    };
    replay_span_observed(pipeline, loaded, &options, observer)
}

/// The same of the span of time that the options ask for; they name no files to write.
///
/// # Errors
/// [`ReplayError`], also for what the observer cannot write.
pub fn replay_span_observed(
    pipeline: &Pipeline,
    loaded: &Loaded,
    options: &ReplayOptions,
    observer: &mut impl Observer,
) -> Result<Summary, ReplayError> {
    let nowhere = open_file(
        &loaded.lineage,
        &[],
        None,
        SideFiles::default(),
        Appears::AtEnd,
    )?;
    replay_on_one_thread(pipeline, loaded, nowhere, options, observer)
}

/// The names of the streams that the frames of these files come from, for
/// [`Lineage::streams`](crate::signal::lineage::Lineage::streams).
#[must_use]
pub fn stream_names(inputs: &[PathBuf]) -> Vec<String> {
    inputs.iter().map(|path| file_name(path)).collect()
}

/// What [`observe_events`] has read.
pub struct Observed {
    /// With its account and its names.
    pub intake: Intake,
    /// Frames of the captures. The account counts what they are made of: the messages of a bundle, and a gap
    /// before a message whose number shows that others are missing.
    pub frames: u64,
    /// The numbers of the connections' messages; none where no message had one.
    pub numbers: Option<ConnectionNumbers>,
    /// The format of each file, and its records.
    pub files: Vec<(&'static str, u64)>,
}

/// Reads captures to their end without a model: `observer` sees the events of each frame as a step without
/// signals.
///
/// # Errors
/// [`ReplayError`], also for what the observer cannot write.
pub fn observe_events(
    source: FileSource,
    mut intake: Intake,
    observer: &mut impl Observer,
) -> Result<Observed, ReplayError> {
    let mut source = NumberedSource::new(source, intake.venues().clone());
    let mut progress = ProgressDisplay::new("frames");
    while let Some((origin, bytes)) = source.next_frame()? {
        let messages = intake.split(bytes);
        let whole = [bytes].into_iter().filter(|_| messages.is_empty());
        for message in whole.chain(messages.iter().map(Vec::as_slice)) {
            let outcome = intake.frame(origin, message);
            observer.frame(&origin, &outcome);
            if let FrameOutcome::Command(command) = outcome {
                observer.command(&command);
            }
        }
        observer.step(&ObservedStep {
            batch: intake.batch(),
            signals: &[],
            instruments: intake.instruments(),
        })?;
        intake.release();
        let frames = intake.account().received;
        if frames.is_multiple_of(FRAMES_BETWEEN_LOOKS) {
            progress.show(frames, || source.progress());
        }
    }
    Ok(Observed {
        intake,
        frames: source.frames(),
        numbers: source.numbers(),
        files: source.read_so_far(),
    })
}

fn writer(
    pipeline: &Pipeline,
    loaded: &Loaded,
    sink: Box<dyn Sink>,
) -> Result<Writer, ReplayError> {
    let alerts = pipeline
        .alert_journal(&loaded.lineage, false)
        .map_err(SinkError::from)?;
    Ok(Writer::new(sink, &loaded.lineage).with_alerts(alerts))
}

fn finish(
    pipeline: &Pipeline,
    loaded: &Loaded,
    shards: Vec<Shard>,
    writer: &Writer,
    began: Instant,
) -> Summary {
    Summary {
        pipeline: pipeline.file.name.clone(),
        signals: writer.written(),
        alerts: writer.alerts(),
        seconds: clock::instant().duration_since(began).as_secs_f64(),
        ..summarise(&loaded.lineage, shards)
    }
}

fn replay_on_one_thread(
    pipeline: &Pipeline,
    loaded: &Loaded,
    sink: Box<dyn Sink>,
    options: &ReplayOptions,
    observer: &mut impl Observer,
) -> Result<Summary, ReplayError> {
    let began = clock::instant();
    let source = options.open(pipeline)?;
    let writer = writer(pipeline, loaded, sink)?;
    let shard = make_shard(pipeline.decoder(), loaded, &writer, options)?;
    let mut replay = OneThread {
        shard,
        writer,
        observer,
        signals: vec![],
        gaps: vec![],
        batch: pipeline.file.engine.batch,
    };
    let source = NumberedSource::new(source, pipeline.venues());
    replay.run(source, Pace::new(options.speed))?;
    let OneThread { shard, writer, .. } = replay;
    Ok(finish(pipeline, loaded, vec![shard], &writer, began))
}

/// A replay with a thread for each shard. Also returns the number of copies that the router made.
fn replay_on_shards(
    pipeline: &Pipeline,
    loaded: &Loaded,
    source: FileSource,
    writer: &mut Writer,
    options: &ReplayOptions,
) -> Result<(Vec<Shard>, u64), ReplayError> {
    let config = &pipeline.file.engine;
    let mut shards = vec![];
    for number in 0..config.shards {
        let decoder = pipeline.decoder().of_shard(number, config.shards);
        shards.push(make_shard(decoder, loaded, writer, options)?);
    }
    let threads = OnShards {
        shards,
        source: NumberedSource::new(source, pipeline.venues()),
        router: FrameRouter::new(pipeline, config.shards),
        pace: Pace::new(options.speed),
        batch: match loaded.lineage.corrects {
            true => 1,
            false => config.batch,
        },
    };
    threads.run(writer)
}

fn make_shard(
    decoder: Decoder,
    loaded: &Loaded,
    writer: &Writer,
    options: &ReplayOptions,
) -> Result<Shard, ReplayError> {
    let shard = Shard::new(decoder, loaded.engine()?, &loaded.lineage, false)
        .keeping_dead_letters(writer.keeps_dead_letters())
        .giving_reprocessed(writer.makes_alerts());
    Ok(shard.between(options.from, options.to))
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
