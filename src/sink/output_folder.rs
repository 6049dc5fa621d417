//! A folder that is a finished product: written beside its name, and swapped with it at the end.
//!
//! So a reader sees the old files or all new ones, and a command that fails or is killed leaves what was
//! there. What a killed one has written lies in a hidden folder `.NAME.tmp-…`, which the next one removes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::atomic_file::folder_of;

/// The first path below a folder that no such output has written.
pub(super) type FindForeign = fn(&Path) -> io::Result<Option<PathBuf>>;

/// A folder that appears under its name once it is finished. One that is dropped before leaves nothing.
pub(super) struct OutputFolder {
    /// Where it is written; after the swap, what was there before.
    temporary: PathBuf,
    path: PathBuf,
    find_foreign: FindForeign,
    /// Locked while it is written: the lock of a process that was killed is free.
    _lock: Option<File>,
}

impl OutputFolder {
    /// Begins a folder, and removes what killed processes left of the same. A link stays a link.
    ///
    /// # Errors
    /// Where the folder above cannot be made or written.
    pub(super) fn create(path: &Path, find_foreign: FindForeign) -> io::Result<Self> {
        let path = match fs::canonicalize(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
            there => there?,
        };
        fs::create_dir_all(folder_of(&path))?;
        remove_stale(&path, find_foreign);
        let mut number = 0;
        loop {
            let name = format!("{}{}-{number}", prefix(&path)?, std::process::id());
            let temporary = folder_of(&path).join(name);
            match fs::create_dir(&temporary) {
                Ok(()) => {
                    let lock = File::open(&temporary).ok();
                    return Ok(Self {
                        _lock: lock.filter(|lock| lock.try_lock().is_ok()),
                        temporary,
                        path,
                        find_foreign,
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Where files are written until the end.
    pub(super) fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Gives the folder its name. What has it goes if it is empty, or with `replaces` if this wrote it.
    ///
    /// # Errors
    /// Where something else has the name by now, or the system refuses; what was there stays.
    pub(super) fn finish(self, replaces: bool) -> io::Result<()> {
        let is_filled = |error: &io::Error| {
            let kind = error.kind();
            matches!(
                kind,
                io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists
            )
        };
        match fs::rename(&self.temporary, &self.path) {
            Err(error) if replaces && is_filled(&error) => {
                if let Some(foreign) = (self.find_foreign)(&self.path)? {
                    let what = format!("by now it holds {}; it stays as it is", foreign.display());
                    return Err(io::Error::other(what));
                }
                swap(&self.temporary, &self.path)
            }
            renamed => renamed,
        }
    }
}

impl Drop for OutputFolder {
    fn drop(&mut self) {
        // What stays is hidden, and the next one removes it.
        drop(fs::remove_dir_all(&self.temporary));
    }
}

/// Exchanges two folders; in one step where the file system can.
fn swap(new: &Path, old: &Path) -> io::Result<()> {
    match renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            let aside = new.with_extension(format!("old-{}", std::process::id()));
            fs::rename(old, &aside)?;
            if let Err(error) = fs::rename(new, old) {
                fs::rename(&aside, old)?;
                return Err(error);
            }
            fs::rename(aside, new)
        }
        exchanged => Ok(exchanged?),
    }
}

/// Removes the folders that killed processes left. Failures are left to whoever makes the next folder.
fn remove_stale(path: &Path, find_foreign: FindForeign) {
    let (Ok(prefix), Ok(names)) = (prefix(path), fs::read_dir(folder_of(path))) else {
        return;
    };
    for entry in names.flatten() {
        let name = entry.file_name();
        let numbers = name.to_str().and_then(|name| name.strip_prefix(&prefix));
        let is_number = |text: &str| text.parse::<u32>().is_ok();
        let is_temporary = numbers
            .and_then(|numbers| numbers.split_once('-'))
            .is_some_and(|(process, number)| is_number(process) && is_number(number));
        let stale = entry.path();
        if !is_temporary || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let is_free = File::open(&stale).is_ok_and(|folder| folder.try_lock().is_ok());
        if is_free && matches!(find_foreign(&stale), Ok(None)) {
            drop(fs::remove_dir_all(stale));
        }
    }
}

/// How the names of the temporary folders begin.
fn prefix(path: &Path) -> io::Result<String> {
    let name = path.file_name().ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "the path does not name a folder",
        )
    })?;
    Ok(format!(".{}.tmp-", name.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::scratch::Scratch;

    fn nothing_foreign(_: &Path) -> io::Result<Option<PathBuf>> {
        Ok(None)
    }

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    fn begun(path: &Path, file: &str) -> OutputFolder {
        let folder = OutputFolder::create(path, nothing_foreign).unwrap();
        fs::write(folder.temporary().join(file), "").unwrap();
        folder
    }

    #[test]
    fn the_old_files_stay_until_the_new_ones_are_finished() {
        let scratch = Scratch::new();
        let path = scratch.path().join("out");
        begun(&path, "old").finish(false).unwrap();
        drop(begun(&path, "half"));
        assert_eq!(names(&path), ["old"]);
        assert!(begun(&path, "unasked").finish(false).is_err());
        assert_eq!(names(&path), ["old"]);
        begun(&path, "new").finish(true).unwrap();
        assert_eq!(names(&path), ["new"]);
        assert_eq!(names(scratch.path()), ["out"]);
    }

    #[test]
    fn what_a_killed_process_left_goes_and_what_another_writes_stays() {
        let scratch = Scratch::new();
        let path = scratch.path().join("out");
        for stale in [".out.tmp-1-0", ".out.tmp-mine"] {
            fs::create_dir(scratch.path().join(stale)).unwrap();
        }
        let (first, second) = (begun(&path, "a"), begun(&path, "b"));
        assert_ne!(first.temporary(), second.temporary());
        assert!(first.temporary().join("a").exists());
        second.finish(false).unwrap();
        drop(first);
        let mut left = names(scratch.path());
        left.sort();
        assert_eq!(left, [".out.tmp-mine", "out"]);
        assert_eq!(names(&path), ["b"]);
    }
}
