//! Signals as JSON lines, to a file or to standard output; dead letters and alerts to files of their own.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::json::JsonWriter;
use super::{DeadLetter, Sink, SinkError};
use crate::frame::Position;
use crate::hex::hex;
use crate::signal::Signal;
use crate::units::Nanos;

/// Writes JSON lines.
pub struct FileSink {
    /// None where signals are not written.
    writer: Option<JsonWriter>,
    out: BufWriter<Box<dyn Write + Send>>,
    path: Option<PathBuf>,
    dead_letters: SideFile,
    alerts: SideFile,
    line: Vec<u8>,
    /// Positions of the input that the next flush acknowledges.
    marks: Vec<Position>,
}

/// The files that are written beside that of the signals, as JSON lines.
#[derive(Clone, Copy, Debug, Default)]
pub struct SideFiles<'a> {
    /// The file of frames that could not be read; none: they are not written.
    pub dead_letters: Option<&'a Path>,
    /// The file of alerts; none: they are not written.
    pub alerts: Option<&'a Path>,
}

/// The file of dead letters or of alerts; without a file they are not written.
struct SideFile {
    file: Option<(PathBuf, BufWriter<File>)>,
}

impl FileSink {
    /// A sink that creates or replaces the file; without a path it writes to standard output.
    ///
    /// # Errors
    /// [`SinkError::File`] naming the file.
    pub fn create(
        writer: JsonWriter,
        path: Option<&Path>,
        side: SideFiles<'_>,
    ) -> Result<Self, SinkError> {
        let out: Box<dyn Write + Send> = match path {
            Some(path) => Box::new(create(path)?),
            None => Box::new(io::stdout()),
        };
        let dead_letters = SideFile::create(side.dead_letters)?;
        let alerts = SideFile::create(side.alerts)?;
        let out = BufWriter::with_capacity(1 << 16, out);
        Ok(Self {
            writer: Some(writer),
            out,
            path: path.map(Path::to_owned),
            dead_letters,
            alerts,
            line: vec![],
            marks: vec![],
        })
    }

    /// A sink that does not write signals, only dead letters and alerts.
    ///
    /// # Errors
    /// [`SinkError::File`] naming the file.
    pub fn nowhere(side: SideFiles<'_>) -> Result<Self, SinkError> {
        Ok(Self {
            writer: None,
            out: BufWriter::new(Box::new(io::sink())),
            path: None,
            dead_letters: SideFile::create(side.dead_letters)?,
            alerts: SideFile::create(side.alerts)?,
            line: vec![],
            marks: vec![],
        })
    }

    fn failed(&self, cause: io::Error) -> SinkError {
        match &self.path {
            Some(path) => SinkError::File {
                path: path.clone(),
                cause,
            },
            None => SinkError::Stdout(cause),
        }
    }
}

impl Sink for FileSink {
    fn signal(&mut self, signal: &Signal, instrument: &str) -> Result<(), SinkError> {
        if let Some(writer) = &self.writer {
            self.line.clear();
            writer.write(signal, instrument, &mut self.line);
            self.line.push(b'\n');
            self.out
                .write_all(&self.line)
                .map_err(|cause| self.failed(cause))?;
        }
        Ok(())
    }

    fn dead_letter(&mut self, letter: &DeadLetter<'_>) -> Result<(), SinkError> {
        self.dead_letters.dead_letter(letter)
    }

    fn alert(&mut self, _: &str, record: &[u8]) -> Result<(), SinkError> {
        self.alerts.line(record)
    }

    fn mark(&mut self, positions: &[Position]) {
        for position in positions {
            position.note(&mut self.marks);
        }
    }

    /// What a flush hands to the system has arrived.
    fn acknowledged(&mut self, positions: &mut Vec<Position>) -> Result<(), SinkError> {
        self.flush()?;
        positions.append(&mut self.marks);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.out.flush().map_err(|cause| self.failed(cause))?;
        self.dead_letters.flush()?;
        self.alerts.flush()
    }

    fn keeps_dead_letters(&self) -> bool {
        self.dead_letters.file.is_some()
    }
}

impl SideFile {
    fn create(path: Option<&Path>) -> Result<Self, SinkError> {
        let file = match path {
            Some(path) => Some((path.to_owned(), BufWriter::new(create(path)?))),
            None => None,
        };
        Ok(Self { file })
    }

    fn dead_letter(&mut self, letter: &DeadLetter<'_>) -> Result<(), SinkError> {
        // Text as it is; other bytes in hexadecimal, so that no byte is lost.
        let text = std::str::from_utf8(letter.bytes).ok();
        // A capture without stamps does not say when a line was received.
        let is_known = letter.origin.ts_recv != Nanos::UNDEFINED;
        let record = json!({
            "error": letter.reason,
            "field": letter.field,
            "source": {
                "topic": letter.stream,
                "partition": letter.origin.partition,
                "offset": letter.origin.offset,
            },
            "ts_recv": is_known.then_some(letter.origin.ts_recv.0),
            "payload": text,
            "payload_hex": text.is_none().then(|| hex(letter.bytes)),
        });
        self.line(record.to_string().as_bytes())
    }

    /// Appends a line, where there is a file.
    fn line(&mut self, line: &[u8]) -> Result<(), SinkError> {
        let Some((path, out)) = &mut self.file else {
            return Ok(());
        };
        out.write_all(line)
            .and_then(|()| out.write_all(b"\n"))
            .map_err(|cause| SinkError::File {
                path: path.clone(),
                cause,
            })
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        match &mut self.file {
            Some((path, out)) => out.flush().map_err(|cause| SinkError::File {
                path: path.clone(),
                cause,
            }),
            None => Ok(()),
        }
    }
}

pub(super) fn create(path: &Path) -> Result<File, SinkError> {
    File::create(path).map_err(|cause| SinkError::File {
        path: path.to_owned(),
        cause,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Origin;
    use crate::tests::scratch::Scratch;

    #[test]
    fn positions_are_acknowledged_with_a_flush() {
        let scratch = Scratch::new();
        let path = scratch.path().join("dead-letters.jsonl");
        let files = SideFiles {
            dead_letters: Some(&path),
            alerts: None,
        };
        let mut sink = FileSink::nowhere(files).unwrap();
        sink.dead_letter(&DeadLetter {
            reason: "truncated",
            field: None,
            origin: Origin::of_test(),
            stream: "trades",
            bytes: b"{",
        })
        .unwrap();
        let at = |next| Position {
            stream: 0,
            partition: 0,
            next,
        };
        sink.mark(&[at(1)]);
        sink.mark(&[at(2)]);
        let mut positions = vec![];
        sink.acknowledged(&mut positions).unwrap();
        assert_eq!(positions, [at(2)], "the later one says it all");
        assert!(std::fs::metadata(&path).unwrap().len() > 0, "it is written");
        positions.clear();
        sink.acknowledged(&mut positions).unwrap();
        assert_eq!(positions, [], "each once");
    }
}
