//! The records of a DBN file, in order, and what its beginning says of them.

use std::io::{self, BufRead, Read};

use dbn::decode::dbn::fsm::{DbnFsm, ProcessResult};
use dbn::{Metadata, RecordRef, VersionUpgradePolicy};

/// The records of a file.
pub(super) struct DbnRecords {
    decoder: DbnFsm,
    content: Box<dyn BufRead + Send>,
    /// The number of the record read last, from 1.
    number: u64,
    /// Bytes before the first record, without compression.
    start: u64,
}

impl DbnRecords {
    /// Reads the beginning of a file, whose content has at most so many bytes.
    ///
    /// # Errors
    /// Where it is no DBN, of a version that is not read, or cut.
    pub(super) fn open(
        content: Box<dyn BufRead + Send>,
        bytes_max: u64,
    ) -> io::Result<(Self, Metadata)> {
        // Records of trades, quotes and books are the same in versions 1 to 3: none need be upgraded.
        let decoder = DbnFsm::builder()
            .upgrade_policy(VersionUpgradePolicy::AsIs)
            .buffer_size(BUFFER_BYTES)
            .build()
            .map_err(|error| io::Error::other(error.to_string()))?;
        let mut records = Self {
            decoder,
            content,
            number: 0,
            start: 0,
        };
        let metadata = records.metadata(bytes_max)?;
        Ok((records, metadata))
    }

    fn metadata(&mut self, bytes_max: u64) -> io::Result<Metadata> {
        let mut prelude = [0; PRELUDE_BYTES];
        let whole = self.content.read_exact(&mut prelude);
        whole.map_err(|error| in_place("its DBN prelude", &error))?;
        let length = u32::from_le_bytes([prelude[4], prelude[5], prelude[6], prelude[7]]);
        // The decoder takes memory for all of it at once.
        if u64::from(length) > bytes_max.min(METADATA_BYTES_MAX) {
            let told = format!("its DBN metadata would be {length} bytes long");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, told));
        }
        self.start = PRELUDE_BYTES as u64 + u64::from(length);
        self.decoder.write_all(&prelude);
        loop {
            match self.decoder.process() {
                ProcessResult::Metadata(metadata) => return Ok(metadata),
                ProcessResult::ReadMore(_) => {
                    let is_more = self
                        .fill()
                        .map_err(|error| in_place("its DBN metadata", &error))?;
                    if !is_more {
                        return Err(cut("its DBN metadata"));
                    }
                }
                ProcessResult::Record(()) => {}
                ProcessResult::Err(error) => {
                    let told = format!("its DBN metadata cannot be read: {error}");
                    return Err(io::Error::other(told));
                }
            }
        }
    }

    /// Bytes before the first record, without compression.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Goes on with other content, before whose first record there are so many.
    pub(super) fn go_to(&mut self, content: Box<dyn BufRead + Send>, records: u64) {
        let read = self.decoder.data().len();
        self.decoder.skip(read);
        self.content = content;
        self.number = records;
    }

    /// The number of the record read last, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next record; none at the end.
    ///
    /// # Errors
    /// Where the file ends within a record, a record cannot be, or the disk or the decompression fails.
    pub(super) fn next(&mut self) -> io::Result<Option<RecordRef<'_>>> {
        while !self.decoder.has_buffered_record() {
            match self.decoder.process_batch() {
                ProcessResult::ReadMore(_) => {
                    let is_more = self.fill();
                    let is_more = is_more.map_err(|error| in_place(&self.place(), &error))?;
                    if !is_more && !self.decoder.data().is_empty() {
                        return Err(cut(&self.place()));
                    }
                    if !is_more {
                        return Ok(None);
                    }
                }
                ProcessResult::Record(_) | ProcessResult::Metadata(_) => {}
                ProcessResult::Err(error) => {
                    let told = format!("{} cannot be read: {error}", self.place());
                    return Err(io::Error::new(io::ErrorKind::InvalidData, told));
                }
            }
        }
        self.number += 1;
        Ok(self.decoder.next_buffered_record())
    }

    /// The record behind the one read last.
    fn place(&self) -> String {
        format!("record {}", self.number + 1)
    }

    /// Reads more of the file; false at its end.
    fn fill(&mut self) -> io::Result<bool> {
        loop {
            match self.content.read(self.decoder.space()) {
                Ok(count) => {
                    self.decoder.fill(count);
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn cut(place: &str) -> io::Error {
    let told = format!("it ends within {place}");
    io::Error::new(io::ErrorKind::UnexpectedEof, told)
}

fn in_place(place: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{place}: {error}"))
}

/// Bytes of records that are decoded at once.
const BUFFER_BYTES: usize = 256 << 10;
/// `DBN`, the version, and the length of the metadata.
const PRELUDE_BYTES: usize = 8;
/// More than the metadata of every option of a year has.
const METADATA_BYTES_MAX: u64 = 1 << 30;
