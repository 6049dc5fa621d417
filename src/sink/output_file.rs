//! A file that is a finished product: written beside its name, and renamed to it at the end.
//!
//! So a reader sees the old content or the whole new one, and a command that fails leaves what was there.
//! What a capture gave before it was found to be cut off is kept where nothing was there.
//! Does not wait for the disk: see [`super::atomic_file::replace_file`] for what must survive a power
//! failure.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::atomic_file::{ANYONE, create_beside};

/// A file that appears under its name once it is finished. One that is dropped before leaves nothing.
#[derive(Debug)]
pub struct OutputFile {
    file: File,
    /// Where it is written, and what it becomes; none for devices and pipes, which are written directly.
    rename: Option<(PathBuf, PathBuf)>,
    /// Whether there is another file of this name.
    replaces: bool,
}

impl OutputFile {
    /// Begins a file. A link to a file stays a link, to the new content; one to nothing becomes the file.
    ///
    /// # Errors
    /// Where its folder does not exist or cannot be written.
    pub fn create(path: &Path) -> io::Result<Self> {
        let there = fs::metadata(path);
        let replaces = there.is_ok();
        let path = match there {
            Ok(there) if !there.is_file() => {
                return Ok(Self {
                    file: File::create(path)?,
                    rename: None,
                    replaces: false,
                });
            }
            Ok(_) => fs::canonicalize(path)?,
            Err(_) => path.to_owned(),
        };
        let (temporary, file) = create_beside(&path, ANYONE)?;
        Ok(Self {
            file,
            rename: Some((temporary, path)),
            replaces,
        })
    }

    /// Gives the file its name where nothing had it; otherwise what was there stays, and this is gone.
    ///
    /// # Errors
    /// See [`Self::finish`].
    pub fn finish_incomplete(self) -> io::Result<()> {
        match self.replaces {
            true => Ok(()),
            false => self.finish(),
        }
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// Where the folder does not allow it; what was written is then gone.
    pub fn finish(mut self) -> io::Result<()> {
        let Some((temporary, path)) = self.rename.take() else {
            return Ok(());
        };
        let renamed = fs::rename(&temporary, path);
        if renamed.is_err() {
            // The first error says more than that of the clean-up would.
            drop(fs::remove_file(&temporary));
        }
        renamed
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        if let Some((temporary, _)) = self.rename.take() {
            // Nobody waits for it; a file that stays has a name that says what it is.
            drop(fs::remove_file(temporary));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::scratch::Scratch;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    #[test]
    fn the_old_content_stays_until_the_new_one_is_finished() {
        let scratch = Scratch::new();
        let path = scratch.write("signals.jsonl", "old");
        let mut file = OutputFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        let mut file = OutputFile::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(scratch.path()), ["signals.jsonl"]);
    }

    #[test]
    fn a_link_stays_a_link_and_a_device_is_written_directly() {
        let scratch = Scratch::new();
        let path = scratch.write("signals.jsonl", "old");
        let link = scratch.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let mut file = OutputFile::create(&link).unwrap();
        file.write_all(b"new").unwrap();
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        OutputFile::create(Path::new("/dev/null"))
            .unwrap()
            .finish()
            .unwrap();
        assert!(OutputFile::create(&scratch.path().join("no/folder")).is_err());
    }
}
