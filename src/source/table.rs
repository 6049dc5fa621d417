//! Tables: rows of CSV, TSV and Parquet files as records, one JSON line each, as the topic would hold them.
//!
//! So a table is read like every other input. Checks no values: a number becomes a number, an empty cell
//! null, anything else text, and so do keys and categories.

mod cell;
mod columns;
mod csv_rows;
pub(super) mod line_starts;
mod parquet_rows;
mod position;
mod rows;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

pub use self::cell::is_absent;
use self::columns::TableUse;
pub use self::columns::{ColumnNames, OutcomeRow, TableColumns};
use self::csv_rows::CsvRows;
use self::parquet_rows::ParquetRows;
pub use self::position::TablePosition;
use self::position::invalid;
use self::rows::TableRows;

/// The kinds of table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// Separated by commas, with a header.
    Csv,
    /// Separated by tabs, with a header.
    Tsv,
    /// Text with a header, separated by what the header has: tabs, semicolons, bars or commas.
    Text,
    /// Parquet.
    Parquet,
}

/// The kind of a file, by the end of its name in upper or lower case; none for captures.
#[must_use]
pub fn kind_of(path: &Path) -> Option<TableKind> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let inner = [".gz", ".zst"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending));
    match inner.unwrap_or(&name).rsplit_once('.')?.1 {
        "csv" => Some(TableKind::Csv),
        "tsv" | "tab" => Some(TableKind::Tsv),
        "txt" => Some(TableKind::Text),
        "parquet" | "pq" => Some(TableKind::Parquet),
        _ => None,
    }
}

/// The rows of a table as lines of JSON.
///
/// # Errors
/// Where the file is no such table, `columns` do not fit it or are missing, or it has no column that a
/// feature reads. It need not have the outcome.
pub fn open(
    kind: TableKind,
    file: File,
    columns: Option<&TableColumns>,
) -> io::Result<Box<dyn BufRead + Send>> {
    let (rows, columns) = rows(kind, file, columns, TableUse::Records)?;
    let absent = columns.absent(|field| rows.names().iter().any(|name| name == field));
    if !absent.is_empty() {
        // Each row would be imputed, which a misspelt name must not cause unseen.
        let columns = absent.join(", ");
        tracing::warn!(
            columns,
            "the table lacks columns that features read: every row misses them"
        );
    }
    Ok(Box::new(BufReader::new(RecordLines {
        rows,
        columns,
        number: 0,
        line: vec![],
        at: 0,
    })))
}

/// The outcome that each row states.
///
/// # Errors
/// Where the file is no such table, `columns` name no outcome or are missing, or a row's period or time
/// cannot be read.
pub fn outcomes(
    kind: TableKind,
    file: File,
    columns: Option<&TableColumns>,
) -> io::Result<Vec<OutcomeRow>> {
    let (mut rows, columns) = rows(kind, file, columns, TableUse::Outcomes)?;
    if !columns.has_outcome() {
        return Err(invalid(
            "[source.table] does not say which column is the `outcome`",
        ));
    }
    let mut all = vec![];
    while let Some(row) = rows.next_row()? {
        all.push(columns.outcome(row, rows.position())?);
    }
    Ok(all)
}

fn rows(
    kind: TableKind,
    file: File,
    columns: Option<&TableColumns>,
    table_use: TableUse,
) -> io::Result<(Box<dyn TableRows>, TableColumns)> {
    let columns = columns.cloned().ok_or_else(|| {
        invalid(match kind {
            TableKind::Text => {
                "a file with the ending .txt is read as a table: say in [source.table] which column is the `key` \
                 (and `period`, `ts_event`), or name a capture .jsonl"
            }
            TableKind::Csv | TableKind::Tsv | TableKind::Parquet => {
                "it is a table: say in [source.table] which column is the `key` (and `period`, `ts_event`). \
                 Tables hold applications and statements; trades, quotes, books, bars and news are read as \
                 JSON lines, and so are outcomes of their signals"
            }
        })
    })?;
    let rows: Box<dyn TableRows> = match kind {
        TableKind::Csv => Box::new(CsvRows::open(file, Some(b','), &columns, table_use)?),
        TableKind::Tsv => Box::new(CsvRows::open(file, Some(b'\t'), &columns, table_use)?),
        TableKind::Text => Box::new(CsvRows::open(file, None, &columns, table_use)?),
        TableKind::Parquet => Box::new(ParquetRows::open(file, &columns, table_use)?),
    };
    Ok((rows, columns))
}

/// Rows as lines of JSON, made as they are read.
struct RecordLines {
    rows: Box<dyn TableRows>,
    columns: TableColumns,
    number: u64,
    line: Vec<u8>,
    at: usize,
}

impl Read for RecordLines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.line.len() {
            let Some(row) = self.rows.next_row()? else {
                return Ok(0);
            };
            let record = self
                .columns
                .record(row, self.rows.position(), self.number)?;
            self.number += 1;
            self.line = record.to_string().into_bytes();
            self.line.push(b'\n');
            self.at = 0;
        }
        let count = buffer.len().min(self.line.len() - self.at);
        buffer[..count].copy_from_slice(&self.line[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}
