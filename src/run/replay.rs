//! The driver for history: captures in, the same signals out as live gave.
//!
//! Opens no socket. With one shard everything runs on the calling thread; with more, each has its
//! thread and ring, as live. Signals do not depend on it.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::shard::{Shard, pace_of};
use super::summary::Summary;
use super::summary::summarise;
use super::worker::{Settings, Window, work};
use super::writer::Writer;
use crate::alert::journal::Desk;
use crate::clock;
use crate::decode::route::{SymbolFinder, shard_of};
use crate::frame::{Frame, Origin};
use crate::model::ModelError;
use crate::pipeline::{Loaded, Pipeline, PipelineError};
use crate::signal::Signal;
use crate::sink;
use crate::sink::{Beside, Sink, SinkError};
use crate::source::file::{FileError, FileSource};
use crate::source::ring::{Sender, ring_of};
use crate::units::Nanos;

/// What to replay.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Captures, merged by receive time.
    pub inputs: Vec<PathBuf>,
    /// Where signals go: JSON lines, or Parquet where the name ends in `.parquet`; `-` is standard
    /// output. None: nowhere, the digest is all that is wanted.
    pub output: Option<PathBuf>,
    /// Where unreadable frames go, as JSON lines; without it they are dropped and counted.
    pub dead_letters: Option<PathBuf>,
    /// Where alerts go, as JSON lines; nowhere without it.
    pub alerts: Option<PathBuf>,
    /// Signals before this time are not given; the frames still warm the windows.
    pub from: Option<Nanos>,
    /// Signals from this time on are not given.
    pub to: Option<Nanos>,
    /// So many times the speed of the recording; none: as fast as possible.
    pub speed: Option<f64>,
}

/// Why a replay ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The pipeline cannot run.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// A capture cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Signals cannot be written.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The model failed.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// Replays captures through a pipeline.
///
/// # Errors
/// [`ReplayError`]. What was made until then has been written.
pub fn replay(pipeline: &Pipeline, options: &Options) -> Result<Summary, ReplayError> {
    let mut loaded = pipeline.load_model()?;
    loaded.lineage.streams = options.inputs.iter().map(|path| file_name(path)).collect();
    let sink = sink::open_file(
        &loaded.lineage,
        &pipeline.fields,
        options.output.as_deref(),
        Beside {
            dead_letters: options.dead_letters.as_deref(),
            alerts: options.alerts.as_deref(),
        },
    )?;
    replay_into(pipeline, &loaded, sink, options)
}

/// Replays captures through a loaded pipeline into a sink.
///
/// # Errors
/// [`ReplayError`]. What was made until then has been taken by the sink.
pub fn replay_into(
    pipeline: &Pipeline,
    loaded: &Loaded,
    sink: Box<dyn Sink>,
    options: &Options,
) -> Result<Summary, ReplayError> {
    let source = pipeline.open(&options.inputs)?;
    let desk = Desk::of(pipeline, &loaded.lineage, false).map_err(SinkError::from)?;
    let writer = Writer::new(sink, &loaded.lineage).with_alerts(desk);
    let began = clock::instant();
    let pace = Pace::new(options.speed);
    let mut summary = if pipeline.file.engine.shards == 1 {
        on_this_thread(pipeline, loaded, source, writer, options, pace)
    } else {
        on_shards(pipeline, loaded, source, writer, options, pace)
    }?;
    summary.pipeline.clone_from(&pipeline.file.name);
    summary.seconds = clock::instant().duration_since(began).as_secs_f64();
    Ok(summary)
}

fn on_this_thread(
    pipeline: &Pipeline,
    loaded: &Loaded,
    mut source: FileSource,
    mut writer: Writer,
    options: &Options,
    mut pace: Pace,
) -> Result<Summary, ReplayError> {
    let mut shard = make_shard(pipeline, loaded, options)?;
    let keeps = writer.keeps_dead_letters();
    let mut signals = Vec::new();
    let mut progress = Progress::new();
    let mut waiting = 0;
    // A capture cut off in the middle still gives what it held, and then its error.
    let read = loop {
        let (origin, bytes) = match source.next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        if pace.is_early(&origin) {
            step(&mut shard, &mut signals, &mut writer)?;
            writer.flush()?;
            pace.wait(&origin);
        }
        let taken = match shard.command(origin, bytes) {
            None => shard.take(origin, bytes),
            Some(Err(error)) => Err(error),
            Some(Ok(command)) => {
                step(&mut shard, &mut signals, &mut writer)?;
                writer.command(&command)?;
                Ok(())
            }
        };
        if let Err(error) = taken {
            let bury = keeps && error.unreadable() && !origin.known;
            shard.dispose(error, bury);
            if bury {
                writer.letter(error, origin, &shard.redacted(bytes))?;
            }
        }
        waiting += 1;
        if waiting == pipeline.file.engine.batch {
            waiting = 0;
            step(&mut shard, &mut signals, &mut writer)?;
            progress.show(shard.account().received);
        }
    };
    step(&mut shard, &mut signals, &mut writer)?;
    writer.close()?;
    read?;
    Ok(summarise(&loaded.lineage, [shard], &writer))
}

fn step(
    shard: &mut Shard,
    signals: &mut Vec<Signal>,
    writer: &mut Writer,
) -> Result<(), ReplayError> {
    shard.step(signals)?;
    for signal in &*signals {
        writer.signal(signal, shard.instruments().name(signal.instrument))?;
    }
    signals.clear();
    Ok(())
}

fn on_shards(
    pipeline: &Pipeline,
    loaded: &Loaded,
    mut source: FileSource,
    mut writer: Writer,
    options: &Options,
    mut pace: Pace,
) -> Result<Summary, ReplayError> {
    let config = &pipeline.file.engine;
    let (deliver, deliveries) = crossbeam::channel::bounded(64);
    let keeps = writer.keeps_dead_letters();
    let stop = AtomicBool::new(false);
    let shards = std::thread::scope(|scope| -> Result<Vec<Shard>, ReplayError> {
        let mut senders = vec![];
        let mut workers = vec![];
        for number in 0..config.shards {
            let shard = make_shard(pipeline, loaded, options)?;
            let (sender, receiver) = ring_of(config.ring_frames, config.ring_bytes);
            let (deliver, stop) = (deliver.clone(), &stop);
            let settings = Settings {
                number,
                batch: config.batch,
                keeps_letters: keeps,
                ..Settings::default()
            };
            senders.push(sender);
            workers.push(scope.spawn(move || {
                work(
                    shard,
                    settings,
                    &receiver,
                    &deliver,
                    &Window::default(),
                    stop,
                )
            }));
        }
        drop(deliver);
        let reader = scope.spawn(move || feed(&mut source, &senders, &mut pace));
        let written = writer.write_all(&deliveries);
        drop(deliveries);
        let read = reader.join().expect("reading does not panic");
        let mut shards = vec![];
        for worker in workers {
            shards.push(worker.join().expect("an engine does not panic")?);
        }
        written?;
        read?;
        Ok(shards)
    })?;
    Ok(summarise(&loaded.lineage, shards, &writer))
}

/// Hands each frame to the shard of its instrument, and gaps of a whole feed to every shard.
fn feed(source: &mut FileSource, senders: &[Sender], pace: &mut Pace) -> Result<(), FileError> {
    let mut last = vec![0; usize::from(u16::MAX) + 1];
    let mut symbols = SymbolFinder::default();
    while let Some((origin, bytes)) = source.next_frame()? {
        pace.wait(&origin);
        let frame = Frame {
            origin,
            bytes: Bytes::copy_from_slice(bytes),
        };
        let of_stream = &mut last[usize::from(origin.stream)];
        let sent = match symbols.symbol_of(origin.stream, bytes) {
            Some(symbol) => {
                *of_stream = shard_of(symbol, senders.len());
                senders[*of_stream].send(frame)
            }
            None if bytes.starts_with(b"{\"foretick\":") => senders
                .iter()
                .try_for_each(|sender| sender.send(frame.clone())),
            // A snapshot that names nobody belongs to the depth before it.
            None => senders[*of_stream].send(frame),
        };
        if sent.is_err() {
            break;
        }
    }
    Ok(())
}

fn make_shard(
    pipeline: &Pipeline,
    loaded: &Loaded,
    options: &Options,
) -> Result<Shard, ReplayError> {
    let shard = Shard::new(pipeline.decoder(), loaded.engine()?, &loaded.lineage, false);
    Ok(shard.between(options.from, options.to))
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Keeps to the times of the recording.
struct Pace {
    speed: Option<f64>,
    start: Option<(Nanos, Instant)>,
}

impl Pace {
    fn new(speed: Option<f64>) -> Self {
        Self { speed, start: None }
    }

    fn ahead(&mut self, origin: &Origin) -> Option<Duration> {
        let (speed, ts) = (self.speed?, pace_of(origin)?);
        let (first, began) = *self.start.get_or_insert_with(|| (ts, clock::instant()));
        let due = Duration::from_nanos((ts.since(first).max(0) as f64 / speed) as u64);
        due.checked_sub(clock::instant().duration_since(began))
            .filter(|wait| !wait.is_zero())
    }

    fn is_early(&mut self, origin: &Origin) -> bool {
        self.ahead(origin).is_some()
    }

    fn wait(&mut self, origin: &Origin) {
        if let Some(wait) = self.ahead(origin) {
            std::thread::sleep(wait);
        }
    }
}

/// Says on a terminal how far a long replay has come.
struct Progress {
    next: Option<Instant>,
}

impl Progress {
    fn new() -> Self {
        let next = std::io::stderr()
            .is_terminal()
            .then(|| clock::instant() + Self::EVERY);
        Self { next }
    }

    const EVERY: Duration = Duration::from_secs(1);

    fn show(&mut self, frames: u64) {
        let Some(next) = self.next else { return };
        let now = clock::instant();
        if now >= next {
            self.next = Some(now + Self::EVERY);
            eprint!("\r{frames} frames\r");
        }
    }
}
