//! Writes a file whole or not at all: readers, and a start after a crash, see the old or the new content.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Replaces the content of a file that holds state: writes a temporary file in its folder, syncs it, renames
/// it, and syncs the folder, so that the rename survives a power failure. Only its owner may read it, from
/// the moment on which the temporary file is there: state may be about persons.
///
/// # Errors
/// The system's error. The file is then as it was before, and the temporary file is gone.
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (temporary, mut file) = create_beside(path, OWNER_ONLY)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        // The first error says more than that of the clean-up would.
        drop(fs::remove_file(&temporary));
        return Err(error);
    }
    sync_folder(folder_of(path))
}

/// A new file in the folder of `path`, whose name no other file and no other writer has. The system takes
/// from the mode what the user's mask forbids.
pub(super) fn create_beside(path: &Path, mode: u32) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, "the path does not name a file")
    })?;
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut temporary = name.to_owned();
        temporary.push(format!(".{}-{number}.tmp", std::process::id()));
        let temporary = folder_of(path).join(temporary);
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&temporary)
        {
            Ok(file) => return Ok((temporary, file)),
            // Left over by a process of the same number that crashed.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// The mode of files of state.
const OWNER_ONLY: u32 = 0o600;
/// The mode of products, as of any file.
pub(super) const ANYONE: u32 = 0o666;

/// The folder that a path is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::tests::scratch::Scratch;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn files_whose_names_differ_in_the_ending_have_different_temporary_files() {
        let scratch = Scratch::new();
        let folder = scratch.path();
        let (eu, us) = (folder.join("alerts.eu"), folder.join("alerts.us"));
        let temporary = |path: &Path| create_beside(path, ANYONE).unwrap().0;
        assert_ne!(temporary(&eu), temporary(&us));
        assert_ne!(temporary(&eu), temporary(&eu), "of two writers of one file");
    }

    #[test]
    fn the_content_is_replaced_and_nothing_is_left_over() {
        let scratch = Scratch::new();
        let folder = scratch.path();
        let path = folder.join("alerts.eu");
        replace_file(&path, b"old").unwrap();
        replace_file(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(folder), ["alerts.eu"]);
        // A folder cannot be replaced by a file.
        fs::create_dir(folder.join("taken")).unwrap();
        assert!(replace_file(&folder.join("taken"), b"x").is_err());
        assert_eq!(names(folder), ["alerts.eu", "taken"]);
    }

    #[test]
    fn state_is_for_its_owner_alone_from_the_beginning() {
        let scratch = Scratch::new();
        let path = scratch.path().join("alerts.state");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (temporary, _) = create_beside(&path, OWNER_ONLY).unwrap();
        assert_eq!(mode(&temporary), 0o600);
        // Also where another mode was there before.
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        replace_file(&path, b"new").unwrap();
        assert_eq!(mode(&path), 0o600);
    }
}
