//! `replay --from`, `--to`: what is read, and digests of parts.

use std::ffi::OsStr;

use serde_json::Value;

use crate::given::{self, Folder, Run};

fn replay(folder: &Folder, input: &str, args: &[&str]) -> Run {
    let (pipeline, input) = (folder.path("pipeline.toml"), folder.path(input));
    let mut all = vec!["replay".as_ref(), pipeline.as_os_str(), "--input".as_ref()];
    all.push(input.as_os_str());
    all.extend(args.iter().map(|arg| OsStr::new(*arg)));
    given::foretick(&all)
}

fn summary(run: &Run) -> Value {
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    serde_json::from_str(&run.stdout).expect("a summary")
}

fn ready(test: &str, seconds: u64) -> Folder {
    let folder = Folder::new(test);
    folder.write("pipeline.toml", given::SMALL);
    let capture = given::capture(21, seconds, &["BTCUSDT", "ETHUSDT"]);
    folder.write("capture", capture);
    folder
}

#[test]
fn a_capture_is_not_read_to_its_end() {
    let folder = ready("span-end", 60);
    let text = folder.read("capture");
    let whole = text.lines().count() as u64;
    // The same without receive times, of which no order is known.
    let bare = |line: &str| line.split_once(' ').map_or("", |(_, rest)| rest).to_owned() + "\n";
    folder.write("bare", text.lines().map(bare).collect::<String>());
    let to = ["--to", "2026-01-05T00:00:20Z", "--json"];
    let signals = |input: &str, args: &[&str]| summary(&replay(&folder, input, args));
    let part = signals("capture", &to);
    let frames = |summary: &Value| summary["frames"]["in"].as_u64().expect("a count");
    // 20 s, and 10 s in which late events may come.
    let expected = whole / 2;
    assert!(
        frames(&part).abs_diff(expected) < whole / 10,
        "{} of {whole} frames",
        frames(&part)
    );
    let sharded = [&to[..], &["--set", "engine.shards=3"]].concat();
    assert_eq!(part["digest"], signals("capture", &sharded)["digest"]);
    assert_eq!(part["digest"], signals("bare", &to)["digest"]);
    // What is not read would have changed nothing.
    let all = folder.path("all.jsonl");
    replay(
        &folder,
        "capture",
        &["--output", all.to_str().expect("a path")],
    );
    let end = 1_767_571_220_000_000_000;
    let all = given::json_lines(&folder.read("all.jsonl"));
    let before = all
        .iter()
        .filter(|signal| signal["ts_event"].as_i64() < Some(end));
    assert_eq!(part["signals"], before.count());
}

#[test]
fn a_span_without_events_is_an_error() {
    let folder = ready("span-empty", 3);
    for (args, word) in [
        (&["--from", "2027-01-01"][..], "from 2026-01-05T00:00:0"),
        (&["--to", "2020-01-01"][..], "no event in the span"),
        (
            &["--from", "2027-01-01", "--warmup", "5"][..],
            "nothing was read",
        ),
        (
            &["--from", "2027-01-01", "--set", "engine.shards=2"][..],
            "no event in the span",
        ),
    ] {
        let run = replay(&folder, "capture", args);
        assert_eq!(run.code, Some(1), "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains(word), "{args:?}: {}", run.stderr);
    }
    let back = ["--from", "2026-01-06", "--to", "2026-01-05"];
    let run = replay(&folder, "capture", &back);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(
        run.stderr.contains("earlier time under --from"),
        "{}",
        run.stderr
    );
}

#[test]
fn digests_of_parts_are_those_of_replays_of_the_parts() {
    let folder = ready("span-digests", 6);
    let whole = summary(&replay(&folder, "capture", &["--json"]));
    let (by_instrument, by_day) = (
        &whole["digests"]["by_instrument"],
        &whole["digests"]["by_day"],
    );
    assert_eq!(by_day["2026-01-05"], whole["digest"], "there is one day");
    for (symbol, name) in [
        ("btcusdt", "BTCUSDT.BINANCE"),
        ("ethusdt", "ETHUSDT.BINANCE"),
    ] {
        let text = folder.read("capture");
        let other = if symbol == "btcusdt" {
            "ethusdt"
        } else {
            "btcusdt"
        };
        let is_of_other = |line: &&str| line.to_ascii_lowercase().contains(other);
        let own = text.lines().filter(|line| !is_of_other(line));
        folder.write(
            "own",
            own.map(|line| format!("{line}\n")).collect::<String>(),
        );
        let alone = summary(&replay(&folder, "own", &["--json"]));
        assert_eq!(by_instrument[name], alone["digest"], "{name}");
    }
    let sharded = replay(&folder, "capture", &["--json", "--set", "engine.shards=2"]);
    assert_eq!(whole["digests"], summary(&sharded)["digests"]);
}
