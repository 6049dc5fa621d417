//! Files: captures, one frame a line, plain, gzip or zstd by their first bytes; archives and tables, one
//! frame a row.
//!
//! A line may begin with its receive time (`1723161253937085768 {…}`). Several files are merged by
//! that time, lines without one by their `ts_event`; lines with neither follow the line before them. The
//! files of one session of `record` or `run --capture` are read one behind the other. Each partition of a
//! topic is merged as a file would be; of equal times the input that is named first comes first, and of a
//! topic the lower partition.
//! Reads nothing else of a message.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::path::PathBuf;

use super::event_time::{JumpCheck, event_time};
pub use super::file_lines::FileError;
use super::file_lines::{FileLines, LinePlace};
pub use super::file_options::{FileOptions, TableMeaning};
pub use super::file_position::InputProgress;
use super::file_session::{FileChain, chains_of};
pub use super::span_end::SpanEnd;
use super::topic_inputs::with_partitions;
use crate::frame::{LeadingTime, Origin, leading_time, split_stamp};
use crate::units::Nanos;

/// The frames of some captures, in the order of their receive times, or of `ts_event` where there are none.
pub struct FileSource {
    files: Vec<Lines>,
    current: usize,
    next_number: i64,
    /// The files that are not over, but for the current one, by the time of their next line.
    waiting: BinaryHeap<Reverse<(Nanos, usize)>>,
    options: FileOptions,
}

/// One file, or the files of one session, and the next line.
struct Lines {
    /// Its number among the inputs.
    stream: u16,
    chain: FileChain,
    /// None where it has not been opened for good yet, or is over.
    reader: Option<FileLines>,
    /// What the last reader knew when it was closed.
    closed: Closed,
    line: Vec<u8>,
    place: LinePlace,
    /// By what the files are merged: the line's receive time, else its `ts_event`, else the time of the line
    /// before it.
    time: Nanos,
    /// Whether there are other files, with which it is merged.
    is_merged: bool,
    /// Whether a line has been read.
    has_begun: bool,
    /// Whether the first line has a receive time.
    is_stamped: bool,
    /// Lines so far.
    count: u64,
    done: bool,
    /// Of lines without receive time.
    jumps: JumpCheck,
    /// The lines after the current one that had to be read before their turn.
    ahead: VecDeque<LineAhead>,
    /// What came of reading on behind them.
    failed: Option<FileError>,
    /// The time before the current line, where the line's own time is too far ahead of it: see
    /// [`FileOptions::max_jump_ns`].
    before_outlier: Option<Nanos>,
}

/// A line that was read before its turn.
struct LineAhead {
    line: Vec<u8>,
    place: LinePlace,
}

/// Where a frame stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FramePlace {
    /// The file, or the topic as it was named.
    pub path: PathBuf,
    /// The line, counted from 1, where the file has lines.
    pub line: Option<u64>,
    /// The row, counted from 1, where it has rows.
    pub row: Option<u64>,
}

impl FileSource {
    /// Opens the files and reads the first line of each: see [`FileOptions::max_frame_bytes`].
    ///
    /// # Errors
    /// [`FileError`] naming the file.
    pub fn open(paths: &[PathBuf], max_frame_bytes: usize) -> Result<Self, FileError> {
        let options = FileOptions {
            max_frame_bytes,
            ..FileOptions::default()
        };
        Self::open_with(paths, &options)
    }

    /// The same with further options. A capture is opened near where reading begins by its index.
    ///
    /// # Errors
    /// [`FileError`] naming the file.
    pub fn open_with(paths: &[PathBuf], options: &FileOptions) -> Result<Self, FileError> {
        let mut files = Vec::new();
        let options = options.of_inputs(paths);
        let mut chains = chains_of(paths, options.begin);
        chains.retain(|chain| !chain.paths.iter().all(|path| options.is_companion(path)));
        let chains = with_partitions(chains, &options)?;
        let is_merged = chains.len() > 1;
        for chain in chains {
            files.push(Lines::new(chain, is_merged));
        }
        let mut source = Self {
            files,
            current: 0,
            next_number: 0,
            waiting: BinaryHeap::new(),
            options,
        };
        source.begin()?;
        Ok(source)
    }

    /// Reads the first line of each file, for its time. Of many files each is closed again until its turn.
    fn begin(&mut self) -> Result<(), FileError> {
        let are_many = self.files.len() > OPEN_MAX;
        for (at, lines) in self.files.iter_mut().enumerate() {
            lines.open(&self.options)?;
            if !lines.done {
                self.waiting.push(Reverse((lines.time, at)));
                if are_many && lines.can_open_again() {
                    lines.close();
                }
            }
        }
        Ok(())
    }

    /// The number of the last line that was read of the current file, from 1. Tables have none.
    #[must_use]
    pub fn line_number(&self) -> Option<u64> {
        self.files.get(self.current)?.reader.as_ref()?.number()
    }

    /// The format of each file, or of each session, and the records of it that have been read.
    #[must_use]
    pub fn read_so_far(&self) -> Vec<(&'static str, u64)> {
        let of = |lines: &Lines| {
            let (format, records) = match &lines.reader {
                Some(reader) => reader.read_so_far(lines.is_stamped),
                None => lines.closed.format,
            };
            (format, records.unwrap_or(lines.count))
        };
        self.files.iter().map(of).collect()
    }

    /// Whether the last frame is of a session of `record` or `run --capture`.
    #[must_use]
    pub fn is_of_session(&self) -> bool {
        let current = self.files.get(self.current);
        let reader = current.and_then(|lines| lines.reader.as_ref());
        reader.is_some_and(FileLines::is_of_session)
    }

    /// How much has been read, and up to what time.
    #[must_use]
    pub fn progress(&mut self) -> InputProgress {
        let mut progress = InputProgress::default();
        for lines in &mut self.files {
            let (read, all) = match &mut lines.reader {
                Some(reader) => reader.progress(),
                None => (0, lines.closed.bytes),
            };
            // A file of which no line is left may have been left before its end.
            progress.read += if lines.done { all } else { read };
            progress.all += all;
        }
        let current = self.files.get(self.current).filter(|lines| !lines.done);
        progress.time = current.and_then(|lines| match split_stamp(&lines.line) {
            (Some(stamp), _) => Some(stamp.ts_recv),
            (None, message) => event_time(message),
        });
        progress
    }

    /// The next frame: its origin and its bytes, valid until the next call. `None` at the end.
    ///
    /// `origin.offset` counts the frames of the merged order from 0, as a topic holding them would. That of a
    /// topic's record is its own.
    ///
    /// # Errors
    /// [`FileError`] where a file ends in the middle of its compression, or the disk fails.
    pub fn next_frame(&mut self) -> Result<Option<(Origin, &[u8])>, FileError> {
        Ok(self.advance()?.then(|| self.frame()))
    }

    /// Where the frame stands that [`FileSource::advance`] went to.
    #[must_use]
    pub fn place(&self) -> FramePlace {
        let lines = &self.files[self.current];
        let LinePlace {
            line,
            row,
            files_left,
            ..
        } = lines.place;
        let mut paths = lines.chain.paths.iter().rev();
        FramePlace {
            path: paths.nth(files_left).cloned().unwrap_or_default(),
            line,
            row,
        }
    }

    /// Goes to the next frame; false at the end.
    ///
    /// # Errors
    /// See [`FileSource::next_frame`].
    pub fn advance(&mut self) -> Result<bool, FileError> {
        let mut current = None;
        if self.next_number > 0 {
            let lines = &mut self.files[self.current];
            lines.advance()?;
            match lines.done {
                true => lines.close(),
                false => current = Some((lines.time, self.current)),
            }
        }
        let first = self.waiting.peek().map(|Reverse(first)| *first);
        let at = match (current, first) {
            (None, None) => return Ok(false),
            (Some(current), first) if first.is_none_or(|first| current < first) => current.1,
            (current, _) => {
                self.waiting.extend(current.map(Reverse));
                let Some(Reverse((_, at))) = self.waiting.pop() else {
                    return Ok(false);
                };
                at
            }
        };
        self.current = at;
        if self.files[at].reader.is_none() {
            self.files[at].open(&self.options)?;
        }
        self.next_number += 1;
        Ok(true)
    }

    /// The frame that [`FileSource::advance`] went to: its origin and its bytes.
    #[must_use]
    pub fn frame(&self) -> (Origin, &[u8]) {
        let lines = &self.files[self.current];
        let (stamp, message) = split_stamp(&lines.line);
        let origin = Origin {
            ts_recv: match stamp {
                Some(stamp) => lines.before_outlier.unwrap_or(stamp.ts_recv),
                None => lines.before_outlier.unwrap_or(Nanos::UNDEFINED),
            },
            offset: lines
                .place
                .record
                .map_or(self.next_number - 1, |(_, offset)| offset),
            partition: lines.place.record.map_or(0, |(partition, _)| partition),
            stream: lines.stream,
            late: stamp.is_some_and(|stamp| stamp.late),
            reprocessed: stamp.is_some_and(|stamp| stamp.reprocessed),
        };
        (origin, message)
    }
}

/// What is known of a file that is closed.
#[derive(Clone, Copy, Default)]
struct Closed {
    /// The name of the format, and the records, where it counts them.
    format: (&'static str, Option<u64>),
    bytes: u64,
}

impl Lines {
    fn new(chain: FileChain, is_merged: bool) -> Self {
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
    fn open(&mut self, options: &FileOptions) -> Result<(), FileError> {
        *self = Self::new(self.chain.clone(), self.is_merged);
        self.jumps.max_jump_ns = options.max_jump_ns;
        self.reader = Some(FileLines::open(self.chain.clone(), options)?);
        self.advance()
    }

    /// Whether it is a file: what was read of a pipe is gone.
    fn can_open_again(&self) -> bool {
        self.chain.paths.iter().all(|path| path.is_file())
    }

    /// Closes the file, and gives its memory back.
    fn close(&mut self) {
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
    fn advance(&mut self) -> Result<(), FileError> {
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

/// Files that are open at once while others wait for their turn.
const OPEN_MAX: usize = 64;

/// Bytes of the lines that are asked about one before them.
const AHEAD_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::frame::whole_length;
    use crate::tests::scratch::Scratch;

    fn read_all(paths: &[PathBuf]) -> Result<Vec<(i64, String)>, FileError> {
        let mut source = FileSource::open(paths, 80)?;
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

    /// The lines of a text with their first digits as seconds of a plausible receive time.
    fn stamped(lines: &str) -> String {
        let lines = lines
            .split_inclusive('\n')
            .map(|line| match line.as_bytes() {
                [digit @ b'0'..=b'9', ..] => {
                    format!("170000000{}000000000{}", char::from(*digit), &line[1..])
                }
                _ => line.to_owned(),
            });
        lines.collect()
    }

    #[test]
    fn files_without_receive_times_are_merged_by_event_time_in_either_order() {
        let scratch = Scratch::new();
        let quotes = r#"{"ts_event":1700000001000000000,"x":"mark-q1"}
{"x":"mark-q2", "ts_event" : "1700000003000000000"}
{"x":"mark-q3"}
"#;
        let trades = r#"{"x":"mark-t1 \"ts_event\":5","ts_event":"2023-11-14T22:13:22Z"}
{"ts_event":1700000004,"x":"mark-t2"}
{"x":"mark-t3","ts_event":"2023-11-15T00:13:24+02:00"}
"#;
        let quotes = scratch.write("quotes", quotes);
        let trades = scratch.write("trades", trades);
        for paths in [[&quotes, &trades], [&trades, &quotes]] {
            let frames = read_all(&paths.map(PathBuf::clone)).unwrap();
            let of = |text: &str| {
                let mark = text.find("mark-").unwrap();
                text[mark + 5..mark + 7].to_owned()
            };
            let order: Vec<String> = frames.iter().map(|frame| of(&frame.1)).collect();
            // A line without a plausible time follows its file.
            let expected = ["q1", "t1", "t2", "q2", "q3", "t3"];
            assert_eq!(order, expected);
        }
    }

    #[test]
    fn receive_times_in_another_unit_are_refused_with_the_unit() {
        let scratch = Scratch::new();
        for (stamp, word) in [
            ("1700000000", "seconds"),
            ("1700000000123!", "milliseconds"),
            ("1700000000123456!?", "microseconds"),
            ("17", "1970"),
            ("1700000000.123456", "seconds"),
            ("2023-11-14T22:13:20Z", "whole nanoseconds"),
        ] {
            let path = scratch.write("unit", format!("{stamp} {{}}\n"));
            let error = read_all(&[path]).unwrap_err().to_string();
            assert!(error.contains(word) && error.contains("line 1"), "{error}");
        }
        // One wrong time among right ones is a wrong line, for the decoder to refuse.
        let path = scratch.write("one", stamped("1 {a}\n2 {b}\n") + "17 {c}\n");
        let frames = read_all(&[path]).unwrap();
        assert_eq!(frames[2], (Nanos::UNDEFINED.0, "17 {c}".into()));
    }

    #[test]
    fn files_are_merged_by_receive_time() {
        let scratch = Scratch::new();
        let a = scratch.write("a", stamped("1 {a}\n3 {b}\r\n\n3 {c}\n"));
        let b = scratch.write("b", stamped("2 {x}\n3 {y}\n9 {z}"));
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
        gzip.write_all(stamped("1 {a}\n2 {b}\n").as_bytes())
            .unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = zstd::encode_all(stamped("1 {a}\n2 {b}\n").as_bytes(), 1).unwrap();
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
    fn damage_at_the_beginning_is_an_error_of_the_first_line() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(stamped("1 {a}\n2 {b}\n").as_bytes())
            .unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = zstd::encode_all(stamped("1 {a}\n2 {b}\n").as_bytes(), 1).unwrap();
        let mut header = gzip.clone();
        header[2] = 77;
        let scratch = Scratch::new();
        let good = scratch.write("good", stamped("1 {a}\n"));
        for (name, bytes) in [
            ("a damaged header", &header[..]),
            ("a header cut off", &gzip[..7]),
            ("a first block cut off", &gzip[..14]),
            ("zstd cut off", &zstd[..9]),
        ] {
            let bad = scratch.write("bad", bytes);
            for paths in [vec![bad.clone()], vec![good.clone(), bad]] {
                let error = read_all(&paths).unwrap_err().to_string();
                assert!(error.contains("bad, line 1"), "{name}: {error}");
                assert!(error.contains("cut off or damaged"), "{name}: {error}");
            }
        }
    }

    #[test]
    fn lines_before_damage_are_read_where_a_line_asks_those_behind_it() {
        let line = |second: i64| {
            format!(
                "{{\"ts_event\":{}}}\n",
                (1_700_000_000 + second) * 1_000_000_000
            )
        };
        // Hardly compressible, so that the damage is behind the first lines.
        let text: String = (0..20_000).map(|at| line(at * at % 86_399)).collect();
        let zstd = zstd::encode_all(text.as_bytes(), 1).unwrap();
        let scratch = Scratch::new();
        let path = scratch.write("cut", &zstd[..zstd.len() - 9]);
        let options = FileOptions {
            max_frame_bytes: 80,
            max_jump_ns: Some(60_000_000_000),
            ..FileOptions::default()
        };
        let mut source = FileSource::open_with(&[path], &options).unwrap();
        let mut count = 0;
        let error = loop {
            match source.next_frame() {
                Ok(Some(_)) => count += 1,
                Ok(None) => panic!("the damage was not seen"),
                Err(error) => break error.to_string(),
            }
        };
        assert!(count > 0, "{error}");
    }

    #[test]
    fn a_line_over_the_limit_is_cut_but_not_lost() {
        let long = stamped(&format!("7 {}\n8 {{ok}}\n", "x".repeat(500)));
        let scratch = Scratch::new();
        let frames = read_all(&[scratch.write("long", long)]).unwrap();
        assert!(
            frames[0].1.len() > 80 && frames[0].1.len() < 140,
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
        let message = "x".repeat(80);
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
            error.contains("/nowhere/x.gz") && error.contains("check the path"),
            "{error}"
        );
    }
}
