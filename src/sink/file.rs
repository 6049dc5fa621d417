//! Signals as JSON lines, to a file or to standard output; dead letters, alerts and gaps to files of their
//! own.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::json::JsonWriter;
use super::line_file::{Appears, LineFile};
use super::status::SinkStatus;
use super::{DeadLetter, Sink, SinkError};
use crate::frame::Position;
use crate::hex::hex;
use crate::signal::Signal;
use crate::units::Nanos;

/// Writes JSON lines.
pub struct FileSink {
    /// None where signals are not written.
    signals: Option<(JsonWriter, LineFile)>,
    dead_letters: Option<LineFile>,
    alerts: Option<LineFile>,
    gaps: Option<LineFile>,
    line: Vec<u8>,
    /// Positions of the input that the next flush acknowledges.
    marks: Vec<Position>,
    /// Lines since the last flush.
    taken: u64,
    status: Arc<SinkStatus>,
}

/// The files that are written beside that of the signals, as JSON lines.
#[derive(Clone, Copy, Debug, Default)]
pub struct SideFiles<'a> {
    /// The file of frames that could not be read; none: they are not written.
    pub dead_letters: Option<&'a Path>,
    /// The file of alerts; none: they are not written.
    pub alerts: Option<&'a Path>,
    /// The file of gaps; none: they are not written.
    pub gaps: Option<&'a Path>,
}

impl FileSink {
    /// A sink that creates the file, or opens that of an earlier run; without a path it writes to standard
    /// output.
    ///
    /// # Errors
    /// [`SinkError::File`] naming the file.
    pub fn create(
        writer: JsonWriter,
        path: Option<&Path>,
        side: SideFiles<'_>,
        appears: Appears,
    ) -> Result<Self, SinkError> {
        let out = match path {
            Some(path) => LineFile::create(path, appears)?,
            None => LineFile::stdout()?,
        };
        Ok(Self {
            signals: Some((writer, out)),
            ..Self::nowhere(side, appears)?
        })
    }

    /// A sink that does not write signals, only what is written beside them.
    ///
    /// # Errors
    /// [`SinkError::File`] naming the file.
    pub fn nowhere(side: SideFiles<'_>, appears: Appears) -> Result<Self, SinkError> {
        let create = |path: Option<&Path>| {
            let file = path.map(|path| LineFile::create(path, appears));
            file.transpose()
        };
        Ok(Self {
            signals: None,
            dead_letters: create(side.dead_letters)?,
            alerts: create(side.alerts)?,
            gaps: create(side.gaps)?,
            line: vec![],
            marks: vec![],
            taken: 0,
            status: Arc::default(),
        })
    }

    fn files(&mut self) -> impl Iterator<Item = &mut LineFile> {
        let signals = self.signals.iter_mut().map(|(_, out)| out);
        signals
            .chain(&mut self.dead_letters)
            .chain(&mut self.alerts)
            .chain(&mut self.gaps)
    }
}

impl Sink for FileSink {
    fn signal(&mut self, signal: &Signal, instrument: &str) -> Result<(), SinkError> {
        if let Some((writer, out)) = &mut self.signals {
            self.line.clear();
            writer.write(signal, instrument, &mut self.line);
            self.line.push(b'\n');
            out.write(&self.line)?;
            self.taken += 1;
        }
        Ok(())
    }

    fn dead_letter(&mut self, letter: &DeadLetter<'_>) -> Result<(), SinkError> {
        let Some(out) = &mut self.dead_letters else {
            return Ok(());
        };
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
        out.write(record.to_string().as_bytes())?;
        self.taken += 1;
        out.write(b"\n")
    }

    fn alert(&mut self, _: &str, record: &[u8]) -> Result<(), SinkError> {
        let Some(out) = &mut self.alerts else {
            return Ok(());
        };
        out.write(record)?;
        self.taken += 1;
        out.write(b"\n")
    }

    fn gap(&mut self, _: &str, record: &[u8]) -> Result<(), SinkError> {
        let Some(out) = &mut self.gaps else {
            return Ok(());
        };
        out.write(record)?;
        self.taken += 1;
        out.write(b"\n")
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
        self.files().try_for_each(LineFile::flush)?;
        let taken = std::mem::take(&mut self.taken);
        self.status.update(|figures| figures.delivered += taken);
        Ok(())
    }

    fn close(&mut self) -> Result<(), SinkError> {
        // Each, whatever becomes of the others; the first error is told.
        let closed: Vec<_> = self.files().map(LineFile::close).collect();
        closed.into_iter().collect()
    }

    fn close_incomplete(&mut self) -> Result<(), SinkError> {
        let closed: Vec<_> = self.files().map(LineFile::close_incomplete).collect();
        closed.into_iter().collect()
    }

    fn keeps_dead_letters(&self) -> bool {
        self.dead_letters.is_some()
    }

    fn status(&self) -> Arc<SinkStatus> {
        Arc::clone(&self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Origin;
    use crate::sink::existing_file::ExistingFile;
    use crate::tests::scratch::Scratch;

    #[test]
    fn positions_are_acknowledged_with_a_flush() {
        let scratch = Scratch::new();
        let path = scratch.path().join("dead-letters.jsonl");
        let files = SideFiles {
            dead_letters: Some(&path),
            ..SideFiles::default()
        };
        let mut sink = FileSink::nowhere(files, Appears::Growing(ExistingFile::Replaced)).unwrap();
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
