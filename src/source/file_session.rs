//! Which of several files continue one another: those of one session of `record` or `run --capture`.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use super::capture::SessionLine;
use super::compression::decompressed;
use crate::frame::split_stamp;
use crate::units::Nanos;

/// Files to be read one behind the other.
pub(super) struct FileChain {
    /// The number of the first among the inputs.
    pub(super) stream: u16,
    /// The files in their order.
    pub(super) paths: VecDeque<PathBuf>,
    /// Whether an earlier session of the same feed is among the inputs: a gap lies between the two.
    pub(super) follows: bool,
}

/// The inputs as chains: each alone, but those of one session together.
pub(super) fn chains_of(paths: &[PathBuf]) -> Vec<FileChain> {
    let alone = |at: usize| FileChain {
        stream: at as u16,
        paths: VecDeque::from([paths[at].clone()]),
        follows: false,
    };
    if paths.len() < 2 {
        return (0..paths.len()).map(alone).collect();
    }
    let mut chains = vec![];
    let mut sessions: BTreeMap<String, Vec<(Nanos, SessionLine, usize)>> = BTreeMap::new();
    for (at, path) in paths.iter().enumerate() {
        match session_of(path) {
            Some((time, line)) => {
                let files = sessions.entry(line.id.clone()).or_default();
                files.push((time, line, at));
            }
            None => chains.push(alone(at)),
        }
    }
    let mut begins: BTreeMap<String, Nanos> = BTreeMap::new();
    for (time, line, _) in sessions.values().flatten() {
        let first = begins.entry(line.feed.clone()).or_insert(*time);
        *first = (*first).min(*time);
    }
    for mut files in sessions.into_values() {
        files.sort_by_key(|(_, line, _)| line.file);
        let (time, line, _) = &files[0];
        chains.push(FileChain {
            follows: begins[&line.feed] < *time,
            stream: files.iter().map(|file| file.2).min().unwrap_or(0) as u16,
            paths: files.iter().map(|file| paths[file.2].clone()).collect(),
        });
    }
    chains.sort_by_key(|chain| chain.stream);
    chains
}

/// The session of a file, and when the file begins. Pipes are not asked: what is read of them is gone.
fn session_of(path: &Path) -> Option<(Nanos, SessionLine)> {
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

/// Bytes of the longest line about a session.
const LINE_BYTES_MAX: u64 = 4_096;
