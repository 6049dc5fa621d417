//! What a live run does with a file of an earlier one: it goes on with plain lines, and gives anything else
//! another name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use tracing::warn;

/// What becomes of a file that is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExistingFile {
    /// It is replaced.
    Replaced,
    /// Lines are appended to it; what cannot grow, because it is compressed or Parquet, gets a number in its
    /// name.
    #[default]
    Continued,
}

impl From<bool> for ExistingFile {
    /// What `--force` asks for, where it is given.
    fn from(force: bool) -> Self {
        match force {
            true => Self::Replaced,
            false => Self::Continued,
        }
    }
}

/// Opens a file of lines to append to it; it is made where it is not there. A last line that an earlier
/// process has not finished is cut off: the record was never acknowledged.
pub(super) fn continue_lines(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)?;
    let length = file.metadata()?.len();
    let whole = end_of_last_line(&mut file, length)?;
    if whole < length {
        let bytes = length - whole;
        let path = path.display();
        warn!(%path, bytes, "cut off the last line, which an earlier run has not finished");
        file.set_len(whole)?;
    }
    Ok(file)
}

/// Where the last line that has an end ends.
fn end_of_last_line(file: &mut File, length: u64) -> io::Result<u64> {
    let mut block = vec![0; BLOCK_BYTES];
    let mut end = length;
    while end > 0 {
        let begin = end.saturating_sub(BLOCK_BYTES as u64);
        let block = &mut block[..(end - begin) as usize];
        file.seek(SeekFrom::Start(begin))?;
        file.read_exact(block)?;
        if let Some(at) = block.iter().rposition(|&byte| byte == b'\n') {
            return Ok(begin + at as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

/// Gives a file of an earlier run the next free number in its name: `signals.jsonl.zst` becomes
/// `signals.1.jsonl.zst`. Does nothing where there is no file, it is empty, or it is a device or a pipe.
pub(super) fn set_aside(path: &Path) -> io::Result<()> {
    let is_written = fs::metadata(path).is_ok_and(|there| there.is_file() && there.len() > 0);
    if !is_written {
        return Ok(());
    }
    let to = (1..)
        .map(|number| numbered(path, number))
        .find(|to| fs::symlink_metadata(to).is_err())
        .expect("there is no end of numbers");
    fs::rename(path, &to)?;
    let (path, to) = (path.display(), to.display());
    warn!(%path, %to, "set the file of an earlier run aside");
    Ok(())
}

/// The name with a number before its endings.
fn numbered(path: &Path, number: u64) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let packed = [".gz", ".zst"].into_iter().map(str::len);
    let packed = packed.filter(|length| {
        let tail = name
            .len()
            .checked_sub(*length)
            .and_then(|at| name.get(at..));
        tail.is_some_and(|tail| [".gz", ".zst"].contains(&tail.to_ascii_lowercase().as_str()))
    });
    let plain = name.len() - packed.max().unwrap_or(0);
    let dot = name[..plain].rfind('.').filter(|&dot| dot > 0);
    let (stem, endings) = name.split_at(dot.unwrap_or(plain));
    path.with_file_name(format!("{stem}.{number}{endings}"))
}

const BLOCK_BYTES: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::tests::scratch::Scratch;

    #[test]
    fn lines_go_on_behind_the_last_whole_one() {
        let long = "x".repeat(3 * BLOCK_BYTES);
        for (before, kept) in [
            ("", ""),
            ("{\"a\":1}\n", "{\"a\":1}\n"),
            ("{\"a\":1}\n{\"a\":", "{\"a\":1}\n"),
            ("{\"a\":", ""),
            (&format!("1\n{long}"), "1\n"),
            (&format!("{long}\n2"), &format!("{long}\n")),
        ] {
            let scratch = Scratch::new();
            let path = scratch.write("signals.jsonl", before);
            let mut file = continue_lines(&path).unwrap();
            file.write_all(b"new\n").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{kept}new\n"));
        }
        let scratch = Scratch::new();
        let path = scratch.path().join("new.jsonl");
        continue_lines(&path).unwrap();
        assert!(path.exists());
    }

    #[test]
    fn a_file_that_cannot_grow_is_set_aside_under_the_next_number() {
        for (name, first, second) in [
            ("s.jsonl.zst", "s.1.jsonl.zst", "s.2.jsonl.zst"),
            ("s.jsonl.GZ", "s.1.jsonl.GZ", "s.2.jsonl.GZ"),
            ("s.zst", "s.1.zst", "s.2.zst"),
            ("a.b.parquet", "a.b.1.parquet", "a.b.2.parquet"),
            ("s", "s.1", "s.2"),
        ] {
            let scratch = Scratch::new();
            let path = scratch.path().join(name);
            set_aside(&path).unwrap();
            for text in ["one", "two"] {
                scratch.write(name, text);
                set_aside(&path).unwrap();
                assert!(!path.exists(), "{name}");
            }
            let read = |name| fs::read_to_string(scratch.path().join(name)).unwrap();
            assert_eq!((read(first), read(second)), ("one".into(), "two".into()));
        }
    }
}
