//! The quality of signals after a splice, a gap, a crossed book, silence and overload: decoder and engine.
//!
//! The rules of the book alone are tested in `src/engine/book.rs`.

use foretick::signal::quality::Quality;
use foretick::simulate;
use foretick::simulate::Market;
use foretick::units::Nanos;
use serde_json::json;

use super::feed::{Feed, START, depth, snapshot, trade};

/// Rows in a window.
const STEPS: usize = 5;
const SECOND: i64 = 1_000_000_000;

/// Rows of mid, imbalance and flow on events of kind `on`.
fn feed(on: &str) -> Feed {
    Feed::new(&FEATURES.replace("ON", on), STEPS)
}

/// A book of one instrument, and full windows over it, by ten changes 100 ms apart.
fn make_ready(feed: &mut Feed, symbol: &str) {
    feed.take(0, &depth(symbol, 0, (100, 100), "[]", "[]"));
    feed.take(0, &snapshot(symbol, 100));
    for n in 1..=10 {
        feed.take(100 * n, &trade(symbol, 100 * n, n));
        let id = 100 + n as u64;
        let bids = r#"[["10","2"]]"#;
        feed.take(100 * n, &depth(symbol, 100 * n, (id, id), bids, "[]"));
    }
}

const FEATURES: &str = r#"
name = "broken-book"
[row]
on = "ON"
stale_after_ms = 2_000
[[feature]]
name = "mid"
kind = "mid"
[[feature]]
name = "imbalance"
kind = "queue_imbalance"
levels = 3
[[feature]]
name = "flow"
kind = "trade_flow"
window_ms = 500
[model]
kind = "sum"
"#;

const IMBALANCE: &str = r#"
name = "imbalance"
[row]
on = "book"
[[feature]]
name = "imbalance"
kind = "queue_imbalance"
levels = 1
[model]
kind = "sum"
"#;

#[test]
fn a_capture_is_spliced_without_a_gap() {
    let mut feed = feed("book");
    let text = crate::given::capture(11, 6, &["BTCUSDT", "ETHUSDT"]);
    let mut words = vec![];
    for line in text.lines() {
        words.extend(feed.words(0, line));
    }
    let counts = *feed.engine.counts();
    assert!(
        counts.waited > 4,
        "diffs came before the snapshots: {counts:?}"
    );
    assert_eq!((counts.gaps, counts.crossed), (0, 0));
    assert!(feed.snapshot_requests().is_empty());
    assert_eq!(words.first(), Some(&"warming"));
    assert_eq!(words.last(), Some(&"ok"));
    assert!(words.iter().all(|word| ["warming", "ok"].contains(word)));
}

/// A topic holds changes from some day on: the whole book comes as a record of ours, or as the venue's
/// answer.
#[test]
fn a_book_of_records_begins_with_a_snapshot_in_the_topic() {
    let levels = |n: i64| json!({"bids": [[9, n]], "asks": [[11, 1]]});
    let record = |n: i64, is_whole: bool| {
        let mut record = json!({"ts_event": START * 1_000_000 + n * SECOND / 10, "symbol": "BTCUSDT.BINANCE",
            "first_sequence": n, "sequence": n, "snapshot": is_whole});
        let levels = levels(n);
        (record["bids"], record["asks"]) = (levels["bids"].clone(), levels["asks"].clone());
        record.to_string()
    };
    let of_topic = |n: i64| record(n, true);
    let of_venue = |n: i64| snapshot("BTCUSDT", n as u64);
    for whole in [&of_topic as &dyn Fn(i64) -> String, &of_venue] {
        let mut feed = Feed::new(IMBALANCE, 1);
        for n in 4..=8 {
            let words = feed.words(100 * n, &record(n, false));
            assert!(words.is_empty(), "it waits");
        }
        assert_eq!(feed.engine.waiting().count(), 1);
        feed.take(800, &whole(6));
        assert_eq!(feed.engine.waiting().count(), 0, "{}", whole(6));
        assert_eq!(feed.words(900, &record(9, false)), ["ok"]);
        // A hole, and another snapshot in the middle.
        assert!(feed.words(1_200, &record(12, false)).is_empty());
        assert_eq!(feed.snapshot_requests(), ["BTCUSDT.BINANCE"]);
        let tick = r#"{"foretick":"tick","ts":1767571201250000000}"#;
        assert_eq!(feed.words(1_250, tick), ["gap"]);
        feed.take(1_300, &whole(12));
        assert_eq!(feed.words(1_300, &record(13, false)), ["ok"]);
        assert_eq!(feed.engine.waiting().count(), 0);
    }
}

/// The market itself, so that a snapshot can be requested when one is needed.
#[test]
fn a_lost_diff_is_a_gap_until_a_snapshot_arrives() {
    let mut settings = simulate::MarketSettings::default();
    settings.instruments.truncate(2);
    let mut market = Market::new(&settings).unwrap();
    let mut feed = feed("book");
    let advance = |market: &mut Market, feed: &mut Feed, to: i64, lost: &mut u32| {
        let mut messages = vec![];
        market.advance(Nanos(settings.start.0 + to), &mut messages);
        let mut words: [Vec<&'static str>; 2] = Default::default();
        for message in messages {
            let is_depth =
                message.stream == simulate::MarketStream::Depth && message.instrument == 0;
            if is_depth && *lost > 0 {
                *lost -= 1;
                continue;
            }
            words[message.instrument].extend(feed.words(0, &message.json));
        }
        words
    };
    advance(&mut market, &mut feed, SECOND, &mut 0);
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        feed.take(0, &market_snapshot(&market, symbol));
    }
    let [bitcoin, ether] = advance(&mut market, &mut feed, 3 * SECOND, &mut 0);
    assert!(bitcoin.ends_with(&["ok"]) && ether.ends_with(&["ok"]));
    assert!(feed.snapshot_requests().is_empty());

    let [bitcoin, ether] = advance(&mut market, &mut feed, 4 * SECOND, &mut 1);
    assert_eq!(
        feed.snapshot_requests(),
        ["BTCUSDT.BINANCE"],
        "requested once"
    );
    let before = bitcoin.len();
    assert!(before <= 1, "a frozen book makes no rows: {bitcoin:?}");
    assert!(
        ether.iter().all(|word| *word == "ok"),
        "another book is not affected"
    );
    assert_eq!(feed.engine.counts().gaps, 1);

    let back = feed.words(0, &market_snapshot(&market, "BTCUSDT"));
    assert_eq!(back, ["gap"], "the row of the snapshot has the quality gap");
    let [bitcoin, _] = advance(&mut market, &mut feed, 6 * SECOND, &mut 0);
    let expected = [["gap"; STEPS - 1].as_slice(), &["ok"; 12]].concat();
    assert_eq!(
        bitcoin[..16],
        expected,
        "as long as the row is in the window"
    );
    assert_eq!(feed.engine.counts().gaps, 1);
}

#[test]
fn every_trade_on_a_gapped_book_has_the_quality_gap() {
    let mut feed = feed("trade");
    make_ready(&mut feed, "BTCUSDT");
    assert_eq!(feed.words(1_100, &trade("BTCUSDT", 1_100, 11)), ["ok"]);
    feed.take(
        1_200,
        &depth("BTCUSDT", 1_200, (113, 113), r#"[["10","3"]]"#, "[]"),
    );
    for n in 12..20 {
        assert_eq!(
            feed.words(1_200, &trade("BTCUSDT", 1_200, n)),
            ["gap"],
            "trade {n}"
        );
    }
    assert_eq!(feed.snapshot_requests(), ["BTCUSDT.BINANCE"]);
}

#[test]
fn a_snapshot_that_is_too_old_is_requested_again_later() {
    let mut feed = feed("trade");
    make_ready(&mut feed, "BTCUSDT");
    feed.take(1_200, &depth("BTCUSDT", 1_200, (150, 151), "[]", "[]"));
    assert_eq!(feed.snapshot_requests().len(), 1);
    feed.take(1_200, &snapshot("BTCUSDT", 140));
    assert!(feed.snapshot_requests().is_empty(), "not at once");
    for (second, requested) in [(2, 0), (3, 0), (4, 1), (5, 0)] {
        let tick = format!(
            r#"{{"foretick":"tick","ts":{}}}"#,
            (START + 1_000 * second) * 1_000_000
        );
        feed.take(1_000 * second, &tick);
        assert_eq!(feed.snapshot_requests().len(), requested, "at {second} s");
    }
    feed.take(5_200, &snapshot("BTCUSDT", 150));
    assert!(feed.snapshot_requests().is_empty());
}

#[test]
fn a_reconnect_breaks_every_book() {
    let mut feed = feed("trade");
    make_ready(&mut feed, "BTCUSDT");
    make_ready(&mut feed, "ETHUSDT");
    feed.take(
        1_100,
        r#"{"foretick":"gap","reason":"reconnect","missing":0}"#,
    );
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        assert_eq!(feed.words(1_200, &trade(symbol, 1_200, 11)), ["gap"]);
        feed.take(1_300, &snapshot(symbol, 200));
        let mut words = vec![];
        for n in 12..(18 + STEPS as i64) {
            let ms = 100 * n + 100;
            words.extend(feed.words(ms, &trade(symbol, ms, n)));
        }
        // The flow is over the 500 ms before a trade, and the first one after the reconnect came at 1,200
        // ms.
        let gapped = 4 + STEPS - 1;
        assert_eq!(words[..gapped], vec!["gap"; gapped], "{symbol}");
        assert_eq!(words[gapped..], ["ok"; 3], "{symbol}");
    }
}

#[test]
fn missing_trades_are_a_gap_until_both_windows_have_turned_over() {
    let mut feed = feed("trade");
    make_ready(&mut feed, "BTCUSDT");
    feed.words(1_100, &trade("BTCUSDT", 1_100, 15));
    assert_eq!(
        (feed.engine.counts().gaps, feed.engine.counts().missing),
        (1, 4)
    );
    let words: Vec<_> = (16..26)
        .flat_map(|n| feed.words(100 * n - 400, &trade("BTCUSDT", 100 * n - 400, n)))
        .collect();
    // The flow's window of 500 ms is whole again at 1,600 ms, by trade 20; the model's window holds five
    // rows.
    assert_eq!(words[..8], ["gap"; 8]);
    assert_eq!(words[8..], ["ok"; 2]);
}

#[test]
fn a_crossed_book_has_the_quality_crossed() {
    let mut feed = feed("book");
    make_ready(&mut feed, "BTCUSDT");
    let crossing = depth("BTCUSDT", 1_100, (111, 111), r#"[["12","1"]]"#, "[]");
    assert_eq!(feed.words(1_100, &crossing), ["crossed"]);
    assert_eq!(feed.engine.counts().crossed, 1);
    let mended = depth("BTCUSDT", 1_200, (112, 112), r#"[["12","0"]]"#, "[]");
    assert_eq!(
        feed.words(1_200, &mended),
        ["crossed"],
        "still in the window"
    );
}

#[test]
fn trades_without_a_book_become_stale() {
    let mut feed = feed("trade");
    make_ready(&mut feed, "BTCUSDT");
    assert_eq!(
        feed.words(3_000, &trade("BTCUSDT", 3_000, 11)),
        ["ok"],
        "two seconds are allowed"
    );
    assert_eq!(feed.words(3_001, &trade("BTCUSDT", 3_001, 12)), ["stale"]);
    assert!(feed.snapshot_requests().is_empty(), "old is not lost");
}

#[test]
fn windows_by_time_warm_up() {
    let mut feed = feed("book");
    let mut words = vec![];
    feed.take(0, &depth("BTCUSDT", 0, (100, 100), "[]", "[]"));
    feed.take(0, &snapshot("BTCUSDT", 100));
    feed.take(0, &trade("BTCUSDT", 0, 1));
    for n in 1..=20 {
        let id = 100 + n as u64;
        words.extend(feed.words(100 * n, &depth("BTCUSDT", 100 * n, (id, id), "[]", "[]")));
    }
    // The sixth row is the first at 500 ms; the fifth, the last that is not warm, is still in the
    // windows of the five signals from the first one on, which comes with the fifth row.
    let (warming, ok) = words.split_at(5);
    assert!(warming.iter().all(|word| *word == "warming"), "{words:?}");
    assert!(
        ok.len() > 5 && ok.iter().all(|word| *word == "ok"),
        "{words:?}"
    );
}

#[test]
fn dropped_frames_make_signals_degraded() {
    let mut feed = feed("trade");
    make_ready(&mut feed, "BTCUSDT");
    let overflow = r#"{"foretick":"gap","symbol":"BTCUSDT","reason":"overflow","missing":7}"#;
    feed.take(1_100, overflow);
    assert_eq!(feed.engine.counts().missing, 7);
    let words: Vec<_> = (11..22)
        .flat_map(|n| feed.words(100 * n, &trade("BTCUSDT", 100 * n, n)))
        .collect();
    // As long as the flow's window of 500 ms holds what came before, and then the model's window of five
    // rows.
    assert_eq!(words[..9], ["degraded"; 9]);
    assert_eq!(words[9..], ["ok"; 2]);
}

#[test]
fn an_instrument_that_falls_silent_gives_one_stale_signal() {
    let mut feed = feed("trade");
    make_ready(&mut feed, "BTCUSDT");
    let tick = |ms: i64| format!(r#"{{"foretick":"tick","ts":{}}}"#, (START + ms) * 1_000_000);
    assert!(
        feed.take(2_900, &tick(2_900)).is_empty(),
        "the last event was 1.9 s ago"
    );
    let repeated = feed.take(3_500, &tick(3_500));
    assert_eq!(repeated.len(), 1);
    assert_eq!(repeated[0].quality, Quality::Stale);
    assert_eq!(
        repeated[0].ts_event,
        Nanos((START + 3_500) * 1_000_000),
        "the tick's time"
    );
    assert!(
        feed.take(4_500, &tick(4_500)).is_empty(),
        "only one such signal"
    );
    feed.take(5_000, &trade("BTCUSDT", 5_000, 11));
    assert_eq!(feed.take(8_000, &tick(8_000)).len(), 1, "silent again");
}

fn market_snapshot(market: &Market, symbol: &str) -> String {
    let json = market
        .snapshot(symbol, 1_000)
        .expect("the symbol is listed");
    let stream = symbol.to_ascii_lowercase();
    format!(r#"{{"stream":"{stream}@depth_snapshot","data":{json}}}"#)
}
