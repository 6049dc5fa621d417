//! What a format of archives is, and how a file is recognised.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use super::mapping::HistoryMapping;
use super::row::HistoryRows;
use crate::source::compression::content_of;
use crate::units::Nanos;

/// What is told about archives.
#[derive(Clone, Debug, Default)]
pub struct HistoryOptions {
    /// How much earlier than a row before it a row of the same file may be, in nanoseconds; none: at any
    /// time.
    pub lateness_ns: Option<i64>,
    /// What is told about their columns.
    pub mapping: HistoryMapping,
    /// Files that are read beside another one of the inputs, and alone mean nothing.
    pub companions: Vec<PathBuf>,
}

/// A format of archives.
pub(super) trait HistoryFormat: Sync {
    /// Whether a file is of the format, by its name and how it begins.
    fn recognises(&self, path: &Path, head: &FileHead) -> bool;

    /// Opens a file of the format. Rows before `begin` need not be given: a format that knows where they end
    /// begins there.
    ///
    /// # Errors
    /// Where it cannot be read, or lacks what it must have.
    fn open(
        &self,
        path: &Path,
        file: File,
        options: &HistoryOptions,
        begin: Option<Nanos>,
    ) -> io::Result<Box<dyn HistoryRows>>;
}

/// A file as an archive.
pub(in crate::source) struct Archive {
    /// The name of its format.
    pub(in crate::source) format: &'static str,
    /// Its rows.
    pub(in crate::source) rows: Box<dyn HistoryRows>,
}

/// How a file begins.
pub(super) struct FileHead {
    /// Its first bytes as they are.
    pub(super) raw: Vec<u8>,
    /// Its first bytes without gzip or zstd around them; the same where there is neither.
    pub(super) content: Vec<u8>,
}

/// First bytes that are looked at.
const HEAD_BYTES: u64 = 4096;

impl FileHead {
    /// Reads the first bytes of a file, and goes back to its beginning.
    pub(super) fn read(file: &mut File) -> io::Result<Self> {
        let mut raw = vec![];
        file.take(HEAD_BYTES).read_to_end(&mut raw)?;
        file.rewind()?;
        let mut content = vec![];
        if matches!(raw[..], [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..])
            && let Ok((inner, _)) = content_of(io::Cursor::new(raw.clone()))
        {
            // The beginning of a compressed file ends within its compression.
            let mut inner = inner.take(HEAD_BYTES);
            let mut byte = [0; 256];
            while let Ok(count @ 1..) = inner.read(&mut byte) {
                content.extend_from_slice(&byte[..count]);
            }
        } else {
            content.clone_from(&raw);
        }
        Ok(Self { raw, content })
    }
}
