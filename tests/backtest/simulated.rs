//! Backtests of a simulated market: several instruments, sweeps, and the digest of the signals.

use serde_json::Value;

use crate::given::{Folder, Run, SMALL, capture, foretick};
use crate::{number, report};

/// Terms under which the small pipeline, whose score is a mid and a flow, trades often.
const OFTEN: [&str; 6] = [
    "backtest.enter=1",
    "backtest.hold_ms=300",
    "backtest.size=0.5",
    "backtest.latency_ms=20",
    "backtest.fee_bps=1",
    "backtest.fill_on=book",
];

/// The beginning of the market, and a second, in nanoseconds.
const EPOCH_NS: i64 = 1_767_571_200_000_000_000;
const SECOND_NS: i64 = 1_000_000_000;

/// Runs a command on the small pipeline and two instruments.
fn run(test: &str, command: &str, set: &[&str], more: &[&str]) -> Run {
    run_seconds(test, command, 20, set, more)
}

/// The same, on a market of so many seconds.
fn run_seconds(test: &str, command: &str, seconds: u64, set: &[&str], more: &[&str]) -> Run {
    let folder = Folder::new(&format!("backtest-{test}"));
    let pipeline = folder.write("pipeline.toml", SMALL).display().to_string();
    let day = capture(3, seconds, &["BTCUSDT", "ETHUSDT"]);
    let input = folder.write("day.jsonl", day).display().to_string();
    let mut args = vec![command, &pipeline, "--input", &input, "--json"];
    for one in set {
        args.extend(["--set", one]);
    }
    args.extend(more);
    foretick(&args)
}

#[test]
fn signals_are_those_of_replay_and_parts_add_up() {
    let found = report(&run("parts", "backtest", &OFTEN, &[]));
    let replayed: Value = report(&run("replay", "replay", &[], &[]));
    assert_eq!(found["digest"], replayed["digest"]);
    assert_eq!(found["signals"], replayed["signals"]);
    assert!(number(&found["trades"]) > 50.0, "{found}");
    for parts in ["by_instrument", "by_hour", "by_quality"] {
        let parts = found[parts].as_object().expect("a table of parts");
        for key in ["trades", "pnl_gross", "fees", "turnover"] {
            let sum: f64 = parts.values().map(|part| number(&part[key])).sum();
            assert!(
                (sum - number(&found[key])).abs() < 1e-6,
                "{key}: {sum} {}",
                found[key]
            );
        }
    }
    let instruments = found["by_instrument"].as_object().expect("a table");
    let names: Vec<&String> = instruments.keys().collect();
    assert_eq!(names, ["BTCUSDT.BINANCE", "ETHUSDT.BINANCE"]);
    let net = number(&found["pnl_gross"]) - number(&found["fees"]);
    assert!((net - number(&found["pnl_net"])).abs() < 1e-9);
    let free = &found["by_fee"][0];
    assert_eq!(
        (number(&free["fee_bps"]), &free["pnl_net"]),
        (0.0, &found["pnl_gross"])
    );
}

#[test]
fn a_sweep_gives_each_combination_what_it_gives_alone() {
    let sweep = [
        "--sweep",
        "backtest.enter=1,9",
        "--sweep",
        "backtest.hold_ms=300,700",
    ];
    let swept = report(&run("sweep", "backtest", &OFTEN, &sweep));
    let rows = swept["sweep"]
        .as_array()
        .expect("a row for each combination");
    let sets: Vec<String> = rows.iter().map(|row| row["set"].to_string()).collect();
    let set =
        |enter, hold| format!("{{\"backtest.enter\":\"{enter}\",\"backtest.hold_ms\":\"{hold}\"}}");
    assert_eq!(sets, [set(1, 300), set(1, 700), set(9, 300), set(9, 700)]);
    assert_eq!(swept["trials"], 4);
    for key in ["trades", "pnl_net", "sharpe", "max_drawdown"] {
        assert_eq!(rows[0][key], swept[key], "{key}: the pipeline's own terms");
    }
    let alone = [&OFTEN[..], &["backtest.enter=9", "backtest.hold_ms=700"]].concat();
    let alone = report(&run("alone", "backtest", &alone, &[]));
    for key in [
        "trades",
        "pnl_gross",
        "fees",
        "pnl_net",
        "sharpe",
        "sortino",
        "calmar",
    ] {
        assert_eq!(rows[3][key], alone[key], "{key}");
    }
}

#[test]
fn the_same_run_gives_the_same_bytes_whatever_the_batches() {
    let one = run("bytes-1", "backtest", &OFTEN, &[]);
    let other = [&OFTEN[..], &["engine.batch=7"]].concat();
    let other = run("bytes-7", "backtest", &other, &[]);
    assert_eq!(one.stdout, other.stdout);
}

/// The market is 20 s long. What is before `--from` and behind `--to` is no time that was traded.
#[test]
fn ratios_are_of_the_time_that_was_traded() {
    let span = [
        "--from",
        "2026-01-05T00:00:05Z",
        "--to",
        "2026-01-05T00:00:12Z",
    ];
    let all = report(&run_seconds("span-20", "backtest", 20, &OFTEN, &span));
    let cut = report(&run_seconds("span-14", "backtest", 14, &OFTEN, &span));
    assert!(number(&all["trades"]) > 10.0, "{all}");
    for key in [
        "trades",
        "pnl_net",
        "sharpe",
        "sortino",
        "calmar",
        "deflated_sharpe",
        "exposure",
        "span",
    ] {
        assert_eq!(all[key], cut[key], "{key}");
    }
    let ends = [0, 1].map(|at| all["span"][at].as_i64().expect("a time"));
    assert_eq!(ends[0], EPOCH_NS + 5 * SECOND_NS);
    assert!(
        (EPOCH_NS + 12 * SECOND_NS..EPOCH_NS + 13 * SECOND_NS).contains(&ends[1]),
        "{ends:?}"
    );
    // Signals from the first second on, traded in a span that begins 100 s before it.
    let own = report(&run_seconds("span-own", "backtest", 20, &OFTEN, &[]));
    let wide = ["--from", "2026-01-04T23:58:20Z"];
    let wide = report(&run_seconds("span-wide", "backtest", 20, &OFTEN, &wide));
    assert_eq!(own["digest"], wide["digest"]);
    let share = |of: &Value| number(&of["exposure"]["time_in_market"]);
    let samples = 100.0 / (share(&own) / share(&wide) - 1.0);
    assert!((samples - 20.0).abs() < 1e-6, "{samples} samples of 20 s");
    let codes = |of: &Value| of["findings"].to_string().contains("\"silence\"");
    assert_eq!(
        (codes(&own), codes(&wide), codes(&all)),
        (false, true, false)
    );
}
