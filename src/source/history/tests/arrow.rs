//! Parquet and Arrow files: columns of every type in which writers have times, prices and names.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringDictionaryBuilder, StructBuilder};
use arrow_array::types::Int32Type;
use arrow_array::*;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::{columns, options, read, read_with};
use crate::source::history::mapping::{HistoryMapping, HistoryUnit, Role};
use crate::tests::scratch::Scratch;
use crate::units::Nanos;

const TIME: i64 = 1_700_000_000_000_000_000;

pub(super) type Columns<'c> = Vec<(&'c str, ArrayRef)>;

fn batch(columns: &Columns<'_>) -> RecordBatch {
    let columns = columns
        .iter()
        .map(|(name, column)| (*name, column.clone(), true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

pub(super) fn parquet(path: &Path, columns: &Columns<'_>, group_rows: usize) -> PathBuf {
    let batch = batch(columns);
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(group_rows))
        .build();
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path.to_owned()
}

pub(super) fn times(of: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(of.to_vec()))
}

pub(super) fn texts(of: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(of.to_vec()))
}

fn trades() -> Columns<'static> {
    vec![
        ("note", texts(&["x", "y", "z"])),
        ("size", Arc::new(Int32Array::from(vec![1, 2, 3]))),
        ("ts_event", times(&[TIME, TIME + 1, TIME + 2])),
        ("symbol", texts(&["A.XNAS", "A.XNAS", "B.XNAS"])),
        ("side", texts(&["buy", "sell", "unknown"])),
        (
            "price",
            Arc::new(Float64Array::from(vec![0.1, 61_737.63, 1.24e-9])),
        ),
    ]
}

const TRADES: [&str; 3] = [
    "1700000000000000000 A.XNAS trade 0.1 1 Some(Buy) 0 Successive",
    "1700000000000000001 A.XNAS trade 61737.63 2 Some(Sell) 0 Successive",
    "1700000000000000002 B.XNAS trade 0.00000000124 3 None 0 Successive",
];

#[test]
fn our_own_fields_need_no_mapping_in_parquet_and_arrow() {
    let scratch = Scratch::new();
    let path = parquet(&scratch.path().join("trades.parquet"), &trades(), 2);
    assert_eq!(read(&[path], HistoryMapping::default()).unwrap(), TRADES);
    let batch = batch(&trades());
    // Named by what is in it, not by its name.
    let path = scratch.path().join("trades.csv");
    let file = File::create(&path).unwrap();
    let mut writer = FileWriter::try_new(file, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    assert_eq!(read(&[path], HistoryMapping::default()).unwrap(), TRADES);
    let path = scratch.path().join("trades.arrows");
    let file = File::create(&path).unwrap();
    let mut writer = StreamWriter::try_new(file, &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    drop(writer);
    assert_eq!(read(&[path], HistoryMapping::default()).unwrap(), TRADES);
}

#[test]
fn a_time_of_every_type_is_the_same_time() {
    let scratch = Scratch::new();
    let second = TIME / 1_000_000_000;
    let zone = |array: TimestampNanosecondArray| array.with_timezone("Asia/Tokyo");
    let forms: Vec<ArrayRef> = vec![
        Arc::new(TimestampSecondArray::from(vec![second])),
        Arc::new(TimestampMillisecondArray::from(vec![second * 1_000])),
        Arc::new(TimestampMicrosecondArray::from(vec![second * 1_000_000])),
        Arc::new(TimestampNanosecondArray::from(vec![TIME])),
        Arc::new(zone(TimestampNanosecondArray::from(vec![TIME]))),
        Arc::new(Int64Array::from(vec![second])),
        Arc::new(UInt64Array::from(vec![TIME as u64 / 1_000])),
        Arc::new(Float64Array::from(vec![second as f64])),
        texts(&["2023-11-14T22:13:20Z"]),
        texts(&["2023-11-14 17:13:20-05:00"]),
        Arc::new(LargeStringArray::from(vec!["1700000000000"])),
    ];
    for form in forms {
        let columns_of: Columns<'_> = vec![
            ("when", form.clone()),
            ("price", texts(&["1.5"])),
            ("size", texts(&["2"])),
        ];
        let path = parquet(&scratch.path().join("x.parquet"), &columns_of, 10);
        let mapping = HistoryMapping {
            instrument: Some("A.XNAS".into()),
            ..columns(&[(Role::TsEvent, "when")])
        };
        let expected = ["1700000000000000000 A.XNAS trade 1.5 2 None 0 Successive"];
        assert_eq!(
            read(&[path], mapping).unwrap(),
            expected,
            "{:?}",
            form.data_type()
        );
    }
}

#[test]
fn a_time_without_zone_is_of_the_zone_that_is_told() {
    let scratch = Scratch::new();
    let columns_of: Columns<'_> = vec![
        (
            "ts",
            Arc::new(TimestampNanosecondArray::from(vec![
                TIME - 5 * 3_600_000_000_000,
            ])),
        ),
        ("price", texts(&["1.5"])),
        ("size", texts(&["2"])),
    ];
    let path = parquet(&scratch.path().join("x.parquet"), &columns_of, 10);
    let mapping = HistoryMapping {
        instrument: Some("A".into()),
        zone: Some(chrono_tz::America::New_York),
        ..columns(&[(Role::TsEvent, "ts")])
    };
    let read = read(&[path], mapping).unwrap();
    assert_eq!(
        read,
        ["1700000000000000000 A trade 1.5 2 None 0 Successive"]
    );
}

#[test]
fn a_price_of_every_type_is_the_same_price() {
    let scratch = Scratch::new();
    let decimal = |value: i128, scale: i8| {
        let array = Decimal128Array::from(vec![value]);
        array.with_precision_and_scale(38, scale).unwrap()
    };
    let mut dictionary = StringDictionaryBuilder::<Int32Type>::new();
    dictionary.append_value("2.5");
    let forms: Vec<(ArrayRef, Option<i32>)> = vec![
        (Arc::new(Float64Array::from(vec![2.5])), None),
        (Arc::new(Float32Array::from(vec![2.5])), None),
        (Arc::new(decimal(2_500_000_000_000_000_000_000, 21)), None),
        (Arc::new(decimal(25, 1)), None),
        (texts(&["2.5"]), None),
        (Arc::new(StringViewArray::from(vec!["2.50"])), None),
        (Arc::new(LargeStringArray::from(vec!["2.5"])), None),
        (Arc::new(dictionary.finish()), None),
        (Arc::new(Int64Array::from(vec![25_000])), Some(4)),
        (Arc::new(UInt32Array::from(vec![25])), Some(1)),
        (Arc::new(Float64Array::from(vec![25_000.0])), Some(4)),
    ];
    for (form, price_places) in forms {
        let columns_of: Columns<'_> = vec![
            ("ts_event", times(&[TIME])),
            ("symbol", Arc::new(StringViewArray::from(vec!["A"]))),
            ("price", form.clone()),
            ("size", texts(&["2"])),
        ];
        let path = parquet(&scratch.path().join("x.parquet"), &columns_of, 10);
        let mapping = HistoryMapping {
            price_places,
            ..HistoryMapping::default()
        };
        let expected = ["1700000000000000000 A trade 2.5 2 None 0 Successive"];
        assert_eq!(
            read(&[path], mapping).unwrap(),
            expected,
            "{:?}",
            form.data_type()
        );
    }
}

#[test]
fn a_cell_that_cannot_be_read_is_a_dead_letter_that_names_row_and_field() {
    let scratch = Scratch::new();
    let columns_of: Columns<'_> = vec![
        (
            "ts_event",
            Arc::new(Int64Array::from(vec![
                Some(TIME),
                None,
                Some(TIME / 1_000),
                Some(TIME + 3),
            ])),
        ),
        ("symbol", texts(&["A", "A", "A", "A"])),
        ("price", texts(&["cheap", "1", "1", "1"])),
        (
            "size",
            Arc::new(Float64Array::from(vec![1.0, 1.0, 1.0, f64::NAN])),
        ),
    ];
    let path = parquet(&scratch.path().join("x.parquet"), &columns_of, 10);
    let read = read(&[path], HistoryMapping::default()).unwrap();
    assert_eq!(
        read,
        [
            r#"BadNumber("price") {"row":"row 1, column `price` holds `cheap`: it is no decimal number","symbol":"A","ts_event":1700000000000000000}"#,
            r#"MissingField("ts_event") {"row":"row 2, column `ts_event` holds nothing: it is empty","symbol":"A","ts_event":null}"#,
            r#"ImplausibleTime("ts_event", Some(Microseconds)) {"row":"price 1, size 1","symbol":"A","ts_event":1700000000000000}"#,
            r#"MissingField("size") {"row":"price 1, size -","symbol":"A","ts_event":1700000000000000003}"#,
        ]
    );
}

#[test]
fn quotes_bars_and_books_are_told_by_their_columns() {
    let scratch = Scratch::new();
    let some = |of: &[Option<f64>]| Arc::new(Float64Array::from(of.to_vec())) as ArrayRef;
    let quotes: Columns<'_> = vec![
        ("ts_event", times(&[TIME, TIME])),
        (
            "ts_recv",
            Arc::new(Int64Array::from(vec![None, Some(TIME + 7)])),
        ),
        ("instrument", texts(&["A", "A"])),
        ("bid_px", some(&[Some(1.5), None])),
        ("bid_sz", some(&[Some(2.0), None])),
        ("ask_px", some(&[Some(1.6), Some(1.7)])),
        ("ask_sz", some(&[Some(3.0), Some(4.0)])),
    ];
    let path = parquet(&scratch.path().join("x.parquet"), &quotes, 10);
    let expected = [
        "1700000000000000000 A quote 1.5 2 1.6 3",
        "1700000000000000000 A quote - 0 1.7 4 received 1700000000000000007",
    ];
    assert_eq!(read(&[path], HistoryMapping::default()).unwrap(), expected);
    let bars: Columns<'_> = vec![
        ("ts_event", times(&[TIME])),
        ("symbol", texts(&["A"])),
        ("open", texts(&["1"])),
        ("high", texts(&["3"])),
        ("low", texts(&["0.5"])),
        ("close", texts(&["2"])),
    ];
    let path = parquet(&scratch.path().join("x.parquet"), &bars, 10);
    let expected = ["1700000000000000000 A bar 1 3 0.5 2 -"];
    assert_eq!(read(&[path], HistoryMapping::default()).unwrap(), expected);
    let books: Columns<'_> = vec![
        ("ts_event", times(&[TIME])),
        ("symbol", texts(&["A"])),
        ("first_sequence", times(&[3])),
        ("sequence", times(&[5])),
        ("snapshot", Arc::new(BooleanArray::from(vec![true]))),
        ("bids", levels(&[(1.5, 2.0), (1.4, 1.0)])),
        ("asks", levels(&[(1.6, 0.5)])),
    ];
    let path = parquet(&scratch.path().join("x.parquet"), &books, 10);
    let expected = ["1700000000000000000 A book 3..5 Some(ByNumber) [1.5x2 1.4x1] [1.6x0.5]"];
    assert_eq!(read(&[path], HistoryMapping::default()).unwrap(), expected);
}

fn levels(of: &[(f64, f64)]) -> ArrayRef {
    let field = |name: &str| Arc::new(Field::new(name, DataType::Float64, true));
    let fields = vec![field("price"), field("size")];
    let mut list = ListBuilder::new(StructBuilder::from_fields(fields, 4));
    for (price, size) in of {
        let level = list.values();
        let parts = [*price, *size];
        for (at, part) in parts.into_iter().enumerate() {
            let builder = level.field_builder::<builder::Float64Builder>(at).unwrap();
            builder.append_value(part);
        }
        level.append(true);
    }
    list.append(true);
    Arc::new(list.finish())
}

#[test]
fn columns_that_tell_nothing_are_refused_by_their_names() {
    let scratch = Scratch::new();
    let other: Columns<'_> = vec![("when", times(&[TIME])), ("px", texts(&["1"]))];
    let path = parquet(&scratch.path().join("x.parquet"), &other, 10);
    let error = read(std::slice::from_ref(&path), HistoryMapping::default()).unwrap_err();
    for word in ["x.parquet", "`when`, `px`", "[source.history]", "`ts`"] {
        assert!(error.contains(word), "{word}: {error}");
    }
    let mapping = columns(&[(Role::TsEvent, "time")]);
    let error = read(&[path], mapping).unwrap_err();
    assert!(error.contains("no column `time`"), "{error}");
}

#[test]
fn groups_of_rows_before_the_beginning_are_not_read() {
    let scratch = Scratch::new();
    let rows = 100;
    let all: Vec<i64> = (0..rows).map(|row| TIME + row).collect();
    let columns_of: Columns<'_> = vec![
        ("ts_event", times(&all)),
        ("symbol", texts(&["A"; 100])),
        ("price", texts(&["1"; 100])),
        ("size", texts(&["1"; 100])),
    ];
    let path = parquet(&scratch.path().join("x.parquet"), &columns_of, 10);
    for begin in [0, 1, 9, 10, 55, 99, 100] {
        let options = crate::source::file::FileOptions {
            begin: Some(Nanos(TIME + begin)),
            ..options(HistoryMapping::default())
        };
        let read = read_with(std::slice::from_ref(&path), &options).unwrap();
        assert_eq!(read.len() as i64, rows - begin);
        if let Some(first) = read.first() {
            assert!(first.starts_with(&(TIME + begin).to_string()), "{first}");
        }
    }
}

#[test]
fn another_unit_may_be_told() {
    let scratch = Scratch::new();
    let columns_of: Columns<'_> = vec![
        ("ts_event", times(&[TIME / 1_000_000])),
        ("symbol", texts(&["A"])),
        ("price", texts(&["1"])),
        ("size", texts(&["1"])),
    ];
    let path = parquet(&scratch.path().join("x.parquet"), &columns_of, 10);
    let mapping = HistoryMapping {
        ts_unit: Some(HistoryUnit::Milliseconds),
        ..HistoryMapping::default()
    };
    let read = read(&[path], mapping).unwrap();
    assert_eq!(read, ["1700000000000000000 A trade 1 1 None 0 Successive"]);
}

/// Bytes of files of every form that is written, some compressed.
fn written() -> Vec<(&'static str, Vec<u8>)> {
    let scratch = Scratch::new();
    let rows = trades();
    let batch = batch(&rows);
    let mut all = vec![];
    for compression in [
        None,
        Some(CompressionType::LZ4_FRAME),
        Some(CompressionType::ZSTD),
    ] {
        let options = || {
            let options = IpcWriteOptions::default();
            options.try_with_compression(compression).unwrap()
        };
        let mut file =
            FileWriter::try_new_with_options(vec![], &batch.schema(), options()).unwrap();
        file.write(&batch).unwrap();
        all.push(("x.arrow", file.into_inner().unwrap()));
        let mut stream =
            StreamWriter::try_new_with_options(vec![], &batch.schema(), options()).unwrap();
        stream.write(&batch).unwrap();
        all.push(("x.arrows", stream.into_inner().unwrap()));
    }
    let path = parquet(&scratch.path().join("x.parquet"), &rows, 2);
    all.push(("x.parquet", std::fs::read(path).unwrap()));
    all
}

#[test]
fn damaged_files_end_in_an_error_or_in_rows() {
    let scratch = Scratch::new();
    // A generator of Marsaglia (xorshift64).
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut refused = 0;
    for (name, bytes) in written() {
        for turn in 0..200 {
            let mut bytes = bytes.clone();
            for _ in 0..=turn % 3 {
                let at = random(bytes.len());
                bytes[at] = match turn % 4 {
                    0 => 0xff,
                    1 => 0x7f,
                    2 => bytes[at] ^ (1 << random(8)),
                    _ => random(256) as u8,
                };
            }
            if turn % 16 == 0 {
                bytes.truncate(random(bytes.len()));
            }
            let path = scratch.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            refused += usize::from(read(&[path], HistoryMapping::default()).is_err());
        }
    }
    assert!(refused > 300, "{refused}");
}
