//! After a gap the quality is `gap` until no feature of its row rests on values from both sides of it.

use super::feed::{Feed, depth, snapshot, trade};

/// A pipeline with one column, on each trade.
fn feed(feature: &str) -> Feed {
    let text = format!(
        "name = \"gap\"\n[row]\non = \"trade\"\nstale_after_ms = 1_000_000\n{feature}\n[model]\nkind = \"sum\"\n"
    );
    Feed::new(&text, 1)
}

/// A trade whose price, size and side are others than those of the trade before.
fn varied(_: &str, ms: i64, id: i64) -> String {
    let (price, size) = (100 + id * 7 % 5, 1 + id % 3);
    trade("A", ms, id)
        .replace("\"10.5\"", &format!("\"10.{price}\""))
        .replace("\"0.1\"", &format!("\"0.{size}\""))
        .replace("false", &(id % 2 == 0).to_string())
}

/// Trades 1 to 100, a second apart, and then, as many missing, those from 111 on: how many signals say
/// `gap`, and that only `ok` follows.
fn gapped(feature: &str) -> usize {
    gapped_by(feature, trade)
}

fn gapped_by(feature: &str, trade: impl Fn(&str, i64, i64) -> String) -> usize {
    let mut feed = feed(feature);
    let mut words = vec![];
    for n in 1..=100 {
        words = feed.words(1_000 * n, &trade("A", 1_000 * n, n));
    }
    assert_eq!(words, ["ok"], "before the gap: {feature}");
    let mut words = vec![];
    for n in 111..=200 {
        words.extend(feed.words(1_000 * n, &trade("A", 1_000 * n, n)));
    }
    let gapped = words.iter().take_while(|word| **word == "gap").count();
    assert_eq!(words[gapped..], vec!["ok"; 90 - gapped], "{feature}");
    gapped
}

#[test]
fn signals_after_a_gap_are_gap_until_the_window_has_turned_over() {
    for (gapped_signals, feature) in [
        // The row of the first trade after the gap is marked in any case.
        (1, "[[feature]]\nname = \"x\"\nkind = \"price\""),
        (1, "[[feature]]\nname = \"x\"\nkind = \"time_of_day\""),
        // The first return is over the gap.
        (
            1,
            "[[feature]]\nname = \"x\"\nkind = \"log_return\"\nof = \"price\"",
        ),
        (1, "[[feature]]\nname = \"x\"\nkind = \"inter_arrival\""),
        // By count: full of new values with the fifth one.
        (
            4,
            "[[feature]]\nname = \"x\"\nkind = \"mean\"\nof = \"price\"\nwindow = 5",
        ),
        (
            4,
            "[[feature]]\nname = \"x\"\nkind = \"max\"\nof = \"price\"\nwindow = 5",
        ),
        (
            4,
            "[[feature]]\nname = \"x\"\nkind = \"trade_flow\"\nwindow = 5",
        ),
        // By time: the span after the first trade behind the gap, at 111 s.
        (
            5,
            "[[feature]]\nname = \"x\"\nkind = \"std\"\nof = \"price\"\nwindow_ms = 5_000",
        ),
        (
            5,
            "[[feature]]\nname = \"x\"\nkind = \"trade_intensity\"\nwindow_ms = 5_000",
        ),
        // 3 / alpha values.
        (
            5,
            "[[feature]]\nname = \"x\"\nkind = \"ema\"\nof = \"size\"\nalpha = 0.5",
        ),
        // log2(20) = 4.3 half-lives of 2 s after the first trade.
        (
            9,
            "[[feature]]\nname = \"x\"\nkind = \"ema\"\nof = \"price\"\nhalf_life_ms = 2_000",
        ),
        // The return over the gap is a value of its own, and leaves the window one trade later.
        (5, RETURNS),
        // An average of means that hold the gap for four trades: 3 / alpha values after the last of them.
        (9, AVERAGE_OF_MEANS),
    ] {
        assert_eq!(gapped(feature), gapped_signals, "{feature}");
    }
}

const RETURNS: &str = r#"
[[feature]]
name = "r"
kind = "log_return"
of = "price"
hidden = true
[[feature]]
name = "x"
kind = "realised_volatility"
of = "r"
window = 5
"#;

const AVERAGE_OF_MEANS: &str = r#"
[[feature]]
name = "m"
kind = "mean"
of = "price"
window = 5
hidden = true
[[feature]]
name = "x"
kind = "ema"
of = "m"
alpha = 0.5
"#;

#[test]
fn signals_of_further_kinds_are_gap_until_they_have_turned_over() {
    let price_return =
        "name = \"r\"\nkind = \"log_return\"\nof = \"price\"\nhidden = true\n[[feature]]\n";
    for (gapped_signals, kind) in [
        // The fourth value is the first that is compared with one of after the gap.
        (3, "kind = \"log_return\"\nof = \"price\"\nperiods = 3"),
        (1, "kind = \"difference\"\nof = \"price\""),
        (4, "kind = \"z_score\"\nof = \"price\"\nwindow = 5"),
        (4, "kind = \"skew\"\nof = \"price\"\nwindow = 5"),
        (4, "kind = \"rank\"\nof = \"price\"\nwindow = 5"),
        (5, "kind = \"rank\"\nof = \"price\"\nwindow_ms = 5_000"),
        (
            4,
            "kind = \"correlation\"\nof = \"price\"\nto = \"size\"\nwindow = 5",
        ),
        // The change over the gap is a value of its own.
        (5, "kind = \"kyle_lambda\"\nwindow = 5"),
        (5, "kind = \"beta\"\nof = \"size\"\nto = \"r\"\nwindow = 5"),
        (5, "kind = \"bipower_variation\"\nof = \"r\"\nwindow = 5"),
        // Three times the smoothing, after the first value.
        (9, "kind = \"rsi\"\nof = \"price\"\nperiods = 3"),
        // A bucket takes three trades. The one that holds the gap is full with trade 113, and out with 119.
        (8, "kind = \"vpin\"\nbucket = 0.6\nwindow = 2"),
        (1, "kind = \"new_session\"\nof = \"price\"\nzone = \"UTC\""),
        (
            1,
            "kind = \"difference\"\nof = \"price\"\novernight = \"exclude\"\nzone = \"UTC\"",
        ),
        (1, "kind = \"session_time\"\nzone = \"UTC\""),
    ] {
        let others = if kind.contains("\"r\"") {
            price_return
        } else {
            ""
        };
        let feature = format!("[[feature]]\n{others}name = \"x\"\n{kind}");
        assert_eq!(gapped_by(&feature, varied), gapped_signals, "{feature}");
    }
}

#[test]
fn a_gap_in_the_trades_is_none_in_the_book() {
    let flow = "[[feature]]\nname = \"mid\"\nkind = \"mid\"";
    let mut feed = feed(flow);
    feed.take(0, &trade("A", 0, 0)); // gives the time
    feed.take(0, &snapshot("A", 100));
    assert_eq!(feed.words(1, &trade("A", 1, 1)), ["ok"]);
    assert_eq!(feed.words(2, &trade("A", 2, 9)), ["gap"]);
    assert_eq!(feed.words(3, &trade("A", 3, 10)), ["ok"]);
}

#[test]
fn windows_over_a_broken_book_are_gap_until_they_have_turned_over() {
    let mut feed = feed(FLOW);
    feed.take(0, &snapshot("A", 100));
    let change = |feed: &mut Feed, id: u64| {
        let (ms, bids) = (id as i64, format!(r#"[["10","{id}"]]"#));
        feed.take(ms, &depth("A", ms, (id, id), &bids, "[]"));
        feed.words(ms, &trade("A", ms, id as i64))
    };
    let words: Vec<_> = (101..=104).flat_map(|id| change(&mut feed, id)).collect();
    assert_eq!(words.last(), Some(&"ok"), "{words:?}");
    // Changes are missing, a snapshot comes, and three changes after it.
    assert_eq!(change(&mut feed, 110), ["gap"]);
    feed.take(111, &snapshot("A", 111));
    assert_eq!(feed.words(112, &trade("A", 112, 111)), ["gap"]);
    let words: Vec<_> = (112..=117).flat_map(|id| change(&mut feed, id)).collect();
    // The flow from the old book to the snapshot is a value over the gap, the window holds three.
    assert_eq!(words, ["gap", "gap", "ok", "ok", "ok", "ok"]);
}

const FLOW: &str = r#"
[[feature]]
name = "f"
kind = "order_flow_imbalance"
hidden = true
[[feature]]
name = "x"
kind = "sum"
of = "f"
window = 3
"#;

#[test]
fn a_quote_from_before_a_reconnect_is_not_ok() {
    let mut feed = feed("[[feature]]\nname = \"spread\"\nkind = \"spread\"");
    let quote = |id: u64| format!(r#"{{"u":{id},"s":"A","b":"10","B":"1","a":"11","A":"1"}}"#);
    feed.take(1, &trade("A", 1, 1));
    feed.take(1, &quote(1));
    assert_eq!(feed.words(2, &trade("A", 2, 2)), ["ok"]);
    feed.take(3, r#"{"foretick":"gap","reason":"reconnect","missing":0}"#);
    assert_eq!(feed.words(4, &trade("A", 4, 3)), ["gap"]);
    assert_eq!(
        feed.words(5, &trade("A", 5, 4)),
        ["gap"],
        "no new quote yet"
    );
    feed.take(6, &quote(2));
    assert_eq!(feed.words(7, &trade("A", 7, 5)), ["ok"]);
}

#[test]
fn a_gap_does_not_publish_rows_whose_features_are_warming() {
    let text = "name = \"gap\"\n[row]\non = \"trade\"\nwhile_warming = false\n[[feature]]\nname = \"x\"\n\
                kind = \"mean\"\nof = \"price\"\nwindow_ms = 8_000\n[model]\nkind = \"sum\"\n";
    let mut feed = Feed::new(text, 1);
    let mut published = vec![];
    for n in [1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15_i64] {
        let words = feed.words(1_000 * n, &trade("A", 1_000 * n, n));
        published.extend(words.into_iter().map(|word| (n, word)));
    }
    let first = published.first().expect("the window fills up");
    assert!(
        first.0 > 8,
        "a half-full window is published: {published:?}"
    );
}
