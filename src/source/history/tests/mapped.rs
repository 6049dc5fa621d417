//! What a mapping does to files of several kinds of row, and to those that we wrote.

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema};
use parquet::arrow::ArrowWriter;

use super::arrow::{Columns, texts, times};
use super::csv::read_as;
use super::{columns, read};
use crate::source::history::ARCHIVE_KEY;
use crate::source::history::mapping::{HistoryMapping, Role};
use crate::tests::scratch::Scratch;

const TIME: i64 = 1_700_000_000_000_000_000;

/// Trades and quotes of one exchange, in German.
fn of_both() -> HistoryMapping {
    HistoryMapping {
        venue: Some("XETR".into()),
        ..columns(&[
            (Role::TsEvent, "Zeit"),
            (Role::Symbol, "Papier"),
            (Role::Price, "Kurs"),
            (Role::Size, "Stk"),
            (Role::Side, "Seite"),
            (Role::BidPx, "Geld"),
            (Role::BidSz, "GeldStk"),
            (Role::AskPx, "Brief"),
            (Role::AskSz, "BriefStk"),
        ])
    }
}

#[test]
fn one_mapping_serves_files_of_several_kinds() {
    let trades = format!("Zeit,Papier,Kurs,Stk,Seite\n{TIME},SAP,1.5,2,buy\n");
    assert_eq!(
        read_as("x.csv", &trades, of_both()).unwrap(),
        [format!(
            "{TIME} SAP.XETR trade 1.5 2 Some(Buy) 0 Successive"
        )]
    );
    let quotes = format!("Zeit,Papier,Geld,GeldStk,Brief,BriefStk\n{TIME},SAP,1,2,3,4\n");
    assert_eq!(
        read_as("x.csv", &quotes, of_both()).unwrap(),
        [format!("{TIME} SAP.XETR quote 1 2 3 4")]
    );
}

#[test]
fn what_a_file_lacks_of_its_own_kind_is_an_error_that_names_it() {
    for (header, words) in [
        // The side was named, so trades without one are another file.
        ("Zeit,Papier,Kurs,Stk", &["no column `Seite`", "`side`"][..]),
        // Its nearest kind, and what that lacks.
        (
            "Zeit,Papier,Geld,GeldStk,Brief,Kurs",
            &["for a quote it has no column `BriefStk`", "`ask_sz`"],
        ),
        (
            "Zeit,Papier,Kurs",
            &["for a trade it has no column `Stk` (named as `size`)"],
        ),
        ("Zeit,Papier", &["for a trade", "`Kurs`", "`Stk`"]),
        // What all rows have belongs to no kind.
        ("Papier,Kurs,Stk,Seite", &["no column `Zeit`"]),
        ("Zeit,Kurs,Stk,Seite", &["no column `Papier`"]),
        // A field that was named is found under no other name.
        ("Zeit,Papier,price,Stk,Seite", &["no column `Kurs`"]),
        (
            "Zeit,Papier,Kurs,Stk,Seite,Geld,GeldStk,Brief,BriefStk",
            &["several kinds of row (quote, trade)"],
        ),
    ] {
        let error = read_as("x.csv", &format!("{header}\n"), of_both()).unwrap_err();
        for word in words {
            assert!(error.contains(word), "{header}: {word}: {error}");
        }
    }
}

#[test]
fn a_symbol_that_ends_in_its_venue_gets_it_once() {
    for (symbol, expected) in [
        ("SAP", "SAP.XETR"),
        ("SAP.XETR", "SAP.XETR"),
        ("SAP.xetr", "SAP.xetr"),
        ("BRK.B", "BRK.B.XETR"),
        ("XETR", "XETR.XETR"),
    ] {
        let text = format!("Zeit,Papier,Kurs,Stk,Seite\n{TIME},{symbol},1.5,2,buy\n");
        let read = read_as("x.csv", &text, of_both()).unwrap();
        assert!(read[0].contains(&format!(" {expected} trade")), "{read:?}");
    }
}

/// A file with our key in its schema.
fn ours(scratch: &Scratch, name: &str, columns: &Columns<'_>) -> PathBuf {
    let field =
        |(name, column): &(&str, ArrayRef)| Field::new(*name, column.data_type().clone(), true);
    let fields: Vec<Field> = columns.iter().map(field).collect();
    let key = HashMap::from([(ARCHIVE_KEY.to_owned(), "1".to_owned())]);
    let schema = Arc::new(Schema::new_with_metadata(fields, key));
    let arrays = columns.iter().map(|(_, column)| column.clone()).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap();
    let path = scratch.path().join(name);
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), schema, None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

#[test]
fn a_file_that_we_wrote_is_read_as_it_was_written() {
    let scratch = Scratch::new();
    let mut written: Columns<'_> = vec![
        ("ts_event", times(&[TIME, TIME + 1])),
        ("symbol", texts(&["A.B", "A.B"])),
        ("price", texts(&["1.5", "1.6"])),
        ("size", texts(&["2", "3"])),
        ("side", texts(&["sell", "sell"])),
    ];
    let path = ours(&scratch, "x.parquet", &written);
    let mapping = HistoryMapping {
        tick_rule: true,
        price_places: Some(4),
        instrument: Some("C.D".into()),
        bar_ns: Some(1),
        zone: Some(chrono_tz::America::New_York),
        ..of_both()
    };
    let expected = [
        "1700000000000000000 A.B trade 1.5 2 Some(Sell) 0 Successive",
        "1700000000000000001 A.B trade 1.6 3 Some(Sell) 0 Successive",
    ];
    assert_eq!(read(&[path], mapping.clone()).unwrap(), expected);
    // Another program has added a column, and kept our key.
    written.push(("Kurs", texts(&["9", "9"])));
    let path = ours(&scratch, "y.parquet", &written);
    let error = read(&[path], mapping).unwrap_err();
    assert!(error.contains("no column `Zeit`"), "{error}");
}
