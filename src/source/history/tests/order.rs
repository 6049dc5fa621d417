//! The order of rows within a file, and of files.

use super::{options, read, read_with};
use crate::source::file::SpanEnd;
use crate::source::file::{FileOptions, FileSource, TableMeaning};
use crate::source::history::HistoryOptions;
use crate::source::history::mapping::HistoryMapping;
use crate::tests::scratch::Scratch;

const TIME: i64 = 1_700_000_000_000_000_000;

fn rows(times: &[i64]) -> String {
    let row = |at: &i64| format!("{},A,1,1,buy\n", TIME + at);
    "ts_event,symbol,price,size,side\n".to_owned() + &times.iter().map(row).collect::<String>()
}

#[test]
fn a_row_out_of_order_is_an_error_that_names_file_and_row() {
    let scratch = Scratch::new();
    let path = scratch.path().join("late.csv");
    std::fs::write(&path, rows(&[0, 5, 4, 6])).unwrap();
    let error = read(std::slice::from_ref(&path), HistoryMapping::default()).unwrap_err();
    for word in ["late.csv", "line 4", "0.000001 ms earlier", "lateness_ms"] {
        assert!(error.contains(word), "{word}: {error}");
    }
    let with = |lateness_ns| {
        let history = HistoryOptions {
            lateness_ns,
            ..HistoryOptions::default()
        };
        let options = FileOptions {
            tables: TableMeaning::History(history),
            ..options(HistoryMapping::default())
        };
        read_with(std::slice::from_ref(&path), &options)
    };
    assert_eq!(with(Some(1)).unwrap().len(), 4);
    assert_eq!(with(None).unwrap().len(), 4);
}

#[test]
fn a_row_far_ahead_alone_is_no_disorder_but_a_wrong_time() {
    let scratch = Scratch::new();
    let path = scratch.path().join("x.csv");
    let year = 31_536_000_000_000_000;
    std::fs::write(&path, rows(&[0, 5, year, 6, 7, 8])).unwrap();
    let options = FileOptions {
        max_jump_ns: Some(600_000_000_000),
        ..options(HistoryMapping::default())
    };
    let mut source = FileSource::open_with(&[path], &options).unwrap();
    let mut received = vec![];
    while let Some((origin, _)) = source.next_frame().unwrap() {
        received.push(origin.ts_recv.0);
    }
    // The time of the row before it stands for its receive time, so that the decoder refuses it.
    let none = i64::MAX;
    assert_eq!(received, [none, none, TIME + 5, none, none, none]);
}

#[test]
fn rows_are_read_between_the_beginning_and_the_end() {
    let scratch = Scratch::new();
    let path = scratch.path().join("x.csv");
    std::fs::write(&path, rows(&[0, 1, 2, 3, 4])).unwrap();
    let options = FileOptions {
        begin: Some(crate::units::Nanos(TIME + 1)),
        end: Some(SpanEnd::new(crate::units::Nanos(TIME + 3), 0)),
        ..options(HistoryMapping::default())
    };
    let read = read_with(&[path], &options).unwrap();
    assert_eq!(read.len(), 2);
    assert!(read[0].starts_with("1700000000000000001"), "{}", read[0]);
}

#[test]
fn many_files_are_opened_in_their_turn() {
    let scratch = Scratch::new();
    let mut paths = vec![];
    for file in 0..100_i64 {
        let path = scratch.path().join(format!("{file:03}.csv"));
        std::fs::write(&path, rows(&[file, file + 200, 1_000])).unwrap();
        paths.push(path);
    }
    let read = read(&paths, HistoryMapping::default()).unwrap();
    let time = |line: &String| line[..19].parse::<i64>().unwrap() - TIME;
    let times: Vec<i64> = read.iter().map(time).collect();
    let expected: Vec<i64> = (0..100).chain(200..300).chain([1_000; 100]).collect();
    assert_eq!(times, expected);
}

#[test]
fn files_are_merged_by_time() {
    let scratch = Scratch::new();
    let named = |name: &str, symbol: &str, times: &[i64]| {
        let path = scratch.path().join(name);
        std::fs::write(&path, rows(times).replace(",A,", &format!(",{symbol},"))).unwrap();
        path
    };
    let paths = [
        named("a.csv", "A", &[0, 3, 9]),
        named("b.csv", "B", &[1, 3, 4]),
        named("c.csv", "C", &[2]),
    ];
    let read = read(&paths, HistoryMapping::default()).unwrap();
    let name = |line: &String| line.split(' ').nth(1).unwrap().to_owned();
    let order: Vec<String> = read.iter().map(name).collect();
    assert_eq!(order, ["A", "B", "C", "A", "B", "B", "A"]);
}
