//! Made-up files in the published form, read as rows, and a generated day against its order book file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::*;
use crate::event::TradingStatus;
use crate::frame::packed::RowBody;
use crate::source::history::mapping::HistoryMapping;
use crate::source::history::row::HistoryRow;
use crate::tests::scratch::Scratch;
use crate::units::Side;

const MESSAGES: &str = "AAPL_2012-06-21_34200000_57600000_message_2.csv";
const BOOK: &str = "AAPL_2012-06-21_34200000_57600000_orderbook_2.csv";
/// 09:30 in New York, which is four hours behind UTC in June.
const OPENING: i64 = 1_340_285_400_000_000_000;

/// The rows as text: nanoseconds after the opening, and what happened.
fn read(messages: &Path, companions: &[PathBuf]) -> Vec<String> {
    read_from(messages, companions, None)
}

fn read_from(messages: &Path, companions: &[PathBuf], begin: Option<Nanos>) -> Vec<String> {
    let options = HistoryOptions {
        companions: companions.to_vec(),
        ..HistoryOptions::default()
    };
    read_with(messages, &options, begin)
}

fn read_with(messages: &Path, options: &HistoryOptions, begin: Option<Nanos>) -> Vec<String> {
    let file = File::open(messages).unwrap();
    let mut rows = Lobster.open(messages, file, options, begin).unwrap();
    let (mut row, mut read) = (HistoryRow::default(), vec![]);
    while rows.next_row(&mut row).unwrap() {
        read.push(shown(&row, &rows.position()));
    }
    read
}

fn shown(row: &HistoryRow, position: &str) -> String {
    let levels = |of: std::ops::Range<usize>| {
        let one = |level: &crate::event::Level| format!(" {}x{}", level.size, level.price);
        row.levels[of].iter().map(one).collect::<String>()
    };
    let what = match row.body {
        RowBody::Trade(trade) => {
            let side = trade.side.map_or("-".into(), |side| format!("{side:?}"));
            format!("trade {}x{} {side}", trade.size, trade.price)
        }
        RowBody::Depth(depth) => {
            let bids = depth.bids as usize;
            let what = depth.snapshot.map_or("change", |_| "book");
            format!(
                "{what}{} /{}",
                levels(0..bids),
                levels(bids..row.levels.len())
            )
        }
        RowBody::Status(TradingStatus::Halted) => "halted".into(),
        RowBody::Status(TradingStatus::Trading) => "trading".into(),
        RowBody::Unreadable(fault) => return format!("{position}: {fault:?} {}", row.cell),
        other => format!("{other:?}"),
    };
    assert_eq!(row.ts_recv, Nanos::UNDEFINED);
    match row.instrument.as_str() {
        "AAPL.XNAS" => format!("{} {what}", row.ts_event.0 - OPENING),
        other => format!("{} {other} {what}", row.ts_event.0 - OPENING),
    }
}

#[test]
fn messages_become_trades_halts_and_a_book() {
    let scratch = Scratch::new();
    let messages = scratch.write(
        MESSAGES,
        "34200.000000001,1,11,18,5853300,1\n\
         34200.000000002,1,12,10,5853300,1\n\
         34200.000000003,4,11,5,5853300,1\n\
         34200.000000004,2,12,3,5853300,1\n\
         34200.000000005,3,11,13,5853300,1\n\
         34200.000000006,5,0,70,5854000,-1\n\
         34200.000000007,6,-1,500,5854100,1\n\
         34200.000000008,7,0,0,-1,-1\n\
         34200.000000009,7,0,0,0,-1\n\
         34200.00000001,7,0,0,1,-1\n\
         34200.000000011,3,99,1,5900000,-1\n\
         34200.000000012,1,13,x,5853300,1\n",
    );
    let expected = [
        "1 change 18x585.33 /",
        "2 change 28x585.33 /",
        "3 trade 5x585.33 Sell",
        "3 change 23x585.33 /",
        "4 change 20x585.33 /",
        "5 change 7x585.33 /",
        "6 trade 70x585.4 Buy",
        "7 trade 500x585.41 -",
        "8 halted",
        "10 trading",
        "11 change /",
        "line 12: BadNumber(\"size\") x",
    ];
    assert_eq!(read(&messages, &[]), expected);
}

#[test]
fn another_zone_and_venue_may_be_told() {
    let scratch = Scratch::new();
    let messages = scratch.write(MESSAGES, "34200.5,5,0,70,5854000,-1\n");
    let options = HistoryOptions {
        mapping: HistoryMapping {
            zone: Some(chrono_tz::UTC),
            venue: Some("XLON".into()),
            ..HistoryMapping::default()
        },
        ..HistoryOptions::default()
    };
    let four_hours = -4 * 3_600_000_000_000_i64 + 500_000_000;
    let expected = [format!("{four_hours} AAPL.XLON trade 70x585.4 Buy")];
    assert_eq!(read_with(&messages, &options, None), expected);
}

#[test]
fn the_order_book_file_begins_the_book() {
    let scratch = Scratch::new();
    let messages = scratch.write(
        MESSAGES,
        "34200.1,1,11,18,5853300,1\n34200.2,4,77,200,5859400,-1\n34200.3,3,11,18,5853300,1\n",
    );
    let book = scratch.write(
        BOOK,
        "5859400,200,5853300,18,5859800,200,-9999999999,0\n\
         5859800,200,5853300,18,9999999999,0,-9999999999,0\n\
         5859800,200,-9999999999,0,9999999999,0,-9999999999,0\n",
    );
    let expected = [
        "100000000 book 18x585.33 / 200x585.94 200x585.98",
        "200000000 trade 200x585.94 Buy",
        "200000000 change / 0x585.94",
        "300000000 change 0x585.33 /",
    ];
    assert_eq!(read(&messages, std::slice::from_ref(&book)), expected);
    let begin = Nanos(OPENING + 200_000_000);
    let from_there = read_from(&messages, std::slice::from_ref(&book), Some(begin));
    assert_eq!(from_there[1], "200000000 book 18x585.33 / 200x585.98");
    assert_eq!(from_there[2..], expected[3..]);
    let comparison = compare(&messages, &book).unwrap();
    assert_eq!((comparison.compared, comparison.equal), (3, 3));
    let paths = [book.clone(), messages.clone()];
    assert_eq!(pairs(&paths), [(messages, book.clone())]);
    // Alone it has no times.
    let file = File::open(&book).unwrap();
    let error = Lobster.open(&book, file, &HistoryOptions::default(), None);
    let error = error.err().unwrap().to_string();
    assert!(error.contains(MESSAGES), "{error}");
}

/// A generated day, whose order book file is made by a slow twin: the sums of all orders, anew each time.
#[test]
fn a_line_without_an_end_is_an_error_and_not_held_whole() {
    let scratch = Scratch::new();
    let first = "34200.1,1,11,18,5853300,1\n";
    let endless = format!("{first}{}\n", "1".repeat(5 << 20));
    let (long, short) = (
        scratch.write(MESSAGES, &endless),
        scratch.write(BOOK, &endless),
    );
    let file = File::open(&long).unwrap();
    let mut rows = Lobster
        .open(&long, file, &HistoryOptions::default(), None)
        .unwrap();
    let mut row = HistoryRow::default();
    let error = loop {
        match rows.next_row(&mut row) {
            Ok(true) => {}
            Ok(false) => panic!("the line was passed over"),
            Err(error) => break error.to_string(),
        }
    };
    assert!(
        error.contains("line 2") && error.contains("more than"),
        "{error}"
    );
    let error = compare(&long, &short).unwrap_err().to_string();
    assert!(error.contains("line"), "{error}");
}

#[test]
fn the_rebuilt_book_is_that_of_the_order_book_file() {
    let (messages, mut lines) = generated(2_000);
    let scratch = Scratch::new();
    let messages = scratch.write("messages", messages);
    let book = scratch.write("book", lines.join("\n"));
    let compared = compare(&messages, &book).unwrap();
    assert_eq!((compared.compared, compared.equal), (2_000, 2_000));
    // One line of another market.
    let other = lines[777].replacen(',', "1,", 1);
    assert_ne!(other, lines[777]);
    lines[777] = other;
    let book = scratch.write("book", lines.join("\n"));
    let compared = compare(&messages, &book).unwrap();
    assert_eq!((compared.compared, compared.equal), (2_000, 1_999));
    // Lines without a message.
    lines.extend(lines[..5].to_vec());
    let book = scratch.write("book", lines.join("\n"));
    assert_eq!(compare(&messages, &book).unwrap().compared, 2_005);
}

/// Messages, and all levels after each of them.
fn generated(count: u64) -> (String, Vec<String>) {
    let mut orders: BTreeMap<u64, (Side, i64, u64)> = BTreeMap::new();
    // Orders of before the first message.
    for id in 0..20 {
        let (side, price) = resting(id);
        orders.insert(id, (side, price, 50 + id));
    }
    let (mut messages, mut lines) = (String::new(), vec![]);
    let mut dice: u64 = 42;
    for number in 0..count {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let at = (dice >> 33) as usize;
        let time = format!("34200.{:09}", number + 1);
        let is_new = orders.len() < 12 || at.is_multiple_of(2);
        if is_new {
            let id = 1_000 + number;
            let (side, price) = resting(dice >> 40);
            let size = 1 + dice % 90;
            orders.insert(id, (side, price, size));
            let direction = direction(side);
            writeln!(messages, "{time},1,{id},{size},{price},{direction}").unwrap();
        } else {
            let id = *orders.keys().nth(at % orders.len()).unwrap();
            let (side, price, size) = orders[&id];
            let (kind, taken) = match at % 3 {
                0 if size > 1 => (2, size / 2),
                1 => (3, size),
                _ => (4, size.min(1 + dice % 60)),
            };
            match size - taken {
                0 => orders.remove(&id),
                rest => orders.insert(id, (side, price, rest)),
            };
            let direction = direction(side);
            writeln!(messages, "{time},{kind},{id},{taken},{price},{direction}").unwrap();
        }
        lines.push(line(&orders));
    }
    (messages, lines)
}

fn direction(side: Side) -> i64 {
    match side {
        Side::Buy => 1,
        Side::Sell => -1,
    }
}

/// A side and one of eight prices of it.
fn resting(dice: u64) -> (Side, i64) {
    let away = 100 * (dice / 2 % 8).cast_signed();
    match dice.is_multiple_of(2) {
        true => (Side::Buy, 5_850_000 - away),
        false => (Side::Sell, 5_850_100 + away),
    }
}

fn line(orders: &BTreeMap<u64, (Side, i64, u64)>) -> String {
    let levels = |of: Side| {
        let mut sums: BTreeMap<i64, u64> = BTreeMap::new();
        for (side, price, size) in orders.values() {
            if *side == of {
                *sums.entry(*price).or_default() += size;
            }
        }
        sums.into_iter().collect::<Vec<_>>()
    };
    let (asks, mut bids) = (levels(Side::Sell), levels(Side::Buy));
    bids.reverse();
    let cell = |levels: &[(i64, u64)], at: usize, none: i64| {
        let (price, size) = levels.get(at).copied().unwrap_or((none, 0));
        format!("{price},{size}")
    };
    let both = |at| {
        [
            cell(&asks, at, 9_999_999_999),
            cell(&bids, at, -9_999_999_999),
        ]
    };
    (0..8).flat_map(both).collect::<Vec<_>>().join(",")
}
