//! Zip archives of files of separated values, as Binance, LEAN and Kaggle give them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Take};
use std::path::{Path, PathBuf};

use flate2::read::DeflateDecoder;

use super::csv_file::{is_csv_name, open_csv};
use super::format::{FileHead, HistoryFormat, HistoryOptions};
use super::row::{HistoryRow, HistoryRows};
use super::zip_directory::{ZipEntry, entries};
use crate::units::Nanos;

/// Zip archives.
pub(super) struct Zip;

impl HistoryFormat for Zip {
    fn recognises(&self, _: &Path, head: &FileHead) -> bool {
        head.raw.starts_with(b"PK\x03\x04")
    }

    fn open(
        &self,
        path: &Path,
        file: File,
        options: &HistoryOptions,
        _: Option<Nanos>,
    ) -> io::Result<Box<dyn HistoryRows>> {
        let mut entries = entries_of(file)?;
        entries.reverse();
        Ok(Box::new(ZipRows {
            path: path.to_owned(),
            options: options.clone(),
            entries,
            rows: None,
            name: String::new(),
        }))
    }
}

/// The names of the files in an archive, in the order in which they are read.
pub(super) fn names_in(file: File) -> io::Result<Vec<String>> {
    let entries = entries_of(file)?;
    Ok(entries.into_iter().map(|entry| entry.name).collect())
}

/// The files of separated values in an archive, by their names. Folders are passed over.
fn entries_of(mut file: File) -> io::Result<Vec<ZipEntry>> {
    let mut entries = entries(&mut file)?;
    entries.retain(|entry| !entry.is_folder());
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    for entry in &entries {
        let name = &entry.name;
        let what = if !is_csv_name(Path::new(name)) {
            "no file of separated values"
        } else if entry.is_encrypted {
            "encrypted"
        } else if !matches!(entry.method, STORED | DEFLATED) {
            "compressed by a method that is not read"
        } else {
            continue;
        };
        return Err(io::Error::other(format!(
            "it is a zip archive, and `{name}` in it is {what}: unpack it (`unzip`) and give the files in it"
        )));
    }
    match entries.is_empty() {
        true => Err(io::Error::other("it is a zip archive with no file in it")),
        false => Ok(entries),
    }
}

/// Methods of compression.
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// The rows of the files in an archive, one behind the other by their names.
struct ZipRows {
    path: PathBuf,
    options: HistoryOptions,
    /// Those that are not open yet, the next one last.
    entries: Vec<ZipEntry>,
    rows: Option<Box<dyn HistoryRows>>,
    name: String,
}

impl ZipRows {
    fn open(&self, entry: &ZipEntry) -> io::Result<Box<dyn HistoryRows>> {
        let mut file = File::open(&self.path)?;
        entry.go_to_data(&mut file)?;
        let data = file.take(entry.bytes);
        let content: Box<dyn Read + Send> = match entry.method == DEFLATED {
            true => Box::new(Checked::new(DeflateDecoder::new(data), entry.crc)),
            false => Box::new(Checked::<Take<File>>::new(data, entry.crc)),
        };
        let content: Box<dyn BufRead + Send> =
            Box::new(BufReader::with_capacity(BUFFER_BYTES, content));
        // The folder of the archive may say what the file in it does not.
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let inner = Path::new(&entry.name).file_name().unwrap_or_default();
        open_csv(content, &folder.join(inner), &self.options)
    }
}

const BUFFER_BYTES: usize = 1 << 18;

impl HistoryRows for ZipRows {
    fn next_row(&mut self, row: &mut HistoryRow) -> io::Result<bool> {
        loop {
            if let Some(rows) = &mut self.rows {
                let more = rows.next_row(row);
                if more.map_err(|error| in_entry(&error, &self.name))? {
                    return Ok(true);
                }
            }
            let Some(entry) = self.entries.pop() else {
                return Ok(false);
            };
            let rows = self.open(&entry);
            self.rows = Some(rows.map_err(|error| in_entry(&error, &entry.name))?);
            self.name = entry.name;
        }
    }

    fn position(&self) -> String {
        let position = self.rows.as_ref().map(|rows| rows.position());
        format!("{} of `{}`", position.unwrap_or_default(), self.name)
    }
}

fn in_entry(error: &io::Error, name: &str) -> io::Error {
    io::Error::new(error.kind(), format!("`{name}` in it: {error}"))
}

/// Reads to the end, where the checksum must be right.
struct Checked<R> {
    inner: R,
    crc: crc32fast::Hasher,
    expected: u32,
}

impl<R: Read> Checked<R> {
    fn new(inner: R, expected: u32) -> Self {
        Self {
            inner,
            crc: crc32fast::Hasher::new(),
            expected,
        }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.crc.update(&buffer[..count]);
        if count == 0 && !buffer.is_empty() && self.crc.clone().finalize() != self.expected {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "its checksum is wrong",
            ));
        }
        Ok(count)
    }
}
