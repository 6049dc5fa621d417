//! Captures: one frame a line, plain, gzip or zstd, by the first bytes of the file.
//!
//! A line may begin with its receive time (`1723161253937085768 {…}`). Several files are merged by
//! that time; lines without one follow the line before them, so that such files are read one after
//! the other. Reads no message.

use std::fs::File;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use super::compression::decompressed;
use super::table;
use super::table::TableColumns;
use crate::frame::Origin;
use crate::frame::{STAMP_BYTES_MAX, mark_cut, split_stamp};
use crate::units::Nanos;

/// Why a capture cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "while reading the capture {}{}: {cause}{}",
    path.display(),
    line.map_or(String::new(), |line| format!(", line {line}")),
    hint(cause)
)]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// The line that could not be read, counted from 1, where reading had begun; none for tables, whose
    /// errors name the row themselves.
    pub line: Option<u64>,
    /// The error of the system or the decompressor.
    pub cause: io::Error,
}

/// The frames of some captures, in the order of their receive times.
pub struct FileSource {
    files: Vec<Lines>,
    current: usize,
    next_number: i64,
    merged: bool,
}

/// One file and its next line.
struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    stamp: Nanos,
    done: bool,
    max_frame_bytes: usize,
    /// Number of the line read last, from 1; none for tables.
    number: Option<u64>,
}

impl FileSource {
    /// Opens the files and reads the first line of each. A message over `max_frame_bytes` is cut to a length
    /// that is still over it, so that the decoder refuses and counts it, and says at its end how long it was.
    ///
    /// # Errors
    /// [`FileError`] naming the file.
    pub fn open(paths: &[PathBuf], max_frame_bytes: usize) -> Result<Self, FileError> {
        Self::open_with(paths, max_frame_bytes, None)
    }

    /// The same, and rows of CSV and Parquet files as records, whose columns `columns` explains.
    ///
    /// # Errors
    /// [`FileError`] naming the file.
    pub fn open_with(
        paths: &[PathBuf],
        max_frame_bytes: usize,
        columns: Option<&TableColumns>,
    ) -> Result<Self, FileError> {
        let mut files = Vec::new();
        for path in paths {
            files.push(Lines::open(path, max_frame_bytes, columns)?);
        }
        let mut source = Self {
            merged: files.len() > 1,
            files,
            current: 0,
            next_number: 0,
        };
        for at in 0..source.files.len() {
            source.files[at].advance()?;
        }
        Ok(source)
    }

    /// The next frame: its origin and its bytes, valid until the next call. `None` at the end.
    ///
    /// `origin.offset` counts the frames of the merged order from 0, as a topic holding them would.
    ///
    /// # Errors
    /// [`FileError`] where a file ends in the middle of its compression, or the disk fails.
    pub fn next_frame(&mut self) -> Result<Option<(Origin, &[u8])>, FileError> {
        if self.next_number > 0 {
            self.files[self.current].advance()?;
        }
        if self.merged {
            let earliest = |lines: &&(usize, &Lines)| lines.1.stamp;
            let open = self
                .files
                .iter()
                .enumerate()
                .filter(|(_, lines)| !lines.done);
            let open: Vec<(usize, &Lines)> = open.collect();
            let Some(&(at, _)) = open.iter().min_by_key(earliest) else {
                return Ok(None);
            };
            self.current = at;
            self.merged = open.len() > 1;
        }
        let Some(lines) = self.files.get(self.current).filter(|lines| !lines.done) else {
            return Ok(None);
        };
        let (stamp, message) = split_stamp(&lines.line);
        let origin = Origin {
            ts_recv: stamp.map_or(Nanos::UNDEFINED, |stamp| stamp.ts_recv),
            offset: self.next_number,
            partition: 0,
            stream: self.current as u16,
            late: stamp.is_some_and(|stamp| stamp.late),
            reprocessed: stamp.is_some_and(|stamp| stamp.reprocessed),
        };
        self.next_number += 1;
        Ok(Some((origin, message)))
    }
}

impl Lines {
    fn open(
        path: &Path,
        max_frame_bytes: usize,
        columns: Option<&TableColumns>,
    ) -> Result<Self, FileError> {
        let wrap = |cause| FileError {
            path: path.to_owned(),
            line: None,
            cause,
        };
        let file = File::open(path).map_err(wrap)?;
        let kind = table::kind_of(path);
        let reader = match kind {
            Some(kind) => table::open(kind, file, columns).map_err(wrap)?,
            None => decompressed(file).map_err(wrap)?,
        };
        let (path, line) = (path.to_owned(), Vec::new());
        Ok(Self {
            path,
            reader,
            line,
            stamp: Nanos(i64::MIN),
            done: false,
            max_frame_bytes,
            number: kind.is_none().then_some(0),
        })
    }

    /// Reads the next line that is not empty.
    fn advance(&mut self) -> Result<(), FileError> {
        loop {
            self.number = self.number.map(|number| number + 1);
            let more = self.read_line().map_err(|cause| FileError {
                path: self.path.clone(),
                line: self.number,
                cause,
            })?;
            if !more {
                self.done = true;
                return Ok(());
            }
            if !self.line.is_empty() {
                let stamp = split_stamp(&self.line).0;
                self.stamp = stamp.map_or(self.stamp, |stamp| stamp.ts_recv);
                return Ok(());
            }
        }
    }

    /// Reads up to the next line end, keeping little more than the limit; false at the end.
    fn read_line(&mut self) -> io::Result<bool> {
        self.line.clear();
        let mut whole = 0;
        loop {
            let chunk = self.reader.fill_buf()?;
            if chunk.is_empty() {
                self.note_cut(whole);
                return Ok(whole > 0);
            }
            let end = memchr::memchr(b'\n', chunk);
            let text = &chunk[..end.unwrap_or(chunk.len())];
            // The stamp is not part of the frame: leave room for it.
            let room = (self.max_frame_bytes + 1 + STAMP_BYTES_MAX).saturating_sub(self.line.len());
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            whole += text.len();
            let used = end.map_or(chunk.len(), |at| at + 1);
            self.reader.consume(used);
            if end.is_some() {
                if self.line.last() == Some(&b'\r') {
                    self.line.pop();
                    whole -= 1;
                }
                self.note_cut(whole);
                return Ok(true);
            }
        }
    }

    /// Notes the length of a line of which a part was left out.
    fn note_cut(&mut self, whole: usize) {
        if whole > self.line.len() {
            // The cut may go through a character, which would make the text unreadable.
            if let Err(error) = std::str::from_utf8(&self.line)
                && error.error_len().is_none()
            {
                self.line.truncate(error.valid_up_to());
            }
            let stamp = self.line.len() - split_stamp(&self.line).1.len();
            mark_cut(&mut self.line, whole - stamp);
        }
    }
}

fn hint(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::NotFound => "; check the path given to --input",
        io::ErrorKind::PermissionDenied => "; the user running foretick may not read it",
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            "; the file is cut off or damaged: record or copy it again"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::frame::whole_length;
    use crate::tests::scratch::Scratch;

    fn read_all(paths: &[PathBuf]) -> Result<Vec<(i64, String)>, FileError> {
        let mut source = FileSource::open(paths, 40)?;
        let mut frames = Vec::new();
        while let Some((origin, bytes)) = source.next_frame()? {
            frames.push((
                origin.ts_recv.0,
                String::from_utf8_lossy(bytes).into_owned(),
            ));
            assert_eq!(origin.offset, frames.len() as i64 - 1);
        }
        Ok(frames)
    }

    #[test]
    fn files_are_merged_by_receive_time() {
        let scratch = Scratch::new();
        let a = scratch.write("a", b"1 {a}\n3 {b}\r\n\n3 {c}\n");
        let b = scratch.write("b", b"2 {x}\n3 {y}\n9 {z}");
        let order: Vec<String> = read_all(&[a, b])
            .unwrap()
            .into_iter()
            .map(|f| f.1)
            .collect();
        assert_eq!(order, ["{a}", "{x}", "{b}", "{c}", "{y}", "{z}"]);
    }

    #[test]
    fn lines_without_a_stamp_follow_their_file() {
        let scratch = Scratch::new();
        let a = scratch.write("a", b"{a}\n{b}\n");
        let b = scratch.write("b", b"{x}\n");
        let frames = read_all(&[a, b]).unwrap();
        assert_eq!(
            frames.iter().map(|f| f.1.as_str()).collect::<Vec<_>>(),
            ["{a}", "{b}", "{x}"]
        );
        assert!(frames.iter().all(|f| f.0 == Nanos::UNDEFINED.0));
    }

    #[test]
    fn compressed_files_are_recognised_by_their_first_bytes() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"1 {a}\n2 {b}\n").unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = zstd::encode_all(&b"1 {a}\n2 {b}\n"[..], 1).unwrap();
        let scratch = Scratch::new();
        for (name, bytes) in [("gz", &gzip), ("zst", &zstd)] {
            let whole = scratch.write(name, bytes);
            assert_eq!(read_all(&[whole]).unwrap().len(), 2, "{name}");
            let cut = scratch.write(name, &bytes[..bytes.len() - 9]);
            let error = read_all(&[cut]).unwrap_err().to_string();
            assert!(error.contains("cut off"), "{error}");
            assert!(error.contains("while reading the capture"), "{error}");
            assert!(error.contains(", line "), "{error}");
        }
    }

    #[test]
    fn a_line_over_the_limit_is_cut_but_not_lost() {
        let long = format!("7 {}\n8 {{ok}}\n", "x".repeat(500));
        let scratch = Scratch::new();
        let frames = read_all(&[scratch.write("long", long)]).unwrap();
        assert!(
            frames[0].1.len() > 40 && frames[0].1.len() < 100,
            "longer than the limit, still"
        );
        assert!(frames[0].1.ends_with("…(cut from 500 bytes)"));
        assert_eq!(whole_length(frames[0].1.as_bytes()), 500);
        assert_eq!(whole_length(frames[1].1.as_bytes()), frames[1].1.len());
        assert_eq!(frames[1].1, "{ok}");
        let long = scratch.write("euros", "€".repeat(500));
        let frames = read_all(&[long]).unwrap();
        assert!(
            frames[0].1.ends_with("€…(cut from 1500 bytes)"),
            "{frames:?}"
        );
    }

    #[test]
    fn a_message_at_the_limit_is_whole_behind_the_longest_stamp() {
        let message = "x".repeat(40);
        let line = format!("1723161253937085768!? {message}\n");
        let scratch = Scratch::new();
        let frames = read_all(&[scratch.write("limit", line)]).unwrap();
        assert_eq!(frames, [(1_723_161_253_937_085_768, message)]);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read_all(&[PathBuf::from("/nowhere/x.gz")])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("/nowhere/x.gz") && error.contains("--input"),
            "{error}"
        );
    }
}
