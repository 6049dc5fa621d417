//! Snapshots that are damaged, and a disk that is full.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::dice::Dice;

/// Damages some of the snapshots below a folder: cut, changed, emptied or removed. Returns how many.
pub(crate) fn tear(folder: &Path, dice: &mut Dice) -> usize {
    let mut torn = 0;
    for path in files(folder) {
        let Ok(mut bytes) = fs::read(&path) else {
            continue;
        };
        if bytes.is_empty() || dice.below(2) == 0 {
            continue;
        }
        let at = dice.below(bytes.len() as u64) as usize;
        match dice.below(4) {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << dice.below(8),
            2 => bytes.clear(),
            _ => {
                drop(fs::remove_file(&path));
                torn += 1;
                continue;
            }
        }
        fs::write(&path, bytes).expect("a test's folder takes files");
        torn += 1;
    }
    torn
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut all = vec![];
    for entry in entries {
        let path = entry.path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => all.push(path),
        }
    }
    all.sort();
    all
}

/// A small file system of its own for snapshots, where the test may mount one.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts it over a folder, which it makes; none where the test may not.
    pub(crate) fn mount(folder: &Path) -> Option<Self> {
        fs::create_dir_all(folder).expect("a test's folder takes folders");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs"])
            .arg(folder);
        let is_mounted = mount.status().is_ok_and(|status| status.success());
        is_mounted.then(|| Self(folder.to_owned()))
    }

    /// Fills what is left of it.
    pub(crate) fn fill(&self) {
        let path = self.0.join("filler");
        let block = vec![7; 64 << 10];
        let mut all = vec![];
        while all.len() < 64 << 20 {
            all.extend_from_slice(&block);
        }
        // It ends at the first byte that does not fit.
        let written = fs::write(&path, all);
        assert!(written.is_err(), "the disk is small");
    }

    /// Makes room again.
    pub(crate) fn empty(&self) {
        fs::remove_file(self.0.join("filler")).expect("it was filled");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}
