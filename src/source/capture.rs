//! Writes captures: the frames in the order in which the engine took them, one a line, after their receive
//! time.
//!
//! `source::file` reads them. A line is `ts_recv {…}`, with the message as received; `ts_recv! {…}` where
//! the shard was late, `ts_recv? {…}` where the frame was read again and nothing of it was published. Binary
//! frames are written in base64: see [`crate::frame::binary`]. A file begins with a line that says of which
//! session it is; another one follows where the name or the size says so. No file is replaced, unless that
//! was asked for. Beside each file grows its index by time.

mod growing_file;
mod index;
mod name;
mod session;

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use self::growing_file::{GrowingFile, SyncThread};
use self::index::IndexWriter;
pub(crate) use self::index::{is_index, part_before};
use self::name::create_new;
pub use self::name::{CaptureName, CaptureNameError};
pub use self::session::SessionLine;
pub(crate) use self::session::{is_torn_at_once, session_of};
use crate::clock;
use crate::frame::binary::{is_binary, wrapped};
use crate::frame::{Frame, split_stamp};
use crate::units::Nanos;

/// A capture cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("while writing the capture {}: {cause}; the frames up to there are kept", path.display())]
pub struct CaptureError {
    /// The file.
    pub path: PathBuf,
    /// The system's error.
    pub cause: io::Error,
}

/// Where a capture goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureSettings {
    /// The files; gzip or zstd where the name ends so.
    pub name: CaptureName,
    /// Another file follows one of so many bytes.
    pub rotate_bytes: Option<u64>,
    /// Whether a file that has the name, which is without placeholders, is replaced. Files get a number
    /// otherwise.
    pub replaces: bool,
    /// What is recorded: the pipeline's name.
    pub feed: String,
}

impl CaptureSettings {
    /// One file, which replaces the one that has its name.
    ///
    /// # Errors
    /// [`CaptureNameError`] for an unknown placeholder.
    pub fn new(path: &Path) -> Result<Self, CaptureNameError> {
        let name = CaptureName::new(path)?;
        Ok(Self {
            replaces: !name.has_placeholders(),
            name,
            rotate_bytes: None,
            feed: String::new(),
        })
    }

    /// The file that would be replaced if it exists; none where none is.
    #[must_use]
    pub fn replaced(&self) -> Option<PathBuf> {
        let is_fixed = self.replaces && !self.name.has_placeholders();
        is_fixed.then(|| self.name.at(Nanos(0)))
    }
}

/// An open capture. Closed by [`CaptureWriter::close`].
pub struct CaptureWriter {
    settings: CaptureSettings,
    session: SessionLine,
    file: GrowingFile,
    index: IndexWriter,
    /// Where another thread waits for the disk.
    sync: Option<SyncThread>,
    /// The path that the name gave for the file, without its number.
    named: PathBuf,
    /// The second of the last frame.
    second: i64,
    frames: u64,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureEnd {
    /// Frames in all files.
    pub frames: u64,
    /// Files.
    pub files: u32,
    /// The last of them.
    pub path: PathBuf,
}

impl fmt::Display for CaptureEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            frames,
            files,
            path,
        } = self;
        match files {
            1 => write!(f, "{frames} frames in {}", path.display()),
            _ => write!(
                f,
                "{frames} frames in {files} files, the last {}",
                path.display()
            ),
        }
    }
}

impl CaptureWriter {
    /// Creates the first file.
    ///
    /// # Errors
    /// [`CaptureError`] with its path.
    pub fn create(settings: CaptureSettings) -> Result<Self, CaptureError> {
        let now = clock::now();
        let named = settings.name.at(now);
        let made = match settings.replaced().is_some() {
            true => File::create(&named).map(|file| (file, named.clone())),
            false => create_new(&named).map_err(|(_, cause)| cause),
        };
        let failed = |cause| CaptureError {
            path: named.clone(),
            cause,
        };
        let (file, path) = made.map_err(failed)?;
        let id = format!("{:x}-{:x}", now.0, std::process::id());
        let session = SessionLine::new(id, settings.feed.clone());
        let mut writer = Self {
            index: IndexWriter::create(&path, &session),
            file: GrowingFile::new(file, path, now).map_err(failed)?,
            session,
            settings,
            sync: None,
            second: now.0 / NANOS,
            named,
            frames: 0,
        };
        writer.begin_file(now)?;
        Ok(writer)
    }

    /// Appends one frame.
    ///
    /// # Errors
    /// [`CaptureError`].
    pub fn write(&mut self, frame: &Frame) -> Result<(), CaptureError> {
        let now = frame.origin.ts_recv;
        if self.is_file_full(now) {
            self.rotate(now)?;
        } else if self.file.is_part_full(now) {
            self.end_part(now)?;
        }
        self.frames += 1;
        let result = self.write_line(frame);
        result.map_err(|cause| self.failed(cause))
    }

    /// Frames written so far.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Brings what was written to the disk, which keeps it when the machine fails.
    ///
    /// # Errors
    /// [`CaptureError`].
    pub fn sync(&mut self) -> Result<(), CaptureError> {
        let result = self.file.flush().and_then(|()| self.file.sync());
        result.map_err(|cause| self.failed(cause))
    }

    /// Hands what was written to the operating system, and has another thread bring it to the disk.
    ///
    /// # Errors
    /// [`CaptureError`], also of an earlier call.
    pub fn sync_behind(&mut self) -> Result<(), CaptureError> {
        let result = self.try_sync_behind();
        result.map_err(|cause| self.failed(cause))
    }

    fn try_sync_behind(&mut self) -> io::Result<()> {
        self.file.flush()?;
        let sync = match self.sync.take() {
            Some(sync) => sync,
            None => SyncThread::start()?,
        };
        self.sync.insert(sync).request(self.file.handle()?)
    }

    /// Ends the file, and says what was written.
    ///
    /// # Errors
    /// [`CaptureError`].
    pub fn close(self) -> Result<CaptureEnd, CaptureError> {
        let path = self.file.path.clone();
        let ended = self.file.finish();
        match ended.and_then(|()| self.sync.map_or(Ok(()), SyncThread::end)) {
            Ok(()) => Ok(CaptureEnd {
                frames: self.frames,
                files: self.session.file,
                path,
            }),
            Err(cause) => Err(CaptureError { path, cause }),
        }
    }

    /// Whether the frame of this time belongs to another file. The time of a frame may be a little before
    /// that of the frame before it, which changes no name.
    fn is_file_full(&mut self, now: Nanos) -> bool {
        let max = self.settings.rotate_bytes;
        if max.is_some_and(|max| self.file.bytes() >= max) {
            return true;
        }
        let second = now.0 / NANOS;
        if second <= self.second || !self.settings.name.has_placeholders() {
            return false;
        }
        self.second = second;
        self.settings.name.at(now) != self.named
    }

    fn rotate(&mut self, now: Nanos) -> Result<(), CaptureError> {
        let named = self.settings.name.at(now);
        let (file, path) =
            create_new(&named).map_err(|(path, cause)| CaptureError { path, cause })?;
        let next = GrowingFile::new(file, path, now).map_err(|cause| self.failed(cause))?;
        let last = std::mem::replace(&mut self.file, next);
        let path = last.path.clone();
        let ended = match &self.sync {
            Some(sync) => last.finish_behind(sync),
            None => last.finish(),
        };
        ended.map_err(|cause| CaptureError { path, cause })?;
        self.session.file += 1;
        self.index = IndexWriter::create(&self.file.path, &self.session);
        self.named = named;
        self.begin_file(now)
    }

    /// Writes the first line of a file. It gets to the disk at once, or soon, so that whatever is left of the
    /// file tells of which session it is.
    fn begin_file(&mut self, now: Nanos) -> Result<(), CaptureError> {
        let line = format!("{} {}\n", now.0, self.session.message());
        let written = self.file.write_all(line.as_bytes());
        written.map_err(|cause| self.failed(cause))?;
        self.end_part(now)?;
        match self.sync {
            Some(_) => self.sync_behind(),
            None => self.sync(),
        }
    }

    fn end_part(&mut self, now: Nanos) -> Result<(), CaptureError> {
        let ended = self.file.end_part(now);
        ended.map_err(|cause| self.failed(cause))?;
        self.index.begin_part(self.file.bytes());
        Ok(())
    }

    fn write_line(&mut self, frame: &Frame) -> io::Result<()> {
        // A record that was itself a capture line keeps its own time and marks.
        let (own, message) = split_stamp(&frame.bytes);
        let origin = &frame.origin;
        let (ts_recv, late, reprocessed) = match own {
            Some(own) => (
                own.ts_recv,
                own.late || origin.late,
                own.reprocessed || origin.reprocessed,
            ),
            None => (origin.ts_recv, origin.late, origin.reprocessed),
        };
        let (late, reprocessed) = (
            if late { "!" } else { "" },
            if reprocessed { "?" } else { "" },
        );
        self.index.note_line(ts_recv);
        let out = &mut self.file;
        write!(out, "{}{late}{reprocessed} ", ts_recv.0)?;
        if is_binary(message) {
            out.write_all(wrapped(message).as_bytes())?;
            return out.write_all(b"\n");
        }
        // A line holds one frame: line ends between the tokens of a message become spaces.
        for (at, piece) in message
            .split(|&byte| byte == b'\n' || byte == b'\r')
            .enumerate()
        {
            if at > 0 {
                out.write_all(b" ")?;
            }
            out.write_all(piece)?;
        }
        out.write_all(b"\n")
    }

    fn failed(&self, cause: io::Error) -> CaptureError {
        CaptureError {
            path: self.file.path.clone(),
            cause,
        }
    }
}

/// Nanoseconds of a second.
const NANOS: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::decode::control::unwrapped;
    use crate::frame::Origin;
    use crate::source::file::FileSource;
    use crate::tests::scratch::Scratch;
    use crate::units::Nanos;

    #[test]
    fn a_binary_frame_is_read_as_it_came() {
        let scratch = Scratch::new();
        let path = scratch.path().join("capture.zst");
        let mut writer = CaptureWriter::create(CaptureSettings::new(&path).unwrap()).unwrap();
        // With line ends and brackets in it, and long enough for a search of brackets.
        let message = [b"\x91\xda\x10\x00\n\r[[".as_slice(), &[b'['; 4_092]].concat();
        for frame in [message.as_slice(), b"{\"a\":1}"] {
            let frame = Frame {
                origin: Origin {
                    ts_recv: Nanos(BEGAN),
                    ..Origin::of_test()
                },
                bytes: Bytes::copy_from_slice(frame),
            };
            writer.write(&frame).unwrap();
        }
        writer.close().unwrap();
        let mut source = FileSource::open(&[path], 10_000).unwrap();
        let mut seen = vec![];
        while let Some((origin, bytes)) = source.next_frame().unwrap() {
            assert_eq!(origin.ts_recv, Nanos(BEGAN));
            let unwrapped = unwrapped(bytes).map(|frame| frame.expect("base64"));
            seen.push(unwrapped.unwrap_or_else(|| bytes.to_vec()));
        }
        assert_eq!(seen, [message, b"{\"a\":1}".to_vec()]);
    }

    const BEGAN: i64 = 1_700_000_000_000_000_000;

    #[test]
    fn a_capture_is_read_as_it_was_written() {
        for ending in ["jsonl", "gz", "zst", "GZ", "Zst"] {
            let scratch = Scratch::new();
            let path = scratch.path().join(format!("capture.{ending}"));
            let mut writer = CaptureWriter::create(CaptureSettings::new(&path).unwrap()).unwrap();
            for (at, text) in ["{\"a\":1}", "{\n\"b\":2}", "1700000000000000077 {\"c\":3}"]
                .into_iter()
                .enumerate()
            {
                let ts_recv = Nanos(BEGAN + 10 + at as i64);
                let origin = Origin {
                    ts_recv,
                    offset: 0,
                    partition: 0,
                    stream: 0,
                    late: at == 1,
                    reprocessed: at != 0,
                };
                writer
                    .write(&Frame {
                        origin,
                        bytes: Bytes::from(text),
                    })
                    .unwrap();
            }
            assert_eq!(writer.close().unwrap().frames, 3);
            let mut source = FileSource::open(&[path], 100).unwrap();
            let mut seen = vec![];
            while let Some((origin, bytes)) = source.next_frame().unwrap() {
                let text = String::from_utf8(bytes.to_vec()).unwrap();
                seen.push((origin.ts_recv.0, origin.late, origin.reprocessed, text));
            }
            let expected = [
                (BEGAN + 10, false, false, "{\"a\":1}"),
                (BEGAN + 11, true, true, "{ \"b\":2}"),
                (BEGAN + 77, false, true, "{\"c\":3}"),
            ];
            assert_eq!(
                seen,
                expected.map(|(ts, late, reprocessed, text)| (
                    ts,
                    late,
                    reprocessed,
                    text.to_owned()
                )),
                "{ending}"
            );
        }
    }
}
