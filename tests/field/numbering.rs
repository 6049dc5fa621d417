//! C: nothing is held against a venue's numbers from before a reconnect, a gap or a snapshot; a fall of the
//! numbers is counted, and its signals are marked `gap`; a copy changes nothing.

use serde_json::Value;

use crate::given::{Folder, foretick};
use crate::replayed::{self, START, one_feature, replay, replay_with};

fn trade(at: i64, id: i64, price: i64) -> String {
    let ts = START + at * 100_000_000;
    format!(
        r#"{{"ts_event":{ts},"symbol":"A.X","price":{price},"size":1,"side":"buy","trade_id":{id}}}"#
    )
}

fn depth(at: i64, number: i64, snapshot: bool, bid: i64, ask: i64) -> String {
    let (bids, asks) = (format!("[[{bid},1]]"), format!("[[{ask},1]]"));
    replayed::depth(at * 100_000_000, number, snapshot, &bids, &asks)
}

#[test]
fn trades_go_on_when_their_numbers_begin_anew() {
    let lines = [
        trade(0, 41_000, 1),
        trade(1, 41_001, 2),
        trade(2, 1, 3),
        trade(3, 2, 4),
        trade(4, 3, 5),
    ];
    let run = replay("price", "trade", &lines);
    assert_eq!(
        run.with_quality(),
        ["1.0 ok", "2.0 ok", "3.0 gap", "4.0 ok", "5.0 ok"]
    );
    let events = &run.summary["events"];
    assert_eq!(
        (&events["renumbered"], &events["gaps"]),
        (&1.into(), &1.into()),
        "{events}"
    );
}

#[test]
fn copies_of_trades_are_dropped() {
    let lines = [
        trade(0, 7, 1),
        trade(1, 8, 2),
        trade(1, 8, 2),
        trade(0, 7, 1),
        trade(2, 9, 3),
    ];
    let run = replay("price", "trade", &lines);
    assert_eq!(run.with_quality(), ["1.0 ok", "2.0 ok", "3.0 ok"]);
    assert_eq!(run.summary["events"]["duplicates"], 2);
}

#[test]
fn a_snapshot_replaces_the_book_whatever_its_number() {
    let lines = [
        depth(0, 26_941_144, true, 99, 101),
        depth(1, 26_941_145, false, 99, 101),
        depth(2, 1, true, 49, 51),
        depth(3, 2, false, 49, 51),
        depth(4, 3, false, 50, 51),
    ];
    let run = replay("mid", "book", &lines);
    assert_eq!(run.scores(), [100.0, 100.0, 50.0, 50.0, 50.5]);
    assert_eq!(run.with_quality()[2], "50.0 gap");
    assert_eq!(run.summary["events"]["renumbered"], 1);
}

#[test]
fn quotes_go_on_when_their_numbers_begin_anew() {
    let quote = |at: i64, number: i64, bid: i64| {
        let ts = START + at * 100_000_000;
        format!(
            r#"{{"ts_event":{ts},"symbol":"A.X","sequence":{number},"bid_px":{bid},"bid_sz":1,"ask_px":{},"ask_sz":1}}"#,
            bid + 2
        )
    };
    let run = replay(
        "mid",
        "quote",
        &[
            quote(0, 900, 9),
            quote(1, 3, 19),
            quote(2, 4, 29),
            quote(0, 2, 5),
        ],
    );
    assert_eq!(run.with_quality(), ["10.0 ok", "20.0 gap", "30.0 ok"]);
    assert_eq!(
        run.summary["events"]["stale"], 1,
        "the last one is of before"
    );
}

#[test]
fn diffs_of_new_numbers_wait_for_a_snapshot() {
    let lines = [
        depth(0, 500, true, 99, 101),
        depth(1, 501, false, 99, 101),
        depth(2, 7, false, 59, 61),
        depth(3, 8, false, 60, 61),
        depth(4, 7, true, 59, 61),
        depth(5, 9, false, 60, 62),
    ];
    let run = replay("mid", "book", &lines);
    // The snapshot holds number 7; number 8 waits and is joined to it.
    assert_eq!(run.scores(), [100.0, 100.0, 60.5, 60.5]);
    assert_eq!(run.with_quality()[2], "60.5 gap");
}

/// A book of a venue whose books come with the subscription, received and made at tenth `at` of a second:
/// the best bid is its number above 90, the best ask is 111.
type BookMessage = fn(at: u64, number: u64, is_whole: bool) -> String;

fn of_okx(at: u64, number: u64, is_whole: bool) -> String {
    let (action, before) = match is_whole {
        true => ("snapshot", "-1".to_owned()),
        false => ("update", (number - 1).to_string()),
    };
    let (bids, ts) = (changed(number, is_whole), 1_767_323_045_000 + at * 100);
    let bids: Vec<String> = bids
        .iter()
        .map(|(price, size)| format!(r#"["{price}","{size}"]"#))
        .collect();
    let bids = bids.join(",");
    format!(
        r#"{{"arg":{{"channel":"books","instId":"OAK-USDT"}},"action":"{action}","data":[{{"asks":[["111","1"]],"bids":[{bids}],"ts":"{ts}","seqId":{number},"prevSeqId":{before}}}]}}"#
    )
}

fn of_coinbase(at: u64, number: u64, is_whole: bool) -> String {
    let kind = if is_whole { "snapshot" } else { "update" };
    let time = format!("2026-01-02T03:04:05.{at}Z");
    let update = |side: &str, price: u64, size: u64| {
        format!(
            r#"{{"side":"{side}","event_time":"{time}","price_level":"{price}","new_quantity":"{size}"}}"#
        )
    };
    let bids = changed(number, is_whole);
    let mut updates: Vec<String> = bids
        .iter()
        .map(|&(price, size)| update("bid", price, size))
        .collect();
    updates.push(update("offer", 111, 1));
    let updates = updates.join(",");
    format!(
        r#"{{"channel":"l2_data","client_id":"","timestamp":"{time}","sequence_num":{number},"events":[{{"type":"{kind}","product_id":"OAK-USD","updates":[{updates}]}}]}}"#
    )
}

/// The bids of a message: the best one moves up by one each time.
fn changed(number: u64, is_whole: bool) -> Vec<(u64, u64)> {
    match is_whole {
        true => vec![(90 + number, 1)],
        false => vec![(90 + number, 1), (89 + number, 0)],
    }
}

#[test]
fn a_handover_gives_no_row_of_an_older_book() {
    for (message, is_numbered) in [(of_okx as BookMessage, true), (of_coinbase, false)] {
        let line = |at: u64, text: String| {
            format!("{} {text}", 1_767_323_045_000_000_000 + at * 100_000_000)
        };
        let frame = |at: u64, number: u64| line(at, message(at, number, false));
        let whole = |at: u64| line(at, message(at, at, true));
        let lines = [
            whole(1),
            frame(2, 2),
            frame(3, 3),
            frame(4, 4),
            line(5, r#"{"foretick":"handover"}"#.into()),
            // What the new connection has brought meanwhile, and what it brings afterwards.
            whole(2),
            frame(3, 3),
            frame(4, 4),
            frame(6, 5),
            frame(7, 6),
        ];
        let run = replay("mid", "book", &lines);
        let rows = [
            "101.0 ok", "101.5 ok", "102.0 ok", "102.5 ok", "103.0 ok", "103.5 ok",
        ];
        assert_eq!(run.with_quality(), rows, "{}", lines[0]);
        assert_eq!(run.summary["events"]["stale"], 3);
        // Without numbers nothing else says which of them are older.
        let torn = lines.iter().filter(|line| !line.contains("handover"));
        let run = replay("mid", "book", &torn.collect::<Vec<_>>());
        assert_eq!(run.with_quality() == rows, is_numbered);
    }
}

#[test]
fn a_diff_that_came_twice_clears_nothing_that_waits() {
    let lines = [
        depth(0, 11, false, 90, 110),
        depth(1, 12, false, 91, 110),
        depth(1, 12, false, 91, 110),
        depth(0, 11, false, 90, 110),
        depth(2, 10, true, 80, 120),
        depth(3, 13, false, 92, 110),
    ];
    let run = replay("mid", "book", &lines);
    assert_eq!(run.scores(), [100.5, 101.0]);
    assert_eq!(run.summary["events"]["stale"], 2);
}

#[test]
fn a_snapshot_that_is_too_old_is_counted_as_such() {
    let lines = [
        depth(5, 11, false, 90, 110),
        depth(0, 3, true, 80, 120),
        depth(6, 12, false, 91, 110),
        depth(6, 11, true, 85, 115),
    ];
    let run = replay("mid", "book", &lines);
    assert_eq!(run.summary["events"]["old_snapshots"], 1);
    assert_eq!(
        run.scores(),
        [100.5],
        "the second snapshot is joined to what waits"
    );
}

#[test]
fn the_last_number_again_is_a_copy_whatever_its_time() {
    let again = [trade(0, 7, 1), trade(1, 7, 1), trade(2, 8, 3)];
    let run = replay("price", "trade", &again);
    assert_eq!(run.with_quality(), ["1.0 ok", "3.0 ok"]);
    let lines = [
        depth(0, 10, true, 90, 110),
        depth(1, 11, false, 91, 110),
        depth(2, 11, false, 91, 110),
        depth(3, 12, false, 92, 110),
    ];
    let run = replay("mid", "book", &lines);
    assert_eq!(run.with_quality(), ["100.0 ok", "100.5 ok", "101.0 ok"]);
    assert_eq!(run.summary["events"]["renumbered"], 0);
}

#[test]
fn a_late_snapshot_is_no_book_once_the_next_diff_has_come() {
    let lines = [
        depth(0, 500, true, 99, 101),
        depth(1, 501, false, 99, 101),
        depth(0, 499, true, 79, 81),
        depth(2, 502, false, 100, 101),
        depth(3, 7, false, 59, 61),
        depth(4, 8, false, 60, 61),
    ];
    let run = replay("mid", "book", &lines);
    assert_eq!(run.scores(), [100.0, 100.0, 100.5], "7 and 8 wait");
    let events = &run.summary["events"];
    assert_eq!((&events["gaps"], &events["waited"]), (&1.into(), &1.into()));
}

#[test]
fn numbers_may_begin_anew_right_behind_a_snapshot() {
    let lines = [
        depth(0, 500, true, 99, 101),
        depth(1, 1, false, 59, 61),
        depth(2, 2, false, 60, 61),
        depth(3, 1, true, 59, 61),
        depth(4, 3, false, 60, 62),
    ];
    let run = replay("mid", "book", &lines);
    assert_eq!(run.scores(), [100.0, 60.5, 60.5]);
    assert_eq!(run.with_quality()[1], "60.5 gap");
    // Changes that the snapshot holds are no new numbers.
    let held = [
        depth(0, 500, true, 99, 101),
        depth(1, 499, false, 59, 61),
        depth(2, 500, false, 60, 61),
        depth(3, 501, false, 100, 102),
    ];
    let run = replay("mid", "book", &held);
    assert_eq!(run.with_quality(), ["100.0 ok", "100.5 ok"]);
}

#[test]
fn a_snapshot_that_is_too_old_is_named_so_whatever_its_time() {
    let lines = [
        depth(0, 11, false, 90, 110),
        depth(1, 12, false, 91, 110),
        depth(2, 3, true, 80, 120),
        depth(3, 13, false, 92, 110),
        depth(4, 12, true, 88, 112),
    ];
    let run = replay("mid", "book", &lines);
    assert_eq!(run.scores(), [101.0], "13 is joined to the second one");
    let events = &run.summary["events"];
    assert_eq!(events["old_snapshots"], 1);
    assert_eq!(
        (&events["gaps"], &events["renumbered"]),
        (&0.into(), &0.into())
    );
}

#[test]
fn trades_of_new_numbers_are_held_against_trades_alone() {
    let at = |ms: i64, id: i64, price: i64| {
        let ts = START + ms * 1_000_000;
        format!(
            r#"{{"ts_event":{ts},"symbol":"A.X","price":{price},"size":1,"side":"buy","trade_id":{id}}}"#
        )
    };
    let lines = [
        depth(1, 5, true, 99, 101),
        at(50, 901, 1),
        at(60, 1, 2),
        at(80, 2, 3),
    ];
    let run = replay("price", "trade", &lines);
    assert_eq!(run.with_quality(), ["1.0 ok", "2.0 gap", "3.0 ok"]);
}

/// Quotes of Binance's spot market have no time.
#[test]
fn quotes_without_a_time_go_on_when_their_numbers_begin_anew() {
    let trade = |ms: i64, id: i64| {
        let ms = START / 1_000_000 + ms;
        format!(
            r#"{{"e":"trade","E":{ms},"s":"BTCUSDT","t":{id},"p":"100","q":"1","T":{ms},"m":false}}"#
        )
    };
    let quote = |number: i64, bid: i64| {
        format!(
            r#"{{"u":{number},"s":"BTCUSDT","b":"{bid}","B":"1","a":"{}","A":"1"}}"#,
            bid + 2
        )
    };
    let fallen = [
        trade(0, 7),
        quote(900, 99),
        quote(901, 99),
        quote(3, 49),
        quote(4, 50),
        quote(5, 51),
    ];
    let run = replay("mid", "quote", &fallen);
    assert_eq!(
        run.with_quality(),
        ["100.0 ok", "100.0 ok", "51.0 gap", "52.0 ok"],
        "the first one could be a copy"
    );
    let copies = [
        trade(0, 7),
        quote(900, 99),
        quote(901, 99),
        quote(900, 49),
        quote(900, 49),
        quote(902, 100),
    ];
    let run = replay("mid", "quote", &copies);
    assert_eq!(run.with_quality(), ["100.0 ok", "100.0 ok", "101.0 ok"]);
    let with_trades = [trade(0, 700), quote(900, 99), trade(1, 1), quote(3, 49)];
    let run = replay("mid", "quote", &with_trades);
    assert_eq!(run.scores(), [100.0, 50.0]);
}

#[test]
fn numbers_at_the_end_of_their_range_are_numbers() {
    let most = u64::MAX;
    let record = |at: i64, number: u64, snapshot: bool| {
        depth(at, 0, snapshot, 99, 101).replace("sequence\":0", &format!("sequence\":{number}"))
    };
    let lines = [
        record(0, 5, false),
        record(1, most, true),
        record(2, 6, false),
    ];
    let run = replay("mid", "book", &lines);
    assert_eq!(run.scores()[0], 100.0);
    let jumps: Vec<String> = [1, most, 1, most]
        .iter()
        .enumerate()
        .map(|(at, number)| {
            trade(at as i64, 0, 1).replace("trade_id\":0", &format!("trade_id\":{number}"))
        })
        .collect();
    let run = replay("price", "trade", &jumps);
    assert_eq!(run.summary["events"]["missing"], most);
}

/// A venue that numbers the trades of each day from 1, on days with one trade.
#[test]
fn the_last_number_at_another_price_and_a_later_time_is_a_new_one() {
    let days: Vec<String> = (0..4)
        .map(|day| trade(day * 864_000, 1, 10 + day))
        .collect();
    let run = replay_with(
        &one_feature("kind = \"price\"", "trade", "max_gap_ms = 864_000_000"),
        &days,
        &[],
    );
    assert_eq!(run.scores(), [10.0, 11.0, 12.0, 13.0]);
    assert_eq!(run.summary["events"]["renumbered"], 3);
}

#[test]
fn trades_without_a_number_hide_neither_gap_nor_new_numbers() {
    let quality = |ids: &[i64]| -> Vec<String> {
        let lines: Vec<String> = (0..)
            .zip(ids)
            .map(|(at, id)| trade(at, *id, at + 1))
            .collect();
        let run = replay("price", "trade", &lines);
        let words = run.with_quality();
        words
            .iter()
            .map(|text| text.split(' ').nth(1).unwrap_or("").to_owned())
            .collect()
    };
    assert_eq!(quality(&[100, 0, 500]), ["ok", "ok", "gap"]);
    assert_eq!(
        quality(&[100, 101, 0, 1, 2]),
        ["ok", "ok", "ok", "gap", "ok"]
    );
}

#[test]
fn inspect_finds_the_gaps_that_a_replay_finds() {
    let folder = Folder::new("field-inspect-numbers");
    for ids in [
        &[100, 0, 500][..],
        &[100, 101, 0, 1, 2],
        &[1, 1, 1],
        &[7, 8, 8, 9, 12],
    ] {
        let lines: Vec<String> = (0..)
            .zip(ids)
            .map(|(at, id)| trade(at, *id, at + 1))
            .collect();
        let capture = folder.write("capture.jsonl", lines.join("\n"));
        let run = foretick(&["inspect".into(), "--json".into(), capture]);
        let report: Value = serde_json::from_str(&run.stdout).expect("the report is JSON");
        let events = &replay("price", "trade", &lines).summary["events"];
        assert_eq!(report["gaps"], events["gaps"], "{ids:?}");
        assert_eq!(report["missing"], events["missing"], "{ids:?}");
    }
}

/// A line of a capture that was received so many tenths of a second after the start.
fn received(at: i64, message: &str) -> String {
    format!("{} {message}", START + at * 100_000_000)
}

#[test]
fn numbers_that_begin_anew_are_seen_though_the_clock_is_behind() {
    // Half a minute behind, and below the numbers so far.
    let mut trades: Vec<String> = (0..3)
        .map(|at| received(at, &trade(at, 41_000 + at, 1)))
        .collect();
    trades.extend((0..40).map(|at| received(at + 3, &trade(at - 300, 1 + at, 2))));
    let run = replay("price", "trade", &trades);
    let seen = run.with_quality();
    assert_eq!(seen[..4], ["1.0 ok", "1.0 ok", "1.0 ok", "2.0 gap"]);
    let events = &run.summary["events"];
    assert_eq!(
        (&events["renumbered"], &events["duplicates"]),
        (&1.into(), &20.into())
    );

    let mut books = vec![depth(0, 1_000, true, 99, 101)];
    books.extend((1..4).map(|at| depth(at, 1_000 + at, false, 99, 101)));
    books.extend((1..40).map(|at| depth(at - 300, at, false, 49, 51)));
    books.push(depth(50, 38, true, 49, 51));
    books.push(depth(51, 40, false, 49, 51));
    let lines: Vec<String> = (0..)
        .zip(&books)
        .map(|(at, line)| received(at, line))
        .collect();
    let run = replay("mid", "book", &lines);
    assert_eq!(run.summary["events"]["renumbered"], 1, "{}", run.summary);
    assert!(run.scores().contains(&50.0), "{:?}", run.with_quality());
}

#[test]
fn the_last_trades_of_a_subscription_are_copies_however_many() {
    let all: Vec<String> = (0..600).map(|at| trade(at, 1 + at, 1)).collect();
    let mut lines: Vec<String> = (0..)
        .zip(&all)
        .map(|(at, line)| received(at, line))
        .collect();
    lines.extend(all[300..].iter().map(|line| received(600, line)));
    lines.push(received(601, &trade(601, 601, 2)));
    let run = replay("price", "trade", &lines);
    assert_eq!(run.summary["events"]["duplicates"], 300);
    assert_eq!(run.summary["events"]["gaps"], 0, "{}", run.summary);
}

#[test]
fn an_older_quote_does_not_replace_a_newer_one() {
    let quote = |at: i64, bid: i64| {
        let ts = START + at * 100_000_000;
        format!(
            r#"{{"ts_event":{ts},"symbol":"A.X","bid_px":{bid},"bid_sz":1,"ask_px":{},"ask_sz":1}}"#,
            bid + 2
        )
    };
    let mut lines = vec![
        quote(0, 10),
        quote(1, 11),
        quote(3, 13),
        quote(2, 12),
        quote(4, 14),
    ];
    let run = replay("mid", "quote", &lines);
    assert_eq!(run.scores(), [11.0, 12.0, 14.0, 15.0]);
    assert_eq!(run.summary["events"]["stale"], 1);
    // A venue's clock that was put back by a minute.
    lines.extend((0..40).map(|at| quote(at - 600, 20)));
    let lines: Vec<String> = (0..)
        .zip(&lines)
        .map(|(at, line)| received(at, line))
        .collect();
    let run = replay("mid", "quote", &lines);
    assert_eq!(run.scores().last(), Some(&21.0));
}

#[test]
fn copies_are_no_sign_of_life() {
    let mut lines = vec![
        depth(0, 1_000, true, 99, 101),
        depth(1, 1_001, false, 99, 101),
    ];
    let copy = lines[1].clone();
    lines = (0..)
        .zip(&lines)
        .map(|(at, line)| received(at, line))
        .collect();
    for at in 2..60 {
        lines.push(received(at, &copy));
        let tick = format!(r#"{{"foretick":"tick","ts":{}}}"#, START + at * 100_000_000);
        lines.push(received(at, &tick));
    }
    let run = replay("mid", "book", &lines);
    let seen = run.with_quality();
    assert_eq!(seen[2..], ["100.0 stale"], "one, though copies go on");
}

#[test]
fn a_quote_from_the_future_holds_no_other_up() {
    let quote = |at: i64, ahead: i64, bid: i64| {
        let ts = START + (at + ahead) * 100_000_000;
        let quote = format!(
            r#"{{"ts_event":{ts},"symbol":"A.X","bid_px":{bid},"bid_sz":1,"ask_px":{},"ask_sz":1}}"#,
            bid + 2
        );
        received(at, &quote)
    };
    let lines = [
        quote(0, 0, 10),
        quote(1, 3_000, 11),
        quote(2, 0, 12),
        quote(3, 0, 13),
    ];
    let run = replay("mid", "quote", &lines);
    assert_eq!(run.scores(), [11.0, 12.0, 13.0, 14.0]);
}

#[test]
fn a_time_from_the_future_is_not_believed_until_three_in_a_row_are() {
    let ahead = [0, 0, 3_000, 0, 0];
    let at = |number: usize, ahead: i64| {
        let at = number as i64;
        received(at, &trade(at + ahead, at + 1, 1))
    };
    let lines: Vec<String> = (0..)
        .zip(ahead)
        .map(|(number, ahead)| at(number, ahead))
        .collect();
    let run = replay("price", "trade", &lines);
    let times: Vec<i64> = run
        .signals
        .iter()
        .map(|one| one["ts_event"].as_i64().unwrap() - START)
        .collect();
    assert_eq!(times, [0, 1, 1, 3, 4].map(|at| at * 100_000_000));
    assert_eq!(run.summary["events"]["ahead"], 1);
    let jumped = [0, 0, 3_000, 3_000, 3_000, 3_000];
    let lines: Vec<String> = (0..)
        .zip(jumped)
        .map(|(number, ahead)| at(number, ahead))
        .collect();
    let run = replay("price", "trade", &lines);
    let last = run.signals.last().unwrap()["ts_event"].as_i64().unwrap() - START;
    assert_eq!(last, 3_005 * 100_000_000);
}

#[test]
fn changes_that_the_snapshot_holds_are_no_new_numbers_however_late_they_are() {
    // The stream is four seconds behind the snapshot.
    let mut lines = vec![
        received(0, &depth(0, 1_000, false, 98, 101)),
        received(1, &depth(40, 1_040, true, 99, 101)),
    ];
    lines.extend((1..60).map(|at| {
        let line = depth(at, 1_000 + at, false, 99, 101);
        received(at + 1, &line)
    }));
    let run = replay("mid", "book", &lines);
    let events = &run.summary["events"];
    assert_eq!(
        (&events["gaps"], &events["stale"]),
        (&0.into(), &40.into()),
        "{events}"
    );
}
