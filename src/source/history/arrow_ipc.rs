//! Arrow IPC files (Feather) and streams of trades, quotes, books and bars.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::ArrowError;

use super::arrow_check::{check_file, check_stream};
use super::arrow_rows::{ArrowRows, layout_of, used_columns};
use super::damage_guard::guarded;
use super::format::{FileHead, HistoryFormat, HistoryOptions};
use super::row::HistoryRows;
use crate::units::Nanos;

/// Arrow IPC.
pub(super) struct ArrowIpc;

/// How a file begins, and a stream.
const FILE: &[u8] = b"ARROW1\0\0";
const STREAM: &[u8] = b"\xff\xff\xff\xff";

impl HistoryFormat for ArrowIpc {
    fn recognises(&self, _: &Path, head: &FileHead) -> bool {
        head.raw.starts_with(FILE) || head.raw.starts_with(STREAM)
    }

    fn open(
        &self,
        path: &Path,
        file: File,
        options: &HistoryOptions,
        _: Option<Nanos>,
    ) -> io::Result<Box<dyn HistoryRows>> {
        guarded(|| open(path, file, options))
    }
}

fn open(path: &Path, file: File, options: &HistoryOptions) -> io::Result<Box<dyn HistoryRows>> {
    let head = FileHead::read(&mut file.try_clone()?)?;
    let is_file = head.raw.starts_with(FILE);
    match is_file {
        true => check_file(&file)?,
        false => check_stream(&file)?,
    }
    let file = BufReader::new(file);
    // The columns are known once the file is open, and it is opened again for some of them.
    if is_file {
        let mut whole = FileReader::try_new(file, None).map_err(damaged)?;
        let layout = layout_of(&whole.schema(), path, options)?;
        let file = BufReader::new(whole.get_mut().get_ref().try_clone()?);
        let batches = FileReader::try_new(file, Some(used_columns(&layout)));
        Ok(Box::new(ArrowRows::new(
            batches.map_err(damaged)?,
            layout,
            0,
        )))
    } else {
        let whole = StreamReader::try_new(file, None).map_err(damaged)?;
        let layout = layout_of(&whole.schema(), path, options)?;
        let used = used_columns(&layout);
        let batches = whole.map(move |batch| batch?.project(&used));
        Ok(Box::new(ArrowRows::new(batches, layout, 0)))
    }
}

fn damaged(error: ArrowError) -> io::Error {
    let what = format!("it begins as an Arrow file does, and cannot be read as one: {error}");
    io::Error::new(io::ErrorKind::InvalidData, what)
}
