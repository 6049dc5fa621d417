//! `replay --warm-up`: what is read of a capture, and what signals say of what was not.

use std::ffi::OsString;
use std::fs;

use bytes::Bytes;
use foretick::frame::{Frame, Origin, split_stamp};
use foretick::source::capture::{CaptureSettings, CaptureWriter};
use serde_json::Value;

use crate::given::{self, Folder};

const SECOND: i64 = 1_000_000_000;

/// A capture of the simulated market, three minutes long, with its index; when it begins.
fn captured(folder: &Folder) -> i64 {
    let settings = CaptureSettings::new(&folder.path("cap.zst")).expect("a plain name");
    let mut writer = CaptureWriter::create(settings).expect("the folder takes files");
    let text = given::capture(5, 180, &["BTCUSDT", "ETHUSDT"]);
    let mut first = None;
    for line in text.lines() {
        let (stamp, message) = split_stamp(line.as_bytes());
        let ts_recv = stamp.expect("a time").ts_recv;
        first = first.or(Some(ts_recv.0));
        let origin = Origin {
            ts_recv,
            offset: 0,
            partition: 0,
            stream: 0,
            late: false,
            reprocessed: false,
        };
        let bytes = Bytes::copy_from_slice(message);
        writer
            .write(&Frame { origin, bytes })
            .expect("it is written");
    }
    writer.close().expect("it is written");
    first.expect("some frames")
}

/// The signals of a replay, without what is of the run alone, or tells of the frame's address.
fn replayed(folder: &Folder, more: &[String]) -> (Vec<Value>, u64) {
    let path = |name: &str| folder.path(name).into_os_string();
    let mut args: Vec<OsString> = vec!["replay".into(), path("pipeline.toml")];
    args.extend([
        "--input".into(),
        path("cap.zst"),
        "--output".into(),
        path("out.jsonl"),
    ]);
    args.extend(["--force".into(), "--json".into()]);
    args.extend(more.iter().map(Into::into));
    let run = given::foretick(&args);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let summary: Value = serde_json::from_str(&run.stdout).expect("a summary");
    let text = fs::read_to_string(folder.path("out.jsonl")).expect("it was written");
    let mut signals = given::json_lines(&text);
    for signal in &mut signals {
        let fields = signal.as_object_mut().expect("an object");
        for own in ["ts_out", "latency_ns", "source", "signal_id"] {
            fields.remove(own);
        }
    }
    (signals, summary["frames"]["in"].as_u64().expect("a count"))
}

/// A pipeline whose rows need trades and the best quote.
const TRADES: &str = given::SMALL;

#[test]
fn signals_are_those_of_the_whole_capture_once_the_windows_are_full() {
    let folder = Folder::new("warm-up-trades");
    folder.write("pipeline.toml", TRADES);
    let from = captured(&folder) + 120 * SECOND;
    let from_alone = ["--from".to_owned(), from.to_string()];
    let (whole, all) = replayed(&folder, &from_alone);
    let shortly = [&from_alone[..], &["--warm-up".into(), "20".into()]].concat();
    let (part, read) = replayed(&folder, &shortly);
    assert!(whole.len() > 200, "{}", whole.len());
    assert_eq!(part, whole);
    assert!(read < all * 11 / 18, "{read} of {all} frames");
    // What is read does not depend on the index.
    fs::remove_file(folder.path("cap.zst.idx")).expect("there is one");
    assert_eq!(replayed(&folder, &shortly), (part, read));
}

#[test]
fn a_book_whose_begin_was_not_read_is_not_ok() {
    let folder = Folder::new("warm-up-book");
    folder.write(
        "pipeline.toml",
        TRADES.replace("kind = \"mid\"", "kind = \"queue_imbalance\"\nlevels = 3"),
    );
    let from = captured(&folder) + 120 * SECOND;
    let from = ["--from".to_owned(), from.to_string()];
    let is_ok = |signals: &[Value]| signals.iter().filter(|one| one["quality"] == "ok").count();
    let (whole, _) = replayed(&folder, &from);
    assert!(is_ok(&whole) > 200);
    let (part, _) = replayed(
        &folder,
        &[&from[..], &["--warm-up".into(), "20".into()]].concat(),
    );
    assert_eq!(is_ok(&part), 0, "the snapshots came with the first frames");
}
