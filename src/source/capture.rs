//! Writes captures: the frames in the order in which the engine took them, one a line, after their receive
//! time.
//!
//! `source::file` reads them. A line is `ts_recv {…}`, with the message as received; `ts_recv! {…}` where
//! the shard was late, `ts_recv? {…}` where the frame was read again and nothing of it was published. Binary
//! frames are written in base64: see [`crate::frame::binary`].

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::compression::{Effort, Encoder};
use crate::frame::binary::{is_binary, wrapped};
use crate::frame::{Frame, split_stamp};

/// A capture cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("while writing the capture {}: {cause}; the frames up to there are kept", path.display())]
pub struct CaptureError {
    /// The file.
    pub path: PathBuf,
    /// The system's error.
    pub cause: io::Error,
}

/// An open capture; gzip or zstd where the name ends so. Closed by [`CaptureWriter::close`].
pub struct CaptureWriter {
    out: Encoder<BufWriter<File>>,
    path: PathBuf,
    frames: u64,
}

impl CaptureWriter {
    /// Creates or replaces the file.
    ///
    /// # Errors
    /// [`CaptureError`] with its path.
    pub fn create(path: &Path) -> Result<Self, CaptureError> {
        let failed = |cause| CaptureError {
            path: path.to_owned(),
            cause,
        };
        let file = BufWriter::new(File::create(path).map_err(failed)?);
        let out = Encoder::new(path, file, Effort::Fast).map_err(failed)?;
        let path = path.to_owned();
        Ok(Self {
            out,
            path,
            frames: 0,
        })
    }

    /// Appends one frame.
    ///
    /// # Errors
    /// [`CaptureError`].
    pub fn write(&mut self, frame: &Frame) -> Result<(), CaptureError> {
        self.frames += 1;
        let result = self.write_line(frame);
        result.map_err(|cause| self.failed(cause))
    }

    /// Frames written so far.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Hands what was written to the operating system, which keeps it when this process ends.
    ///
    /// # Errors
    /// [`CaptureError`].
    pub fn flush(&mut self) -> Result<(), CaptureError> {
        let result = self.out.flush();
        result.map_err(|cause| self.failed(cause))
    }

    /// Ends the file; gives the number of its frames.
    ///
    /// # Errors
    /// [`CaptureError`].
    pub fn close(self) -> Result<u64, CaptureError> {
        let path = self.path;
        self.out
            .finish()
            .map_err(|cause| CaptureError { path, cause })?;
        Ok(self.frames)
    }

    fn write_line(&mut self, frame: &Frame) -> io::Result<()> {
        let out = &mut self.out;
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
            path: self.path.clone(),
            cause,
        }
    }
}

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
        let mut writer = CaptureWriter::create(&path).unwrap();
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
            let mut writer = CaptureWriter::create(&path).unwrap();
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
            assert_eq!(writer.close().unwrap(), 3);
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
