//! Rows of batches of Arrow, whatever file they are from.

use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema};

use super::ARCHIVE_KEY;
use super::archive_name::ArchiveName;
use super::arrow_cells::ArrowCells;
use super::damage_guard::guarded;
use super::format::HistoryOptions;
use super::layout::Layout;
use super::mapping::{HistoryMapping, Role};
use super::row::{HistoryRow, HistoryRows};
use super::row_maker::ArchiveRowMaker;
use super::time_form::TimeForm;
use super::told::ToldOfFile;

/// Rows of batches.
pub(super) struct ArrowRows<B> {
    batches: B,
    layout: Arc<Layout>,
    maker: ArchiveRowMaker,
    /// The places of the used columns in a batch.
    places: Vec<usize>,
    cells: Option<ArrowCells>,
    /// Number of the row given last, from 1.
    number: u64,
}

/// Finds the fields among the columns of a file's schema. One that we wrote is read as it was written,
/// whatever is told about others.
pub(super) fn layout_of(
    schema: &Schema,
    path: &Path,
    options: &HistoryOptions,
) -> io::Result<Layout> {
    let fields = schema.fields().iter();
    let names: Vec<String> = fields.map(|field| field.name().clone()).collect();
    let nothing = HistoryMapping::default();
    let told = ToldOfFile {
        name: &ArchiveName::of(path),
        mapping: match is_ours(schema, &names) {
            true => &nothing,
            false => &options.mapping,
        },
        form: None,
        instrument: None,
        times: TimeForm::default(),
        lateness_ns: options.lateness_ns,
    };
    Layout::find(&names, &told)
}

/// Whether we wrote a file of this schema. Other programs may keep our key where they change columns.
fn is_ours(schema: &Schema, names: &[String]) -> bool {
    let is_field = |name: &String| Role::ALL.iter().any(|role| role.field() == name);
    let has = |role: Role| names.iter().any(|name| name == role.field());
    schema.metadata().contains_key(ARCHIVE_KEY)
        && names.iter().all(is_field)
        && has(Role::TsEvent)
        && has(Role::Symbol)
}

/// The columns that a layout uses, each once, in the order of the file.
pub(super) fn used_columns(layout: &Layout) -> Vec<usize> {
    let mut used: Vec<usize> = layout.used.iter().map(|(_, place)| *place).collect();
    used.sort_unstable();
    used.dedup();
    used
}

impl<B: Iterator<Item = Result<RecordBatch, ArrowError>>> ArrowRows<B> {
    /// The rows of batches that have the columns of [`used_columns`] alone, in their order. So many rows
    /// of the file stand before them.
    pub(super) fn new(batches: B, layout: Layout, rows_before: u64) -> Self {
        let layout = Arc::new(layout);
        let used = used_columns(&layout);
        let place = |(_, column): &(_, usize)| used.binary_search(column).unwrap_or_default();
        Self {
            batches,
            places: layout.used.iter().map(place).collect(),
            maker: ArchiveRowMaker::new(Arc::clone(&layout)),
            layout,
            cells: None,
            number: rows_before,
        }
    }

    /// Goes to the next row, in the next batch if need be; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        loop {
            if let Some(cells) = &mut self.cells {
                cells.row += 1;
                if cells.row < cells.rows {
                    return Ok(true);
                }
            }
            self.cells = None;
            let Some(cells) = guarded(|| self.next_cells()).map_err(|error| self.behind(&error))?
            else {
                return Ok(false);
            };
            let is_empty = cells.rows == 0;
            self.cells = Some(cells);
            if !is_empty {
                return Ok(true);
            }
        }
    }

    /// The cells of the next batch; none at the end.
    fn next_cells(&mut self) -> io::Result<Option<ArrowCells>> {
        let Some(batch) = self.batches.next() else {
            return Ok(None);
        };
        let batch = batch.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let cells = ArrowCells::of(&batch, &self.layout, &self.places);
        let cells = cells.map_err(|(name, error)| {
            io::Error::other(format!("its column `{name}` cannot be read: {error}"))
        })?;
        Ok(Some(cells))
    }

    fn behind(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("behind row {}: {error}", self.number))
    }
}

impl<B: Iterator<Item = Result<RecordBatch, ArrowError>> + Send> HistoryRows for ArrowRows<B> {
    fn next_row(&mut self, row: &mut HistoryRow) -> io::Result<bool> {
        if !self.advance()? {
            return Ok(false);
        }
        self.number += 1;
        if let Some(cells) = &self.cells {
            self.maker.fill(cells, row);
        }
        Ok(true)
    }

    fn position(&self) -> String {
        format!("row {}", self.number)
    }
}
