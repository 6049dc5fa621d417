//! Files of separated values: plain, gzip or zstd.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead};
use std::path::Path;
use std::sync::Arc;

use super::archive_name::ArchiveName;
use super::csv_cells::CsvCells;
use super::csv_header::{CsvHeader, separator_of};
use super::csv_records::CsvRecords;
use super::format::{FileHead, HistoryFormat, HistoryOptions};
use super::layout::{Layout, check_once};
use super::row::{HistoryRow, HistoryRows};
use super::row_maker::ArchiveRowMaker;
use super::tardis::TardisBooks;
use crate::frame::packed::RowFault;
use crate::source::compression::decompressed;
use crate::units::Nanos;

/// Separated values.
pub(super) struct Csv;

impl HistoryFormat for Csv {
    fn recognises(&self, path: &Path, head: &FileHead) -> bool {
        is_csv_name(path) && !is_other_text(&head.content)
    }

    fn open(
        &self,
        path: &Path,
        file: File,
        options: &HistoryOptions,
        _: Option<Nanos>,
    ) -> io::Result<Box<dyn HistoryRows>> {
        open_csv(decompressed(file)?, path, options)
    }
}

/// Whether a name ends as those of files of separated values do, in upper or lower case.
pub(super) fn is_csv_name(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    let inner = [".gz", ".zst"]
        .iter()
        .find_map(|end| name.strip_suffix(end));
    let ending = Path::new(inner.unwrap_or(&name)).extension();
    let ending = ending.and_then(OsStr::to_str).unwrap_or_default();
    ["csv", "tsv", "tab", "txt"].contains(&ending)
}

/// Whether a text begins as JSON, or as a line of a capture, does: no header and no number of a cell does.
fn is_other_text(content: &[u8]) -> bool {
    let start = content.trim_ascii_start();
    matches!(start.first(), Some(b'{' | b'[')) || crate::frame::leading_time(start).is_some()
}

/// The rows of a text of separated values.
pub(super) fn open_csv(
    mut content: Box<dyn BufRead + Send>,
    path: &Path,
    options: &HistoryOptions,
) -> io::Result<Box<dyn HistoryRows>> {
    let separator = separator_of(content.fill_buf()?);
    let mut records = CsvRecords::new(content, separator);
    if !records.advance()? {
        return Err(io::Error::other("it is empty: it has not even a header"));
    }
    let name = ArchiveName::of(path);
    let header = CsvHeader::read(&records.row, &name, path, &options.mapping)?;
    if let Some(books) = TardisBooks::new(&header.names, &options.mapping) {
        check_once(&header.names, 0..header.names.len())?;
        records.is_given = !header.is_row;
        return Ok(Box::new(books.over(records)));
    }
    records.is_given = !header.is_row;
    let width = header.names.len();
    let is_headerless = header.is_row;
    let layout = Arc::new(header.layout(&name, options)?);
    Ok(Box::new(CsvRows {
        records,
        maker: ArchiveRowMaker::new(Arc::clone(&layout)),
        layout,
        width: (!is_headerless).then_some(width),
    }))
}

/// Rows of separated values.
struct CsvRows {
    records: CsvRecords,
    layout: Arc<Layout>,
    maker: ArchiveRowMaker,
    /// Cells of the header; none where there is no header.
    width: Option<usize>,
}

impl HistoryRows for CsvRows {
    fn next_row(&mut self, row: &mut HistoryRow) -> io::Result<bool> {
        if !self.records.advance()? {
            return Ok(false);
        }
        let cells = CsvCells {
            row: &self.records.row,
            layout: &self.layout,
        };
        self.maker.fill(&cells, row);
        let count = self.records.row.len();
        if let Some(width) = self.width.filter(|width| *width != count) {
            // A cell too many or too few may have moved all others.
            let cells: Vec<_> = self.records.row.iter().collect();
            let text = String::from_utf8_lossy(&cells.join(&b","[..])).into_owned();
            let text = format!("{count} cells, and the header has {width}: {text}");
            row.fail(RowFault::OutOfRange("row"), &text);
        }
        Ok(true)
    }

    fn position(&self) -> String {
        self.records.position()
    }
}
