//! The lines of a file that have more than blanks, or of the files of one session, one behind the other.
//!
//! A file that a session wrote may end within a line or within its compression, where the process or the
//! machine was killed: what is whole is read, and the rest is left with a warning. Damage elsewhere, and any
//! in another file, is an error. Reading may begin at a receive time; a gap then stands before the first line
//! of a session of which lines were left out.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use tracing::warn;

use super::capture::{SessionLine, part_before};
use super::conflation::RECONNECT_GAP;
use super::event_time::event_time;
use super::file_content;
use super::file_content::{FileContent, bytes_of};
use super::file_error::FileError;
use super::file_options::FileOptions;
use super::file_position::{FilePosition, LinePlace};
use super::file_session::FileChain;
use super::span_end::{LineUse, SpanEnd};
use super::table;
use super::table::TableKind;
use super::topic_lines::TopicLines;
use crate::frame::{STAMP_BYTES_MAX, mark_cut, split_stamp};
use crate::units::Nanos;

/// The lines of a file, or of several that continue one another.
pub(super) struct FileLines {
    path: PathBuf,
    content: FileContent,
    max_frame_bytes: usize,
    /// Number of the line read last, from 1; none for tables.
    number: Option<u64>,
    /// The session that the last lines are of.
    session: Option<SessionLine>,
    /// Whether something else was recorded before, so that a gap stands before the first session.
    follows: bool,
    /// The files that continue this one.
    rest: VecDeque<PathBuf>,
    /// How far the file is read.
    position: FilePosition,
    /// Bytes of the files before this one, and of all.
    bytes: (u64, u64),
    /// Lines that were received before are left out, until one is met that was not.
    begin: Option<Nanos>,
    /// The time of the last line that has one, while lines are left out.
    time: Option<Nanos>,
    /// Whether lines were left out before the first.
    is_cut: bool,
    /// The line behind a gap.
    held: Option<Vec<u8>>,
    /// Where reading ends, if not at the end of the files.
    end: Option<SpanEnd>,
    /// Whether that was reached.
    is_over: bool,
}

/// How a line ends.
enum Ending {
    Whole,
    /// The file ends within it, or behind its last character.
    AtEnd,
    /// There is no line.
    NoLine,
}

impl FileLines {
    /// Opens the first file, near the options' `begin` where there is one and the file has an index. Reading
    /// ends at their `end`, if not before.
    pub(super) fn open(chain: FileChain, options: &FileOptions) -> Result<Self, FileError> {
        let FileChain {
            mut paths,
            follows,
            is_cut,
            partition,
            ..
        } = chain;
        let all = paths.iter().map(|path| bytes_of(path)).sum();
        let path = paths.pop_front().unwrap_or_default();
        let (content, position, number) = match partition {
            None => open(&path, options)?,
            Some(partition) => {
                let topic = TopicLines::new(partition, options.begin, options.end);
                let content = FileContent::Topic(Box::new(topic));
                (content, FilePosition::Unknown, None)
            }
        };
        let begin = options.begin;
        let mut lines = Self {
            content,
            position,
            bytes: (0, all),
            max_frame_bytes: options.max_frame_bytes,
            number,
            session: None,
            follows,
            rest: paths,
            begin,
            end: options.end,
            time: None,
            is_cut,
            held: None,
            is_over: false,
            path,
        };
        let part = begin.filter(|_| number.is_some());
        if let Some(part) = part.and_then(|begin| part_before(&lines.path, begin)) {
            lines.content = FileContent::Lines(part.reader);
            lines.position = part.position;
            lines.number = Some(part.lines_before);
            lines.session = Some(part.session);
            lines.is_cut = true;
        }
        Ok(lines)
    }

    /// The number of the line read last.
    pub(super) fn number(&self) -> Option<u64> {
        self.number
    }

    /// The name of the format, and the records that have been read, where it counts them. Lines that begin
    /// with a receive time are a capture.
    pub(super) fn read_so_far(&self, is_stamped: bool) -> (&'static str, Option<u64>) {
        match &self.content {
            FileContent::Rows(rows) => {
                let (format, records) = rows.read_so_far();
                (format, Some(records))
            }
            FileContent::Topic(_) => ("kafka", None),
            FileContent::Lines(_) if is_stamped || self.session.is_some() => ("capture", None),
            FileContent::Lines(_) => match table::kind_of(&self.path) {
                Some(TableKind::Parquet) => ("parquet", None),
                Some(TableKind::Csv | TableKind::Tsv | TableKind::Text) => ("csv", None),
                None => ("json_lines", None),
            },
        }
    }

    /// Whether the line read last is of a session of `record` or `run --capture`.
    pub(super) fn is_of_session(&self) -> bool {
        self.session.is_some()
    }

    /// Where the line read last is.
    pub(super) fn place(&self) -> LinePlace {
        let mut place = LinePlace {
            line: self.number,
            files_left: self.rest.len(),
            ..LinePlace::default()
        };
        match &self.content {
            FileContent::Topic(topic) => place.record = Some(topic.address()),
            FileContent::Rows(rows) => place.row = Some(rows.read_so_far().1),
            FileContent::Lines(_) => {}
        }
        place
    }

    /// An error at the line read last.
    pub(super) fn error(&self, cause: io::Error) -> FileError {
        FileError {
            path: self.path.clone(),
            line: self.number,
            cause,
        }
    }

    /// Reads the next line that has more than blanks; false at the end. A line about the session is passed
    /// over, or becomes a gap where frames of another one come before it.
    pub(super) fn next_line(&mut self, line: &mut Vec<u8>) -> Result<bool, FileError> {
        if let Some(held) = self.held.take() {
            *line = held;
            return Ok(true);
        }
        if let FileContent::Topic(topic) = &mut self.content {
            let is_there = topic.next_line(line).map_err(|cause| self.error(cause))?;
            self.cut(line);
            return Ok(is_there);
        }
        while !self.is_over && self.read_next(line)? {
            let line_use = match (&mut self.end, &self.content) {
                (Some(end), FileContent::Lines(_)) => Some(end.use_of(line)),
                (Some(end), FileContent::Rows(rows)) => {
                    Some(end.use_of_row(line, rows.are_in_order()))
                }
                (_, FileContent::Topic(_)) | (None, _) => None,
            };
            match line_use {
                Some(LineUse::Ended) => {
                    self.is_over = true;
                    return Ok(false);
                }
                Some(LineUse::PassedOver) => continue,
                Some(LineUse::Taken) | None => {}
            }
            let Some(begin) = self.begin else {
                return Ok(true);
            };
            let (stamp, message) = split_stamp(line);
            let received = stamp.map(|stamp| stamp.ts_recv);
            self.time = received.or_else(|| event_time(message)).or(self.time);
            if self.time.is_some_and(|time| time < begin) {
                self.is_cut = true;
                continue;
            }
            self.begin = None;
            if let (Some(received), true, true) = (received, self.is_cut, self.session.is_some())
                && message != RECONNECT_GAP
            {
                let mut gap = format!("{} ", received.0).into_bytes();
                gap.extend_from_slice(RECONNECT_GAP);
                self.held = Some(std::mem::replace(line, gap));
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Reads the next line, whenever it was received.
    fn read_next(&mut self, line: &mut Vec<u8>) -> Result<bool, FileError> {
        if let FileContent::Rows(rows) = &mut self.content {
            return rows.next_frame(line).map_err(|cause| self.error(cause));
        }
        loop {
            self.number = self.number.map(|number| number + 1);
            let is_torn = match self.read_line(line) {
                Ok(Ending::Whole) => false,
                Ok(Ending::AtEnd) if self.session.is_none() => false,
                Ok(Ending::AtEnd) => true,
                Ok(Ending::NoLine) if self.rest.is_empty() => return Ok(false),
                Ok(Ending::NoLine) => {
                    self.open_next()?;
                    continue;
                }
                Err(cause) if self.is_torn(&cause) => true,
                Err(cause) => return Err(self.error(cause)),
            };
            if is_torn {
                line.clear();
                return self.end_torn();
            }
            // The first byte tells that nearly every line is filled.
            let is_blank = line.first().is_none_or(|&byte| byte <= b' ');
            if is_blank && line.trim_ascii().is_empty() {
                continue;
            }
            match SessionLine::read(line) {
                None => return Ok(true),
                Some(session) => {
                    if self.begin_session(session) {
                        let stamp = line.len() - split_stamp(line).1.len();
                        line.truncate(stamp);
                        line.extend_from_slice(RECONNECT_GAP);
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// Goes over to another session, or to the next file of this one. Whether frames are missing between.
    fn begin_session(&mut self, next: SessionLine) -> bool {
        let is_gap = match &self.session {
            Some(last) => last.id != next.id || last.file + 1 != next.file,
            None => self.follows || self.number.is_some_and(|number| number > 1),
        };
        self.session = Some(next);
        is_gap
    }

    fn open_next(&mut self) -> Result<(), FileError> {
        if let Some(path) = self.rest.pop_front() {
            self.bytes.0 += bytes_of(&self.path);
            (self.content, self.position, self.number) = open(&path, &FileOptions::default())?;
            self.path = path;
        }
        Ok(())
    }

    /// Bytes of the files that have been read, and all that they have.
    pub(super) fn progress(&mut self) -> (u64, u64) {
        if let FileContent::Topic(topic) = &self.content {
            return topic.progress();
        }
        let (before, all) = self.bytes;
        ((before + self.position.bytes()).min(all), all)
    }

    /// Cuts a record that is longer than frames may be.
    fn cut(&self, line: &mut Vec<u8>) {
        let (whole, most) = (line.len(), self.max_frame_bytes + 1 + STAMP_BYTES_MAX);
        line.truncate(most);
        note_cut(line, whole);
    }

    /// The end of a file that was torn, which only the last of a session can be.
    fn end_torn(&self) -> Result<bool, FileError> {
        if !self.rest.is_empty() {
            let cause = "it ends within a frame, though its session went on in another file";
            return Err(self.error(io::Error::new(io::ErrorKind::InvalidData, cause)));
        }
        warn!(
            capture = %self.path.display(),
            lines = self.number.map(|number| number - 1),
            "the capture ends within a frame, as after a crash: all frames before it are read"
        );
        Ok(false)
    }

    /// Whether an error means that the file was cut while it grew: it ends too early, or in zeros, which a
    /// file system leaves where it had no time to write.
    fn is_torn(&self, error: &io::Error) -> bool {
        self.session.is_some()
            && (error.kind() == io::ErrorKind::UnexpectedEof
                || ends_in_zeros(&self.path).unwrap_or(false))
    }

    /// Reads up to the next line end, keeping little more than the limit.
    fn read_line(&mut self, line: &mut Vec<u8>) -> io::Result<Ending> {
        line.clear();
        let FileContent::Lines(reader) = &mut self.content else {
            return Ok(Ending::NoLine);
        };
        let mut whole = 0;
        loop {
            let chunk = reader.fill_buf()?;
            if chunk.is_empty() {
                note_cut(line, whole);
                return Ok(match whole {
                    0 => Ending::NoLine,
                    _ => Ending::AtEnd,
                });
            }
            let end = memchr::memchr(b'\n', chunk);
            let text = &chunk[..end.unwrap_or(chunk.len())];
            // The stamp is not part of the frame: leave room for it.
            let room = (self.max_frame_bytes + 1 + STAMP_BYTES_MAX).saturating_sub(line.len());
            line.extend_from_slice(&text[..text.len().min(room)]);
            whole += text.len();
            let used = end.map_or(chunk.len(), |at| at + 1);
            reader.consume(used);
            if end.is_some() {
                if line.last() == Some(&b'\r') {
                    line.pop();
                    whole -= 1;
                }
                note_cut(line, whole);
                return Ok(Ending::Whole);
            }
        }
    }
}

fn open(
    path: &Path,
    options: &FileOptions,
) -> Result<(FileContent, FilePosition, Option<u64>), FileError> {
    file_content::open(path, options).map_err(|cause| FileError {
        path: path.to_owned(),
        line: None,
        cause,
    })
}

/// Notes the length of a line of which a part was left out.
fn note_cut(line: &mut Vec<u8>, whole: usize) {
    if whole > line.len() {
        // The cut may go through a character, which would make the text unreadable.
        if let Err(error) = std::str::from_utf8(line)
            && error.error_len().is_none()
        {
            line.truncate(error.valid_up_to());
        }
        let stamp = line.len() - split_stamp(line).1.len();
        mark_cut(line, whole - stamp);
    }
}

fn ends_in_zeros(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let mut end = [1; ZEROS];
    if bytes < end.len() as u64 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-(ZEROS as i64)))?;
    file.read_exact(&mut end)?;
    Ok(end == [0; ZEROS])
}

/// More zeros at the end of a file than a compressed frame ends in.
const ZEROS: usize = 64;
