//! The first line of each capture file that a run or `record` writes: of which session it is.
//!
//! A reader knows by it that the file grew while the session lived, so that its end may be torn; which files
//! continue one another; and where another session of the same feed begins.

use std::fs::{self, File};
use std::io::{self, BufRead, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::frame::{STAMP_BYTES_MAX, split_stamp};
use crate::source::compression::decompressed;
use crate::units::Nanos;

/// Which session a file is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionLine {
    foretick: String,
    /// The session's own: no two have the same.
    pub id: String,
    /// What is recorded: the pipeline's name.
    pub feed: String,
    /// The number of the file within the session, from 1.
    pub file: u32,
}

impl SessionLine {
    /// The first file of a session.
    #[must_use]
    pub fn new(id: String, feed: String) -> Self {
        Self {
            foretick: WORD.into(),
            id,
            feed,
            file: 1,
        }
    }

    /// The message of the line.
    #[must_use]
    pub fn message(&self) -> String {
        serde_json::to_string(self).expect("texts and a number")
    }

    /// Reads a line of a capture; none where it is anything else.
    #[must_use]
    pub fn read(line: &[u8]) -> Option<Self> {
        // Nearly no line is one: look before reading the time.
        let brace = line
            .iter()
            .take(STAMP_BYTES_MAX + 1)
            .position(|&byte| byte == b'{')?;
        if !line[brace..].starts_with(BEGIN) {
            return None;
        }
        let (stamp, message) = split_stamp(line);
        stamp?;
        serde_json::from_slice(message).ok()
    }
}

/// The session of a file, and when the file begins. Pipes are not asked: what is read of them is gone.
pub(crate) fn session_of(path: &Path) -> Option<(Nanos, SessionLine)> {
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let reader = decompressed(File::open(path).ok()?).ok()?;
    let mut line = vec![];
    reader
        .take(LINE_BYTES_MAX)
        .read_until(b'\n', &mut line)
        .ok()?;
    let session = SessionLine::read(line.trim_ascii_end())?;
    Some((split_stamp(&line).0?.ts_recv, session))
}

/// Whether a file was torn before its first line was whole, as one that a session began when the process was
/// killed, or the machine failed: short, and nothing can be read of it.
pub(crate) fn is_torn_at_once(path: &Path) -> bool {
    let is_short = |file: fs::Metadata| file.is_file() && file.len() <= TORN_BYTES_MAX;
    if !fs::metadata(path).is_ok_and(is_short) {
        return false;
    }
    let Ok(content) = fs::read(path) else {
        return false;
    };
    let is_packed = PACKED.iter().any(|magic| content.starts_with(magic));
    let is_of_none = content.iter().all(|&byte| byte == 0);
    if is_of_none || PACKED.iter().any(|magic| magic.starts_with(&content)) {
        return true;
    }
    let mut line = vec![];
    let read = decompressed(io::Cursor::new(content))
        .and_then(|content| content.take(LINE_BYTES_MAX).read_until(b'\n', &mut line));
    match read {
        Err(error) => is_packed && error.kind() == io::ErrorKind::UnexpectedEof,
        Ok(_) => !line.ends_with(b"\n") && is_begin_of_line(&line),
    }
}

/// Whether a text may be the begin of a line about a session.
fn is_begin_of_line(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = text[digits..].strip_prefix(b" ").unwrap_or(&text[digits..]);
    digits > 0 && (BEGIN.starts_with(rest) || rest.starts_with(BEGIN))
}

/// Bytes of the longest line about a session.
const LINE_BYTES_MAX: u64 = 4_096;
/// How files begin that are compressed with gzip and zstd.
const PACKED: [&[u8]; 2] = [b"\x1f\x8b", b"\x28\xb5\x2f\xfd"];
/// Bytes of the longest file that has no whole first line.
const TORN_BYTES_MAX: u64 = 4_096;
const WORD: &str = "session";
/// As [`SessionLine::message`] writes it.
const BEGIN: &[u8] = br#"{"foretick":"session","#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let session = SessionLine {
            file: 7,
            ..SessionLine::new("1a-2".into(), "a \"feed\"".into())
        };
        let line = format!("1700000000000000000 {}", session.message());
        assert_eq!(SessionLine::read(line.as_bytes()), Some(session));
        for other in [
            "",
            "1700000000000000000 {\"foretick\":\"tick\",\"ts\":1}",
            &line[20..],
            &line[..line.len() - 1],
        ] {
            assert_eq!(SessionLine::read(other.as_bytes()), None, "{other}");
        }
    }
}
