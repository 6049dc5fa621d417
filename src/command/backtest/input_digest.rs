//! The digests of the input files, computed beside the replay.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::thread::JoinHandle;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::hex::hex;

/// A file that was read.
#[derive(Clone, Debug, Serialize)]
pub struct InputFigures {
    /// Its name, with as many of its folders as tell it from the others.
    pub name: String,
    /// Its length; null of what is no plain file.
    pub bytes: Option<u64>,
    /// SHA-256 of its bytes; null of what is no plain file.
    pub sha256: Option<String>,
}

/// Begins to digest files on a thread of its own.
pub(super) fn digest_files(inputs: &[PathBuf]) -> io::Result<JoinHandle<Vec<InputFigures>>> {
    let inputs = inputs.to_vec();
    let thread = std::thread::Builder::new().name("digest".into());
    thread.spawn(move || {
        let names = told_apart(&inputs).into_iter();
        names
            .zip(&inputs)
            .map(|(name, path)| figures(name, path))
            .collect()
    })
}

/// The names of files: of each as few of its folders as tell it from all others. Where a machine keeps them
/// is nobody's business.
fn told_apart(inputs: &[PathBuf]) -> Vec<String> {
    let parts: Vec<Vec<String>> = inputs.iter().map(|path| parts(path)).collect();
    let different: BTreeSet<&Vec<String>> = parts.iter().collect();
    let longest = parts.iter().map(Vec::len).max().unwrap_or(0);
    let mut names: HashMap<&Vec<String>, String> = HashMap::new();
    for count in 1..=longest {
        let end_of = |parts: &[String]| parts[parts.len().saturating_sub(count)..].join("/");
        let mut ends: HashMap<String, u32> = HashMap::new();
        for path in &different {
            *ends.entry(end_of(path)).or_default() += 1;
        }
        for path in &different {
            let end = end_of(path);
            if ends[&end] == 1 || count == longest {
                names.entry(path).or_insert(end);
            }
        }
    }
    let name = |parts| names.get(parts).cloned().unwrap_or_default();
    parts.iter().map(name).collect()
}

/// The names in a path.
fn parts(path: &Path) -> Vec<String> {
    let names = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    });
    names.collect()
}

/// The figures of a file. A file that cannot be read has none here: the replay says why.
fn figures(name: String, path: &Path) -> InputFigures {
    let digest = digest(path).ok().flatten();
    InputFigures {
        name,
        bytes: digest.as_ref().map(|digest| digest.0),
        sha256: digest.map(|digest| digest.1),
    }
}

/// The length and the digest of a plain file; none of a pipe or a device, which can be read once only.
fn digest(path: &Path) -> io::Result<Option<(u64, String)>> {
    if !path.metadata()?.is_file() {
        return Ok(None);
    }
    let mut file = File::open(path)?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Some((bytes, hex(&hash.finalize())))),
            count => {
                bytes += count as u64;
                hash.update(&buffer[..count]);
            }
        }
    }
}

/// What is read at once.
const BUFFER_BYTES: usize = 1 << 18;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_name_are_told_apart_by_their_folders_alone() {
        let names =
            |paths: &[&str]| told_apart(&paths.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(names(&["/srv/day.jsonl"]), ["day.jsonl"]);
        let converted = [
            "/srv/day/quotes/BTC/2026-01-05/part-0.parquet",
            "/srv/day/trades/BTC/2026-01-05/part-0.parquet",
            "/srv/day/trades/BTC/2026-01-06/part-0.parquet",
            "other/news.jsonl",
        ];
        let told = [
            "quotes/BTC/2026-01-05/part-0.parquet",
            "trades/BTC/2026-01-05/part-0.parquet",
            "2026-01-06/part-0.parquet",
            "news.jsonl",
        ];
        assert_eq!(names(&converted), told);
        assert_eq!(names(&["a/x", "a/x"]), ["x", "x"], "one file twice");
        assert_eq!(names(&["x", "a/x"]), ["x", "a/x"]);
    }
}
