//! Times of clocks that are set back and forward, which show some times twice and others never.
//!
//! Clocks of New York: at 06:00 UTC of 2 November 2025 they went from 02:00 to 01:00, and at 07:00 UTC of
//! 8 March 2026 from 02:00 to 03:00.

use std::sync::Arc;

use arrow_array::{ArrayRef, TimestampMicrosecondArray};

use super::arrow::{parquet, texts};
use super::csv::read_as;
use super::{columns, options, read_with};
use crate::source::file::{FileOptions, TableMeaning};
use crate::source::history::mapping::{HistoryMapping, Role};
use crate::tests::scratch::Scratch;
use crate::time::parse_rfc3339;
use crate::units::Nanos;

/// What the clocks show in order, and when it is.
const SET_BACK: [(&str, &str); 8] = [
    ("2025-11-02 00:59:59", "2025-11-02T04:59:59Z"),
    ("2025-11-02 01:00:01", "2025-11-02T05:00:01Z"),
    ("2025-11-02 01:20:00", "2025-11-02T05:20:00Z"),
    ("2025-11-02 01:59:59", "2025-11-02T05:59:59Z"),
    ("2025-11-02 01:00:01", "2025-11-02T06:00:01Z"),
    ("2025-11-02 01:00:02", "2025-11-02T06:00:02Z"),
    ("2025-11-02 01:30:00", "2025-11-02T06:30:00Z"),
    ("2025-11-02 02:00:00", "2025-11-02T07:00:00Z"),
];

fn mapping() -> HistoryMapping {
    HistoryMapping {
        zone: Some(chrono_tz::America::New_York),
        ..columns(&[(Role::TsEvent, "when")])
    }
}

fn text(times: &[&str]) -> String {
    let rows = times.iter().map(|time| format!("{time},A,1,1\n"));
    "when,symbol,price,size\n".to_owned() + &rows.collect::<String>()
}

/// The times of events, which stand before them.
fn times_of(read: &[String]) -> Vec<i64> {
    let time = |line: &String| line.split(' ').next().unwrap().parse().unwrap();
    read.iter().map(time).collect()
}

fn expected() -> Vec<i64> {
    let times = SET_BACK.iter().map(|(_, time)| parse_rfc3339(time));
    times.map(|time| time.unwrap().0).collect()
}

#[test]
fn a_time_that_the_clock_shows_twice_is_the_second_one_where_the_first_is_behind_the_row_before() {
    let shown: Vec<&str> = SET_BACK.iter().map(|(shown, _)| *shown).collect();
    let read = read_as("x.csv", &text(&shown), mapping()).unwrap();
    assert_eq!(times_of(&read), expected());
    // A row that says which one it is, is taken at its word.
    let told = ["2025-11-02 01:20:00-04:00", "2025-11-02 01:10:00-04:00"];
    let error = read_as("x.csv", &text(&told), mapping()).unwrap_err();
    assert!(error.contains("600000 ms earlier"), "{error}");
}

#[test]
fn rows_that_are_late_within_what_is_allowed_are_not_an_hour_later() {
    let scratch = Scratch::new();
    let times = ["2025-11-02 01:20:00.100", "2025-11-02 01:20:00.050"];
    let path = scratch.write("x.csv", text(&times));
    let mut options = options(mapping());
    if let TableMeaning::History(history) = &mut options.tables {
        history.lateness_ns = Some(100_000_000);
    }
    let read = read_with(&[path], &options).unwrap();
    let Nanos(first) = parse_rfc3339("2025-11-02T05:20:00Z").unwrap();
    assert_eq!(times_of(&read), [first + 100_000_000, first + 50_000_000]);
}

/// Where reading begins, and how the file is divided into groups of rows, changes nothing.
#[test]
fn groups_that_are_left_out_do_not_change_the_hour() {
    let scratch = Scratch::new();
    let micros = |(shown, _): &(&str, &str)| parse_rfc3339(shown).unwrap().0 / 1_000;
    let shown: Vec<i64> = SET_BACK.iter().map(micros).collect();
    let clock: ArrayRef = Arc::new(TimestampMicrosecondArray::from(shown));
    let columns_of = vec![
        ("when", clock),
        ("symbol", texts(&["A"; 8])),
        ("price", texts(&["1"; 8])),
        ("size", texts(&["1"; 8])),
    ];
    for group_rows in [1, 2, 3, 8] {
        let path = parquet(&scratch.path().join("x.parquet"), &columns_of, group_rows);
        for begin in expected() {
            let options = FileOptions {
                begin: Some(Nanos(begin)),
                ..options(mapping())
            };
            let read = times_of(&read_with(std::slice::from_ref(&path), &options).unwrap());
            let after = |all: Vec<i64>| all.into_iter().filter(|time| *time >= begin);
            let (read, expected) = (after(read), after(expected()));
            assert!(read.eq(expected), "{group_rows} {begin}");
        }
    }
}

#[test]
fn a_time_that_the_clock_skips_is_a_dead_letter_that_says_so() {
    let times = [
        "2026-03-08 01:59:59",
        "2026-03-08 02:30:00",
        "2026-03-08 03:00:00",
    ];
    let read = read_as("x.csv", &text(&times), mapping()).unwrap();
    assert_eq!(read.len(), 3, "{read:?}");
    let said = "OutOfRange(\"ts_event\") {\"row\":\"line 3, column `when` holds `2026-03-08 02:30:00`: the clocks \
                of America/New_York skip this time\"";
    assert!(read[1].starts_with(said), "{}", read[1]);
    // Half past two since midnight, as the clock shows it.
    let lean = "20260308_ibm_Trade_Tick.csv";
    let read = read_as(lean, "9000000,1815200,100\n", HistoryMapping::default()).unwrap();
    assert!(
        read[0].contains("America/New_York skip this time"),
        "{read:?}"
    );
}

/// In São Paulo 4 November 2018 began at 01:00, which is 03:00 UTC.
#[test]
fn a_day_begins_at_its_first_moment() {
    let mapping = HistoryMapping {
        zone: Some(chrono_tz::America::Sao_Paulo),
        ..mapping()
    };
    let read = read_as("x.csv", &text(&["2018-11-04", "20181104"]), mapping).unwrap();
    let begin = parse_rfc3339("2018-11-04T03:00:00Z").unwrap().0;
    assert_eq!(times_of(&read), [begin, begin]);
}
