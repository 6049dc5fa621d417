//! The files and topics that a pipeline reads, and what their rows are.

use std::path::{Path, PathBuf};

use super::described::DescribedInputs;
use super::{Pipeline, source};
use crate::config::{ConfigError, RowOn};
use crate::source::file::{FileError, FileOptions, FileSource, SpanEnd, TableMeaning};
use crate::source::history::HistoryOptions;
use crate::source::table::TableColumns;
use crate::units::Nanos;

impl Pipeline {
    /// The venues, the meaning of tables and the properties of clients that a pipeline describes, where one
    /// is given. No row is out of order: whoever asks shows or keeps the order that is there.
    ///
    /// # Errors
    /// [`ConfigError`] with file, line and what to do.
    pub fn described(
        path: Option<&Path>,
        overrides: &[String],
    ) -> Result<DescribedInputs, ConfigError> {
        let Some(path) = path else {
            return Ok(DescribedInputs::default());
        };
        let pipeline = Self::load_to_record(path, overrides)?;
        let tables = TableMeaning::History(HistoryOptions {
            lateness_ns: None,
            ..pipeline.history.clone()
        });
        Ok(DescribedInputs {
            venues: pipeline.venues(),
            tables,
            kafka: pipeline.file.kafka.properties,
        })
    }

    /// The same pipeline, which reads its inputs from a time on and up to an end, where whoever opens them
    /// asks for no other.
    #[must_use]
    pub fn within(self, begin: Option<Nanos>, end: Option<SpanEnd>) -> Self {
        Self {
            span: (begin, end),
            ..self
        }
    }

    /// Opens captures, and tables where `[source.table]` says what their columns mean, from `begin` on.
    ///
    /// # Errors
    /// [`FileError`] naming the file.
    pub fn open(&self, inputs: &[PathBuf], begin: Option<Nanos>) -> Result<FileSource, FileError> {
        self.open_span(inputs, begin, None)
    }

    /// The same up to an end: see [`SpanEnd`].
    ///
    /// # Errors
    /// [`FileError`] naming the file.
    pub fn open_span(
        &self,
        inputs: &[PathBuf],
        begin: Option<Nanos>,
        end: Option<SpanEnd>,
    ) -> Result<FileSource, FileError> {
        let options = FileOptions {
            max_frame_bytes: self.file.source.max_frame_bytes,
            tables: self.table_meaning(),
            begin: begin.or(self.span.0),
            end: end.or(self.span.1),
            max_jump_ns: source::max_jump_ns(&self.file),
            kafka: self.file.kafka.properties.clone(),
        };
        FileSource::open_with(inputs, &options)
    }

    /// What the rows of tables are: records where the pipeline reads records, else events of a market.
    #[must_use]
    pub fn table_meaning(&self) -> TableMeaning {
        match self.form.is_some() || self.file.row.on == RowOn::News {
            true => TableMeaning::Records(self.columns()),
            false => TableMeaning::History(self.history.clone()),
        }
    }

    /// What the columns of a table mean; none without `[source.table]`, or where rows are not records.
    #[must_use]
    pub fn columns(&self) -> Option<TableColumns> {
        let (form, table) = (self.form.as_ref()?, self.file.source.table.as_ref()?);
        let product = self.file.source.products.first().cloned();
        let names = source::column_names(table);
        let (kind, fields) = (form.kind(), self.plan.fields());
        Some(TableColumns::new(kind, names, product, fields))
    }
}
