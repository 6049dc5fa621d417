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
use std::collections::BinaryHeap;
use std::path::PathBuf;

use super::event_time::event_time;
pub use super::file_error::FileError;
use super::file_lines::FileLines;
pub use super::file_options::{FileOptions, TableMeaning};
pub use super::file_position::InputProgress;
use super::file_position::LinePlace;
use super::file_session::chains_of;
use super::merged_file::Lines;
use super::open_files;
pub use super::span_end::SpanEnd;
use super::topic_inputs::with_partitions;
use crate::frame::{Origin, split_stamp};
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
        for at in 0..self.files.len() {
            self.open_at(at)?;
            let lines = &mut self.files[at];
            if !lines.done {
                self.waiting.push(Reverse((lines.time, at)));
                if are_many && lines.can_open_again() {
                    lines.close();
                }
            }
        }
        Ok(())
    }

    fn open_at(&mut self, at: usize) -> Result<(), FileError> {
        self.files[at].open(&self.options).map_err(|mut error| {
            if open_files::is_limit(&error.cause) {
                let open = self.files.iter().filter(|file| file.reader.is_some());
                error.cause = open_files::too_many(open.count());
            }
            error
        })
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
            self.open_at(at)?;
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

/// Files that are open at once while others wait for their turn.
const OPEN_MAX: usize = 64;

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
