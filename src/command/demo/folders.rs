//! The pipelines that come with the binary, unpacked to a folder for one run.

use std::io::{self, Read};
use std::path::PathBuf;

use crate::hex::hex;

/// A pipeline of this binary.
struct Embedded {
    name: &'static str,
    files: &'static [(&'static str, &'static [u8])],
}

macro_rules! embedded {
    ($name:literal, $($file:literal),+) => {
        Embedded {
            name: $name,
            files: &[$((
                $file,
                include_bytes!(concat!("../../../pipelines/", $name, "/", $file)),
            )),+],
        }
    };
}

/// The pipelines of the demo.
const PIPELINES: &[Embedded] = &[
    embedded!("price-direction", "pipeline.toml", "model.onnx"),
    embedded!(
        "news-sentiment",
        "pipeline.toml",
        "model.onnx",
        "vocab.txt",
        "instruments.csv"
    ),
    embedded!("default-alerts", "pipeline.toml", "model.onnx"),
    embedded!("loan-risk", "pipeline.toml", "model.onnx"),
];

/// The pipelines' folders; removed when dropped.
pub(super) struct Unpacked(PathBuf);

impl Unpacked {
    /// Unpacks all pipelines.
    ///
    /// # Errors
    /// The folder, and the system's error.
    pub(super) fn create() -> Result<Self, (PathBuf, io::Error)> {
        let folder = std::env::temp_dir().join(format!("foretick-demo-{}", std::process::id()));
        let unpacked = Self(folder.clone());
        let failed = |cause| (folder.clone(), cause);
        for pipeline in PIPELINES {
            let folder = unpacked.0.join(pipeline.name);
            std::fs::create_dir_all(&folder).map_err(failed)?;
            for (name, bytes) in pipeline.files {
                std::fs::write(folder.join(name), bytes).map_err(failed)?;
            }
        }
        std::fs::write(unpacked.key(), random_key().map_err(failed)?).map_err(failed)?;
        Ok(unpacked)
    }

    /// The pipelines' folders.
    pub(super) fn pipelines(&self) -> Vec<PathBuf> {
        let folders = PIPELINES.iter().map(|pipeline| self.0.join(pipeline.name));
        folders.collect()
    }

    /// The file of the key that applicants' tokens are made with, drawn for this run alone.
    pub(super) fn key(&self) -> PathBuf {
        self.0.join("key")
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, "the demo's folder stays");
        }
    }
}

/// Random from the system's entropy, so that no seed gives it again.
fn random_key() -> io::Result<String> {
    let mut key = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
    Ok(hex(&key))
}
