//! The directory of a zip archive: which files are in it, and where.
//!
//! Source: PKWARE, "APPNOTE.TXT - .ZIP File Format Specification", 4.3 (records) and 4.5.3 (64-bit sizes).
//! Archives of several parts are not read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// A file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ZipEntry {
    pub(super) name: String,
    /// Where its record begins, which its data follow.
    header: u64,
    /// Bytes of its data, compressed.
    pub(super) bytes: u64,
    /// How it is compressed: 0 not at all, 8 by deflate.
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) is_encrypted: bool,
}

impl ZipEntry {
    /// Whether it is a folder.
    pub(super) fn is_folder(&self) -> bool {
        self.name.ends_with('/')
    }

    /// Goes to where its data begin.
    ///
    /// # Errors
    /// Where the file has no such record.
    pub(super) fn go_to_data(&self, file: &mut File) -> io::Result<()> {
        file.seek(SeekFrom::Start(self.header))?;
        let mut record = [0; 30];
        file.read_exact(&mut record)?;
        if !record.starts_with(b"PK\x03\x04") {
            return Err(damaged("its directory names a place where no file begins"));
        }
        let lengths = u64::from(u16_at(&record, 26)) + u64::from(u16_at(&record, 28));
        file.seek(SeekFrom::Start(self.header + 30 + lengths))?;
        Ok(())
    }
}

/// The files in an archive, in the order of its directory.
///
/// # Errors
/// Where the archive is cut or damaged.
pub(super) fn entries(file: &mut File) -> io::Result<Vec<ZipEntry>> {
    let whole = file.metadata()?.len();
    let (count, start, bytes) = directory_of(file, whole)?;
    if start.checked_add(bytes).is_none_or(|end| end > whole) || bytes > DIRECTORY_BYTES_MAX {
        return Err(damaged("its directory does not fit into it"));
    }
    file.seek(SeekFrom::Start(start))?;
    let mut directory = vec![0; bytes as usize];
    file.read_exact(&mut directory)?;
    let mut rest = &directory[..];
    let mut entries = vec![];
    for _ in 0..count {
        let (entry, behind) = entry_of(rest).ok_or_else(|| damaged("its directory is cut off"))?;
        entries.push(entry);
        rest = behind;
    }
    Ok(entries)
}

/// The end of the directory: how many files, where it begins, and its bytes.
fn directory_of(file: &mut File, whole: u64) -> io::Result<(u64, u64, u64)> {
    let start = whole.saturating_sub(END_BYTES_MAX);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = vec![];
    file.take(END_BYTES_MAX).read_to_end(&mut tail)?;
    let end = tail
        .windows(22)
        .rposition(|part| part.starts_with(b"PK\x05\x06"));
    let end =
        end.ok_or_else(|| damaged("it has no directory at its end, as where it was cut off"))?;
    let record = &tail[end..];
    let found = (
        u64::from(u16_at(record, 10)),
        u64::from(u32_at(record, 16)),
        u64::from(u32_at(record, 12)),
    );
    let is_wide = found.0 == 0xffff || found.1 == 0xffff_ffff || found.2 == 0xffff_ffff;
    let locator = end.checked_sub(20).map(|at| &tail[at..end]);
    let locator = locator.filter(|locator| is_wide && locator.starts_with(b"PK\x06\x07"));
    let Some(locator) = locator else {
        return Ok(found);
    };
    file.seek(SeekFrom::Start(u64_at(locator, 8)))?;
    let mut record = [0; 56];
    file.read_exact(&mut record)?;
    if !record.starts_with(b"PK\x06\x06") {
        return Err(damaged("its 64-bit directory is not where it should be"));
    }
    Ok((
        u64_at(&record, 32),
        u64_at(&record, 48),
        u64_at(&record, 40),
    ))
}

/// The first entry of a directory, and what is behind it.
fn entry_of(directory: &[u8]) -> Option<(ZipEntry, &[u8])> {
    let record = directory.get(..46)?;
    if !record.starts_with(b"PK\x01\x02") {
        return None;
    }
    let lengths = [28, 30, 32].map(|at| usize::from(u16_at(record, at)));
    let [name, extra, comment] = lengths;
    let name_bytes = directory.get(46..46 + name)?;
    let extra_bytes = directory.get(46 + name..46 + name + extra)?;
    let behind = directory.get(46 + name + extra + comment..)?;
    let mut wide = wide_sizes(extra_bytes);
    // Each size that does not fit stands among the wide ones: the plain size, the packed one, the place.
    let mut of = |narrow: u32| match narrow {
        u32::MAX => wide.next().unwrap_or(u64::MAX),
        narrow => narrow.into(),
    };
    let (_, bytes, header) = (
        of(u32_at(record, 24)),
        of(u32_at(record, 20)),
        of(u32_at(record, 42)),
    );
    let entry = ZipEntry {
        name: String::from_utf8_lossy(name_bytes).into_owned(),
        header,
        bytes,
        method: u16_at(record, 10),
        crc: u32_at(record, 16),
        is_encrypted: u16_at(record, 8) & 1 == 1,
    };
    Some((entry, behind))
}

/// The numbers of the extra field 1.
fn wide_sizes(mut extra: &[u8]) -> impl Iterator<Item = u64> {
    let mut found: &[u8] = &[];
    while extra.len() >= 4 {
        let (kind, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let Some(content) = extra.get(4..4 + length) else {
            break;
        };
        if kind == 1 {
            found = content;
        }
        extra = &extra[4 + length..];
    }
    found.chunks_exact(8).map(|bytes| u64_at(bytes, 0))
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let found = bytes.get(at..).and_then(<[u8]>::first_chunk);
    found.copied().unwrap_or([0; N])
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(number(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(number(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(number(bytes, at))
}

fn damaged(what: &str) -> io::Error {
    let what = format!("it is a zip archive: {what}");
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Bytes of the end of a directory, with the longest comment, and of the 64-bit locator before it.
const END_BYTES_MAX: u64 = 22 + 0xffff + 20;
/// More than the directory of a million files.
const DIRECTORY_BYTES_MAX: u64 = 1 << 28;
