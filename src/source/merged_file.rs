//! A file among those that are merged: its next line, and the time by which it is merged.

use std::collections::VecDeque;
use std::io;

use super::event_time::{JumpCheck, event_time};
use super::file_error::FileError;
use super::file_lines::FileLines;
use super::file_options::FileOptions;
use super::file_position::LinePlace;
use super::file_session::FileChain;
use crate::frame::{LeadingTime, leading_time, split_stamp};
use crate::units::Nanos;

/// One file, or the files of one session, and the next line.
pub(super) struct Lines {
    /// Its number among the inputs.
    pub(super) stream: u16,
    pub(super) chain: FileChain,
    /// None where it has not been opened for good yet, or is over.
    pub(super) reader: Option<FileLines>,
    /// What the last reader knew when it was closed.
    pub(super) closed: Closed,
    pub(super) line: Vec<u8>,
    pub(super) place: LinePlace,
    /// By what the files are merged: the line's receive time, else its `ts_event`, else the time of the line
    /// before it.
    pub(super) time: Nanos,
    /// Whether there are other files, with which it is merged.
    pub(super) is_merged: bool,
    /// Whether a line has been read.
    pub(super) has_begun: bool,
    /// Whether the first line has a receive time.
    pub(super) is_stamped: bool,
    /// Lines so far.
    pub(super) count: u64,
    pub(super) done: bool,
    /// Of lines without receive time.
    pub(super) jumps: JumpCheck,
    /// The lines after the current one that had to be read before their turn.
    ahead: VecDeque<LineAhead>,
    /// What came of reading on behind them.
    pub(super) failed: Option<FileError>,
    /// The time before the current line, where the line's own time is too far ahead of it: see
    /// [`FileOptions::max_jump_ns`].
    pub(super) before_outlier: Option<Nanos>,
}

/// A line that was read before its turn.
struct LineAhead {
    line: Vec<u8>,
    place: LinePlace,
}

/// What is known of a file that is closed.
#[derive(Clone, Copy, Default)]
pub(super) struct Closed {
    /// The name of the format, and the records, where it counts them.
    pub(super) format: (&'static str, Option<u64>),
    pub(super) bytes: u64,
}

impl Lines {
    pub(super) fn new(chain: FileChain, is_merged: bool) -> Self {
        Self {
            stream: chain.stream,
            chain,
            reader: None,
            closed: Closed::default(),
            line: vec![],
            place: LinePlace::default(),
            time: Nanos(i64::MIN),
            is_merged,
            has_begun: false,
            is_stamped: false,
            count: 0,
            done: false,
            jumps: JumpCheck::default(),
            ahead: VecDeque::new(),
            failed: None,
            before_outlier: None,
        }
    }

    /// Opens the file at its beginning, and reads its first line.
    pub(super) fn open(&mut self, options: &FileOptions) -> Result<(), FileError> {
        *self = Self::new(self.chain.clone(), self.is_merged);
        self.jumps.max_jump_ns = options.max_jump_ns;
        self.reader = Some(FileLines::open(self.chain.clone(), options)?);
        self.advance()
    }

    /// Whether it is a file: what was read of a pipe is gone.
    pub(super) fn can_open_again(&self) -> bool {
        self.chain.paths.iter().all(|path| path.is_file())
    }

    /// Closes the file, and gives its memory back.
    pub(super) fn close(&mut self) {
        if let Some(mut reader) = self.reader.take() {
            self.closed = Closed {
                format: reader.read_so_far(self.is_stamped),
                bytes: reader.progress().1,
            };
        }
        self.line = vec![];
        self.ahead = VecDeque::new();
    }

    /// The next line of the file.
    fn read_next(&mut self) -> Result<bool, FileError> {
        let Some(reader) = &mut self.reader else {
            return Ok(false);
        };
        let is_there = reader.next_line(&mut self.line)?;
        self.place = reader.place();
        Ok(is_there)
    }

    /// Reads the next line that is not empty.
    pub(super) fn advance(&mut self) -> Result<(), FileError> {
        match self.ahead.pop_front() {
            Some(LineAhead { line, place }) => (self.line, self.place) = (line, place),
            None => match self.failed.take() {
                Some(error) => return Err(error),
                None => self.done = !self.read_next()?,
            },
        }
        if self.done {
            return Ok(());
        }
        self.count += 1;
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        if is_first {
            self.is_stamped = split_stamp(&self.line).0.is_some();
        }
        if is_first && !self.is_stamped {
            self.check_stamp()?;
        }
        self.find_time();
        Ok(())
    }

    /// Finds the time of the current line, and whether it can be.
    fn find_time(&mut self) {
        self.before_outlier = None;
        if self.done {
            return;
        }
        let (stamp, message) = split_stamp(&self.line);
        let time = match stamp {
            Some(stamp) if self.jumps.is_stamp_jump(stamp.ts_recv) => {
                self.find_outlier();
                self.before_outlier.or(Some(stamp.ts_recv))
            }
            Some(stamp) => Some(stamp.ts_recv),
            None if self.jumps.is_jump(message) => {
                self.find_outlier();
                self.before_outlier.or_else(|| event_time(&self.line))
            }
            None if self.is_merged => event_time(message),
            None => None,
        };
        self.time = time.unwrap_or(self.time);
    }

    /// Asks the lines after the current one whether its time can be.
    fn find_outlier(&mut self) {
        let mut question = self.jumps.question(&self.line);
        let (line, place) = (std::mem::take(&mut self.line), self.place);
        let (mut at, mut bytes) = (0, 0);
        while bytes < AHEAD_BYTES_MAX {
            if at == self.ahead.len() && !self.read_ahead() {
                break;
            }
            bytes += self.ahead[at].line.len();
            if !question.ask(&self.ahead[at].line) {
                break;
            }
            at += 1;
        }
        question.end();
        (self.line, self.place) = (line, place);
        self.before_outlier = self.jumps.before_outlier(&self.line, &question);
    }

    /// Reads a line before its turn; false at the end of the file, or where it cannot be read on.
    fn read_ahead(&mut self) -> bool {
        if self.failed.is_some() {
            return false;
        }
        match self.read_next() {
            Ok(true) => self.ahead.push_back(LineAhead {
                line: std::mem::take(&mut self.line),
                place: self.place,
            }),
            Ok(false) => return false,
            Err(error) => {
                self.failed = Some(error);
                return false;
            }
        }
        true
    }

    /// Refuses a file whose first receive time is in another unit or form: all of its times would be.
    fn check_stamp(&self) -> Result<(), FileError> {
        let error = match leading_time(&self.line) {
            None => return Ok(()),
            Some(LeadingTime::Other) => None,
            Some(LeadingTime::Number(number)) => Nanos::plausible(number).err(),
        };
        let error = match error {
            Some(error) => error.to_string(),
            None => "write whole nanoseconds since 1970, as 1723161253937085768".into(),
        };
        let cause = io::Error::other(format!("its receive time cannot be: {error}"));
        match &self.reader {
            Some(reader) => Err(reader.error(cause)),
            None => Ok(()),
        }
    }
}

/// Bytes of the lines that are asked about one before them.
const AHEAD_BYTES_MAX: usize = 1 << 20;
