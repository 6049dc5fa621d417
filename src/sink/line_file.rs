//! A file of lines: signals, dead letters, alerts. Compressed where its name ends in `.gz` or `.zst`.

use std::fs::{self, File};
use std::io::{self, BufWriter, IntoInnerError, Stdout, Write};
use std::path::{Path, PathBuf};

use super::SinkError;
use super::existing_file::{ExistingFile, continue_lines, set_aside};
use super::output_file::OutputFile;
use crate::source::compression::{Effort, Encoder, is_compressed};

/// When a file has its name and its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appears {
    /// From the start, and it grows. A file of an earlier run goes on, or gets another name.
    Growing(ExistingFile),
    /// When it is finished, as a whole.
    AtEnd,
}

/// A file of lines, or standard output.
pub(super) struct LineFile {
    /// None once it is closed.
    out: Option<BufWriter<Encoder<Target>>>,
    /// None for standard output.
    path: Option<PathBuf>,
    appears: Appears,
}

/// Where bytes go.
enum Target {
    Stdout(Stdout),
    Growing(File),
    Whole(OutputFile),
}

impl LineFile {
    /// Creates a file, or opens that of an earlier run.
    pub(super) fn create(path: &Path, appears: Appears) -> Result<Self, SinkError> {
        let failed = |cause| SinkError::File {
            path: path.to_owned(),
            cause,
        };
        let target = match appears {
            Appears::Growing(existing) => Target::Growing(growing(path, existing).map_err(failed)?),
            Appears::AtEnd => Target::Whole(OutputFile::create(path).map_err(failed)?),
        };
        let out = Encoder::new(path, target, Effort::Fast).map_err(failed)?;
        Ok(Self {
            out: Some(BufWriter::with_capacity(BUFFER_BYTES, out)),
            path: Some(path.to_owned()),
            appears,
        })
    }

    /// Standard output.
    pub(super) fn stdout() -> Result<Self, SinkError> {
        let target = Target::Stdout(io::stdout());
        let out = Encoder::new(Path::new("-"), target, Effort::Fast).map_err(SinkError::Stdout)?;
        Ok(Self {
            out: Some(BufWriter::with_capacity(BUFFER_BYTES, out)),
            path: None,
            appears: Appears::Growing(ExistingFile::Replaced),
        })
    }

    /// Appends bytes; a line has its end in them.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), SinkError> {
        let written = match &mut self.out {
            Some(out) => out.write_all(bytes),
            None => Err(io::Error::other("the file is closed")),
        };
        written.map_err(|cause| self.failed(cause))
    }

    /// Hands what was written to the system; does nothing before the end where the file appears then.
    pub(super) fn flush(&mut self) -> Result<(), SinkError> {
        let flushed = match (&mut self.out, self.appears) {
            (Some(out), Appears::Growing(_)) => out.flush(),
            _ => Ok(()),
        };
        flushed.map_err(|cause| self.failed(cause))
    }

    /// Ends the file.
    pub(super) fn close(&mut self) -> Result<(), SinkError> {
        self.end(OutputFile::finish)
    }

    /// Ends the file of a run that failed.
    pub(super) fn close_incomplete(&mut self) -> Result<(), SinkError> {
        self.end(OutputFile::finish_incomplete)
    }

    fn end(&mut self, finish: fn(OutputFile) -> io::Result<()>) -> Result<(), SinkError> {
        let Some(out) = self.out.take() else {
            return Ok(());
        };
        let ended = out
            .into_inner()
            .map_err(IntoInnerError::into_error)
            .and_then(Encoder::finish)
            .and_then(|target| match target {
                Target::Whole(file) => finish(file),
                Target::Stdout(_) | Target::Growing(_) => Ok(()),
            });
        ended.map_err(|cause| self.failed(cause))
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

/// A file that grows. Devices and pipes are only opened.
fn growing(path: &Path, existing: ExistingFile) -> io::Result<File> {
    let is_special = fs::metadata(path).is_ok_and(|there| !there.is_file());
    if existing == ExistingFile::Replaced || is_special {
        return File::create(path);
    }
    if is_compressed(path) {
        set_aside(path)?;
        return File::create(path);
    }
    continue_lines(path)
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::Growing(file) => file.write(bytes),
            Self::Whole(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::Growing(file) => file.flush(),
            Self::Whole(file) => file.flush(),
        }
    }
}

const BUFFER_BYTES: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::compression::decompressed;
    use crate::tests::scratch::Scratch;

    #[test]
    fn lines_are_compressed_by_the_ending_and_appear_when_they_should() {
        for (name, appears) in [
            ("a.jsonl", Appears::AtEnd),
            ("a.jsonl.gz", Appears::AtEnd),
            ("a.jsonl.ZST", Appears::Growing(ExistingFile::Replaced)),
        ] {
            let scratch = Scratch::new();
            let path = scratch.path().join(name);
            let mut file = LineFile::create(&path, appears).unwrap();
            file.write(b"{}\n").unwrap();
            file.flush().unwrap();
            assert_eq!(path.exists(), appears != Appears::AtEnd, "{name}");
            file.close().unwrap();
            file.close().unwrap();
            let mut text = String::new();
            let mut reader = decompressed(File::open(&path).unwrap()).unwrap();
            io::Read::read_to_string(&mut reader, &mut text).unwrap();
            assert_eq!(text, "{}\n", "{name}");
            assert!(file.write(b"{}\n").is_err(), "it is closed");
        }
    }

    #[test]
    fn a_growing_file_of_an_earlier_run_loses_nothing() {
        for (name, others) in [("a.jsonl", 0), ("a.jsonl.gz", 1)] {
            let scratch = Scratch::new();
            let path = scratch.path().join(name);
            for line in [b"1\n", b"2\n"] {
                let growing = Appears::Growing(ExistingFile::Continued);
                let mut file = LineFile::create(&path, growing).unwrap();
                file.write(line).unwrap();
                file.close().unwrap();
            }
            let mut text = String::new();
            let mut reader = decompressed(File::open(&path).unwrap()).unwrap();
            io::Read::read_to_string(&mut reader, &mut text).unwrap();
            assert_eq!(text, ["1\n2\n", "2\n"][others], "{name}");
            let count = fs::read_dir(scratch.path()).unwrap().count();
            assert_eq!(count, 1 + others, "{name}");
        }
        let device = LineFile::create(
            Path::new("/dev/null"),
            Appears::Growing(ExistingFile::Continued),
        );
        assert!(device.is_ok());
    }
}
