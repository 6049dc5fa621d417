//! Examples of the venue's messages, and what becomes of them.

mod connection;

use super::*;
use crate::decode::Decoder;
use crate::event::{Body, Checksum, ChecksumForm, Depth, Event, Level, Link, Quote, Splice, Trade};
use crate::frame::Origin;
use crate::units::{Nanos, Price, Side, Size};

const TRADE: &str = r#"{"arg":{"channel":"trades","instId":"ABC-USDT"},"data":[{"instId":"ABC-USDT","tradeId":"41","px":"20.5","sz":"3","side":"sell","ts":"1700000000123","count":"2","source":"0","seqId":8}]}"#;
const QUOTE: &str = r#"{"arg":{"channel":"bbo-tbt","instId":"ABC-USDT"},"data":[{"asks":[["20.6","2","0","1"]],"bids":[["20.4","1.5","0","4"]],"ts":"1700000000200","seqId":64}]}"#;
const SNAPSHOT: &str = r#"{"arg":{"channel":"books","instId":"ABC-USDT"},"action":"snapshot","data":[{"asks":[["20.6","2","0","1"],["20.7","9","0","3"]],"bids":[["20.4","1.5","0","4"]],"ts":"1700000000200","checksum":0,"seqId":50,"prevSeqId":-1}]}"#;
const UPDATE: &str = r#"{"arg":{"channel":"books","instId":"ABC-USDT"},"action":"update","data":[{"asks":[["20.6","0","0","0"]],"bids":[["20.3","1","0","1"]],"ts":"1700000000300","checksum":-7,"seqId":64,"prevSeqId":50}]}"#;
const FIVE: &str = r#"{"arg":{"channel":"books5","instId":"ABC-USDT"},"data":[{"asks":[["20.6","2","0","1"]],"bids":[],"instId":"ABC-USDT","ts":"1700000000200","seqId":64}]}"#;
const UPGRADE: &str =
    r#"{"event":"notice","code":"64008","msg":"The connection will be closed.","connId":"a1"}"#;

fn decode_all(frames: &[&str]) -> (Batch, Vec<Result<Decoded, DecodeError>>) {
    let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
    let mut batch = Batch::default();
    let mut decode = |frame: &&str| decoder.decode(Origin::of_test(), frame.as_bytes(), &mut batch);
    let results = frames.iter().map(&mut decode).collect();
    (batch, results)
}

/// The events of a frame, which must be readable.
fn events(frame: &str) -> Vec<Event> {
    let (batch, results) = decode_all(&[frame]);
    assert_eq!(results, [Ok(Decoded::Events)], "{frame}");
    batch.events
}

/// The last book in these frames.
fn depth(frames: &[&str]) -> (Depth, Vec<Level>, Vec<Level>) {
    let (batch, results) = decode_all(frames);
    assert!(
        results.iter().all(|result| *result == Ok(Decoded::Events)),
        "{results:?}"
    );
    let Body::Depth(depth) = batch.events.last().unwrap().body else {
        panic!("{:?}", batch.events)
    };
    let (bids, asks) = batch.levels(&depth);
    (depth, bids.to_vec(), asks.to_vec())
}

fn price(text: &str) -> Price {
    Price::parse(text.as_bytes()).unwrap()
}

fn size(text: &str) -> Size {
    Size::parse(text.as_bytes()).unwrap()
}

fn level(price_text: &str, size_text: &str) -> Level {
    Level {
        price: price(price_text),
        size: size(size_text),
    }
}

#[test]
fn a_trade_of_several_fills() {
    let event = events(TRADE)[0];
    assert_eq!(event.ts_event, Nanos(1_700_000_000_123_000_000));
    let expected = Trade {
        price: price("20.5"),
        size: size("3"),
        trade_id: 41,
        ids: TradeIds::Rising,
        side: Some(Side::Sell),
        aggregate: true,
    };
    assert_eq!(event.body, Body::Trade(expected));
    let single = events(&TRADE.replace(r#","count":"2""#, "").replace("sell", "buy"));
    let expected = Trade {
        side: Some(Side::Buy),
        aggregate: false,
        ..expected
    };
    assert_eq!(single[0].body, Body::Trade(expected), "as of before 2024");
}

#[test]
fn trades_of_a_list_come_oldest_first() {
    let (head, item) = TRADE.split_once("[").unwrap();
    let item = item.strip_suffix("]}").unwrap();
    let list = format!("{head}[{item},{}]}}", item.replace("41", "40"));
    let ids = events(&list).into_iter().map(|event| match event.body {
        Body::Trade(trade) => trade.trade_id,
        body => panic!("{body:?}"),
    });
    assert_eq!(ids.collect::<Vec<_>>(), [40, 41]);
}

#[test]
fn a_quote_and_one_without_bids() {
    let event = events(QUOTE)[0];
    assert_eq!(event.ts_event, Nanos(1_700_000_000_200_000_000));
    let expected = Quote {
        bid_px: price("20.4"),
        bid_sz: size("1.5"),
        ask_px: price("20.6"),
        ask_sz: size("2"),
        sequence: 0,
    };
    assert_eq!(event.body, Body::Quote(expected));
    let (batch, _) = decode_all(&[&QUOTE.replace(r#"[["20.4","1.5","0","4"]]"#, "[]")]);
    let expected = Quote {
        bid_px: Price::UNDEFINED,
        bid_sz: Size::ZERO,
        ..expected
    };
    assert_eq!(batch.events[0].body, Body::Quote(expected));
    assert!(batch.levels.is_empty());
}

#[test]
fn a_book_begins_with_a_snapshot_and_its_changes_name_the_one_before() {
    let (book, bids, asks) = depth(&[SNAPSHOT]);
    let expected = Depth {
        first: 50,
        last: 50,
        bids: 1,
        asks: 2,
        snapshot: Some(Splice::InOrder),
        ..Depth::default()
    };
    assert_eq!(book, expected);
    assert_eq!(
        (bids, asks),
        (
            vec![level("20.4", "1.5")],
            vec![level("20.6", "2"), level("20.7", "9")]
        )
    );
    let (change, bids, asks) = depth(&[SNAPSHOT, UPDATE]);
    let expected = Depth {
        first: 51,
        last: 64,
        start: 3,
        bids: 1,
        asks: 1,
        link: Link::Chain,
        checksum: Some(Checksum {
            value: u32::MAX - 6,
            form: ChecksumForm::Pairs,
        }),
        ..Depth::default()
    };
    assert_eq!(change, expected);
    assert_eq!(
        (bids, asks),
        (vec![level("20.3", "1")], vec![level("20.6", "0")])
    );
}

#[test]
fn a_change_may_change_nothing_fall_or_have_a_checksum_alone() {
    let numbers = |from: &str, to: &str| {
        let (change, ..) = depth(&[&UPDATE.replace(from, to)]);
        (change.first, change.last, change.link)
    };
    let prev = r#""seqId":64,"prevSeqId":50"#;
    assert_eq!(
        numbers(prev, r#""seqId":50,"prevSeqId":50"#),
        (51, 50, Link::Chain)
    );
    assert_eq!(
        numbers(prev, r#""seqId":3,"prevSeqId":50"#),
        (51, 3, Link::Chain)
    );
    assert_eq!(numbers(&format!(",{prev}"), ""), (0, 0, Link::Range));
    let (change, ..) = depth(&[&UPDATE.replace(r#""checksum":-7,"#, "")]);
    assert_eq!(change.checksum, None);
}

#[test]
fn five_levels_are_a_whole_book() {
    let (book, bids, asks) = depth(&[FIVE]);
    assert_eq!((book.snapshot, book.last), (Some(Splice::InOrder), 64));
    assert_eq!((bids, asks), (vec![], vec![level("20.6", "2")]));
}

#[test]
fn a_book_is_made_of_one_channel() {
    let (events, other) = (Ok(Decoded::Events), Err(DecodeError::UnknownType));
    let of_others = UPDATE.replace("ABC", "XYZ");
    let (batch, results) = decode_all(&[SNAPSHOT, FIVE, UPDATE, &of_others]);
    assert_eq!(results, [events, other, events, events]);
    assert_eq!(batch.levels.len(), 7, "of the three");
    let fast = |frame: &str| frame.replace("books", "books50-l2-tbt");
    let frames = [
        SNAPSHOT,
        &fast(UPDATE),
        &fast(SNAPSHOT),
        &fast(UPDATE),
        UPDATE,
    ];
    let (_, results) = decode_all(&frames);
    assert_eq!(
        results,
        [events, other, events, events, other],
        "the last that begins"
    );
    let (_, results) = decode_all(&[FIVE, SNAPSHOT, FIVE]);
    assert_eq!(results, [events, events, other]);
}

#[test]
fn any_form_that_means_the_same_is_read() {
    let usual = |frame| decode_all(&[frame]).0;
    for (frame, same) in [
        (
            TRADE,
            r#" { "data" : [ { "ts" : 1700000000123, "count":2, "s\u0069de":"sell", "sz":3.0, "px":"20.50", "tradeId":41, "instId":"ABC-\u0055SDT" } ], "arg" : {"instId":"ABC-USDT","channel":"trades"} } "#,
        ),
        (
            UPDATE,
            r#"{"data":[{"prevSeqId":"50","seqId":"64","checksum":-7,"ts":1700000000300,"bids":[[20.3,1]],"asks":[["20.6",0,0,0]]}],"action":"update","arg":{"instId":"ABC-USDT","uly":null,"channel":"books"}}"#,
        ),
    ] {
        let (frame, same) = (usual(frame), usual(same));
        assert_eq!((&frame.events, &frame.levels), (&same.events, &same.levels));
        assert_eq!(frame.events.len(), 1);
    }
}

#[test]
fn bad_frames_leave_nothing_behind() {
    let cases = [
        (TRADE, r#""20.5""#, r#""NaN""#, DecodeError::BadNumber("px")),
        (TRADE, r#""20.5""#, "NaN", DecodeError::BadNumber("data")),
        (TRADE, r#""20.5""#, r#""-1""#, DecodeError::OutOfRange("px")),
        (TRADE, r#""20.5""#, "null", DecodeError::MissingField("px")),
        (TRADE, r#""px""#, r#""Px""#, DecodeError::MissingField("px")),
        (TRADE, r#""20.5""#, "[20.5]", DecodeError::WrongType("px")),
        (
            TRADE,
            r#""20.5""#,
            r#""1","px":"2""#,
            DecodeError::RepeatedField("px"),
        ),
        (
            TRADE,
            r#""sz":"3""#,
            r#""sz":"0""#,
            DecodeError::OutOfRange("sz"),
        ),
        (
            TRADE,
            r#""41""#,
            r#""4x""#,
            DecodeError::BadNumber("tradeId"),
        ),
        (
            TRADE,
            r#""41""#,
            r#""-4""#,
            DecodeError::OutOfRange("tradeId"),
        ),
        (TRADE, "sell", "Sell", DecodeError::OutOfRange("side")),
        (
            TRADE,
            "1700000000123",
            "-5",
            DecodeError::ImplausibleTime("ts", None),
        ),
        (
            TRADE,
            r#""instId":"ABC-USDT","tradeId""#,
            r#""instId":"ABD-USDT","tradeId""#,
            DecodeError::OutOfRange("instId"),
        ),
        (TRADE, "ABC-USDT", "", DecodeError::OutOfRange("instId")),
        (
            TRADE,
            r#","instId":"ABC-USDT"},"#,
            "},",
            DecodeError::MissingField("instId"),
        ),
        (
            TRADE,
            r#"[{"instId""#,
            r#"[7,{"instId""#,
            DecodeError::WrongType("data"),
        ),
        (
            UPDATE,
            "update",
            "Update",
            DecodeError::OutOfRange("action"),
        ),
        (
            UPDATE,
            r#""action":"update","#,
            "",
            DecodeError::MissingField("action"),
        ),
        (
            UPDATE,
            r#","prevSeqId":50"#,
            "",
            DecodeError::MissingField("prevSeqId"),
        ),
        (
            UPDATE,
            r#""seqId":64,"#,
            "",
            DecodeError::MissingField("seqId"),
        ),
        (
            UPDATE,
            r#""prevSeqId":50"#,
            r#""prevSeqId":-1"#,
            DecodeError::OutOfRange("prevSeqId"),
        ),
        (
            UPDATE,
            r#""seqId":64"#,
            r#""seqId":6.5"#,
            DecodeError::BadNumber("seqId"),
        ),
        (
            UPDATE,
            r#""checksum":-7"#,
            r#""checksum":4294967295"#,
            DecodeError::OutOfRange("checksum"),
        ),
        (
            UPDATE,
            r#""20.3""#,
            r#""0""#,
            DecodeError::OutOfRange("price"),
        ),
        (
            UPDATE,
            r#""asks""#,
            r#""Asks""#,
            DecodeError::MissingField("asks"),
        ),
        (
            SNAPSHOT,
            r#"[["20.4","1.5","0","4"]]"#,
            r#"[["20.4"]]"#,
            DecodeError::WrongType("bids"),
        ),
    ];
    for (frame, from, to, expected) in cases {
        let frame = frame.replace(from, to);
        let (batch, results) = decode_all(&[&frame]);
        assert_eq!(results, [Err(expected)], "{frame}");
        assert!(batch.events.is_empty() && batch.levels.is_empty() && batch.origins.is_empty());
    }
    for cut in 1..UPDATE.len() {
        assert!(decode_all(&[&UPDATE[..cut]]).1[0].is_err(), "{cut}");
    }
    let empty = r#"{"arg":{"channel":"books5","instId":"A"},"data":[]}"#;
    assert_eq!(
        decode_all(&[empty]).1,
        [Err(DecodeError::MissingField("data"))]
    );
}

#[test]
fn a_damaged_message_is_read_or_refused_whole() {
    for message in [TRADE, QUOTE, SNAPSHOT, UPDATE, FIVE, UPGRADE] {
        for at in 0..message.len() {
            for byte in [b'"', b'0', b'9', b'-', b'{', b'[', b']', b',', b'\\', 0xff] {
                let mut damaged = message.as_bytes().to_vec();
                damaged[at] = byte;
                let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
                let mut batch = Batch::default();
                let result = decoder.decode(Origin::of_test(), &damaged, &mut batch);
                let is_read = result == Ok(Decoded::Events);
                assert_eq!(is_read, !batch.events.is_empty(), "{message} {at} {byte}");
                Okx.symbol_of(&damaged);
                Okx.is_quote(&damaged);
                Okx.reaction(&damaged);
            }
        }
    }
}
