//! Events in Parquet: one file, or a folder of `instrument=NAME/date=2024-08-08/part-0.parquet`.
//!
//! A file has the columns that its rows need. Where later rows need others, another part begins. Rows wait in
//! memory up to a group; the files of a day are closed once it has been over for an hour. All appear under
//! their names at the end, so that a conversion that fails leaves what was there.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_schema::Schema;
use chrono::DateTime;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::layout::find_foreign;
use super::named::{NamedEvent, is_written};
use super::parquet_columns::{batch, schema};
use super::parquet_fields::{EventRow, needed};
use crate::sink::SinkError;
use crate::sink::output_file::OutputFile;
use crate::sink::output_folder::OutputFolder;
use crate::units::Nanos;

/// Files of events.
pub struct EventPartitions {
    output: PathBuf,
    is_folder: bool,
    is_exact: bool,
    /// Whether an earlier conversion is replaced.
    replaces: bool,
    /// By instrument and day.
    open: BTreeMap<DayKey, Partition>,
    /// The name of the instrument of the last row.
    last_name: Option<Arc<str>>,
    /// Days before this one are closed.
    latest_day: i64,
    /// Parts of each partition so far, by the path of its folder.
    parts: BTreeMap<PathBuf, u32>,
    files: u64,
    /// The parts of one file, which wait for the end.
    written: Vec<(PathBuf, OutputFile)>,
    /// Where the files of a folder are until the end. Dropped behind the files that are open.
    folder: Option<OutputFolder>,
}

/// An instrument and a day, counted from 1970; the same for all rows of one file.
type DayKey = (Arc<str>, i64);

/// The rows of an instrument's day, or all.
#[derive(Default)]
struct Partition {
    rows: Vec<EventRow>,
    part: Option<Part>,
}

struct Part {
    path: PathBuf,
    columns: Vec<usize>,
    schema: Arc<Schema>,
    writer: ArrowWriter<OutputFile>,
}

/// Rows of a group.
const GROUP_ROWS: usize = 1 << 16;
/// Nanoseconds of a day, and of an hour.
const DAY_NS: i64 = 24 * HOUR_NS;
const HOUR_NS: i64 = 3_600_000_000_000;

impl EventPartitions {
    /// Files below a folder, in which an earlier conversion is replaced with `replaces`. Decimals are text
    /// with `is_exact`, else float64.
    ///
    /// # Errors
    /// Where the folder above cannot be written.
    pub fn folder(output: &Path, replaces: bool, is_exact: bool) -> Result<Self, SinkError> {
        let failed = |cause| SinkError::File {
            path: output.to_owned(),
            cause,
        };
        let folder = OutputFolder::create(output, find_foreign).map_err(failed)?;
        Ok(Self {
            is_folder: true,
            replaces,
            folder: Some(folder),
            ..Self::file(output, is_exact)
        })
    }

    /// One file, and further parts where rows need other columns. Decimals are text with `is_exact`.
    #[must_use]
    pub fn file(output: &Path, is_exact: bool) -> Self {
        Self {
            output: output.to_owned(),
            is_folder: false,
            is_exact,
            replaces: false,
            open: BTreeMap::new(),
            latest_day: i64::MIN,
            last_name: None,
            parts: BTreeMap::new(),
            files: 0,
            written: vec![],
            folder: None,
        }
    }

    /// Takes an event; one that is no trade, quote, book change or bar is passed over.
    ///
    /// # Errors
    /// Where a file cannot be written, or a number is not kept exactly.
    pub fn write(&mut self, event: &NamedEvent<'_>) -> Result<(), SinkError> {
        if !is_written(event.body) {
            return Ok(());
        }
        let time = match event.ts_event {
            Nanos::UNDEFINED => event.ts_recv,
            ts_event => ts_event,
        };
        let key = match self.is_folder {
            true => {
                let day = time.0.div_euclid(DAY_NS);
                self.close_before((time.0 - HOUR_NS).div_euclid(DAY_NS))?;
                (self.named(event.instrument), day)
            }
            false => (self.named(""), 0),
        };
        self.last_name = Some(Arc::clone(&key.0));
        let partition = self.open.entry(key.clone()).or_default();
        let instrument = match self.is_folder {
            true => Arc::clone(&key.0),
            false => match partition.rows.last() {
                Some(last) if *last.instrument == *event.instrument => Arc::clone(&last.instrument),
                _ => Arc::from(event.instrument),
            },
        };
        partition.rows.push(EventRow {
            ts_event: event.ts_event,
            ts_recv: event.ts_recv,
            instrument,
            body: *event.body,
            bids: event.bids.to_vec(),
            asks: event.asks.to_vec(),
        });
        if partition.rows.len() >= GROUP_ROWS {
            self.flush(&key)?;
        }
        Ok(())
    }

    /// Closes all files, lets them appear, and says how many were written. Without a row none does.
    ///
    /// # Errors
    /// Where a file cannot be written, or an earlier conversion would be replaced by nothing.
    pub fn finish(mut self) -> Result<u64, SinkError> {
        self.close_before(i64::MAX)?;
        for (path, file) in self.written.drain(..) {
            file.finish()
                .map_err(|cause| SinkError::File { path, cause })?;
        }
        let failed = |cause| SinkError::File {
            path: self.output.clone(),
            cause,
        };
        match self.folder.take() {
            Some(folder) if self.files > 0 => folder.finish(self.replaces).map_err(failed)?,
            Some(_) if fs::read_dir(&self.output).is_ok_and(|mut names| names.next().is_some()) => {
                let what = "there is no row to write, so the earlier conversion stays";
                return Err(failed(io::Error::other(what)));
            }
            _ => {}
        }
        Ok(self.files)
    }

    /// The name of an instrument, as it is held already.
    fn named(&self, instrument: &str) -> Arc<str> {
        match &self.last_name {
            Some(name) if **name == *instrument => Arc::clone(name),
            _ => Arc::from(instrument),
        }
    }

    /// Closes the files of the days before.
    fn close_before(&mut self, day: i64) -> Result<(), SinkError> {
        if day <= self.latest_day {
            return Ok(());
        }
        self.latest_day = day;
        let old = self.open.keys().filter(|(_, one)| *one < day);
        let old: Vec<DayKey> = old.cloned().collect();
        old.iter().try_for_each(|key| self.close(key))
    }

    /// Writes the rows that wait in a partition.
    fn flush(&mut self, key: &DayKey) -> Result<(), SinkError> {
        let Some(mut partition) = self.open.remove(key) else {
            return Ok(());
        };
        let columns = needed(&partition.rows);
        let has_all = |part: &Part| columns.iter().all(|column| part.columns.contains(column));
        if !partition.part.as_ref().is_some_and(has_all) {
            if let Some(part) = partition.part.take() {
                self.end(part)?;
            }
            partition.part = Some(self.begin(&key.0, key.1, columns)?);
        }
        if let Some(part) = &mut partition.part {
            let failed = |what: String| SinkError::Parquet {
                path: part.path.clone(),
                what,
            };
            let rows = batch(&partition.rows, &part.columns, &part.schema, self.is_exact);
            let written = part.writer.write(&rows.map_err(failed)?);
            written.map_err(|error| failed(error.to_string()))?;
        }
        partition.rows.clear();
        self.open.insert(key.clone(), partition);
        Ok(())
    }

    /// Writes what waits in a partition, and ends its file.
    fn close(&mut self, key: &DayKey) -> Result<(), SinkError> {
        if self.open.get(key).is_some_and(|one| !one.rows.is_empty()) {
            self.flush(key)?;
        }
        match self.open.remove(key).and_then(|one| one.part) {
            Some(part) => self.end(part),
            None => Ok(()),
        }
    }

    /// Ends a file. In the folder it has its name then; one beside others gets it at the end.
    fn end(&mut self, part: Part) -> Result<(), SinkError> {
        let Part { path, writer, .. } = part;
        let file = writer.into_inner().map_err(|error| SinkError::Parquet {
            path: path.clone(),
            what: error.to_string(),
        })?;
        if !self.is_folder {
            self.written.push((path, file));
            return Ok(());
        }
        file.finish()
            .map_err(|cause| SinkError::File { path, cause })
    }

    fn begin(&mut self, name: &str, day: i64, columns: Vec<usize>) -> Result<Part, SinkError> {
        let path = self.next_path(name, day);
        let failed = |cause: io::Error| SinkError::File {
            path: path.clone(),
            cause,
        };
        let at = match &self.folder {
            Some(folder) => {
                let below = path.strip_prefix(&self.output).unwrap_or(&path);
                folder.temporary().join(below)
            }
            None => path.clone(),
        };
        if let Some(folder) = at.parent().filter(|_| self.is_folder || self.files > 0) {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = OutputFile::create(&at).map_err(failed)?;
        let schema = schema(&columns, self.is_exact);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .build();
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties));
        let writer = writer.map_err(|error| SinkError::Parquet {
            path: path.clone(),
            what: error.to_string(),
        })?;
        self.files += 1;
        Ok(Part {
            path,
            columns,
            schema,
            writer,
        })
    }

    /// The path of the next part: of one file, `x.parquet` and then `x.1.parquet`.
    fn next_path(&mut self, name: &str, day: i64) -> PathBuf {
        let folder = match self.is_folder {
            true => {
                let date = DateTime::from_timestamp_nanos(day.saturating_mul(DAY_NS));
                let instrument = format!("instrument={}", encoded(name));
                let date = format!("date={}", date.format("%Y-%m-%d"));
                self.output.join(instrument).join(date)
            }
            false => self.output.clone(),
        };
        let part = self.parts.entry(folder.clone()).or_default();
        let number = *part;
        *part += 1;
        match (self.is_folder, number) {
            (true, _) => folder.join(format!("part-{number}.parquet")),
            (false, 0) => folder,
            (false, _) => folder.with_extension(format!("{number}.parquet")),
        }
    }
}

/// A name as part of a path: what would be read otherwise stands as `%2F`.
fn encoded(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        match letter {
            '/' | '%' | '=' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' | '\0'..='\x1f' => {
                out.push_str(&format!("%{:02X}", u32::from(letter)));
            }
            letter => out.push(letter),
        }
    }
    out
}
