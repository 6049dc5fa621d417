//! Files of Tardis; rows as its documentation shows them.

use super::read;
use crate::source::history::mapping::HistoryMapping;
use crate::tests::scratch::Scratch;

fn read_text(text: &str) -> Vec<String> {
    let scratch = Scratch::new();
    let path = scratch.path().join("x.csv");
    std::fs::write(&path, text).unwrap();
    read(&[path], HistoryMapping::default()).unwrap()
}

#[test]
fn trades_and_quotes_are_read() {
    let trades = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n\
        binance,BTCUSDT,1585699200245000,1585699200276775,ab-5,buy,6425.5,0.001\n\
        binance,BTCUSDT,1585699200246000,1585699200276776,5,unknown,6425.6,1\n";
    assert_eq!(
        read_text(trades),
        [
            "1585699200245000000 BTCUSDT.BINANCE trade 6425.5 0.001 Some(Buy) 0 Distinct received 1585699200276775000",
            "1585699200246000000 BTCUSDT.BINANCE trade 6425.6 1 None 5 Distinct received 1585699200276776000",
        ]
    );
    let quotes = "exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount\n\
        bitmex,XBTUSD,1585699200245000,1585699200276775,3,6425.5,6425,2\n\
        bitmex,XBTUSD,1585699200246000,1585699200276776,,,6425,2\n";
    assert_eq!(
        read_text(quotes),
        [
            "1585699200245000000 XBTUSD.BITMEX quote 6425 2 6425.5 3 received 1585699200276775000",
            "1585699200246000000 XBTUSD.BITMEX quote 6425 2 - 0 received 1585699200276776000",
        ]
    );
}

#[test]
fn levels_of_one_message_are_one_change() {
    let text = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n\
        deribit,X,1585699200245000,1585699200276775,true,ask,6425.5,2\n\
        deribit,X,1585699200245000,1585699200276775,true,bid,6425,1\n\
        deribit,X,1585699200245000,1585699200276775,true,bid,6424,3\n\
        deribit,X,1585699200246000,1585699200276776,false,ask,6425.5,0\n\
        deribit,X,1585699200247000,1585699200276777,false,bid,6424.5,7\n\
        deribit,X,1585699200248000,1585699200276778,false,bid,cheap,7\n";
    let read = read_text(text);
    assert_eq!(
        read[..3],
        [
            "1585699200245000000 X.DERIBIT book 0..0 Some(InOrder) [6425x1 6424x3] [6425.5x2] received 1585699200276775000",
            "1585699200246000000 X.DERIBIT book 0..0 None [] [6425.5x0] received 1585699200276776000",
            "1585699200247000000 X.DERIBIT book 0..0 None [6424.5x7] [] received 1585699200276777000",
        ]
    );
    assert!(
        read[3].starts_with("BadNumber(\"price\") {\"row\":\"line 7, column `price` holds `cheap`: it is no decimal number\""),
        "{}",
        read[3]
    );
    assert_eq!(read.len(), 4);
}

#[test]
fn a_book_a_row_is_a_snapshot_a_row() {
    let text = "exchange,symbol,timestamp,local_timestamp,asks[0].price,asks[0].amount,bids[0].price,bids[0].amount,\
        asks[1].price,asks[1].amount,bids[1].price,bids[1].amount\n\
        deribit,X,1585699200245000,1585699200276775,6425.5,2,6425,1,6426,3,6424,4\n\
        deribit,X,1585699200245000,1585699200276775,6425.5,2,6425,1,,,6424,4\n";
    assert_eq!(
        read_text(text),
        [
            "1585699200245000000 X.DERIBIT book 0..0 Some(InOrder) [6425x1 6424x4] [6425.5x2 6426x3] received 1585699200276775000",
            "1585699200245000000 X.DERIBIT book 0..0 Some(InOrder) [6425x1 6424x4] [6425.5x2] received 1585699200276775000",
        ]
    );
}
