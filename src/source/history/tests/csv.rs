//! Files of separated values: with and without headers, in the forms that are known.

use std::path::PathBuf;

use super::{columns, read};
use crate::source::history::mapping::{HistoryMapping, HistoryPreset, Role};
use crate::tests::scratch::Scratch;

pub(super) fn read_as(
    name: &str,
    text: &str,
    mapping: HistoryMapping,
) -> Result<Vec<String>, String> {
    let scratch = Scratch::new();
    let path = scratch.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    read(&[path], mapping)
}

fn read_alone(name: &str, text: &str) -> Vec<String> {
    read_as(name, text, HistoryMapping::default()).unwrap()
}

#[test]
fn our_own_fields_are_read_by_their_header() {
    let text = "ts_event,symbol,price,size,side,trade_id\r\n\
                1700000000000000000,A.XNAS,1.50,2,buy,7\r\n\
                1700000000000000001,\"A.XNAS\",0.1,3,sell,8\r\n";
    let expected = [
        "1700000000000000000 A.XNAS trade 1.5 2 Some(Buy) 7 Successive",
        "1700000000000000001 A.XNAS trade 0.1 3 Some(Sell) 8 Successive",
    ];
    assert_eq!(read_alone("x.csv", text), expected);
    assert_eq!(read_alone("x.tsv", &text.replace(',', "\t")), expected);
    assert_eq!(read_alone("x.TXT", &text.replace(',', ";")), expected);
}

#[test]
fn other_names_are_read_by_a_mapping() {
    // Rows of the R package highfrequency (sampleTDataRaw), whose clock is that of New York.
    let text = "DT,EX,SYMBOL,COND,SIZE,PRICE,CORR\n\
                2018-01-02 10:01:21.479000092,P,AAA,FTI,2,157.8,0\n\
                2018-01-02 10:23:50.188999891,P,AAA,FTI,3,157.81,0\n\
                2018-01-02 10:23:50.188999891,P,AAA,FTI,3,157.81,0\n";
    let mapping = HistoryMapping {
        zone: Some(chrono_tz::America::New_York),
        venue: Some("XNYS".into()),
        tick_rule: true,
        ..columns(&[
            (Role::TsEvent, "DT"),
            (Role::Symbol, "symbol"),
            (Role::Price, "PRICE"),
            (Role::Size, "SIZE"),
        ])
    };
    let expected = [
        "1514905281479000092 AAA.XNYS trade 157.8 2 None 0 Successive",
        "1514906630188999891 AAA.XNYS trade 157.81 3 Some(Buy) 0 Successive",
        "1514906630188999891 AAA.XNYS trade 157.81 3 Some(Buy) 0 Successive",
    ];
    assert_eq!(read_as("x.csv", text, mapping).unwrap(), expected);
}

#[test]
fn trades_of_binance_are_read_with_and_without_header_in_milliseconds_and_microseconds() {
    let rows = "3700000,61737.63000000,0.00100000,61.73763000,1723161600000,True,True\n\
                3700001,61737.64000000,0.00200000,123.47528,1723161600001,False,True\n";
    let expected = [
        "1723161600000000000 BTCUSDT.BINANCE trade 61737.63 0.001 Some(Sell) 3700000 Successive",
        "1723161600001000000 BTCUSDT.BINANCE trade 61737.64 0.002 Some(Buy) 3700001 Successive",
    ];
    assert_eq!(read_alone("BTCUSDT-trades-2024-08-09.csv", rows), expected);
    let micros = rows.replace(",1723161600000,", ",1723161600000000,");
    let micros = micros.replace(",1723161600001,", ",1723161600001000,");
    assert_eq!(
        read_alone("BTCUSDT-trades-2025-08-09.csv", &micros),
        expected
    );
    let header = "id,price,qty,quoteQty,time,isBuyerMaker,isBestMatch\n".to_owned() + rows;
    assert_eq!(read_alone("BTCUSDT-x.csv", &header), expected);
    let told = HistoryMapping {
        preset: Some(HistoryPreset::Binance),
        instrument: Some("BTCUSDT.BINANCE".into()),
        ..HistoryMapping::default()
    };
    assert_eq!(read_as("some.csv", rows, told).unwrap(), expected);
    let error = read_as("some.csv", rows, HistoryMapping::default()).unwrap_err();
    assert!(
        error.contains("preset") && error.contains("3700000"),
        "{error}"
    );
}

#[test]
fn aggregates_and_bars_of_binance_are_read() {
    let rows = "100,61737.63,0.5,3,5,1723161600000,true,true\n";
    let expected = "1723161600000000000 BTCUSDT.BINANCE trade 61737.63 0.5 Some(Sell) 100 Successive aggregate";
    assert_eq!(
        read_alone("BTCUSDT-aggTrades-2024-08-09.csv", rows),
        [expected]
    );
    let header = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n\
                  100,61737.63,0.5,3,5,1723161600000,true\n";
    assert_eq!(
        read_alone("BTCUSDT-aggTrades-2024-08-09.csv", header),
        [expected]
    );
    let bars = "1723161600000,1,4,0.5,2,1000,1723161659999,5,7,3,4,0\n";
    let expected = "1723161660000000000 BTCUSDT.BINANCE bar 1 4 0.5 2 1000";
    assert_eq!(read_alone("BTCUSDT-1m-2024-08-09.csv", bars), [expected]);
    let micros = "1735689600000000,1,4,0.5,2,1000,1735689659999999,5,7,3,4,0\n";
    let expected = "1735689660000000000 BTCUSDT.BINANCE bar 1 4 0.5 2 1000";
    assert_eq!(read_alone("BTCUSDT-1m-2025-01-01.csv", micros), [expected]);
}

#[test]
fn ticks_and_days_of_lean_are_read() {
    let trades = "14430270,1815200,283,P,20002020,0\n14450472,1818000,500,P,2000,0\n";
    assert_eq!(
        read_alone("20131007_ibm_Trade_Tick.csv", trades),
        [
            "1381132830270000000 IBM trade 181.52 283 None 0 Distinct",
            "1381132850472000000 IBM trade 181.8 500 None 0 Distinct",
        ]
    );
    let quotes = "14400054,0,0,1836300,100,Q,1,0\n14400241,1800100,300,0,0,P,1,0\n\
                  14400242,0,0,1836400,200,P,1,0\n14400243,1800200,1,1836500,2,P,1,0\n";
    assert_eq!(
        read_alone("20131007_ibm_Quote_Tick.csv", quotes),
        [
            "1381132800054000000 IBM quote - 0 183.63 100",
            "1381132800241000000 IBM quote 180.01 300 183.63 100",
            "1381132800242000000 IBM quote 180.01 300 183.64 200",
            "1381132800243000000 IBM quote 180.02 1 183.65 2",
        ]
    );
    let days = "19980102 00:00,1045000,1057500,1040600,1057500,2563200\n";
    let mapping = HistoryMapping {
        venue: Some("XNYS".into()),
        ..HistoryMapping::default()
    };
    assert_eq!(
        read_as("ibm.csv", days, mapping).unwrap(),
        ["883803600000000000 IBM.XNYS bar 104.5 105.75 104.06 105.75 2563200"],
        "known at the end of the day in New York"
    );
}

#[test]
fn days_are_known_at_their_end() {
    let text = "Date,Open,High,Low,Close,Adj Close,Volume\n2015-03-31,1,4,0.5,2,1.9,1000\n";
    let expected = ["1427846400000000000 AAPL bar 1 4 0.5 2 1000"];
    assert_eq!(read_alone("AAPL.csv", text), expected);
    let close = HistoryMapping {
        zone: Some(chrono_tz::America::New_York),
        bar_ns: Some(16 * 3_600_000_000_000),
        venue: Some("XNAS".into()),
        ..HistoryMapping::default()
    };
    let expected = ["1427832000000000000 AAPL.XNAS bar 1 4 0.5 2 1000"];
    assert_eq!(read_as("AAPL.csv", text, close).unwrap(), expected);
    let many = "date,open,high,low,close,volume,Name\n2015-03-31,1,4,0.5,2,1000,AAL\n";
    let expected = ["1427846400000000000 AAL bar 1 4 0.5 2 1000"];
    assert_eq!(read_alone("all_stocks_5yr.csv", many), expected);
}

#[test]
fn a_row_that_is_cut_or_cannot_be_read_is_a_dead_letter_that_names_its_line() {
    let text = "ts_event,symbol,price,size,side\n\
                1700000000000000000,A,1,2,BUYS\n\n\
                1700000000000000001,A,1,2\n\
                1700000000000000002,A,1e,2,buy\n\
                1700000000000000003,A,1,,buy\n\
                when,A,1,2,buy\n\
                1700000000000000004,A,1,0";
    let read = read_alone("x.csv", text);
    let starts = [
        "OutOfRange(\"side\") {\"row\":\"line 2, column `side` holds `BUYS`: a side is `buy`, `b`",
        "OutOfRange(\"row\") {\"row\":\"line 4: 4 cells, and the header has 5: 1700000000000000001,A,1,2\"",
        "BadNumber(\"price\") {\"row\":\"line 5, column `price` holds `1e`: it is no decimal",
        "MissingField(\"size\")",
        "BadNumber(\"ts_event\") {\"row\":\"line 7, column `ts_event` holds `when`: a time is",
        "OutOfRange(\"row\") {\"row\":\"line 8: 4 cells, and the header has 5: 1700000000000000004,A,1,0\"",
    ];
    assert_eq!(read.len(), starts.len(), "{read:?}");
    for (line, start) in read.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
}

#[test]
fn lines_of_json_under_the_name_of_a_table_are_read_as_lines() {
    let line =
        r#"{"ts_event":1700000000000000000,"symbol":"A","price":"1","size":"2","side":"buy"}"#;
    let expected = ["1700000000000000000 A trade 1 2 Some(Buy) 0 Successive"];
    assert_eq!(read_alone("x.csv", line), expected);
    let stamped = format!("1700000000000000005 {line}");
    assert_eq!(read_alone("x.txt", &stamped).len(), 1);
}

/// Data of QuantConnect, where a checkout has it.
#[test]
fn a_session_of_ibm_is_read_whole() {
    let Some(data) = std::env::var_os("FORETICK_DATA").map(PathBuf::from) else {
        return;
    };
    let folder = data.join("equities/ibm-ticks");
    let paths = ["20131007_quote.zip", "20131007_trade.zip"].map(|name| folder.join(name));
    let read = read(&paths, HistoryMapping::default()).unwrap();
    let count = |word: &str| read.iter().filter(|line| line.contains(word)).count();
    // Lines of the two files by `unzip -p … | wc -l`.
    assert_eq!(count(" trade ") + count(" quote "), read.len());
    assert!(count(" trade ") > 20_000 && count(" quote ") > 100_000);
}

/// Trades of as many seconds, with this text in the row of the third.
fn trades_with(third: &str, rows: i64) -> String {
    let rows = (0..rows).map(|second| {
        let symbol = if second == 2 { third } else { "A.X" };
        format!("{},{symbol},1.5,2\n", 1_700_000_000 + second)
    });
    "ts,symbol,price,size\n".to_owned() + &rows.collect::<String>()
}

#[test]
fn a_quote_that_is_not_closed_is_an_error_with_the_line_where_its_record_began() {
    let mapping = || columns(&[(Role::TsEvent, "ts")]);
    assert_eq!(
        read_as("x.csv", &trades_with("\"A.X\"", 9), mapping())
            .unwrap()
            .len(),
        9
    );
    // Of a short file, of one whose record grows over the bound, and of a last line.
    for rows in [3, 9, 200_000] {
        let text = trades_with("\"A.X", rows);
        let error = read_as("x.csv", &text, mapping()).unwrap_err();
        assert!(error.contains("line 4: "), "{rows}: {error}");
        assert!(error.contains("quote"), "{rows}: {error}");
    }
    let blank = trades_with("\"A.X", 9).replace("ts,", "\r\n\r\nts,");
    let error = read_as("x.csv", &blank, mapping()).unwrap_err();
    assert!(error.contains("line 6: "), "{error}");
    // Ends of files that are right.
    for end in ["", "\n", "\r\n", "\n\n"] {
        for last in ["2", "\"2\"", "\"2\n\""] {
            let text = format!("ts,symbol,price,size\n1700000000,A.X,1.5,{last}{end}");
            let expected = ["1700000000000000000 A.X trade 1.5 2 None 0 Successive"];
            assert_eq!(read_as("x.csv", &text, mapping()).unwrap(), expected);
        }
    }
}

#[test]
fn a_record_is_bounded_also_where_it_is_the_header() {
    let line = "1,".repeat(1 << 21);
    for (text, number) in [
        (format!("{line}\n1\n"), 1),
        (trades_with(&line, 4), 4),
        (trades_with(&format!("\"{line}\""), 4), 4),
    ] {
        let mapping = columns(&[(Role::TsEvent, "ts")]);
        let error = read_as("x.csv", &text, mapping).unwrap_err();
        assert!(error.contains(&format!("line {number}: ")), "{error}");
        assert!(error.contains("1048576 bytes"), "{error}");
    }
    let mapping = columns(&[(Role::TsEvent, "ts")]);
    let error = read_as("x.csv", "\n\n", mapping).unwrap_err();
    assert!(error.contains("it is empty"), "{error}");
}

#[test]
fn two_columns_of_a_name_that_is_read_are_refused() {
    let text = |header: &str| format!("{header}\n1700000000,A.X,1.5,2,9\n");
    let mapping = || columns(&[(Role::TsEvent, "ts")]);
    let error = read_as("x.csv", &text("ts,symbol,price,size,price"), mapping()).unwrap_err();
    assert!(
        error.contains("two columns `price`, the 3. and the 5."),
        "{error}"
    );
    let twice = columns(&[(Role::TsEvent, "ts"), (Role::Price, "paid")]);
    let error = read_as("x.csv", &text("ts,symbol,paid,size,paid"), twice).unwrap_err();
    assert!(
        error.contains("two columns `paid`, the 3. and the 5."),
        "{error}"
    );
    // Nobody reads these.
    for header in ["ts,symbol,price,size,x", "ts,symbol,price,size,"] {
        assert_eq!(read_as("x.csv", &text(header), mapping()).unwrap().len(), 1);
    }
}
