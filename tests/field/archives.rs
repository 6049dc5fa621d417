//! Databento's and LOBSTER's files, through the command: what `inspect` shows and `replay` makes of them.
//!
//! Figures of Databento's test files are those that their Python package `databento-dbn` 0.72.0 reads.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::given::{Folder, Run, foretick, json_lines};
use crate::needs;

fn inspect(files: &[PathBuf]) -> Run {
    let mut args = vec![PathBuf::from("inspect"), PathBuf::from("--json")];
    args.extend_from_slice(files);
    foretick(&args)
}

fn report(files: &[PathBuf]) -> Value {
    let run = inspect(files);
    assert_eq!(run.code, Some(0), "{files:?}: {}", run.stderr);
    serde_json::from_str(&run.stdout).expect("a report in JSON")
}

#[test]
fn every_schema_of_databento_is_shown() {
    let Some(data) = needs::data("every_schema_of_databento_is_shown") else {
        return;
    };
    let second = "2020-12-28T13:00:0";
    for (schema, versions, records, events, first, last) in [
        (
            "trades",
            &["v1", "v3"][..],
            2,
            json!({"trade": 2}),
            "0.098821953",
            "0.107665963",
        ),
        (
            "tbbo",
            &["v1", "v3"],
            2,
            json!({"quote": 2, "trade": 2}),
            "0.098821953",
            "0.107665963",
        ),
        (
            "mbp-1",
            &["v1", "v3"],
            2,
            json!({"quote": 2}),
            "0.006001487",
            "0.006146661",
        ),
        (
            "mbp-10",
            &["v1", "v3"],
            2,
            json!({"snapshot": 2}),
            "0.000429831",
            "0.000435673",
        ),
        (
            "cmbp-1",
            &["v3"],
            2,
            json!({"quote": 2}),
            "0.006001487",
            "0.006146661",
        ),
        // At their ends.
        ("ohlcv-1s", &["v1", "v3"], 2, json!({"bar": 2}), "1", "2"),
        (
            "cbbo-1s",
            &["v3"],
            2,
            json!({"quote": 2}),
            "0.006136329",
            "0.006246513",
        ),
    ] {
        for version in versions {
            let file = data.join(format!("dbn/test_data.{schema}.{version}.dbn.zst"));
            let report = report(&[file]);
            assert_eq!(report["format"], "dbn");
            assert_eq!(report["venue"], "GLBX");
            assert_eq!(report["records"], records, "{schema}");
            assert_eq!(report["events"], events, "{schema}");
            assert_eq!(report["instruments"], json!(["ESH1.GLBX"]));
            assert_eq!(report["first"], format!("{second}{first}Z"), "{schema}");
            assert_eq!(report["last"], format!("{second}{last}Z"), "{schema}");
            for nothing in ["gaps", "crossed", "out_of_order"] {
                assert_eq!(report[nothing], 0, "{schema}: {nothing}");
            }
        }
    }
    let file = |name: &str| data.join(format!("dbn/test_data.{name}.v3.dbn.zst"));
    let sampled = report(&[file("bbo-1m")]);
    assert_eq!(sampled["events"], json!({"quote": 4}));
    assert_eq!(sampled["first"], "2020-12-28T00:00:00Z");
    assert_eq!(sampled["last"], "2020-12-28T00:03:00Z");
    assert_eq!(report(&[file("bbo-1s")])["last"], "2020-12-28T00:00:03Z");
    assert_eq!(report(&[file("ohlcv-1m")])["last"], "2020-12-28T13:02:00Z");
    assert_eq!(report(&[file("ohlcv-1h")])["last"], "2020-12-28T15:00:00Z");
    assert_eq!(report(&[file("status")])["events"], json!({"status": 4}));
    let both = report(&[file("trades"), file("bbo-1s")]);
    assert_eq!(both["events"], json!({"trade": 2, "quote": 4}));
    assert_eq!(both["records"], 6);
    // Two cancels of orders that rested before the file.
    assert_eq!(report(&[file("mbo")])["events"], json!({"depth": 2}));
    // A day without bars.
    let run = inspect(&[file("ohlcv-1d")]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("empty"), "{}", run.stderr);
    for name in ["definition", "statistics", "imbalance"] {
        let run = inspect(&[file(name)]);
        assert_eq!(run.code, Some(1), "{name}");
        assert!(run.stderr.contains(&format!("`{name}`")), "{}", run.stderr);
    }
}

/// Prices and sizes of the trades, as Databento's package reads them, by way of a score.
#[test]
fn prices_of_databento_are_exact() {
    let Some(data) = needs::data("prices_of_databento_are_exact") else {
        return;
    };
    let folder = Folder::new("archives-prices");
    for (kind, on, schema, expected) in [
        ("price", "trade", "trades", [3720.25, 3720.25]),
        ("mid", "quote", "mbp-1", [3720.375, 3720.375]),
        ("mid", "book", "mbp-10", [3720.375, 3720.375]),
        ("close", "bar", "ohlcv-1s", [372_050.0, 372_050.0]),
    ] {
        let pipeline = folder.write(
            "pipeline.toml",
            format!(
                "name = \"one\"\n[row]\non = \"{on}\"\n[[feature]]\nname = \"x\"\nkind = \"{kind}\"\n\
                 [model]\nkind = \"sum\"\nnormalise = \"none\"\n"
            ),
        );
        let file = data.join(format!("dbn/test_data.{schema}.v3.dbn.zst"));
        let output = folder.path("signals.jsonl");
        let args = [Path::new("replay"), &pipeline, Path::new("--input"), &file];
        let mut args: Vec<&Path> = args.to_vec();
        args.extend([Path::new("--output"), &output, Path::new("--force")]);
        let run = foretick(&args);
        assert_eq!(run.code, Some(0), "{schema}: {}", run.stderr);
        let signals = json_lines(&folder.read("signals.jsonl"));
        let scores: Vec<f64> = signals
            .iter()
            .filter_map(|one| one["score"].as_f64())
            .collect();
        assert_eq!(scores, expected, "{schema}");
        assert_eq!(signals[0]["instrument"], "ESH1.GLBX");
    }
}

#[test]
fn a_cut_file_of_databento_is_read_up_to_the_cut() {
    let Some(data) = needs::data("a_cut_file_of_databento_is_read_up_to_the_cut") else {
        return;
    };
    let packed = fs::read(data.join("dbn/test_data.trades.v3.dbn.zst")).unwrap();
    let whole = zstd::decode_all(packed.as_slice()).unwrap();
    let folder = Folder::new("archives-cut");
    let plain = folder.write("whole.dbn", &whole);
    assert_eq!(report(&[plain])["records"], 2, "told by its first bytes");
    for (name, bytes, word) in [
        ("cut.dbn", &whole[..whole.len() - 9], "record 2"),
        ("cut.dbn.zst", &packed[..packed.len() - 9], "record"),
        ("short.dbn", &whole[..50], "DBN"),
    ] {
        let run = inspect(&[folder.write(name, bytes)]);
        assert_eq!(run.code, Some(1), "{name}: {}", run.stderr);
        assert!(run.stderr.contains(word), "{name}: {}", run.stderr);
        assert!(run.stderr.contains("cut off or damaged"), "{}", run.stderr);
    }
    let bytes = fs::read(data.join("dbn/test_data.trades.dbz")).unwrap();
    let run = inspect(&[folder.write("old.dbz", bytes)]);
    assert!(run.stderr.contains("DBZ"), "{}", run.stderr);
}

const MESSAGES: &str = "34200.1,1,11,18,5853300,1\n\
    34200.2,4,77,200,5859400,-1\n\
    34200.3,5,0,50,5853000,1\n\
    34200.4,7,0,0,-1,-1\n\
    34200.5,3,11,18,5853300,1\n";
const BOOK: &str = "5859400,200,5853300,18,5859800,200,-9999999999,0\n\
    5859800,200,5853300,18,9999999999,0,-9999999999,0\n\
    5859800,200,5853300,18,9999999999,0,-9999999999,0\n\
    5859800,200,5853300,18,9999999999,0,-9999999999,0\n\
    5859800,200,-9999999999,0,9999999999,0,-9999999999,0\n";

#[test]
fn lobsters_messages_are_compared_with_their_book() {
    let folder = Folder::new("archives-lobster");
    let name = |what: &str| format!("AAPL_2012-06-21_34200000_57600000_{what}_2.csv");
    let messages = folder.write(&name("message"), MESSAGES);
    let book = folder.write(&name("orderbook"), BOOK);
    let both = report(&[book.clone(), messages.clone()]);
    assert_eq!(both["format"], "lobster");
    assert_eq!(both["records"], 5);
    let events = json!({"trade": 2, "snapshot": 1, "depth": 2, "status": 1});
    assert_eq!(both["events"], events);
    assert_eq!(both["instruments"], json!(["AAPL.XNAS"]));
    assert_eq!(both["first"], "2012-06-21T13:30:00.100Z");
    assert_eq!(both["last"], "2012-06-21T13:30:00.500Z");
    assert_eq!(both["book_vs_quote"], json!({"compared": 5, "equal": 5}));
    let mut lines: Vec<String> = BOOK.lines().map(str::to_owned).collect();
    lines[1] = lines[1].replace("5853300,18", "5853300,19");
    folder.write(&name("orderbook"), lines.join("\n"));
    let other = report(&[messages.clone(), book.clone()]);
    assert_eq!(other["book_vs_quote"], json!({"compared": 5, "equal": 4}));
    let alone = report(&[messages]);
    assert_eq!(
        alone["events"],
        json!({"trade": 2, "depth": 3, "status": 1})
    );
    assert_eq!(alone["book_vs_quote"], json!({"compared": 0, "equal": 0}));
    let run = inspect(&[book]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains(&name("message")), "{}", run.stderr);
}

#[test]
fn a_record_that_is_earlier_than_the_one_before_it_is_counted() {
    let folder = Folder::new("archives-order");
    let line = |second: u64, bid: &str| {
        json!({"ts_event": (1_700_000_000 + second) * 1_000_000_000, "symbol": "A.X",
            "bid_px": bid, "bid_sz": "1", "ask_px": "9", "ask_sz": "1"})
        .to_string()
    };
    let lines = [line(1, "8"), line(3, "9"), line(2, "8"), line(4, "10")].join("\n");
    let file = folder.write("quotes.jsonl", lines);
    let report = report(&[file]);
    assert_eq!(report["format"], "json_lines");
    assert_eq!(
        (&report["records"], &report["out_of_order"]),
        (&4.into(), &1.into())
    );
    // A bid at the ask is none.
    assert_eq!(report["crossed"], 1);
    assert_eq!(report["first"], "2023-11-14T22:13:21Z");
    assert_eq!(report["last"], "2023-11-14T22:13:24Z");
}

/// Runs the command with a limit of open files that `ulimit` sets by these arguments.
fn limited(ulimit: &str, files: &[PathBuf]) -> std::process::Output {
    let script = format!("ulimit {ulimit} && exec \"$0\" \"$@\"");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_foretick")]);
    command.args(["inspect", "--json"]).args(files);
    command.output().expect("a shell")
}

#[test]
fn files_that_overlap_may_be_more_than_the_soft_limit_of_open_files() {
    let folder = Folder::new("overlapping_files");
    let files = (0..150).map(|number| {
        let begin = 1_700_000_000_000_000_000_i64 + number;
        let row = |time: i64| format!("{time},S{number}.X,1.5,2\n");
        let rows = row(begin) + &row(begin + 1_000_000_000);
        folder.write(
            &format!("{number}.csv"),
            format!("ts_event,symbol,price,size\n{rows}"),
        )
    });
    let files: Vec<PathBuf> = files.collect();
    let run = limited("-Sn 100", &files);
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let report: Value = serde_json::from_slice(&run.stdout).expect("a report in JSON");
    assert_eq!(report["records"], json!(300), "{report}");
    let run = limited("-n 100", &files);
    let error = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "{error}");
    assert!(
        error.contains("overlap in time") && error.contains("ulimit -n"),
        "{error}"
    );
}
