//! What a backtest refuses, with what to do.

use crate::given::{Folder, SMALL, capture, foretick};
use crate::{CANONICAL, needs};

/// Runs a backtest of the small pipeline on a capture of a few seconds.
fn refused(set: &[&str], more: &[&str]) -> (Option<i32>, String) {
    let folder = Folder::new(&format!(
        "backtest-refused-{}-{}",
        set.len(),
        more.join("-").len()
    ));
    let pipeline = folder.write("pipeline.toml", SMALL).display().to_string();
    let input = folder
        .write("day.jsonl", capture(1, 3, &["BTCUSDT"]))
        .display()
        .to_string();
    let mut args = vec!["backtest", &pipeline, "--input", &input];
    for one in set {
        args.extend(["--set", one]);
    }
    args.extend(more);
    let run = foretick(&args);
    (run.code, run.stderr)
}

#[test]
fn terms_that_make_no_sense_are_usage_errors_that_say_what_to_write() {
    let with = |change: &'static str| [&CANONICAL[..], &[change]].concat();
    for (set, more, words) in [
        (vec![], vec![], "write a table [backtest]"),
        (with("backtest.enter=0"), vec![], "`enter` must be"),
        (
            with("backtest.size=-1"),
            vec![],
            "`size` must be above zero",
        ),
        (with("backtest.exit=0.5"), vec![], "at most `enter`"),
        (with("backtest.lot_size=1"), vec![], "below `lot_size`"),
        (with("backtest.max_position=0.001"), vec![], "below `size`"),
        (with("backtest.fill=limit"), vec![], "cancel_ms = 1000"),
        (
            with("backtest.latency_ms=-1"),
            vec![],
            "`latency_ms` must be",
        ),
        (
            with("backtest.latency_file=nowhere.txt"),
            vec![],
            "while reading nowhere.txt",
        ),
        (
            with("backtest.act_on=[\"good\"]"),
            vec![],
            "no quality; write one of ok, late",
        ),
        (with("backtest.entre=1"), vec![], "unknown field"),
        (with("row.on=bar"), vec![], "bar_ms = 60000"),
        (
            CANONICAL[..4].to_vec(),
            vec![],
            "fee_bps, or maker_fee_bps and taker_fee_bps",
        ),
        (
            CANONICAL.to_vec(),
            vec!["--sweep", "row.every=1,2"],
            "only keys of [backtest]",
        ),
        (
            CANONICAL.to_vec(),
            vec!["--sweep", "backtest.size=0.01,x"],
            "backtest.size=x",
        ),
        (
            CANONICAL.to_vec(),
            vec!["--from", "2026-01-06", "--to", "2026-01-05"],
            "write the earlier time under --from",
        ),
        (
            CANONICAL.to_vec(),
            vec!["--trades", "trades.csv"],
            "end the name in .parquet",
        ),
    ] {
        let (code, said) = refused(&set, &more);
        assert!(said.contains(words), "{set:?} {more:?}: {said}");
        assert_eq!(code, Some(2), "{said}");
    }
}

#[test]
fn a_span_or_an_input_without_signals_is_a_failure() {
    let (code, said) = refused(&CANONICAL, &["--from", "2030-01-01"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("do --from and --to name a time of the input?"),
        "{said}"
    );
    let folder = Folder::new("backtest-empty");
    let pipeline = folder.write("pipeline.toml", SMALL).display().to_string();
    let empty = folder.write("empty.jsonl", "").display().to_string();
    let sets = CANONICAL.iter().flat_map(|set| ["--set", set]);
    let args = ["backtest", &pipeline, "--input", &empty]
        .into_iter()
        .chain(sets);
    let run = foretick(&args.collect::<Vec<_>>());
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("it is empty"), "{}", run.stderr);
}

#[test]
fn an_input_without_what_orders_are_filled_on_is_named() {
    let folder = Folder::new("backtest-no-market");
    let pipeline = folder.write(
        "pipeline.toml",
        SMALL.replace("kind = \"mid\"", "kind = \"price\""),
    );
    let day = capture(1, 3, &["BTCUSDT"]);
    let without = |word: &str| {
        let lines = day.lines().filter(|line| !line.contains(word));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let run = |name: &str, text: String, on: &str| {
        let input = folder.write(name, text).display().to_string();
        let on = format!("backtest.fill_on={on}");
        let mut args = vec!["backtest".to_owned(), pipeline.display().to_string()];
        for set in [&CANONICAL[..], &[&on]].concat() {
            args.extend(["--set".to_owned(), set.to_owned()]);
        }
        args.extend(["--input".to_owned(), input]);
        foretick(&args)
    };
    let quotes = run("quotes.jsonl", without("bookTicker"), "quotes");
    assert_eq!(quotes.code, Some(1), "{}", quotes.stderr);
    assert!(
        quotes.stderr.contains("write fill_on = \"book\""),
        "{}",
        quotes.stderr
    );
}

#[test]
fn files_are_replaced_only_by_force() {
    if !needs::onnx("files_are_replaced_only_by_force") {
        return;
    }
    let folder = Folder::new("backtest-force");
    let output = folder.path("out").display().to_string();
    let (code, said) = refused(&CANONICAL, &["--output", &output]);
    assert_eq!(code, Some(0), "{said}");
    for name in ["trades.parquet", "equity.parquet", "report.json"] {
        assert!(folder.path("out").join(name).is_file(), "{name}");
    }
    let (code, said) = refused(&CANONICAL, &["--output", &output]);
    assert!(code == Some(2) && said.contains("add --force"), "{said}");
    let (code, said) = refused(&CANONICAL, &["--output", &output, "--force"]);
    assert_eq!(code, Some(0), "{said}");
}
