//! The digests of the input files, computed beside the replay.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::hex::hex;

/// A file that was read.
#[derive(Clone, Debug, Serialize)]
pub struct InputFigures {
    /// Its name, without its folder.
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
    thread.spawn(move || inputs.iter().map(|path| figures(path)).collect())
}

/// The figures of a file. A file that cannot be read has none here: the replay says why.
fn figures(path: &Path) -> InputFigures {
    let name = path.file_name().unwrap_or(path.as_os_str());
    let digest = digest(path).ok().flatten();
    InputFigures {
        name: name.to_string_lossy().into_owned(),
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
