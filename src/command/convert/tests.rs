//! What was converted means what it was made of.

use std::path::Path;
use std::time::Duration;

mod topics;

use super::*;
use crate::command::simulate::write_capture_file;
use crate::event::Batch;
use crate::frame::Origin;
use crate::pipeline::Pipeline;
use crate::run::replay::{ReplayOptions, replay};
use crate::simulate::MarketSettings;
use crate::source::file::TableMeaning;
use crate::source::history::HistoryOptions;
use crate::tests::scratch::Scratch;
use crate::units::Nanos;

/// Lines of a capture: a book as Binance sends it, quotes without a time of the venue, trades, aggregates, a
/// side that is empty, over midnight and of two instruments.
const CAPTURE: &str = r#"1723161590000000001 {"stream":"btcusdt@trade","data":{"e":"trade","E":1723161590000,"s":"BTCUSDT","t":7,"p":"61737.63","q":"0.001","T":1723161590000,"m":true,"M":true}}
1723161590000000002 {"stream":"btcusdt@bookTicker","data":{"u":11,"s":"BTCUSDT","b":"61737.62","B":"1.5","a":"61737.63","A":"2.5"}}
1723161590000000003 {"stream":"ethusdt@aggTrade","data":{"e":"aggTrade","E":1723161590000,"s":"ETHUSDT","a":3,"p":"2600.01","q":"0.5","f":5,"l":6,"T":1723161590000,"m":false,"M":true}}
1723161590000000004 {"ts_event":1723161590000000000,"symbol":"BTCUSDT.BINANCE","first_sequence":3,"sequence":9,"snapshot":true,"bids":[["61737.62","1.5"]],"asks":[["61737.63","2.5"],["61737.64","0.00000124"]]}
1723161590000000005 {"ts_event":1723161590000000001,"symbol":"BTCUSDT.BINANCE","first_sequence":10,"sequence":10,"snapshot":false,"bids":[],"asks":[["61737.64","0"]]}
1723161590000000006 {"ts_event":1723161590000000002,"symbol":"A/B.XNAS","bid_px":null,"bid_sz":null,"ask_px":"1.24e-9","ask_sz":"146033283519"}
1723161600000000000 {"ts_event":1723161600000000000,"symbol":"BTCUSDT.BINANCE","open":"1","high":"4","low":"0.5","close":"2"}
1723161600000000001 {"ts_event":1723161600000000001,"symbol":"BTCUSDT.BINANCE","price":"3","size":"4","side":"unknown","trade_id":9,"trade_ids":"distinct"}
"#;

fn files() -> FileOptions {
    FileOptions {
        max_frame_bytes: 1 << 20,
        tables: TableMeaning::History(HistoryOptions {
            lateness_ns: Some(0),
            ..HistoryOptions::default()
        }),
        ..FileOptions::default()
    }
}

/// The events of files, as text, with their levels and receive times.
fn events(paths: &[PathBuf]) -> Vec<String> {
    let mut source = FileSource::open_with(paths, &files()).unwrap();
    let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
    let mut found = vec![];
    while let Some((origin, bytes)) = source.next_frame().unwrap() {
        let mut batch = Batch::default();
        decoder.decode(origin, bytes, &mut batch).unwrap();
        for event in &batch.events {
            let name = decoder.instruments().name(event.instrument);
            let Origin { ts_recv, .. } = batch.origins[event.frame as usize];
            let (ts, body, levels) = (event.ts_event, event.body, &batch.levels);
            found.push(format!("{ts_recv:?} {ts:?} {name} {body:?} {levels:?}"));
        }
    }
    found
}

fn convert_to(input: &Path, output: &Path, is_exact: bool) -> Converted {
    let options = ConvertOptions {
        inputs: vec![input.to_owned()],
        output: output.to_owned(),
        is_exact,
        force: false,
        span: (None, None),
        files: files(),
        venues: Venues::default(),
    };
    convert(&options).unwrap()
}

#[test]
fn a_folder_by_instrument_and_day_and_one_file_give_the_same_events() {
    let scratch = Scratch::new();
    let input = scratch.write("in.jsonl", CAPTURE);
    let expected = events(std::slice::from_ref(&input));
    assert_eq!(expected.len(), 8);
    for is_exact in [false, true] {
        let folder = scratch.path().join(format!("out-{is_exact}"));
        let converted = convert_to(&input, &folder, is_exact);
        assert_eq!(converted.rows["trade"], 3);
        assert_eq!((converted.rows["book"], converted.files), (2, 4));
        let paths = crate::source::input_paths::expanded(std::slice::from_ref(&folder)).unwrap();
        let short = |path: &PathBuf| path.strip_prefix(&folder).unwrap().display().to_string();
        assert_eq!(
            paths.iter().map(short).collect::<Vec<_>>(),
            [
                "instrument=A%2FB.XNAS/date=2024-08-08/part-0.parquet",
                "instrument=BTCUSDT.BINANCE/date=2024-08-08/part-0.parquet",
                "instrument=BTCUSDT.BINANCE/date=2024-08-09/part-0.parquet",
                "instrument=ETHUSDT.BINANCE/date=2024-08-08/part-0.parquet",
            ]
        );
        assert_eq!(events(&paths), expected);
        let file = scratch.path().join(format!("out-{is_exact}.parquet"));
        convert_to(&input, &file, is_exact);
        assert_eq!(events(std::slice::from_ref(&file)), expected);
        // What was converted converts to the same.
        let again = scratch.path().join("again.parquet");
        convert_to(&file, &again, !is_exact);
        assert_eq!(events(&[again]), expected);
    }
}

/// A pipeline whose score is the mid at each change of the book.
const PIPELINE: &str = r#"
name = "mid"
[row]
on = "book"
[[feature]]
name = "mid"
kind = "mid"
[[feature]]
name = "last"
kind = "price"
[model]
kind = "sum"
normalise = "none"
"#;

/// Over midnight, with two instruments, quotes and snapshots without a time of the venue.
#[test]
fn a_converted_capture_replays_to_the_same_digest() {
    let scratch = Scratch::new();
    let capture = scratch.path().join("capture.jsonl");
    let settings = MarketSettings {
        start: Nanos(1_723_161_595_000_000_000),
        ..MarketSettings::default()
    };
    write_capture_file(&settings, Duration::from_secs(10), &capture).unwrap();
    let pipeline = scratch.write("pipeline.toml", PIPELINE);
    let pipeline = Pipeline::load(&pipeline, &[]).unwrap();
    let digest = |inputs: &[PathBuf]| {
        let options = ReplayOptions {
            inputs: inputs.to_vec(),
            ..ReplayOptions::default()
        };
        let summary = replay(&pipeline, &options).unwrap();
        assert!(summary.signals > 50, "{}", summary.signals);
        (summary.signals, summary.digest)
    };
    let expected = digest(std::slice::from_ref(&capture));
    for (name, is_exact) in [("folder", false), ("file.parquet", true)] {
        let output = scratch.path().join(name);
        let converted = convert_to(&capture, &output, is_exact);
        let days = 2 * converted.instruments.len() as u64;
        assert_eq!(converted.files, if is_exact { 1 } else { days });
        assert!(converted.left_out.is_empty(), "{converted}");
        let paths = crate::source::input_paths::expanded(&[output]).unwrap();
        assert_eq!(digest(&paths), expected, "{name}");
    }
}

#[test]
fn lines_of_the_topics_give_the_same_prices() {
    let scratch = Scratch::new();
    let input = scratch.write("in.jsonl", CAPTURE);
    let output = scratch.path().join("out.jsonl.zst");
    let converted = convert_to(&input, &output, false);
    assert_eq!(converted.files, 1);
    assert_eq!(events(&[output]).len(), 8);
}

#[test]
fn a_number_that_a_float_would_change_is_refused_without_exact() {
    let scratch = Scratch::new();
    let line = r#"{"ts_event":1723161600000000001,"symbol":"A","price":"0.1234567890123456789","size":"4","side":"buy"}"#;
    let line = line.replace("0.1234567890123456789", "0.123456789012345678");
    let input = scratch.write("in.jsonl", line);
    let options = ConvertOptions {
        inputs: vec![input.clone()],
        output: scratch.path().join("out.parquet"),
        is_exact: false,
        force: false,
        span: (None, None),
        files: files(),
        venues: Venues::default(),
    };
    let error = convert(&options).unwrap_err().to_string();
    assert!(
        error.contains("0.123456789012345678") && error.contains("--exact"),
        "{error}"
    );
    assert!(!options.output.exists());
    let exact = scratch.path().join("exact.parquet");
    convert_to(&input, &exact, true);
    assert_eq!(events(&[exact]), events(&[input]));
}

#[test]
fn a_folder_with_other_things_in_it_is_not_touched() {
    use crate::sink::event::check_folder;
    let scratch = Scratch::new();
    let input = scratch.write("in.jsonl", CAPTURE);
    let folder = scratch.path().join("out");
    assert!(check_folder(&folder, &[], false).is_ok());
    convert_to(&input, &folder, false);
    let error = check_folder(&folder, &[], false).unwrap_err().to_string();
    assert!(error.contains("--force"), "{error}");
    std::fs::write(folder.join("mine.txt"), "").unwrap();
    let error = check_folder(&folder, &[], true).unwrap_err().to_string();
    assert!(error.contains("mine.txt"), "{error}");
    std::fs::remove_file(folder.join("mine.txt")).unwrap();
    let inside = [folder.join("instrument=A/date=2024-08-08/part-0.parquet")];
    let error = check_folder(&folder, &inside, true)
        .unwrap_err()
        .to_string();
    assert!(error.contains("input"), "{error}");
    // Deeper, and a link to files that are not ours.
    let below = folder.join("instrument=ETHUSDT.BINANCE");
    let notes = below.join("date=2024-08-08/notes.toml");
    std::fs::write(&notes, "").unwrap();
    let error = check_folder(&folder, &[], true).unwrap_err().to_string();
    assert!(error.contains("date=2024-08-08/notes.toml"), "{error}");
    std::fs::remove_file(notes).unwrap();
    std::os::unix::fs::symlink(scratch.path(), below.join("date=2024-08-10")).unwrap();
    let error = check_folder(&folder, &[], true).unwrap_err().to_string();
    assert!(error.contains("date=2024-08-10"), "{error}");
    std::fs::remove_file(below.join("date=2024-08-10")).unwrap();
    assert!(check_folder(&folder, &[], true).is_ok());
    assert_eq!(
        std::fs::read_dir(&folder).unwrap().count(),
        3,
        "only checked"
    );
}

fn options(input: &Path, output: &Path) -> ConvertOptions {
    ConvertOptions {
        inputs: vec![input.to_owned()],
        output: output.to_owned(),
        is_exact: false,
        force: true,
        span: (None, None),
        files: files(),
        venues: Venues::default(),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// A number that needs `--exact`, a name that is too long for a folder, and an input that is not there.
#[test]
fn a_conversion_that_fails_leaves_the_earlier_one_or_nothing() {
    let scratch = Scratch::new();
    let input = scratch.write("in.jsonl", CAPTURE);
    let late = CAPTURE.replace("\"price\":\"3\"", "\"price\":\"0.123456789012345678\"");
    let late = scratch.write("late.jsonl", late);
    let long = CAPTURE.replace("A/B.XNAS", &"A".repeat(254));
    let long = scratch.write("long.jsonl", long);
    let nowhere = scratch.path().join("nowhere.jsonl");
    let (kept, fresh) = (scratch.path().join("kept"), scratch.path().join("fresh"));
    convert_to(&input, &kept, false);
    let before = names(&kept);
    for failing in [&late, &long, &nowhere] {
        for output in [&kept, &fresh] {
            convert(&options(failing, output)).unwrap_err();
        }
        assert_eq!(names(&kept), before);
    }
    let all = ["in.jsonl", "kept", "late.jsonl", "long.jsonl"];
    assert_eq!(names(scratch.path()), all);
    // With no row, too; and one that does not fail replaces it.
    let one = scratch.write("one.jsonl", CAPTURE.lines().next().unwrap());
    let mut nothing = options(&one, &kept);
    nothing.span.0 = Some(Nanos(1_800_000_000_000_000_000));
    let error = convert(&nothing).unwrap_err().to_string();
    assert!(error.contains("no row"), "{error}");
    assert_eq!(names(&kept), before);
    convert(&options(&one, &kept)).unwrap();
    assert_eq!(names(&kept), ["instrument=BTCUSDT.BINANCE"]);
    assert!(
        !names(scratch.path())
            .iter()
            .any(|name| name.contains("tmp"))
    );
}

#[test]
fn rows_that_are_out_of_order_are_counted_and_the_first_is_shown() {
    let scratch = Scratch::new();
    let lines = [1, 2, 5, 3, 4, 6].map(|second| {
        format!(
            "{{\"ts_event\":172316160{second}000000000,\"symbol\":\"A.X\",\"price\":\"3\",\"size\":\"4\",\
             \"side\":\"buy\"}}\n"
        )
    });
    let input = scratch.write("in.jsonl", lines.concat());
    for output in ["out.parquet", "out.jsonl", "out"] {
        let converted = convert_to(&input, &scratch.path().join(output), false);
        let text = converted.to_string();
        for words in [
            "out of order 2 rows",
            "up to 2000 ms",
            "A.X at 2024-08-09T00:00:03",
            "frame 3 (from 0) of in.jsonl",
        ] {
            assert!(text.contains(words), "{output}: {text}");
        }
        let json = serde_json::to_value(&converted).unwrap();
        assert_eq!(json["out_of_order"]["rows"], 2, "{json}");
    }
    let sorted = scratch.write("sorted.jsonl", CAPTURE);
    let converted = convert_to(&sorted, &scratch.path().join("sorted.parquet"), false);
    assert!(converted.out_of_order.is_none(), "{converted}");
}
