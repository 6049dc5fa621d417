//! How many bytes of a file have been read, for those who show progress, and where a line of it is.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::ops::Add;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::units::Nanos;

/// How much of some inputs has been read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InputProgress {
    /// What has been read: bytes of files, as they lie on the disk; records of topics.
    pub read: u64,
    /// What there is to read; 0 where that is not known, as of a pipe.
    pub all: u64,
    /// The time of the data that was read last, where it has one.
    pub time: Option<Nanos>,
}

impl Add for InputProgress {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            read: self.read + other.read,
            all: self.all + other.all,
            time: self.time.max(other.time),
        }
    }
}

/// Tells how far a file has been read.
pub(super) enum FilePosition {
    /// Its bytes are counted as they are read.
    Counted(Arc<AtomicU64>),
    /// Another handle of it knows: that of a table is read here and there.
    Shared(File),
    /// Nothing does.
    Unknown,
}

impl FilePosition {
    /// A second handle of a file.
    pub(super) fn shared(file: &File) -> Self {
        file.try_clone().map_or(Self::Unknown, Self::Shared)
    }

    /// Bytes before the one that is read next, as far as that is known.
    pub(super) fn bytes(&mut self) -> u64 {
        match self {
            Self::Counted(bytes) => bytes.load(Ordering::Relaxed),
            Self::Shared(file) => file.stream_position().unwrap_or(0),
            Self::Unknown => 0,
        }
    }
}

/// Where a line is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LinePlace {
    /// Its number in its file, from 1.
    pub(super) line: Option<u64>,
    /// The number of the row, from 1, where the file has rows.
    pub(super) row: Option<u64>,
    /// Partition and offset, where it is a record of a topic.
    pub(super) record: Option<(i32, i64)>,
    /// Files of its session that come behind its own.
    pub(super) files_left: usize,
}

/// A file whose bytes are counted.
pub(super) struct CountedFile {
    file: File,
    bytes: Arc<AtomicU64>,
}

impl CountedFile {
    /// A file from where it is, and what tells how far it has been read.
    pub(super) fn new(mut file: File) -> (Self, FilePosition) {
        let position = file.stream_position().unwrap_or(0);
        let bytes = Arc::new(AtomicU64::new(position));
        let counted = Self {
            file,
            bytes: Arc::clone(&bytes),
        };
        (counted, FilePosition::Counted(bytes))
    }
}

impl Read for CountedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
