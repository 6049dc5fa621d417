//! Reads signals one by one: from JSON lines, plain or compressed, from Parquet, or from a topic.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::vec;

use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use serde_json::Value;

use super::SignalObject;
use super::columns::{as_columns, rows};
use super::error::PairingError;
use crate::kafka::Properties;
use crate::source::file::{FileSource, InputProgress};
use crate::source::kafka::whole_topic::{TopicAddress, WholeTopic};
use crate::source::table;
use crate::source::table::TableKind;

/// Where signals are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignalInput {
    /// A file of JSON lines or Parquet.
    File(PathBuf),
    /// A topic, read to where it ends at the start. The properties are those of its client.
    Topic(TopicAddress, Properties),
}

/// The signals of an input, in its order.
pub(super) struct SignalReader {
    command: &'static str,
    input: OpenedSignals,
    /// Whether signals of JSON get the fields that they would have as columns.
    as_columns: bool,
}

enum OpenedSignals {
    Lines {
        path: PathBuf,
        source: Box<FileSource>,
    },
    Parquet {
        path: PathBuf,
        file: File,
        reader: ParquetRecordBatchReader,
        rows: vec::IntoIter<SignalObject>,
    },
    Topic(TopicAddress, Box<WholeTopic>),
}

impl SignalInput {
    /// The input that an argument names: a topic as `kafka://host:port/topic`, or else a file.
    ///
    /// # Errors
    /// [`PairingError::Address`].
    pub fn new(named: &Path, properties: &Properties) -> Result<Self, PairingError> {
        match named.to_str().filter(|text| TopicAddress::is_meant(text)) {
            Some(text) => Ok(Self::Topic(text.parse()?, properties.clone())),
            None => Ok(Self::File(named.to_owned())),
        }
    }
}

const MAX_LINE_BYTES: usize = 1 << 20;
/// With this, a Parquet file begins and ends.
const PARQUET_MAGIC: &[u8; 4] = b"PAR1";

impl SignalReader {
    /// Opens an input for a command.
    pub(super) fn open(input: &SignalInput, command: &'static str) -> Result<Self, PairingError> {
        let input = match input {
            SignalInput::Topic(address, properties) => {
                let topic = WholeTopic::open(address.clone(), properties)?;
                OpenedSignals::Topic(address.clone(), Box::new(topic))
            }
            SignalInput::File(path) if is_parquet(path) => open_parquet(path)?,
            SignalInput::File(path) => open_lines(path, command)?,
        };
        Ok(Self {
            command,
            input,
            as_columns: false,
        })
    }

    /// Whether signals have columns, which hold what is nested in JSON.
    pub(super) fn has_columns(&self) -> bool {
        matches!(self.input, OpenedSignals::Parquet { .. })
    }

    /// Gives signals the fields that they have as columns of Parquet.
    pub(super) fn make_columns(&mut self) {
        self.as_columns = !self.has_columns();
    }

    /// Whether it can be read twice: a pipe cannot.
    pub(super) fn can_rewind(&self) -> bool {
        match &self.input {
            OpenedSignals::Lines { path, .. } => path.is_file(),
            OpenedSignals::Parquet { .. } | OpenedSignals::Topic(..) => true,
        }
    }

    /// Begins anew.
    pub(super) fn rewind(&mut self) -> Result<(), PairingError> {
        match &mut self.input {
            OpenedSignals::Lines { path, .. } => self.input = open_lines(path, self.command)?,
            OpenedSignals::Parquet { path, .. } => self.input = open_parquet(path)?,
            OpenedSignals::Topic(_, topic) => topic.rewind()?,
        }
        Ok(())
    }

    /// How much of it has been read.
    pub(super) fn progress(&mut self) -> InputProgress {
        match &mut self.input {
            OpenedSignals::Lines { source, .. } => source.progress(),
            OpenedSignals::Parquet { path, file, .. } => InputProgress {
                read: file.stream_position().unwrap_or(0),
                all: path.metadata().map_or(0, |there| there.len()),
                time: None,
            },
            OpenedSignals::Topic(_, topic) => {
                let (read, all) = topic.progress();
                InputProgress {
                    read,
                    all,
                    time: None,
                }
            }
        }
    }

    /// The next signal; none at the end.
    pub(super) fn next_signal(&mut self) -> Result<Option<SignalObject>, PairingError> {
        let command = self.command;
        let signal = match &mut self.input {
            OpenedSignals::Lines { path, source } => next_line(path, source, command)?,
            OpenedSignals::Parquet {
                path, reader, rows, ..
            } => next_row(path, reader, rows)?,
            OpenedSignals::Topic(address, topic) => next_record(address, topic)?,
        };
        Ok(match self.as_columns {
            true => signal.map(as_columns),
            false => signal,
        })
    }
}

fn open_lines(path: &Path, command: &'static str) -> Result<OpenedSignals, PairingError> {
    let refused = |kind| PairingError::NotSignals {
        path: path.to_owned(),
        kind,
        command,
    };
    // A file that does not exist is told by its error, whatever its name.
    match table::kind_of(path).filter(|_| path.exists()) {
        Some(TableKind::Csv) => return Err(refused("CSV")),
        Some(TableKind::Tsv | TableKind::Text) => return Err(refused("a table")),
        Some(TableKind::Parquet) | None => {}
    }
    Ok(OpenedSignals::Lines {
        path: path.to_owned(),
        source: Box::new(FileSource::open(&[path.to_owned()], MAX_LINE_BYTES)?),
    })
}

fn open_parquet(path: &Path) -> Result<OpenedSignals, PairingError> {
    let failed = |what: String| PairingError::Parquet {
        path: path.to_owned(),
        what,
    };
    let file = File::open(path).map_err(|error| failed(error.to_string()))?;
    let for_progress = file
        .try_clone()
        .map_err(|error| failed(error.to_string()))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file);
    let reader = builder.and_then(ParquetRecordBatchReaderBuilder::build);
    Ok(OpenedSignals::Parquet {
        path: path.to_owned(),
        file: for_progress,
        reader: reader.map_err(|error| failed(error.to_string()))?,
        rows: vec![].into_iter(),
    })
}

fn next_line(
    path: &Path,
    source: &mut FileSource,
    command: &'static str,
) -> Result<Option<SignalObject>, PairingError> {
    if !source.advance()? {
        return Ok(None);
    }
    let (_, line) = source.frame();
    if std::str::from_utf8(line).is_err() {
        return Err(PairingError::NotSignals {
            path: path.to_owned(),
            kind: "no text",
            command,
        });
    }
    let signal = signal_of(line).map_err(|what| PairingError::Line {
        path: path.to_owned(),
        line: source.line_number().unwrap_or_default(),
        what,
    });
    signal.map(Some)
}

fn next_row(
    path: &Path,
    reader: &mut ParquetRecordBatchReader,
    waiting: &mut vec::IntoIter<SignalObject>,
) -> Result<Option<SignalObject>, PairingError> {
    loop {
        if let Some(row) = waiting.next() {
            return Ok(Some(row));
        }
        let Some(batch) = reader.next() else {
            return Ok(None);
        };
        let read = batch.map_err(|error| error.to_string());
        let read = read.and_then(|batch| rows(&batch));
        let read = read.map_err(|what| PairingError::Parquet {
            path: path.to_owned(),
            what,
        });
        *waiting = read?.into_iter();
    }
}

fn next_record(
    address: &TopicAddress,
    topic: &mut WholeTopic,
) -> Result<Option<SignalObject>, PairingError> {
    while let Some(record) = topic.next_record()? {
        // A record without a value deletes its key from a compacted topic: it is no signal.
        let Some(value) = &record.value else { continue };
        let signal = signal_of(value).map_err(|what| PairingError::Record {
            address: address.clone(),
            partition: record.partition,
            offset: record.offset,
            what,
        });
        return signal.map(Some);
    }
    Ok(None)
}

/// The signal of a JSON text.
fn signal_of(text: &[u8]) -> Result<SignalObject, String> {
    let signal: SignalObject = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    match signal.get("ts_event").is_some_and(Value::is_i64) {
        true => Ok(signal),
        false => Err("it has no `ts_event`, so it is no signal".into()),
    }
}

/// Whether a file begins as Parquet does. A pipe is not looked into: what is read of it is gone.
fn is_parquet(path: &Path) -> bool {
    let begin = |mut file: File| {
        let mut magic = [0; PARQUET_MAGIC.len()];
        file.read_exact(&mut magic)?;
        Ok(magic)
    };
    path.is_file()
        && File::open(path)
            .and_then(begin)
            .is_ok_and(|magic| magic == *PARQUET_MAGIC)
}
