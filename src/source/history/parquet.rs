//! Parquet files of trades, quotes, books and bars.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;

use super::arrow_rows::{ArrowRows, layout_of, used_columns};
use super::arrow_values::{checked, times};
use super::damage_guard::guarded;
use super::format::{FileHead, HistoryFormat, HistoryOptions};
use super::layout::Layout;
use super::mapping::Role;
use super::row::HistoryRows;
use crate::source::parquet_codecs::check_codecs;
use crate::units::Nanos;

/// Parquet.
pub(super) struct Parquet;

/// Rows that are decoded at once.
const BATCH_ROWS: usize = 8_192;

impl HistoryFormat for Parquet {
    fn recognises(&self, _: &Path, head: &FileHead) -> bool {
        head.raw.starts_with(b"PAR1")
    }

    fn open(
        &self,
        path: &Path,
        file: File,
        options: &HistoryOptions,
        begin: Option<Nanos>,
    ) -> io::Result<Box<dyn HistoryRows>> {
        guarded(|| open(path, file, options, begin))
    }
}

fn open(
    path: &Path,
    file: File,
    options: &HistoryOptions,
    begin: Option<Nanos>,
) -> io::Result<Box<dyn HistoryRows>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    check_codecs(builder.metadata())?;
    let layout = layout_of(builder.schema(), path, options)?;
    let groups = builder.metadata().num_row_groups();
    let first = begin.map_or(0, |begin| first_group(&builder, &layout, begin));
    let before = builder.metadata().row_groups()[..first].iter();
    let rows_before: i64 = before.map(|group| group.num_rows()).sum();
    let mask = ProjectionMask::roots(builder.parquet_schema(), used_columns(&layout));
    let batches = builder
        .with_projection(mask)
        .with_batch_size(BATCH_ROWS)
        .with_row_groups((first..groups).collect())
        .build()
        .map_err(io::Error::other)?;
    let rows = ArrowRows::new(batches, layout, rows_before.unsigned_abs());
    Ok(Box::new(rows))
}

/// The first group of rows that may have one of `begin` or later: those before it are left out.
fn first_group(
    builder: &ParquetRecordBatchReaderBuilder<File>,
    layout: &Layout,
    begin: Nanos,
) -> usize {
    let role = match layout.ts_recv {
        Some(_) => Role::TsRecv,
        None => Role::TsEvent,
    };
    let groups = builder.metadata().row_groups();
    let latest = || {
        let (_, place) = layout.used.iter().find(|(one, _)| *one == role)?;
        let name = builder.schema().field(*place).name();
        let schema = builder.schema();
        let converter = StatisticsConverter::try_new(name, schema, builder.parquet_schema());
        let converter = converter.ok()?;
        let maxima = converter.row_group_maxes(groups).ok()?;
        let nulls = converter.row_group_null_counts(groups).ok()?;
        let maxima = times(&Arc::clone(&maxima), &layout.times_of(role)).ok()?;
        let nulls = nulls.iter();
        Some(nulls.zip(maxima).collect::<Vec<(Option<u64>, i64)>>())
    };
    let is_before = |(nulls, latest): &(Option<u64>, i64)| {
        *nulls == Some(0) && checked(*latest).is_ok_and(|latest| latest < begin.0)
    };
    let known = latest().unwrap_or_default();
    let before = known.iter().take_while(|group| is_before(group));
    let before: Vec<_> = before.collect();
    // Which of two hours a row is in that the clock shows twice, the rows before it tell.
    let times = layout.times_of(role);
    let is_told = |(_, latest): &&(Option<u64>, i64)| times.shown_again(Nanos(*latest)).is_none();
    before.iter().rposition(is_told).map_or(0, |last| last + 1)
}
