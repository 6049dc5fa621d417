//! Names of captures that hold the time: `cap-%Y%m%d-%H.zst`.
//!
//! Touches no file but to find a free name.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, Timelike, Utc};

use crate::units::Nanos;

/// A path in which some placeholders stand for the time, in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureName {
    pieces: Vec<NamePiece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum NamePiece {
    Text(Vec<u8>),
    Time(u8),
}

/// A `%` that stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "while reading the name {}: `%{after}` stands for nothing; write %Y %m %d %H %M %S (UTC), %j for the day of the \
     year, %s for seconds since 1970, or %% for a percent sign",
    path.display()
)]
pub struct CaptureNameError {
    path: PathBuf,
    after: String,
}

impl CaptureName {
    /// Reads the placeholders of a path.
    ///
    /// # Errors
    /// [`CaptureNameError`] for one that is unknown.
    pub fn new(path: &Path) -> Result<Self, CaptureNameError> {
        let (mut pieces, mut text) = (vec![], vec![]);
        let mut bytes = path.as_os_str().as_bytes().iter();
        while let Some(&byte) = bytes.next() {
            if byte != b'%' {
                text.push(byte);
                continue;
            }
            match bytes.next() {
                Some(b'%') => text.push(b'%'),
                Some(&letter) if LETTERS.contains(&letter) => {
                    pieces.push(NamePiece::Text(std::mem::take(&mut text)));
                    pieces.push(NamePiece::Time(letter));
                }
                other => {
                    return Err(CaptureNameError {
                        path: path.to_owned(),
                        after: other.map_or(String::new(), |&other| char::from(other).to_string()),
                    });
                }
            }
        }
        pieces.push(NamePiece::Text(text));
        Ok(Self { pieces })
    }

    /// Whether it depends on the time.
    #[must_use]
    pub fn has_placeholders(&self) -> bool {
        self.pieces.len() > 1
    }

    /// The path at a time.
    #[must_use]
    pub fn at(&self, time: Nanos) -> PathBuf {
        let time: DateTime<Utc> = DateTime::from_timestamp_nanos(time.0);
        let mut path = vec![];
        for piece in &self.pieces {
            match piece {
                NamePiece::Text(text) => path.extend_from_slice(text),
                NamePiece::Time(letter) => {
                    path.extend_from_slice(written(*letter, &time).as_bytes())
                }
            }
        }
        OsString::from_vec(path).into()
    }
}

fn written(letter: u8, time: &DateTime<Utc>) -> String {
    let mut text = String::new();
    let result = match letter {
        b'Y' => write!(text, "{:04}", time.year()),
        b'm' => write!(text, "{:02}", time.month()),
        b'd' => write!(text, "{:02}", time.day()),
        b'H' => write!(text, "{:02}", time.hour()),
        b'M' => write!(text, "{:02}", time.minute()),
        b'S' => write!(text, "{:02}", time.second()),
        b'j' => write!(text, "{:03}", time.ordinal()),
        _ => write!(text, "{}", time.timestamp()),
    };
    result.expect("a String takes all");
    text
}

/// Makes a file under a name that no file has: the name itself, or else with a number, `cap_001.zst`. The
/// folder is made too.
///
/// # Errors
/// Those of the system, with the path.
pub(super) fn create_new(path: &Path) -> Result<(File, PathBuf), (PathBuf, io::Error)> {
    let folder = path.parent();
    if let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|cause| (path.to_owned(), cause))?;
    }
    let mut free = path.to_owned();
    for number in 1.. {
        match File::create_new(&free) {
            Ok(file) => return Ok((file, free)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number <= NUMBER_MAX => {
                free = numbered(path, number);
            }
            Err(error) => return Err((free, error)),
        }
    }
    unreachable!("the loop ends")
}

/// `cap_001.jsonl.zst` for `cap.jsonl.zst`.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let name = path.file_name().map(OsStrExt::as_bytes).unwrap_or_default();
    let mut stem = name.len();
    for endings in [PACKED, TEXTS] {
        let lower = name[..stem].to_ascii_lowercase();
        let ending = endings.iter().find(|ending| lower.ends_with(ending));
        stem -= ending.map_or(0, |ending| ending.len());
    }
    let number = format!("_{number:03}");
    let name = [&name[..stem], number.as_bytes(), &name[stem..]].concat();
    path.with_file_name(OsString::from_vec(name))
}

const LETTERS: &[u8] = b"YmdHMSjs";
const PACKED: &[&[u8]] = &[b".zst", b".gz"];
const TEXTS: &[&[u8]] = &[b".jsonl", b".json", b".log"];
/// Files of one name, at most.
const NUMBER_MAX: u32 = 999_999;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::scratch::Scratch;

    #[test]
    fn placeholders_stand_for_the_time_in_utc() {
        // 2023-11-14T22:13:20Z
        let time = Nanos(1_700_000_000_123_456_789);
        for (path, expected) in [
            ("cap-%Y%m%d-%H.zst", "cap-20231114-22.zst"),
            ("%Y/%j/100%%-%H%M%S.gz", "2023/318/100%-221320.gz"),
            ("%s.jsonl", "1700000000.jsonl"),
            ("plain", "plain"),
        ] {
            let name = CaptureName::new(Path::new(path)).unwrap();
            assert_eq!(name.at(time), Path::new(expected), "{path}");
            assert_eq!(name.has_placeholders(), path != "plain");
        }
        for path in ["a%", "a%q", "%é"] {
            let error = CaptureName::new(Path::new(path)).unwrap_err().to_string();
            assert!(error.contains("stands for nothing"), "{error}");
        }
    }

    #[test]
    fn no_file_is_replaced() {
        let scratch = Scratch::new();
        for (name, second, third) in [
            ("cap.zst", "cap_001.zst", "cap_002.zst"),
            ("cap.JSONL.gz", "cap_001.JSONL.gz", "cap_002.JSONL.gz"),
            ("v1.2", "v1.2_001", "v1.2_002"),
        ] {
            let path = scratch.path().join("new/folder").join(name);
            for expected in [name, second, third] {
                let (_, made) = create_new(&path).unwrap();
                assert_eq!(made, path.with_file_name(expected));
            }
        }
        let taken = scratch.write("file", "");
        let (path, _) = create_new(&taken.join("below")).unwrap_err();
        assert_eq!(path, taken.join("below"));
    }
}
