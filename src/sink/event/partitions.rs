//! Events in Parquet: one file, or a folder of `instrument=NAME/date=2024-08-08/part-0.parquet`.
//!
//! A file has the columns that its rows need. Where later rows need others, another part begins. Rows wait in
//! memory up to a group; the files of a day are closed once it has been over for an hour.

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

use super::named::{NamedEvent, is_written};
use super::parquet_columns::{batch, schema};
use super::parquet_fields::{EventRow, needed};
use crate::sink::SinkError;
use crate::sink::output_file::OutputFile;
use crate::units::Nanos;

/// Files of events.
pub struct EventPartitions {
    output: PathBuf,
    is_folder: bool,
    is_exact: bool,
    /// By instrument and day.
    open: BTreeMap<DayKey, Partition>,
    /// The name of the instrument of the last row.
    last_name: Option<Arc<str>>,
    /// Days before this one are closed.
    latest_day: i64,
    /// Parts of each partition so far, by the path of its folder.
    parts: BTreeMap<PathBuf, u32>,
    files: u64,
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
    /// Files below a folder, or one file. Decimals are text with `is_exact`, else float64.
    #[must_use]
    pub fn new(output: &Path, is_folder: bool, is_exact: bool) -> Self {
        Self {
            output: output.to_owned(),
            is_folder,
            is_exact,
            open: BTreeMap::new(),
            latest_day: i64::MIN,
            last_name: None,
            parts: BTreeMap::new(),
            files: 0,
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

    /// Closes all files, and says how many were written.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn finish(mut self) -> Result<u64, SinkError> {
        self.close_before(i64::MAX)?;
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
                finish(part)?;
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
            Some(part) => finish(part),
            None => Ok(()),
        }
    }

    fn begin(&mut self, name: &str, day: i64, columns: Vec<usize>) -> Result<Part, SinkError> {
        let path = self.next_path(name, day);
        let failed = |cause: io::Error| SinkError::File {
            path: path.clone(),
            cause,
        };
        if let Some(folder) = path.parent().filter(|_| self.is_folder || self.files > 0) {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = OutputFile::create(&path).map_err(failed)?;
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

fn finish(part: Part) -> Result<(), SinkError> {
    let Part { path, writer, .. } = part;
    let file = writer.into_inner().map_err(|error| SinkError::Parquet {
        path: path.clone(),
        what: error.to_string(),
    })?;
    file.finish()
        .map_err(|cause| SinkError::File { path, cause })
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

/// Why a folder must not be written to.
#[derive(Debug, thiserror::Error)]
#[error("while checking --output {}: {what}", path.display())]
pub struct PartitionFault {
    path: PathBuf,
    what: String,
}

/// Checks a folder that is to be written: it must be empty or not be there. With `force` the files of an
/// earlier conversion in it are removed, where there is nothing else.
///
/// # Errors
/// [`PartitionFault`] with what to do.
pub fn check_folder(path: &Path, inputs: &[PathBuf], force: bool) -> Result<(), PartitionFault> {
    let fault = |what: String| PartitionFault {
        path: path.to_owned(),
        what,
    };
    let of = |cause: io::Error| fault(cause.to_string());
    let names = match fs::read_dir(path) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(of(error)),
    };
    let folder = fs::canonicalize(path).map_err(of)?;
    let inside = |input: &&PathBuf| {
        let input = fs::canonicalize(input).unwrap_or_else(|_| input.to_path_buf());
        input.starts_with(&folder) || input.starts_with(path)
    };
    if let Some(input) = inputs.iter().find(inside) {
        let what = format!(
            "the input {} is in it, which would be lost; name another folder",
            input.display()
        );
        return Err(fault(what));
    }
    let mut old = vec![];
    for name in names {
        let name = name.map_err(of)?.path();
        let stem = name.file_name().unwrap_or_default().to_string_lossy();
        if !stem.starts_with("instrument=") || !name.is_dir() {
            let what =
                format!("it holds `{stem}`, which no conversion has written: name another folder");
            return Err(fault(what));
        }
        old.push(name);
    }
    if !old.is_empty() && !force {
        let what =
            "it holds an earlier conversion; add --force to replace it, or name another folder";
        return Err(fault(what.into()));
    }
    for folder in old {
        fs::remove_dir_all(folder).map_err(of)?;
    }
    Ok(())
}
