//! Which of several files continue one another: those of one session of `record` or `run --capture`.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use tracing::{debug, warn};

use super::capture::{SessionLine, is_index, is_torn_at_once, session_of};
use super::input_paths::is_topic;
use super::kafka::topic_partitions::TopicPartition;
use crate::units::Nanos;

/// Files to be read one behind the other.
#[derive(Clone)]
pub(super) struct FileChain {
    /// The number of the first among the inputs.
    pub(super) stream: u16,
    /// The files in their order.
    pub(super) paths: VecDeque<PathBuf>,
    /// Whether an earlier session of the same feed is among the inputs: a gap lies between the two.
    pub(super) follows: bool,
    /// Whether files of the session before these are left out, because all in them was received too early.
    pub(super) is_cut: bool,
    /// What is read in the place of a file: a partition of a topic.
    pub(super) partition: Option<TopicPartition>,
}

/// The inputs as chains: each alone, but those of one session together. Indexes of captures are passed over,
/// and so are files that were torn before their first line was whole, where others are of a session. Files of
/// a session that were over before `begin` are left out.
pub(super) fn chains_of(paths: &[PathBuf], begin: Option<Nanos>) -> Vec<FileChain> {
    let alone = |at: usize| FileChain {
        stream: at as u16,
        paths: VecDeque::from([paths[at].clone()]),
        follows: false,
        is_cut: false,
        partition: None,
    };
    if paths.len() < 2 {
        return (0..paths.len()).map(alone).collect();
    }
    let mut chains = vec![];
    let mut sessions: BTreeMap<String, Vec<(Nanos, SessionLine, usize)>> = BTreeMap::new();
    let mut others = vec![];
    for (at, path) in paths.iter().enumerate() {
        if is_topic(path) {
            chains.push(alone(at));
            continue;
        }
        match session_of(path) {
            Some((time, line)) => {
                let files = sessions.entry(line.id.clone()).or_default();
                files.push((time, line, at));
            }
            None if is_index(path) => {
                debug!(index = %path.display(), "an index of a capture is no input: it is passed over");
            }
            None => others.push(at),
        }
    }
    for at in others {
        if !sessions.is_empty() && is_torn_at_once(&paths[at]) {
            warn!(
                capture = %paths[at].display(),
                "the capture ends within its first line, as after a crash: there is nothing in it"
            );
            continue;
        }
        chains.push(alone(at));
    }
    let mut begins: BTreeMap<String, Nanos> = BTreeMap::new();
    for (time, line, _) in sessions.values().flatten() {
        let first = begins.entry(line.feed.clone()).or_insert(*time);
        *first = (*first).min(*time);
    }
    for mut files in sessions.into_values() {
        files.sort_by_key(|(_, line, _)| line.file);
        let (time, line, _) = &files[0];
        // The last file that begins early enough, and those after it.
        let early = |file: &(Nanos, SessionLine, usize)| begin.is_some_and(|begin| file.0 < begin);
        let first = files.iter().rposition(early).unwrap_or(0);
        chains.push(FileChain {
            follows: begins[&line.feed] < *time,
            stream: files.iter().map(|file| file.2).min().unwrap_or(0) as u16,
            paths: files[first..]
                .iter()
                .map(|file| paths[file.2].clone())
                .collect(),
            is_cut: first > 0,
            partition: None,
        });
    }
    chains.sort_by_key(|chain| chain.stream);
    chains
}
