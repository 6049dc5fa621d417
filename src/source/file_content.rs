//! What a file holds, lines or rows, by its format.

use std::fs::File;
use std::io::{self, BufRead};
use std::path::Path;

use super::compression::decompressed;
use super::file_options::{FileOptions, TableMeaning};
use super::file_position::{CountedFile, FilePosition};
use super::history;
use super::history::PackedRows;
use super::table;
use super::table::TableKind;
use super::topic_lines::TopicLines;

/// What a file holds.
pub(super) enum FileContent {
    /// Lines, one after the other.
    Lines(Box<dyn BufRead + Send>),
    /// Rows of an archive.
    Rows(Box<PackedRows>),
    /// The records of a partition of a topic.
    Topic(Box<TopicLines>),
}

/// Opens a file: what it holds, how far it is read, and the number of its first line less one; none for rows.
pub(super) fn open(
    path: &Path,
    options: &FileOptions,
) -> io::Result<(FileContent, FilePosition, Option<u64>)> {
    let file = File::open(path)?;
    if let TableMeaning::History(history) = &options.tables {
        let archive = history::open(path, &file, history, options.begin)?;
        if let Some(archive) = archive {
            let rows = PackedRows::new(archive, history.lateness_ns, options.max_jump_ns);
            return Ok((
                FileContent::Rows(Box::new(rows)),
                FilePosition::shared(&file),
                None,
            ));
        }
    }
    let kind = table::kind_of(path);
    let (reader, position, number) = match (kind, &options.tables) {
        (Some(kind), TableMeaning::Records(columns)) => {
            let position = FilePosition::shared(&file);
            (table::open(kind, file, columns.as_ref()), position, None)
        }
        (Some(TableKind::Parquet), TableMeaning::History(_)) => {
            let cause = "it does not begin as a Parquet file does; check what it holds";
            let cause = io::Error::new(io::ErrorKind::InvalidData, cause);
            (Err(cause), FilePosition::Unknown, None)
        }
        _ => {
            let (file, position) = CountedFile::new(file);
            (decompressed(file), position, Some(0))
        }
    };
    Ok((FileContent::Lines(reader?), position, number))
}

/// The length of a file; 0 of a pipe.
pub(super) fn bytes_of(path: &Path) -> u64 {
    let known = path.metadata().ok().filter(std::fs::Metadata::is_file);
    known.map_or(0, |known| known.len())
}
