//! Fills on daily bars: two trades that were computed by hand.

use serde_json::json;

use crate::given::{Folder, foretick};
use crate::{number, report};

/// The score is the return of the last day.
const PIPELINE: &str = r#"
name = "daily"

[row]
on = "bar"

[[feature]]
name = "return"
kind = "log_return"
of = "close"

[model]
kind = "sum"
normalise = "none"

[backtest]
enter = 0.01
hold_ms = 23_400_000
size = 2.0
sizes = { "OAK.XNAS" = 10.0 }
latency_ms = 50
fee_bps = 1.0
bar_ms = 23_400_000
"#;

/// Opens and closes of sessions of 6.5 hours.
const DAYS: [(f64, f64); 6] = [
    (100.0, 100.0),
    (101.0, 102.0),
    (103.0, 102.5),
    (105.0, 105.2),
    (106.0, 106.1),
    (107.0, 107.0),
];

/// The close of the first day, and a day, in nanoseconds.
const FIRST: i64 = 1_767_646_800_000_000_000;
const DAY: i64 = 86_400_000_000_000;

/// The return of the second day enters at the open of the third; held for a session, so until its close,
/// and left at the next open. The same follows of the fourth day.
#[test]
fn trades_are_filled_at_the_next_open() {
    let folder = Folder::new("backtest-bars");
    let pipeline = folder
        .write("pipeline.toml", PIPELINE)
        .display()
        .to_string();
    let bar = |(day, (open, close)): (usize, (f64, f64))| {
        let ts = FIRST + day as i64 * DAY;
        let (high, low) = (open.max(close), open.min(close));
        let bar = json!({"ts_event": ts, "symbol": "OAK.XNAS", "open": open, "high": high, "low": low,
            "close": close, "volume": 1000});
        format!("{bar}\n")
    };
    let bars: String = DAYS.into_iter().enumerate().map(bar).collect();
    let input = folder.write("days.jsonl", bars).display().to_string();
    let page = folder.path("page.html").display().to_string();
    let args = [
        "backtest", &pipeline, "--input", &input, "--json", "--report", &page,
    ];
    let found = report(&foretick(&args));
    assert_eq!(
        (&found["trades"], &found["fill_on"]),
        (&json!(2), &json!("bars")),
        "{found}"
    );
    let gross = 10.0 * (105.0 - 103.0) + 10.0 * (107.0 - 106.0);
    assert!(
        (number(&found["pnl_gross"]) - gross).abs() < 1e-9,
        "{found}"
    );
    let notional = 10.0 * (103.0 + 105.0 + 106.0 + 107.0);
    assert!((number(&found["fees"]) - notional / 10_000.0).abs() < 1e-9);
    assert_eq!(found["terms"]["sizes"]["OAK.XNAS"], 10.0);
    crate::page::is_that_of(&folder.read("page.html"), &found);

    let minutes = [
        &args[..],
        &[
            "--force",
            "--set",
            "backtest.fill=limit",
            "--set",
            "backtest.cancel_ms=1",
        ],
    ];
    let refused = foretick(&minutes.concat());
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("what limit orders meet"),
        "{}",
        refused.stderr
    );
    let quotes = [&args[..], &["--force", "--set", "backtest.fill_on=quotes"]];
    let refused = foretick(&quotes.concat());
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("fill_on = \"bars\""),
        "{}",
        refused.stderr
    );
}
