//! Tables of both formats as records and as outcomes.

use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
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
    let error = lines("cik,fyear\n1,2014\n", kind).unwrap_err();
    assert!(error.to_string().contains("`status`"), "{error}");
    let text = "cik,fyear,status,sales,sales\n1,2014,0,1,2\n";
    let error = lines(text, kind).unwrap_err().to_string();
    assert!(error.contains("two columns `sales`"), "{error}");
    let text = "cik,fyear,status\n1,20x4,0\n";
    let error = lines(text, kind).unwrap_err().to_string();
    assert!(error.contains("line 2 has no readable `fyear`"), "{error}");
    let text = "cik,status,age\nk,0,33\n";
    let lines = lines(text, RecordKind::Application).unwrap();
    assert_eq!(lines[0]["fields"], json!({"age": 33}));
    assert_eq!(lines[0]["ts_event"], json!(0));
    let names = ["cik", "sales", "status"].map(str::to_owned);
    assert_eq!(columns(kind, None).absent(&names), ["grade"]);
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
    let text = "cik,fyear,status\n\"1\n7\",2014,0\n\n2,20x4,0\n";
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
