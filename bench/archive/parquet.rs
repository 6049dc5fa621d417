//! Parquet as pandas and polars write trades: float64 prices, UTC timestamps, symbols as a dictionary.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, process};

use arrow_array::builder::{Float64Builder, StringDictionaryBuilder, TimestampNanosecondBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, RecordBatch};
use divan::Bencher;
use divan::counter::ItemsCount;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{RECORDS, events_of};

/// The cost of reading: the parquet crate alone, to columns.
#[divan::bench]
fn columns(bencher: Bencher<'_, '_>) {
    let file = Written::new();
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
        let file = File::open(&file.0).expect("the file was written");
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet");
        let reader = builder.build().expect("the columns can be read");
        let rows = reader.map(|batch| batch.expect("the file is whole").num_rows());
        rows.sum::<usize>()
    });
}

/// Columns to rows, to packed frames, to events.
#[divan::bench]
fn foretick(bencher: Bencher<'_, '_>) {
    let file = Written::new();
    bencher
        .counter(ItemsCount::new(RECORDS))
        .bench_local(|| events_of(&file.0));
}

/// A file, which is removed when this is dropped.
struct Written(PathBuf);

impl Written {
    fn new() -> Self {
        let name = format!("foretick-bench-{}.parquet", process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let batch = trades();
        let file = File::create(&path).expect("the folder takes files");
        let writer = ArrowWriter::try_new(file, batch.schema(), None);
        let mut writer = writer.expect("the schema can be written");
        writer.write(&batch).expect("the folder takes files");
        writer.close().expect("the folder takes files");
        Self(path)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

/// Trades of four instruments in turns, with prices that wander by cents.
fn trades() -> RecordBatch {
    let mut times = TimestampNanosecondBuilder::new().with_timezone("UTC");
    let mut symbols = StringDictionaryBuilder::<Int32Type>::new();
    let mut sides = StringDictionaryBuilder::<Int32Type>::new();
    let (mut prices, mut sizes) = (Float64Builder::new(), Float64Builder::new());
    for number in 0..RECORDS as u64 {
        let away = ((number * 2_654_435_761) >> 20) % 2_000;
        times.append_value(BEGIN + number.cast_signed() * 1_000);
        symbols.append_value(["AAAUSDT", "BBBUSDT", "CCCUSDT", "DDDUSDT"][number as usize % 4]);
        prices.append_value((600_000 + away) as f64 / 100.0);
        sizes.append_value((1 + number % 5_000) as f64 / 1_000.0);
        sides.append_value(["buy", "sell"][number as usize / 3 % 2]);
    }
    let columns: [(&str, ArrayRef); 5] = [
        ("ts_event", Arc::new(times.finish())),
        ("symbol", Arc::new(symbols.finish())),
        ("price", Arc::new(prices.finish())),
        ("size", Arc::new(sizes.finish())),
        ("side", Arc::new(sides.finish())),
    ];
    RecordBatch::try_from_iter(columns).expect("the columns have one length")
}

/// 2023-11-14 in nanoseconds.
const BEGIN: i64 = 1_700_000_000_000_000_000;
