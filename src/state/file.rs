//! The bytes of a snapshot.
//!
//! Two lines of text, then the payload: `foretick-state 2 LENGTH SHA256` of what follows the first line; the
//! header as JSON; the states and the alerts, compressed by Zstandard. So `head -n 2` shows what a file is.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::error::StateError;
use super::header::StateHeader;
use crate::hex::hex;

/// A snapshot of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateSnapshot {
    /// What it says of itself.
    pub header: StateHeader,
    /// What its instruments hold, as the engine writes it.
    pub states: Vec<u8>,
    /// The episodes of alerts of its instruments, as JSON; none where the pipeline has no alerts.
    pub alerts: Option<Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    states: Vec<u8>,
    alerts: Option<Vec<u8>>,
}

/// The number is another one whenever the form of what instruments hold changes: such a snapshot is refused
/// as one of another version, where it might else be read as something that it is not.
const MAGIC: &str = "foretick-state 2";
/// Level 1: a snapshot is written often, and read once.
const LEVEL: i32 = 1;

impl StateSnapshot {
    /// The bytes of a file.
    ///
    /// # Panics
    /// Where a header is no JSON, which cannot be.
    pub(crate) fn write(&self) -> std::io::Result<Vec<u8>> {
        let payload = Payload {
            states: self.states.clone(),
            alerts: self.alerts.clone(),
        };
        let payload = postcard::to_stdvec(&payload).map_err(std::io::Error::other)?;
        let mut rest = serde_json::to_vec(&self.header).map_err(std::io::Error::other)?;
        rest.push(b'\n');
        rest.extend(zstd::bulk::compress(&payload, LEVEL)?);
        let sha256 = hex(&Sha256::digest(&rest));
        let mut bytes = format!("{MAGIC} {} {sha256}\n", rest.len()).into_bytes();
        bytes.append(&mut rest);
        Ok(bytes)
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// [`StateError::Damaged`].
    pub(crate) fn read(bytes: &[u8], path: &Path) -> Result<Self, StateError> {
        let damaged = |what: &str| StateError::Damaged {
            path: path.to_owned(),
            what: what.to_owned(),
        };
        let (first, rest) = split_line(bytes).ok_or_else(|| damaged("it is no saved state"))?;
        let first = std::str::from_utf8(first).unwrap_or_default();
        let Some(sums) = first.strip_prefix(MAGIC) else {
            return Err(damaged(match first.starts_with("foretick-state ") {
                true => "it is of another version of the engine",
                false => "it is no saved state",
            }));
        };
        let mut sums = sums.split_ascii_whitespace();
        let length: Option<usize> = sums.next().and_then(|length| length.parse().ok());
        if length != Some(rest.len()) {
            return Err(damaged("it is torn: it has not the length that it says"));
        }
        if sums.next() != Some(&hex(&Sha256::digest(rest))) {
            return Err(damaged("its checksum is wrong"));
        }
        let (header, payload) = split_line(rest).ok_or_else(|| damaged("it has no header"))?;
        let header: StateHeader =
            serde_json::from_slice(header).map_err(|error| damaged(&error.to_string()))?;
        let payload =
            zstd::stream::decode_all(payload).map_err(|error| damaged(&error.to_string()))?;
        let Payload { states, alerts } =
            postcard::from_bytes(&payload).map_err(|error| damaged(&error.to_string()))?;
        Ok(Self {
            header,
            states,
            alerts,
        })
    }
}

fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b'\n', bytes)?;
    Some((&bytes[..end], &bytes[end + 1..]))
}
