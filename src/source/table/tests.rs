//! Tables of both formats as records and as outcomes.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array,
    Int64Array, LargeStringArray, RecordBatch, StringArray, StringViewArray, StructArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray,
};
use arrow_schema::{DataType, Field};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};

use super::*;
use crate::schema::{RecordField, RecordKind};
use crate::tests::scratch::Scratch;
use crate::units::Nanos;

fn columns(kind: RecordKind, ts_event: Option<&str>) -> TableColumns {
    let names = ColumnNames {
        key: "cik".into(),
        period: (kind == RecordKind::Statement).then(|| "fyear".into()),
        ts_event: ts_event.map(str::to_owned),
        outcome: Some("status".into()),
    };
    let field = |name, categories: &[&str]| RecordField {
        name,
        categories: categories.iter().map(|one| (*one).to_owned()).collect(),
        min: f64::NEG_INFINITY,
        max: f64::INFINITY,
        needed: false,
    };
    let fields = [field("sales", &[]), field("grade", &["1", "2"])];
    TableColumns::new(kind, names, Some("card".into()), &fields)
}

/// An open file with these bytes, whose name is already removed.
fn file(bytes: impl AsRef<[u8]>) -> File {
    File::open(Scratch::new().write("table", bytes)).unwrap()
}

fn lines(text: &str, kind: RecordKind) -> io::Result<Vec<Value>> {
    let columns = columns(kind, None);
    records(open(TableKind::Csv, file(text), Some(&columns))?)
}

fn records(reader: impl BufRead) -> io::Result<Vec<Value>> {
    let lines: io::Result<Vec<String>> = reader.lines().collect();
    let record = |line: &String| serde_json::from_str(line).unwrap();
    Ok(lines?.iter().map(record).collect())
}

#[test]
fn a_row_is_a_record_of_the_topic() {
    let text = "cik,fyear,name,sales,status\n17,2014.0,\"A, B\",-1.5e3,0\n17,2015,X,,1\n";
    let lines = lines(text, RecordKind::Statement).unwrap();
    assert_eq!(
        lines[0],
        json!({"ts_event": 1_420_070_400_000_000_000_i64, "obligor": "17", "period": 2014,
               "product": "card", "items": {"name": "A, B", "sales": -1500.0}})
    );
    assert_eq!(lines[1]["items"]["sales"], Value::Null);
}

#[test]
fn keys_and_categories_are_text() {
    let text = "cik,status,grade,sales\n12345678901234567890,0,1,1\n12345678901234567891,0,,1\n\
                NA,0,2,1e3\n1e3,0,NA,\n";
    let lines = lines(text, RecordKind::Application).unwrap();
    let of = |field: fn(&Value) -> &Value| lines.iter().map(field).collect::<Vec<_>>();
    assert_eq!(
        of(|line| &line["applicant"]),
        ["12345678901234567890", "12345678901234567891", "NA", "1e3"]
    );
    let none = Value::Null;
    assert_eq!(
        of(|line| &line["fields"]["grade"]),
        [&json!("1"), &none, &json!("2"), &none]
    );
    assert_eq!(lines[2]["fields"]["sales"], json!(1000.0));
}

#[test]
fn an_error_names_what_a_table_lacks() {
    let kind = RecordKind::Statement;
    let error = lines("cik,sales\n1,2014\n", kind).unwrap_err();
    assert!(error.to_string().contains("`fyear`"), "{error}");
    let text = "cik,fyear,status,sales,sales\n1,2014,0,1,2\n";
    let error = lines(text, kind).unwrap_err().to_string();
    assert!(error.contains("two columns `sales`"), "{error}");
    let text = "cik,fyear,status,sales\n1,20x4,0,1\n";
    let error = lines(text, kind).unwrap_err().to_string();
    assert!(error.contains("line 2 has no readable `fyear`"), "{error}");
    let text = "cik,status,age,sales\nk,0,33,1\n";
    let lines = lines(text, RecordKind::Application).unwrap();
    assert_eq!(lines[0]["fields"], json!({"age": 33, "sales": 1}));
    assert_eq!(lines[0]["ts_event"], json!(0));
    let held = |name: &str| ["cik", "sales", "status"].contains(&name);
    assert_eq!(columns(kind, None).absent(held), ["grade"]);
}

#[test]
fn rows_whose_outcome_is_not_known_need_no_column_for_it() {
    let columns = columns(RecordKind::Application, None);
    let text = "cik,sales\n17,2.5\n";
    let reader = open(TableKind::Csv, file(text), Some(&columns)).unwrap();
    assert_eq!(records(reader).unwrap()[0]["fields"], json!({"sales": 2.5}));
    let rows: [(&str, ArrayRef); 2] = [
        ("cik", Arc::new(Int64Array::from(vec![17]))),
        ("sales", Arc::new(Float64Array::from(vec![2.5]))),
    ];
    let reader = open(TableKind::Parquet, parquet_file(rows), Some(&columns)).unwrap();
    assert_eq!(records(reader).unwrap()[0]["fields"], json!({"sales": 2.5}));
    let error = outcomes(TableKind::Csv, file(text), Some(&columns)).unwrap_err();
    assert!(
        error.to_string().contains("names a column `status`"),
        "{error}"
    );
    // Outcomes alone need no column that a feature reads.
    let text = "cik,status\n17,1\n";
    let rows = outcomes(TableKind::Csv, file(text), Some(&columns)).unwrap();
    assert_eq!(rows[0].outcome, "1");
}

#[test]
fn a_table_without_any_column_that_a_feature_reads_is_refused() {
    let columns = columns(RecordKind::Application, None);
    let said = "none of the columns that features read (sales, grade); it has cik, status, Sales";
    let text = "cik,status,Sales\n17,0,2.5\n";
    let error = open(TableKind::Csv, file(text), Some(&columns)).err();
    let error = error.unwrap().to_string();
    assert!(error.contains(said), "{error}");
    let column: ArrayRef = Arc::new(Float64Array::from(vec![2.5]));
    let error = record_of(vec![("Sales", column)], None).unwrap_err();
    assert!(error.contains(said), "{error}");
}

#[test]
fn names_in_a_header_may_have_blanks_around_them() {
    let lines = lines(
        " cik , status, sales,\tgrade \n17,0,2.5,1\n",
        RecordKind::Application,
    );
    assert_eq!(
        lines.unwrap()[0]["fields"],
        json!({"sales": 2.5, "grade": "1"})
    );
    let column: ArrayRef = Arc::new(Float64Array::from(vec![2.5]));
    let record = record_of(vec![(" sales ", column)], None).unwrap();
    assert_eq!(record["fields"], json!({"sales": 2.5}));
    // A name that is asked for with its blanks is another column.
    let names = ColumnNames {
        key: " cik".into(),
        period: None,
        ts_event: None,
        outcome: None,
    };
    let columns = TableColumns::new(RecordKind::Application, names, None, &[]);
    let text = " cik,cik\n17,18\n";
    let reader = open(TableKind::Csv, file(text), Some(&columns)).unwrap();
    assert_eq!(records(reader).unwrap()[0]["applicant"], "17");
}

#[test]
fn a_key_that_is_no_value_names_nobody() {
    let text = "cik,status,sales\nNaN,0,1\nnull,0,1\n,0,1\nNone,0,1\nNA,0,1\n";
    let lines = lines(text, RecordKind::Application).unwrap();
    let keys: Vec<&Value> = lines.iter().map(|line| &line["applicant"]).collect();
    assert_eq!(keys, ["", "", "", "", "NA"]);
    let columns = columns(RecordKind::Application, None);
    let numbers = [Some(17.0), Some(f64::NAN), None, Some(f64::INFINITY)];
    let rows: [(&str, ArrayRef); 3] = [
        ("cik", Arc::new(Float64Array::from(numbers.to_vec()))),
        ("status", Arc::new(StringArray::from(vec!["0"; 4]))),
        ("sales", Arc::new(Float64Array::from(vec![1.0; 4]))),
    ];
    let reader = open(TableKind::Parquet, parquet_file(rows), Some(&columns)).unwrap();
    let records = records(reader).unwrap();
    let keys: Vec<&Value> = records.iter().map(|record| &record["applicant"]).collect();
    assert_eq!(keys, ["17", "", "", ""]);
}

/// A Parquet file of these columns.
fn parquet_file<const N: usize>(columns: [(&str, ArrayRef); N]) -> File {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = vec![];
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file(bytes)
}

#[test]
fn a_row_states_an_outcome_of_its_time() {
    let text = "cik,status,day\n1,Failed ,2015-03-31\n2,,2015-04-01\n";
    let of = |day: &str| {
        let columns = columns(RecordKind::Application, Some(day));
        outcomes(TableKind::Csv, file(text), Some(&columns))
    };
    let rows = of("day").unwrap();
    assert_eq!(
        (rows[0].position, &*rows[0].outcome),
        (TablePosition::Line(2), "Failed ")
    );
    assert_eq!(rows[0].ts_event, Some(Nanos(1_427_760_000_000_000_000)));
    assert_eq!(
        (rows[1].position, &*rows[1].outcome),
        (TablePosition::Line(3), "")
    );
    let error = of("status").unwrap_err().to_string();
    assert!(error.contains("line 2 has no readable `status`"), "{error}");
}

fn parquet(codec: Compression) -> File {
    let columns: [(&str, ArrayRef); 5] = [
        ("cik", Arc::new(Int64Array::from(vec![17, 18]))),
        ("day", Arc::new(Date32Array::from(vec![16_525, 16_526]))),
        ("sales", Arc::new(Float64Array::from(vec![Some(0.1), None]))),
        ("grade", Arc::new(Int64Array::from(vec![1, 2]))),
        ("status", Arc::new(StringArray::from(vec!["0", "1"]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder().set_compression(codec).build();
    let mut bytes = vec![];
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file(bytes)
}

#[test]
fn every_usual_codec_is_read() {
    let columns = columns(RecordKind::Application, Some("day"));
    for (name, codec) in [
        ("none", Compression::UNCOMPRESSED),
        ("snappy", Compression::SNAPPY),
        ("gzip", Compression::GZIP(GzipLevel::default())),
        ("lz4", Compression::LZ4),
        ("lz4-raw", Compression::LZ4_RAW),
        ("zstd", Compression::ZSTD(ZstdLevel::default())),
    ] {
        let reader = open(TableKind::Parquet, parquet(codec), Some(&columns)).unwrap();
        let lines = records(reader).unwrap();
        let expected = json!({"ts_event": 1_427_760_000_000_000_000_i64, "applicant": "17",
                              "product": "card", "fields": {"sales": 0.1, "grade": "1"}});
        assert_eq!((lines.len(), &lines[0]), (2, &expected), "{name}");
    }
}

#[test]
fn an_error_names_the_line_on_which_its_row_begins() {
    // Two lines above it stand in one quoted cell, and an earlier line has the same text.
    let text = "cik,fyear,sales\n\"1\n7\",2014,0\n\n2,20x4,0\n";
    for (name, text) in [
        ("lf", text.to_owned()),
        ("crlf", text.replace('\n', "\r\n")),
    ] {
        let error = lines(&text, RecordKind::Statement).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("line 5 has no readable `fyear`"),
            "{name}: {error}"
        );
        let text = text.replace("2,20x4", "2,2014,7");
        let error = lines(&text, RecordKind::Statement).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("line 5 has 4 cells"), "{name}: {error}");
    }
}

/// A Parquet file of one row: the key, the outcome, and these columns.
fn parquet_of(columns: Vec<(&str, ArrayRef)>) -> File {
    let own: [(&str, ArrayRef); 2] = [
        ("cik", Arc::new(Int64Array::from(vec![17]))),
        ("status", Arc::new(StringArray::from(vec!["0"]))),
    ];
    let batch = RecordBatch::try_from_iter(own.into_iter().chain(columns)).unwrap();
    let mut bytes = vec![];
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    file(bytes)
}

/// The record of the one row, or the error.
fn record_of(columns_of: Vec<(&str, ArrayRef)>, ts_event: Option<&str>) -> Result<Value, String> {
    let columns = columns(RecordKind::Application, ts_event);
    let reader = open(TableKind::Parquet, parquet_of(columns_of), Some(&columns));
    let read = reader.and_then(records);
    read.map(|mut lines| lines.remove(0))
        .map_err(|error| error.to_string())
}

#[test]
fn timestamps_of_every_unit_and_zone_are_read() {
    const SECONDS: i64 = 1_625_047_200;
    let of = |column: ArrayRef| {
        let sales: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let record = record_of(vec![("day", column), ("sales", sales)], Some("day"));
        record.map(|record| record["ts_event"].clone())
    };
    for zone in [None, Some("UTC"), Some("+02:00"), Some("America/New_York")] {
        let zone = zone.map(Arc::<str>::from);
        let columns: [ArrayRef; 4] = [
            Arc::new(TimestampSecondArray::from(vec![SECONDS]).with_timezone_opt(zone.clone())),
            Arc::new(
                TimestampMillisecondArray::from(vec![SECONDS * 1_000])
                    .with_timezone_opt(zone.clone()),
            ),
            Arc::new(
                TimestampMicrosecondArray::from(vec![SECONDS * 1_000_000])
                    .with_timezone_opt(zone.clone()),
            ),
            Arc::new(
                TimestampNanosecondArray::from(vec![SECONDS * 1_000_000_000])
                    .with_timezone_opt(zone.clone()),
            ),
        ];
        for column in columns {
            let of_type = column.data_type().clone();
            let expected = Ok(json!(SECONDS * 1_000_000_000));
            assert_eq!(of(column), expected, "{of_type}");
        }
    }
    // Milliseconds that were taken for nanoseconds; integers and floats in other units.
    let wrong: [(ArrayRef, &str); 4] = [
        (
            Arc::new(TimestampNanosecondArray::from(vec![SECONDS * 1_000])),
            "milliseconds",
        ),
        (Arc::new(Int64Array::from(vec![SECONDS])), "seconds"),
        (
            Arc::new(Float64Array::from(vec![SECONDS as f64 + 0.5])),
            "seconds",
        ),
        (Arc::new(Int64Array::from(vec![20_150_301])), "2015-03-01"),
    ];
    for (column, word) in wrong {
        let error = of(column).unwrap_err();
        assert!(error.contains(word) && error.contains("row 1"), "{error}");
    }
}

#[test]
fn every_usual_type_of_parquet_is_read() {
    let decimal = Decimal128Array::from(vec![1250]).with_precision_and_scale(10, 2);
    let nullable = Int64Array::from(vec![None]);
    let large = LargeStringArray::from(vec!["2"]);
    let packed: DictionaryArray<Int32Type> = vec!["1"].into_iter().collect();
    for (sales, grade, expected) in [
        (
            Arc::new(BooleanArray::from(vec![true])) as ArrayRef,
            Arc::new(packed) as ArrayRef,
            json!({"sales": 1, "grade": "1"}),
        ),
        (
            Arc::new(BooleanArray::from(vec![false])),
            Arc::new(large),
            json!({"sales": 0, "grade": "2"}),
        ),
        (
            Arc::new(decimal.unwrap()),
            Arc::new(Float64Array::from(vec![Some(2.0)])),
            json!({"sales": 12.5, "grade": "2"}),
        ),
        (
            Arc::new(nullable),
            Arc::new(StringViewArray::from(vec!["1"])),
            json!({"sales": null, "grade": "1"}),
        ),
        (
            Arc::new(Int64Array::from(vec![3])),
            Arc::new(BooleanArray::from(vec![true])),
            json!({"sales": 3, "grade": "1"}),
        ),
    ] {
        let record = record_of(vec![("sales", sales), ("grade", grade)], None).unwrap();
        assert_eq!(record["fields"], expected);
    }
}

#[test]
fn only_a_column_that_is_read_must_have_a_type_that_can_be() {
    let inner: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let field = Arc::new(Field::new("a", DataType::Int64, true));
    let structure: ArrayRef = Arc::new(StructArray::from(vec![(field, inner)]));
    let sales: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let columns = vec![("other", Arc::clone(&structure)), ("sales", sales)];
    let unread = record_of(columns, None).unwrap();
    assert_eq!(unread["fields"], json!({"sales": 1}));
    let error = record_of(vec![("sales", structure)], None).unwrap_err();
    assert!(error.contains("`sales` has the type Struct"), "{error}");
}

#[test]
fn what_is_no_parquet_is_named() {
    let columns = columns(RecordKind::Application, None);
    for (bytes, word) in [
        (&b"PK\x03\x04"[..], "zip"),
        (b"cik,status\n", "does not begin as a Parquet file"),
        (b"\x1f\x8b\x08", "compressed as a whole"),
    ] {
        let error = open(TableKind::Parquet, file(bytes), Some(&columns))
            .err()
            .unwrap();
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn the_ending_says_the_kind_in_any_case() {
    for (name, kind) in [
        ("a.csv", Some(TableKind::Csv)),
        ("A.CSV", Some(TableKind::Csv)),
        ("a.Csv.GZ", Some(TableKind::Csv)),
        ("a.tsv.zst", Some(TableKind::Tsv)),
        ("a.TXT", Some(TableKind::Text)),
        ("a.pq", Some(TableKind::Parquet)),
        ("a.PARQUET", Some(TableKind::Parquet)),
        ("a.jsonl", None),
        ("csv", None),
        ("a.gz", None),
    ] {
        assert_eq!(kind_of(Path::new(name)), kind, "{name}");
    }
}

#[test]
fn tabs_and_other_separators_are_read() {
    let columns = columns(RecordKind::Application, None);
    let read = |kind, text: &str| open(kind, file(text), Some(&columns)).and_then(records);
    for (kind, separator) in [
        (TableKind::Tsv, "\t"),
        (TableKind::Text, "\t"),
        (TableKind::Text, ";"),
        (TableKind::Text, "|"),
        (TableKind::Text, ","),
    ] {
        let text = "cik,status,sales\n17,0,2.5\n".replace(',', separator);
        let lines = read(kind, &text).unwrap();
        assert_eq!(lines[0]["fields"]["sales"], json!(2.5), "{separator:?}");
    }
    let error = read(TableKind::Csv, "cik;status;sales\n17;0;2.5\n").unwrap_err();
    assert!(error.to_string().contains("`;` separates"), "{error}");
}

#[test]
fn times_of_a_csv_file_may_have_any_offset() {
    let columns = columns(RecordKind::Application, Some("day"));
    let day = |day: &str| {
        let text = format!("cik,sales,day\n17,0,{day}\n");
        let read = open(TableKind::Csv, file(text), Some(&columns)).and_then(records);
        read.map(|lines| lines[0]["ts_event"].clone())
    };
    let expected = json!(1_625_047_200_500_000_000_i64);
    for text in [
        "2021-06-30T10:00:00.5Z",
        "2021-06-30 12:00:00.500+02:00",
        "2021-06-30T05:30:00.5-04:30",
        "1625047200500000000",
    ] {
        assert_eq!(day(text).unwrap(), expected, "{text}");
    }
    let error = day("1625047200500").unwrap_err().to_string();
    assert!(
        error.contains("line 2") && error.contains("milliseconds"),
        "{error}"
    );
}
