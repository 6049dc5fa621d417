//! The index of a capture: where the parts of a file begin, and when what is in them was received.
//!
//! `NAME.idx` beside the capture `NAME`. It is text that grows with the capture, a line for each part behind
//! a line that says of which file it is. Each line ends with its checksum, so that a torn or damaged one ends
//! the index:
//!
//! ```text
//! foretick-index 1 {"foretick":"session",…} 8c1f03aa
//! OFFSET LINE RECEIVED LATEST CHECKSUM
//! ```
//!
//! `OFFSET`: bytes of the file before the part. `LINE`: the number of its first line. `RECEIVED`: the receive
//! time of that line. `LATEST`: the latest one of all lines before, so that nothing before the part was
//! received later. An index is a help and no more: what it says is held against the capture, and where the
//! two differ, or there is none, the capture is read from its beginning.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use flate2::Crc;
use tracing::{debug, warn};

use super::session::{SessionLine, session_of};
use crate::frame::{STAMP_BYTES_MAX, split_stamp};
use crate::source::compression::decompressed;
use crate::source::file_position::{CountedFile, FilePosition};
use crate::units::Nanos;

/// An index that is being written.
pub(super) struct IndexWriter {
    path: PathBuf,
    /// None once it could not be written.
    file: Option<File>,
    /// Lines of the capture so far.
    lines: u64,
    /// The latest receive time of them.
    latest: Nanos,
    /// Where the part begins that has no line yet.
    begun: Option<u64>,
}

impl IndexWriter {
    /// Begins the index of a capture file. What cannot be written is left out with a warning: the capture
    /// goes on.
    pub(super) fn create(capture: &Path, session: &SessionLine) -> Self {
        let path = index_path(capture);
        let mut index = Self {
            file: None,
            path,
            // That about the session, which is a part for itself.
            lines: 1,
            latest: Nanos(0),
            begun: None,
        };
        if !std::fs::metadata(capture).is_ok_and(|file| file.is_file()) {
            return index;
        }
        match create(&index.path) {
            Ok(file) => index.file = Some(file),
            Err(error) => index.give_up(&error),
        }
        index.write(&format!("{WORD} {VERSION} {}", session.message()));
        index
    }

    /// A part begins behind so many bytes of the capture.
    pub(super) fn begin_part(&mut self, offset: u64) {
        self.begun = Some(offset);
    }

    /// Takes note of the next line, which was received then.
    pub(super) fn note_line(&mut self, received: Nanos) {
        if let Some(offset) = self.begun.take() {
            let (line, latest) = (self.lines + 1, self.latest.0);
            self.write(&format!("{offset} {line} {} {latest}", received.0));
        }
        self.lines += 1;
        self.latest = self.latest.max(received);
    }

    fn write(&mut self, text: &str) {
        let Some(file) = &mut self.file else {
            return;
        };
        // In one piece, so that at most the last line is torn.
        let line = format!("{text} {:08x}\n", checksum(text));
        if let Err(error) = file.write_all(line.as_bytes()) {
            self.give_up(&error);
        }
    }

    fn give_up(&mut self, error: &io::Error) {
        let path = self.path.display();
        warn!("the capture goes on without its index: while writing {path}: {error}");
        self.file = None;
    }
}

/// Makes the file; replaces one that is an index, and nothing else.
fn create(path: &Path) -> io::Result<File> {
    match File::create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_index(path) => {
            File::create(path)
        }
        made => made,
    }
}

/// Whether a file is the index of a capture.
pub(crate) fn is_index(path: &Path) -> bool {
    let mut head = vec![];
    let is_read = File::open(path).is_ok_and(|file| {
        let mut file = file.take(WORD.len() as u64);
        path.extension().is_some_and(|ending| ending == ENDING)
            && file.read_to_end(&mut head).is_ok()
    });
    is_read && head == WORD.as_bytes()
}

/// A capture from one of its parts on.
pub(crate) struct IndexedPart {
    /// Its content.
    pub(crate) reader: Box<dyn BufRead + Send>,
    /// Lines of the file before it.
    pub(crate) lines_before: u64,
    /// The session that the file is of.
    pub(crate) session: SessionLine,
    /// How far the file is read.
    pub(in crate::source) position: FilePosition,
}

/// Opens a capture at the last part before which nothing was received at `begin` or later, as its index
/// tells; none where the beginning of the file is as good, or the index is of no use.
pub(crate) fn part_before(capture: &Path, begin: Nanos) -> Option<IndexedPart> {
    let path = index_path(capture);
    if !capture.is_file() || !path.is_file() {
        debug!(capture = %capture.display(), "the capture has no index: it is read from its beginning");
        return None;
    }
    match try_part_before(capture, &path, begin) {
        Ok(part) => part,
        Err(why) => {
            warn!(
                index = %path.display(),
                why,
                "the index is not used: the capture is read from its beginning"
            );
            None
        }
    }
}

fn try_part_before(
    capture: &Path,
    index: &Path,
    begin: Nanos,
) -> Result<Option<IndexedPart>, String> {
    let of_system = |error: io::Error| error.to_string();
    let mut text = vec![];
    let file = File::open(index).map_err(of_system)?;
    file.take(INDEX_BYTES_MAX)
        .read_to_end(&mut text)
        .map_err(of_system)?;
    let mut lines = text
        .split_inclusive(|&byte| byte == b'\n')
        .map_while(checked);
    let head = lines.next().ok_or("its first line is damaged")?;
    let session = head
        .strip_prefix(WORD)
        .and_then(|rest| rest.trim_start().split_once(' '))
        .filter(|(version, _)| *version == VERSION)
        .and_then(|(_, session)| serde_json::from_str(session).ok())
        .ok_or("it is of another version")?;
    if session_of(capture).map(|(_, session)| session).as_ref() != Some(&session) {
        return Err("it is of another file".into());
    }
    let length = capture.metadata().map_err(of_system)?.len();
    let entries = lines.map_while(PartEntry::read);
    let usable = entries.take_while(|entry| entry.latest < begin && entry.offset < length);
    // Without frames before it, it is as good as the beginning.
    let Some(entry) = usable.last().filter(|entry| entry.latest > Nanos(0)) else {
        return Ok(None);
    };
    let at_part = || -> io::Result<(Box<dyn BufRead + Send>, FilePosition)> {
        let mut file = File::open(capture)?;
        file.seek(SeekFrom::Start(entry.offset))?;
        let (file, position) = CountedFile::new(file);
        Ok((decompressed(file)?, position))
    };
    let mut stamp = vec![];
    let is_begin = begins_part(capture, entry.offset).map_err(of_system)?;
    let read = at_part().and_then(|(part, _)| {
        part.take(STAMP_BYTES_MAX as u64 + 1)
            .read_to_end(&mut stamp)
    });
    let received = split_stamp(&stamp).0.map(|stamp| stamp.ts_recv);
    if !is_begin || read.is_err() || received != Some(entry.received) {
        return Err(format!(
            "no part of the capture begins at byte {}",
            entry.offset
        ));
    }
    let (reader, position) = at_part().map_err(of_system)?;
    Ok(Some(IndexedPart {
        reader,
        lines_before: entry.line - 1,
        session,
        position,
    }))
}

/// Whether a line, a member of gzip or a frame of zstd begins there.
fn begins_part(capture: &Path, offset: u64) -> io::Result<bool> {
    let mut file = File::open(capture)?;
    file.seek(SeekFrom::Start(offset - 1))?;
    let mut around = vec![];
    file.take(5).read_to_end(&mut around)?;
    Ok(match around.as_slice() {
        [_, 0x28, 0xb5, 0x2f, 0xfd] | [_, 0x1f, 0x8b, ..] => true,
        before => before.first() == Some(&b'\n'),
    })
}

/// A line of an index about a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PartEntry {
    offset: u64,
    line: u64,
    received: Nanos,
    latest: Nanos,
}

impl PartEntry {
    fn read(line: &str) -> Option<Self> {
        let mut numbers = line.split(' ').map(|number| number.parse::<i64>().ok());
        let mut number = || numbers.next().flatten().filter(|&number| number >= 0);
        let entry = Self {
            // A part lies behind the line of the session.
            offset: number().filter(|&offset| offset > 0)?.cast_unsigned(),
            line: number().filter(|&line| line > 0)?.cast_unsigned(),
            received: Nanos(number()?),
            latest: Nanos(number()?),
        };
        numbers.next().is_none().then_some(entry)
    }
}

/// A line of an index without its checksum; none where that is wrong.
fn checked(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
    let (text, sum) = line.rsplit_once(' ')?;
    (u32::from_str_radix(sum, 16) == Ok(checksum(text))).then_some(text)
}

fn checksum(text: &str) -> u32 {
    let mut crc = Crc::new();
    crc.update(text.as_bytes());
    crc.sum()
}

fn index_path(capture: &Path) -> PathBuf {
    let mut name: OsString = capture.as_os_str().to_owned();
    name.push(".");
    name.push(ENDING);
    name.into()
}

const ENDING: &str = "idx";
const WORD: &str = "foretick-index";
const VERSION: &str = "1";
/// More than a year has.
const INDEX_BYTES_MAX: u64 = 1 << 30;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::OnceLock;

    use crate::clock;
    use crate::frame::{Frame, Origin};
    use crate::source::capture::{CaptureSettings, CaptureWriter};
    use crate::source::file::{FileOptions, FileSource};
    use crate::tests::scratch::Scratch;

    use super::*;

    /// When the captures begin: not before they are written.
    fn began() -> i64 {
        static BEGAN: OnceLock<i64> = OnceLock::new();
        *BEGAN.get_or_init(|| clock::now().0 + 60 * SECOND)
    }

    const SECOND: i64 = 1_000_000_000;

    /// A capture of ten minutes, a frame a second, some of them received a little before the one before.
    fn written(path: &Path, rotate_bytes: Option<u64>) {
        let settings = CaptureSettings {
            rotate_bytes,
            feed: "made".into(),
            ..CaptureSettings::new(path).unwrap()
        };
        let mut writer = CaptureWriter::create(settings).unwrap();
        for at in 0..600_i64 {
            let early = if at % 7 == 3 { 3 * SECOND / 2 } else { 0 };
            let frame = Frame {
                origin: Origin {
                    ts_recv: Nanos(began() + at * SECOND - early),
                    ..Origin::of_test()
                },
                bytes: format!(r#"{{"n":{at},"x":"{:x}"}}"#, at * at * 0x9e37_79b9).into(),
            };
            writer.write(&frame).unwrap();
        }
        writer.close().unwrap();
    }

    fn options(begin: Option<Nanos>) -> FileOptions {
        FileOptions {
            max_frame_bytes: 1_000,
            begin,
            ..FileOptions::default()
        }
    }

    /// Receive time, text and line number of each frame from then on.
    fn read(paths: &[PathBuf], begin: i64) -> Vec<(i64, String, Option<u64>)> {
        let mut source = FileSource::open_with(paths, &options(Some(Nanos(begin)))).unwrap();
        let mut frames = vec![];
        while source.advance().unwrap() {
            let (origin, bytes) = source.frame();
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            frames.push((origin.ts_recv.0, text, source.line_number()));
        }
        frames
    }

    /// Times at which reading may begin.
    fn begins() -> impl Iterator<Item = i64> {
        (-20..640_i64)
            .step_by(7)
            .map(|at| began() + at * SECOND + 1)
    }

    #[test]
    fn frames_are_the_same_with_an_index_and_without_one() {
        for name in ["cap.jsonl", "cap.gz", "cap.zst"] {
            let scratch = Scratch::new();
            let path = scratch.path().join(name);
            written(&path, None);
            let all = read(std::slice::from_ref(&path), 0);
            assert_eq!(all.len(), 600);
            let with: Vec<_> = begins()
                .map(|at| read(std::slice::from_ref(&path), at))
                .collect();
            let parts = begins().filter_map(|at| part_before(&path, Nanos(at)));
            let skipped: Vec<u64> = parts.map(|part| part.lines_before).collect();
            assert!(
                skipped.len() > 70 && skipped.contains(&547),
                "{name}: {skipped:?}"
            );
            fs::remove_file(index_path(&path)).unwrap();
            for (begin, with) in begins().zip(with) {
                assert!(with == read(std::slice::from_ref(&path), begin), "{name}");
                let first = all.iter().position(|frame| frame.0 >= begin);
                let mut expected = all[first.unwrap_or(all.len())..].to_vec();
                if let Some((ts, _, line)) = expected.first().cloned()
                    && expected.len() < 600
                {
                    let gap = r#"{"foretick":"gap","reason":"reconnect"}"#.to_owned();
                    expected.insert(0, (ts, gap, line));
                }
                // The first frames are held against those behind them, whose lines are read before.
                let mut with = with;
                for frames in [&mut with, &mut expected] {
                    frames.iter_mut().take(40).for_each(|frame| frame.2 = None);
                }
                assert!(
                    with == expected,
                    "{name} from {begin}: {:?} and so on, not {:?}",
                    &with[..with.len().min(3)],
                    &expected[..expected.len().min(3)]
                );
            }
        }
    }

    #[test]
    fn an_index_that_is_torn_damaged_or_of_another_file_is_not_believed() {
        for name in ["cap.jsonl", "cap.gz", "cap.zst"] {
            let scratch = Scratch::new();
            let path = scratch.path().join(name);
            written(&path, None);
            let (begin, index) = (began() + 300 * SECOND + 1, index_path(&path));
            let expected = read(std::slice::from_ref(&path), begin);
            let good = fs::read(&index).unwrap();
            let lines_before =
                || part_before(&path, Nanos(begin)).map_or(0, |part| part.lines_before);
            let whole = lines_before();
            assert!(whole > 280, "{whole}");
            for cut in (0..good.len()).step_by(13) {
                fs::write(&index, &good[..cut]).unwrap();
                assert!(lines_before() <= whole);
                assert_eq!(
                    read(std::slice::from_ref(&path), begin),
                    expected,
                    "{name}, {cut} bytes"
                );
            }
            for at in (0..good.len()).step_by(11) {
                let mut damaged = good.clone();
                damaged[at] ^= 1;
                fs::write(&index, &damaged).unwrap();
                assert_eq!(
                    read(std::slice::from_ref(&path), begin),
                    expected,
                    "{name}, byte {at}"
                );
            }
            // Whole lines whose numbers are wrong.
            let text = String::from_utf8(good.clone()).unwrap();
            for (field, by) in [(0, 1), (0, -9), (2, 1)] {
                let entry = |line: &str| {
                    let mut numbers: Vec<i64> = line
                        .split(' ')
                        .take(4)
                        .map(|one| one.parse().unwrap())
                        .collect();
                    if numbers[0] > 0 {
                        numbers[field] += by;
                    }
                    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                    let text = numbers.join(" ");
                    format!("{text} {:08x}\n", checksum(&text))
                };
                let mut lines = text.lines();
                let head = format!("{}\n", lines.next().unwrap());
                fs::write(&index, head + &lines.map(entry).collect::<String>()).unwrap();
                assert_eq!(lines_before(), 0, "{name}: field {field} by {by}");
                assert_eq!(read(std::slice::from_ref(&path), begin), expected);
            }
            let head = |text: &str| format!("{text} {:08x}\n", checksum(text));
            fs::write(&index, head("foretick-index 2 {}")).unwrap();
            assert_eq!(lines_before(), 0, "another version");
            let other = scratch.path().join(format!("other-{name}"));
            written(&other, None);
            fs::copy(index_path(&other), &index).unwrap();
            assert_eq!(lines_before(), 0, "of another session");
            assert_eq!(read(std::slice::from_ref(&path), begin), expected);
            // A capture that was cut behind the part, and before it.
            let content = fs::read(&path).unwrap();
            for part in [content.len() - 3, content.len() / 3] {
                fs::write(&index, &good).unwrap();
                fs::write(&path, &content[..part]).unwrap();
                let with = read(std::slice::from_ref(&path), begin);
                fs::remove_file(&index).unwrap();
                assert!(with == read(std::slice::from_ref(&path), begin), "{name}");
            }
        }
    }

    #[test]
    fn a_session_of_several_files_begins_in_the_right_one_and_indexes_are_no_inputs() {
        let scratch = Scratch::new();
        written(&scratch.path().join("cap-%Y.jsonl"), Some(5_000));
        let mut paths: Vec<PathBuf> = fs::read_dir(scratch.path())
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        paths.sort();
        assert!(paths.len() > 8, "{paths:?}");
        let with: Vec<_> = begins().map(|at| read(&paths, at)).collect();
        let (indexes, paths): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| is_index(path));
        assert_eq!(indexes.len(), paths.len());
        for index in indexes {
            fs::remove_file(index).unwrap();
        }
        for (begin, with) in begins().zip(with) {
            assert!(with == read(&paths, begin), "from {begin}");
        }
    }

    #[test]
    fn a_file_that_was_torn_at_once_stops_no_session() {
        for name in ["cap-%Y.jsonl", "cap-%Y.gz", "cap-%Y.zst"] {
            let scratch = Scratch::new();
            written(&scratch.path().join(name), Some(5_000));
            let mut paths: Vec<PathBuf> = fs::read_dir(scratch.path())
                .unwrap()
                .map(|file| file.unwrap().path())
                .filter(|path| !is_index(path))
                .collect();
            paths.sort_by_key(|path| session_of(path).map(|(_, session)| session.file));
            assert!(paths.len() > 1, "{name}: {paths:?}");
            let last = paths.last().unwrap().clone();
            let expected = read(&paths[..paths.len() - 1], 0);
            let content = fs::read(&last).unwrap();
            let head = match name.ends_with("jsonl") {
                true => content.iter().position(|&byte| byte == b'\n').unwrap(),
                // The first line is a part for itself, some hundred bytes long.
                false => 40,
            };
            for bytes in 0..head {
                fs::write(&last, &content[..bytes]).unwrap();
                assert!(read(&paths, 0) == expected, "{name}, {bytes} bytes");
                fs::write(&last, vec![0; bytes]).unwrap();
                assert!(read(&paths, 0) == expected, "{name}, {bytes} zeros");
            }
            // What was something else is not passed over.
            for other in [&content[40..], b"{\"a\":1}", b"text"] {
                fs::write(&last, other).unwrap();
                let source = FileSource::open_with(&paths, &options(None));
                let is_passed_over = source.is_ok_and(|mut source| {
                    let all = std::iter::from_fn(|| source.advance().ok().filter(|there| *there));
                    all.count() == expected.len()
                });
                assert!(!is_passed_over, "{name}: {other:?}");
            }
        }
    }

    #[test]
    fn a_file_that_is_no_index_is_not_replaced() {
        let scratch = Scratch::new();
        let own = scratch.write("cap.zst.idx", "my own notes");
        let path = scratch.path().join("cap.zst");
        for _ in 0..2 {
            written(&path, None);
            assert_eq!(fs::read_to_string(&own).unwrap(), "my own notes");
        }
        fs::remove_file(&own).unwrap();
        for _ in 0..2 {
            written(&path, None);
            assert!(part_before(&path, Nanos(began() + 300 * SECOND)).is_some());
        }
    }
}
