//! Trades that are corrected or cancelled, and halts of trading: what they do to the quality of rows.

use serde_json::json;

use super::feed::{Feed, START};

const PIPELINE: &str = r#"
name = "amended"
[row]
on = "trade"
stale_after_ms = 5_000
max_gap_ms = 60_000
[[feature]]
name = "mean"
kind = "mean"
of = "price"
window = 3
"#;

const MID: &str = "[[feature]]\nname = \"mid\"\nkind = \"mid\"\n";

fn feed(features: &str) -> Feed {
    Feed::new(&format!("{PIPELINE}{features}[model]\nkind = \"sum\"\n"), 1)
}

/// A message of this type at `ms` after the start, with these fields.
fn message(kind: &str, ms: i64, fields: serde_json::Value) -> String {
    let time = chrono::DateTime::from_timestamp_millis(START + ms).expect("a time of this century");
    let mut message = json!({"T": kind, "S": "OAK", "x": "V", "z": "C", "t": time.to_rfc3339()});
    let own = message.as_object_mut().expect("an object");
    own.extend(fields.as_object().expect("an object").clone());
    json!([message]).to_string()
}

fn trade(ms: i64, id: i64) -> String {
    message("t", ms, json!({"i": id, "p": 10.5, "s": 1}))
}

fn quote(ms: i64) -> String {
    message("q", ms, json!({"bp": 10.4, "bs": 1, "ap": 10.6, "as": 1}))
}

fn status(ms: i64, code: &str) -> String {
    message("s", ms, json!({"sc": code}))
}

#[test]
fn features_of_trades_are_degraded_until_an_amended_trade_has_left_them() {
    for amendment in [
        message(
            "c",
            50,
            json!({"oi": 3, "ci": 4, "op": 1, "os": 1, "cp": 2, "cs": 2}),
        ),
        message("x", 50, json!({"i": 3, "p": 1, "s": 1, "a": "C"})),
    ] {
        let mut feed = feed("");
        for n in 1..=3 {
            feed.words(n * 10, &trade(n * 10, n));
        }
        assert_eq!(feed.words(40, &trade(40, 9)), ["ok"]);
        assert_eq!(feed.words(50, &amendment), [""; 0], "no row of its own");
        let words: Vec<_> = (1..=4)
            .flat_map(|n| feed.words(50 + n, &trade(50 + n, 50 + n)))
            .collect();
        assert_eq!(words, ["degraded", "degraded", "ok", "ok"], "{amendment}");
        let counts = feed.engine.counts();
        assert_eq!(counts.corrections + counts.cancels, 1);
        assert_eq!((counts.gaps, counts.trades), (0, 8));
    }
}

#[test]
fn an_amended_trade_does_not_concern_quotes() {
    let text = PIPELINE.replace(
        "kind = \"mean\"\nof = \"price\"\nwindow = 3",
        "kind = \"mid\"",
    );
    let mut feed = Feed::new(&format!("{text}[model]\nkind = \"sum\"\n"), 1);
    feed.take(1, &quote(1));
    assert_eq!(feed.words(2, &trade(2, 1)), ["ok"]);
    feed.take(3, &message("x", 3, json!({"i": 1, "p": 1, "s": 1})));
    assert_eq!(
        feed.words(4, &trade(4, 2)),
        ["degraded"],
        "the row after it, in any case"
    );
    assert_eq!(feed.words(5, &trade(5, 3)), ["ok"]);
}

#[test]
fn no_row_is_ok_while_trading_is_halted_and_its_silence_is_no_gap() {
    let mut feed = feed(MID);
    feed.take(0, &quote(0));
    for n in 1..=3 {
        feed.words(n, &trade(n, n));
    }
    assert_eq!(feed.words(4, &trade(4, 4)), ["ok"]);
    assert_eq!(feed.words(10, &status(10, "H")), [""; 0]);
    assert_eq!(feed.words(11, &status(11, "H")), [""; 0]);
    // A late report of a trade; a quote that binds nobody.
    feed.take(12, &quote(12));
    assert_eq!(feed.words(13, &trade(13, 5)), ["stale"]);
    // Half an hour later quotes are open, and then trades.
    let open = 1_800_000;
    feed.take(open, &status(open, "Q"));
    feed.take(open + 1, &quote(open + 1));
    assert_eq!(feed.words(open + 2, &trade(open + 2, 6)), ["stale"]);
    feed.take(open + 3, &status(open + 3, "T"));
    assert_eq!(feed.words(open + 4, &trade(open + 4, 7)), ["ok"]);
    let counts = feed.engine.counts();
    assert_eq!((counts.halts, counts.silences, counts.gaps), (1, 0, 0));
    // A silence while it is traded is a gap, as before.
    let later = 2 * open;
    feed.take(later, &quote(later));
    assert_eq!(feed.words(later + 1, &trade(later + 1, 8)), ["gap"]);
}

#[test]
fn a_halt_whose_end_was_missed_ends_with_the_next_trade() {
    let mut feed = feed("");
    for n in 1..=4 {
        feed.words(n, &trade(n, n));
    }
    feed.take(5, &status(5, "2"));
    assert_eq!(feed.words(6, &trade(6, 6)), ["stale"]);
    feed.take(7, r#"{"foretick":"gap","reason":"reconnect"}"#);
    let words: Vec<_> = (8..12).flat_map(|n| feed.words(n, &trade(n, n))).collect();
    assert_eq!(words, ["gap", "gap", "ok", "ok"]);
}

#[test]
fn a_trade_without_a_side_leaves_what_needs_one_undefined() {
    for (feature, is_defined) in [
        ("kind = \"signed_size\"", false),
        ("kind = \"trade_flow\"\nwindow = 2", false),
        ("kind = \"vwap_deviation\"\nwindow = 2", true),
        ("kind = \"size\"", true),
    ] {
        let mut feed = feed(&format!("[[feature]]\nname = \"x\"\n{feature}\n"));
        for n in 1..=4 {
            feed.take(n, &trade(n, n));
        }
        assert_eq!(
            feed.take(5, &trade(5, 5)).len(),
            usize::from(is_defined),
            "{feature}"
        );
    }
}
