//! Sinks take signals: standard output, files, Kafka. They format; they decide nothing.

pub mod file;
pub mod json;
pub mod kafka;
pub mod parquet;
pub mod topic;
pub(crate) mod unacknowledged;

use std::io;
use std::path::{Path, PathBuf};

use crate::alert::journal::{DeskError, SCHEMA};
use crate::config::{SinkKind, SourceKind};
use crate::frame::{Origin, Position};
use crate::pipeline::Pipeline;
use crate::signal::Signal;
use crate::signal::field::Field;
use crate::signal::lineage::Lineage;

/// Something that takes signals, alerts and dead letters, and acknowledges that they have arrived.
pub trait Sink: Send {
    /// Takes one signal of the instrument with that name. It may be buffered until `flush`.
    ///
    /// # Errors
    /// [`SinkError`]; the signal then counts as not written.
    fn signal(&mut self, signal: &Signal, instrument: &str) -> Result<(), SinkError>;

    /// Takes a frame that could not be decoded. A sink that keeps no dead letters drops it.
    ///
    /// # Errors
    /// [`SinkError`].
    fn dead_letter(&mut self, letter: &DeadLetter<'_>) -> Result<(), SinkError>;

    /// Takes an alert: a record with its key. A sink that keeps no alerts drops it.
    ///
    /// # Errors
    /// [`SinkError`].
    fn alert(&mut self, _key: &str, _record: &[u8]) -> Result<(), SinkError> {
        Ok(())
    }

    /// Marks positions of the input: all records of the frames before them have been taken.
    fn mark(&mut self, positions: &[Position]);

    /// Hands over what can be handed over without waiting, and appends the marked positions before which all
    /// records have arrived for good, each once and in the order of the marks.
    ///
    /// # Errors
    /// [`SinkError`], also for a record taken earlier.
    fn acknowledged(&mut self, positions: &mut Vec<Position>) -> Result<(), SinkError>;

    /// Hands over all that was taken, and waits until it is written for good.
    ///
    /// # Errors
    /// [`SinkError`].
    fn flush(&mut self) -> Result<(), SinkError>;

    /// Ends the output, as at the end of a run.
    ///
    /// # Errors
    /// [`SinkError`].
    fn close(&mut self) -> Result<(), SinkError> {
        self.flush()
    }

    /// Whether dead letters are kept.
    fn keeps_dead_letters(&self) -> bool;
}

/// A frame that could not be read.
#[derive(Clone, Copy, Debug)]
pub struct DeadLetter<'a> {
    /// Why, in the word of the counters.
    pub reason: &'a str,
    /// The field at fault, where one is known.
    pub field: Option<&'a str>,
    /// Where it came from.
    pub origin: Origin,
    /// The name of that stream.
    pub stream: &'a str,
    /// The frame.
    pub bytes: &'a [u8],
}

/// The files beside one of signals, where they are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// Of frames that could not be read.
    pub dead_letters: Option<&'a Path>,
    /// Of alerts.
    pub alerts: Option<&'a Path>,
}

/// A sink for signals of this lineage: Parquet where the name ends so, JSON lines else; standard output
/// for `-`; a sink that keeps nothing where no file is named.
///
/// # Errors
/// [`SinkError`] naming the file.
pub fn open_file(
    lineage: &Lineage,
    fields: &[Field],
    path: Option<&Path>,
    beside: Beside<'_>,
) -> Result<Box<dyn Sink>, SinkError> {
    Ok(match path {
        None => Box::new(file::FileSink::nowhere(beside)?),
        Some(path) if path.extension().is_some_and(|ending| ending == "parquet") => {
            Box::new(parquet::ParquetSink::create(lineage.clone(), fields, path)?)
        }
        Some(path) => {
            let writer = json::JsonWriter::new(lineage.clone(), fields);
            let path = (path != Path::new("-")).then_some(path);
            Box::new(file::FileSink::create(writer, path, beside)?)
        }
    })
}

/// The sink that a pipeline names, for a live run.
///
/// # Errors
/// [`SinkError`] where the file cannot be made or no broker answers.
pub fn open(pipeline: &Pipeline, lineage: &Lineage) -> Result<Box<dyn Sink>, SinkError> {
    let config = &pipeline.file.sink;
    if config.kind != SinkKind::Kafka {
        let file = match config.kind {
            SinkKind::File => config
                .file
                .clone()
                .unwrap_or_else(|| "signals.jsonl".into()),
            _ => "-".into(),
        };
        let beside = Beside {
            dead_letters: config.dead_letters.as_deref().map(Path::new),
            alerts: config.alerts.as_deref().map(Path::new),
        };
        return open_file(lineage, &pipeline.fields, Some(&file), beside);
    }
    let topic = config
        .topic
        .clone()
        .unwrap_or_else(|| lineage.schema.clone());
    let from_kafka = pipeline.file.source.kind == SourceKind::Kafka;
    let dead_letters = match &config.dead_letters {
        Some(topic) => topic::DeadLetters::To(topic.clone()),
        None if from_kafka => topic::DeadLetters::BesideTheirOwn,
        None => topic::DeadLetters::To(topic::of_dead_letters(&topic)),
    };
    let settings = kafka::KafkaSinkSettings {
        bootstrap: pipeline.bootstrap(),
        topic,
        properties: pipeline.file.kafka.properties.clone(),
        ..kafka::KafkaSinkSettings::default()
    };
    let writer = json::JsonWriter::new(lineage.clone(), &pipeline.fields);
    Ok(Box::new(topic::TopicSink::connect(
        writer,
        settings,
        dead_letters,
        config.alerts.clone().unwrap_or_else(|| SCHEMA.into()),
    )?))
}

/// Why signals could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The file or the disk.
    #[error("while writing to {}: {cause}{}", path.display(), disk_hint(cause))]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Standard output, closed by its reader.
    #[error("while writing signals to standard output: {0}")]
    Stdout(io::Error),
    /// The state of alerts.
    #[error(transparent)]
    Alerts(#[from] DeskError),
    /// The Parquet writer.
    #[error("while writing Parquet to {}: {what}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the writer said.
        what: String,
    },
    /// Kafka.
    #[error(transparent)]
    Kafka(Box<kafka::KafkaSinkError>),
}

fn disk_hint(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::StorageFull => {
            "; free some space and start again: what was not written was not counted as done"
        }
        io::ErrorKind::NotFound => "; make the folder first",
        io::ErrorKind::PermissionDenied => "; the user running foretick may not write there",
        _ => "",
    }
}
