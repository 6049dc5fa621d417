//! The files that inputs name: files as they are, the files in folders, and those that fit a pattern.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tracing::warn;

use super::kafka::whole_topic::{AddressError, TopicAddress};

/// Why inputs name no files.
#[derive(Debug, thiserror::Error)]
#[error("while looking for inputs in {}: {what}", path.display())]
pub struct InputPathError {
    path: PathBuf,
    what: String,
}

/// Whether an input is meant as a topic: `kafka://host:port/topic`.
#[must_use]
pub fn is_topic(input: &Path) -> bool {
    input.to_str().is_some_and(TopicAddress::is_meant)
}

/// The topic that an input names; none for a file.
///
/// # Errors
/// [`AddressError`] where the address is not whole.
pub fn topic_of(input: &Path) -> Result<Option<TopicAddress>, AddressError> {
    let text = input.to_str().filter(|text| TopicAddress::is_meant(text));
    text.map(str::parse).transpose()
}

/// The files that inputs name, in the order of the inputs: a folder stands for the files in it and below
/// it, in the order of their paths, and a pattern with `*` and `?` for the paths that fit it, where no
/// file has the name. A topic, and a path of another kind, stands for itself.
///
/// # Errors
/// [`InputPathError`] where a folder holds no file that is read, nothing fits a pattern, or the address of a
/// topic is not whole.
pub fn expanded(inputs: &[PathBuf]) -> Result<Vec<PathBuf>, InputPathError> {
    let mut paths = vec![];
    for input in inputs {
        let before = paths.len();
        let fault = |what: String| InputPathError {
            path: input.clone(),
            what,
        };
        let is_pattern = input.to_string_lossy().contains(['*', '?']);
        let topic = topic_of(input).map_err(|error| fault(error.to_string()))?;
        if topic.is_some() {
            paths.push(input.clone());
        } else if input.is_dir() {
            let added = add_folder(input, &mut paths);
            added.map_err(|error| fault(error.to_string()))?;
            if paths.len() == before {
                let what = "the folder holds no file of a format that is read; name the files";
                return Err(fault(what.into()));
            }
        } else if is_pattern && !input.exists() {
            for path in fitting(input).map_err(|error| fault(error.to_string()))? {
                match path.is_dir() {
                    true => {
                        add_folder(&path, &mut paths).map_err(|error| fault(error.to_string()))?
                    }
                    false => paths.push(path),
                }
            }
            if paths.len() == before {
                return Err(fault("nothing fits the pattern; check the path".into()));
            }
        } else {
            paths.push(input.clone());
        }
        if paths.len() > FILES_MAX {
            let what = format!("these are more than {FILES_MAX} files; give fewer at once");
            return Err(fault(what));
        }
    }
    Ok(paths)
}

/// The number of a file among the inputs fits 16 bits.
const FILES_MAX: usize = 65_535;

/// Endings of the files that are read.
const ENDINGS: [&str; 17] = [
    "jsonl", "ndjson", "json", "log", "csv", "tsv", "tab", "txt", "parquet", "pq", "feather",
    "arrow", "arrows", "ipc", "zip", "dbn", "dbz",
];

/// Adds the files in a folder and below it, sorted by path. Hidden ones and those that begin with `_` are the
/// notes of programs.
fn add_folder(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut inside: Vec<PathBuf> = vec![];
    for entry in fs::read_dir(folder)? {
        inside.push(entry?.path());
    }
    inside.sort();
    for path in inside {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(['.', '_']) {
            continue;
        }
        let lower = name.to_ascii_lowercase();
        let inner = [".gz", ".zst"]
            .iter()
            .find_map(|end| lower.strip_suffix(end));
        let ending = inner.unwrap_or(&lower).rsplit_once('.').map(|(_, end)| end);
        if path.is_dir() {
            add_folder(&path, paths)?;
        } else if inner.is_some() || ending.is_some_and(|ending| ENDINGS.contains(&ending)) {
            paths.push(path);
        } else if ending != Some("idx") {
            warn!(file = %path.display(), "the file in the folder is no input by its name: it is passed over");
        }
    }
    Ok(())
}

/// The paths that fit a pattern, sorted.
fn fitting(pattern: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy().into_owned();
        if !text.contains(['*', '?']) {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        }
        let mut next = vec![];
        for folder in found {
            let here = match folder.as_os_str().is_empty() {
                true => Path::new("."),
                false => &folder,
            };
            let Ok(names) = fs::read_dir(here) else {
                continue;
            };
            for entry in names {
                let name = entry?.file_name();
                let shown = name.to_string_lossy();
                if fits(text.as_bytes(), shown.as_bytes()) && !shown.starts_with('.') {
                    next.push(folder.join(&name));
                }
            }
        }
        next.sort();
        found = next;
    }
    found.retain(|path| path.exists());
    Ok(found)
}

/// Whether a name fits a pattern: `*` stands for any letters, `?` for one byte.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut in_name) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_name));
                at += 1;
            }
            Some(letter) if *letter == b'?' || *letter == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            _ => {
                // The last star takes one letter more.
                let Some((of_star, taken)) = star else {
                    return false;
                };
                star = Some((of_star, taken + 1));
                (at, in_name) = (of_star + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::scratch::Scratch;

    #[test]
    fn folders_and_patterns_stand_for_their_files_in_order() {
        let scratch = Scratch::new();
        let root = scratch.path();
        fs::create_dir_all(root.join("day=2/_temporary")).unwrap();
        for name in [
            "b.csv",
            "a.csv.gz",
            "a.jsonl.idx",
            ".hidden.csv",
            "day=2/c.parquet",
            "day=2/_SUCCESS",
            "day=2/_temporary/d.parquet",
            "note.md",
        ] {
            fs::write(root.join(name), "").unwrap();
        }
        let names = |inputs: &[&str]| -> Vec<String> {
            let inputs: Vec<PathBuf> = inputs.iter().map(|name| root.join(name)).collect();
            let paths = expanded(&inputs).unwrap();
            let short = |path: &PathBuf| path.strip_prefix(root).unwrap().display().to_string();
            paths.iter().map(short).collect()
        };
        assert_eq!(names(&[""]), ["a.csv.gz", "b.csv", "day=2/c.parquet"]);
        assert_eq!(names(&["*.csv", "d*"]), ["b.csv", "day=2/c.parquet"]);
        assert_eq!(names(&["day=?/*.parquet"]), ["day=2/c.parquet"]);
        assert_eq!(
            names(&["missing.csv"]),
            ["missing.csv"],
            "its opener says it"
        );
        let error = expanded(&[root.join("*.dbn")]).unwrap_err().to_string();
        assert!(error.contains("nothing fits"), "{error}");
        fs::create_dir(root.join("empty")).unwrap();
        let error = expanded(&[root.join("empty")]).unwrap_err().to_string();
        assert!(error.contains("no file"), "{error}");
    }

    #[test]
    fn stars_take_as_many_letters_as_they_need() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*.csv", "a.csv", true),
            ("*.csv", "a.csv.gz", false),
            ("a*b*c", "axxbxxbxc", true),
            ("a*b*c", "axxbxxbx", false),
            ("??", "ab", true),
            ("??", "a", false),
        ] {
            let fits = fits(pattern.as_bytes(), name.as_bytes());
            assert_eq!(fits, expected, "{pattern} {name}");
        }
    }
}
