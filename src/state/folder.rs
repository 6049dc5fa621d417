//! The folder of a group's snapshots: for each partition the newest, and the one before it.
//!
//! A snapshot replaces the file of its partition as a whole; the file before it stays under another name, for
//! a newest one that is damaged or ahead of what was committed. Instances of one group may share the folder:
//! a partition has one owner at a time, and an old file of a former owner is only a longer way back.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::error::StateError;
use super::file::StateSnapshot;
use crate::sink::atomic_file::replace_file;

/// The folder of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateFolder {
    path: PathBuf,
}

/// A file of the folder.
#[derive(Debug)]
pub struct SavedFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: u64,
    /// What it holds, or why it cannot be read.
    pub snapshot: Result<StateSnapshot, StateError>,
}

impl StateFolder {
    /// The folder of a group in the folder that the configuration names.
    #[must_use]
    pub fn of_group(dir: &Path, group: &str) -> Self {
        Self {
            path: dir.join(file_name_of(group)),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder, which only its owner may read, and writes a file to try it.
    ///
    /// # Errors
    /// [`StateError::File`].
    pub fn create(&self) -> Result<(), StateError> {
        let failed = |cause| StateError::File {
            doing: "making the folder of states",
            path: self.path.clone(),
            cause,
        };
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path);
        made.map_err(failed)?;
        let probe = self.path.join(format!(".probe-{}", std::process::id()));
        fs::write(&probe, b"").map_err(failed)?;
        match fs::remove_file(&probe) {
            // Another process of this number, as in another container, was quicker.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }

    /// Saves a snapshot in place of the newest of its partition. Returns its size in bytes.
    ///
    /// # Errors
    /// [`StateError::File`]; what was there before is then still there.
    pub fn save(&self, snapshot: &StateSnapshot) -> Result<usize, StateError> {
        let path = self.newest(snapshot.header.partition);
        let failed = |cause| StateError::File {
            doing: "writing state",
            path: path.clone(),
            cause,
        };
        let bytes = snapshot.write().map_err(failed)?;
        let before = self.before(snapshot.header.partition);
        // A second name for the newest one: there is a whole file under its name at each moment.
        let linked = fs::remove_file(&before)
            .or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            })
            .and_then(|()| fs::hard_link(&path, &before));
        match linked {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        replace_file(&path, &bytes).map_err(failed)?;
        Ok(bytes.len())
    }

    /// The snapshots of a partition, newest first, and what is damaged.
    #[must_use]
    pub fn of_partition(&self, partition: i32) -> Vec<SavedFile> {
        let paths = [self.newest(partition), self.before(partition)];
        paths.into_iter().filter_map(|path| read(&path)).collect()
    }

    fn newest(&self, partition: i32) -> PathBuf {
        self.path.join(format!("partition-{partition:05}.{ENDING}"))
    }

    fn before(&self, partition: i32) -> PathBuf {
        self.path
            .join(format!("partition-{partition:05}.before.{ENDING}"))
    }
}

/// The snapshots at a path: of a file itself, else of a folder and of the folders in it, by name.
///
/// # Errors
/// [`StateError::File`] where it cannot be read, or has no snapshot.
pub fn saved_files(path: &Path) -> Result<Vec<SavedFile>, StateError> {
    let failed = |cause| StateError::File {
        doing: "looking for saved states in",
        path: path.to_owned(),
        cause,
    };
    let mut paths = vec![];
    match fs::metadata(path).map_err(failed)?.is_dir() {
        false => paths.push(path.to_owned()),
        true => add_files(path, true, &mut paths).map_err(failed)?,
    }
    if paths.is_empty() {
        let what = "there are none; name the folder that `[state] dir` names";
        return Err(failed(io::Error::new(io::ErrorKind::NotFound, what)));
    }
    paths.sort();
    Ok(paths.iter().filter_map(|path| read(path)).collect())
}

fn add_files(folder: &Path, with_folders: bool, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new(ENDING)) {
            paths.push(path);
        } else if with_folders && path.is_dir() {
            add_files(&path, false, paths)?;
        }
    }
    Ok(())
}

/// Reads a file; none where it is not there.
fn read(path: &Path) -> Option<SavedFile> {
    let (bytes, snapshot) = match read_bytes(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(cause) => {
            let error = StateError::File {
                doing: "reading state",
                path: path.to_owned(),
                cause,
            };
            (0, Err(error))
        }
        Ok(bytes) => (bytes.len() as u64, StateSnapshot::read(&bytes, path)),
    };
    Some(SavedFile {
        path: path.to_owned(),
        bytes,
        snapshot,
    })
}

/// The bytes of a regular file of a size that a snapshot can have: a pipe would be waited for, and a device
/// has no end.
fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let found = fs::metadata(path)?;
    let why = match found.len() {
        _ if !found.is_file() => "it is not a regular file",
        BYTES_MAX.. => "it is larger than a snapshot can be",
        _ => return fs::read(path),
    };
    Err(io::Error::new(io::ErrorKind::InvalidData, why))
}

/// A group's name as the name of a folder: other letters than these as `%` and their bytes.
fn file_name_of(group: &str) -> String {
    let mut name = String::new();
    for byte in group.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => name.push(char::from(byte)),
            b'.' if !name.is_empty() => name.push('.'),
            _ => write!(name, "%{byte:02X}").expect("writing to a string does not fail"),
        }
    }
    name
}

const ENDING: &str = "state";

/// No snapshot has so many bytes: 4 GiB.
const BYTES_MAX: u64 = 4 << 30;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::state::{StateHeader, StateIdentity, TopicPosition};
    use crate::tests::scratch::Scratch;

    fn snapshot(next: i64) -> StateSnapshot {
        StateSnapshot {
            header: StateHeader {
                identity: StateIdentity {
                    pipeline: "p".into(),
                    group: "g".into(),
                    model_sha256: "m".into(),
                    features_sha256: "f".into(),
                    settings_sha256: "s".into(),
                    engine_version: "1".into(),
                },
                partition: 3,
                positions: vec![TopicPosition {
                    topic: "t".into(),
                    next,
                }],
                saved_at: 7,
                instruments: 1,
            },
            states: (0..10_000_u32).flat_map(u32::to_le_bytes).collect(),
            alerts: (next > 1).then(|| b"{}".to_vec()),
        }
    }

    fn nexts(folder: &StateFolder) -> Vec<Option<i64>> {
        let files = folder.of_partition(3);
        let of = |file: &SavedFile| Some(file.snapshot.as_ref().ok()?.header.positions[0].next);
        files.iter().map(of).collect()
    }

    #[test]
    fn the_newest_and_the_one_before_it_come_back_as_they_were() {
        let scratch = Scratch::new();
        let folder = StateFolder::of_group(scratch.path(), "a/b");
        folder.create().unwrap();
        assert!(folder.path().ends_with("a%2Fb"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder.path()), 0o700);
        assert!(folder.of_partition(3).is_empty());
        for next in 1..=3 {
            folder.save(&snapshot(next)).unwrap();
        }
        assert_eq!(nexts(&folder), [Some(3), Some(2)]);
        let files = folder.of_partition(3);
        assert_eq!(*files[0].snapshot.as_ref().unwrap(), snapshot(3));
        assert_eq!(saved_files(folder.path()).unwrap().len(), 2);
        assert_eq!(saved_files(scratch.path()).unwrap().len(), 2);
        assert!(saved_files(&scratch.path().join("no")).is_err());
        assert!(folder.of_partition(4).is_empty());
    }

    #[test]
    fn a_file_that_is_torn_or_changed_is_told_and_the_one_before_it_is_there() {
        let scratch = Scratch::new();
        let folder = StateFolder::of_group(scratch.path(), "g");
        folder.create().unwrap();
        folder.save(&snapshot(1)).unwrap();
        folder.save(&snapshot(2)).unwrap();
        let path = folder.of_partition(3)[0].path.clone();
        let whole = fs::read(&path).unwrap();
        for cut in (0..whole.len()).step_by(97).chain([whole.len() - 1]) {
            fs::write(&path, &whole[..cut]).unwrap();
            assert_eq!(nexts(&folder), [None, Some(1)], "cut at {cut}");
        }
        for at in (0..whole.len()).step_by(61) {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            fs::write(&path, &changed).unwrap();
            assert_eq!(nexts(&folder), [None, Some(1)], "changed at {at}");
        }
        fs::write(&path, whole.replace_version()).unwrap();
        let files = folder.of_partition(3);
        let error = files[0].snapshot.as_ref().unwrap_err().to_string();
        assert!(error.contains("another version"), "{error}");
    }

    trait ReplaceVersion {
        fn replace_version(&self) -> Vec<u8>;
    }

    impl ReplaceVersion for Vec<u8> {
        fn replace_version(&self) -> Vec<u8> {
            let mut other = self.clone();
            other["foretick-state ".len()] = b'9';
            other
        }
    }
}
