//! The first line of each capture file that a run or `record` writes: of which session it is.
//!
//! A reader knows by it that the file grew while the session lived, so that its end may be torn; which files
//! continue one another; and where another session of the same feed begins.

use serde::{Deserialize, Serialize};

use crate::frame::{STAMP_BYTES_MAX, split_stamp};

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
