//! Examples of the venue's messages, and what becomes of them.

mod connection;

use super::*;
use crate::decode::Decoder;
use crate::event::{Body, Depth, Event, Level, Link, Quote, Splice, Trade};
use crate::frame::Origin;
use crate::units::{Nanos, Price, Side, Size};

const TRADES: &str = r#"{"topic":"publicTrade.ABCUSDT","ts":1700000000125,"type":"snapshot","data":[{"i":"2290000000000000041","T":1700000000123,"p":"20.5","v":"3","S":"Sell","seq":7,"s":"ABCUSDT","BT":false,"RPI":false},{"i":"2290000000000000042","T":1700000000124,"p":"20.6","v":"1","S":"Buy","seq":7,"s":"ABCUSDT","BT":false,"RPI":false}]}"#;
const LINEAR: &str = r#"{"topic":"publicTrade.ABCUSDT","type":"snapshot","ts":1700000000125,"data":[{"T":1700000000123,"s":"ABCUSDT","S":"Buy","v":"0.010","p":"20.50","L":"PlusTick","i":"0a1b2c3d-0000-5b31-9112-a178eb6023af","BT":false,"seq":7}]}"#;
const QUOTE: &str = r#"{"topic":"orderbook.1.ABCUSDT","ts":1700000000203,"type":"snapshot","data":{"s":"ABCUSDT","b":[["20.4","1.5"]],"a":[["20.6","2"]],"u":41,"seq":900},"cts":1700000000200}"#;
const QUOTE_CHANGE: &str = r#"{"topic":"orderbook.1.ABCUSDT","type":"delta","ts":1700000000300,"data":{"s":"ABCUSDT","b":[["20.4","0"],["20.3","1"]],"a":[],"u":42,"seq":901}}"#;
const SNAPSHOT: &str = r#"{"topic":"orderbook.50.ABCUSDT","ts":1700000000203,"type":"snapshot","data":{"s":"ABCUSDT","b":[["20.4","1.5"]],"a":[["20.6","2"],["20.7","9"]],"u":50,"seq":900},"cts":1700000000200}"#;
const DELTA: &str = r#"{"topic":"orderbook.50.ABCUSDT","type":"delta","ts":1700000000303,"data":{"s":"ABCUSDT","b":[],"a":[["20.6","0"],["20.8","1"]],"u":51,"seq":905},"cts":1700000000300}"#;
const RETAIL: &str = r#"{"topic":"orderbook.rpi.ABCUSDT","ts":1700000000203,"type":"delta","data":{"s":"ABCUSDT","b":[["20.4","1.25","0"],["20.3","0","0"],["20.2","0","0.5"]],"a":[["20.6","0.441585","0.78821"]],"u":51,"seq":900},"cts":1700000000200}"#;

fn decode_all(frames: &[&str]) -> (Batch, Vec<Result<Decoded, DecodeError>>) {
    let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
    let mut batch = Batch::default();
    let mut decode = |frame: &&str| decoder.decode(Origin::of_test(), frame.as_bytes(), &mut batch);
    let results = frames.iter().map(&mut decode).collect();
    (batch, results)
}

/// The events of frames, which must be readable.
fn events(frames: &[&str]) -> Vec<Event> {
    let (batch, results) = decode_all(frames);
    assert!(
        results.iter().all(|result| *result == Ok(Decoded::Events)),
        "{results:?}"
    );
    batch.events
}

/// A frame's book.
fn depth(frame: &str) -> (Depth, Vec<Level>, Vec<Level>) {
    let (batch, results) = decode_all(&[frame]);
    assert_eq!(results, [Ok(Decoded::Events)], "{frame}");
    let Body::Depth(depth) = batch.events[0].body else {
        panic!("{:?}", batch.events)
    };
    let (bids, asks) = batch.levels(&depth);
    (depth, bids.to_vec(), asks.to_vec())
}

/// The trades of a frame.
fn trades(frame: &str) -> Vec<Trade> {
    let trade = |event: Event| match event.body {
        Body::Trade(trade) => trade,
        body => panic!("{body:?}"),
    };
    events(&[frame]).into_iter().map(trade).collect()
}

/// The last quote of frames: bid and its size, ask and its size.
fn quote(frames: &[&str]) -> [String; 4] {
    let Some(Body::Quote(quote)) = events(frames).last().map(|event| event.body) else {
        panic!("no quote")
    };
    [
        quote.bid_px.to_string(),
        quote.bid_sz.to_string(),
        quote.ask_px.to_string(),
        quote.ask_sz.to_string(),
    ]
}

fn level(price: &str, size: &str) -> Level {
    Level {
        price: Price::parse(price.as_bytes()).unwrap(),
        size: Size::parse(size.as_bytes()).unwrap(),
    }
}

#[test]
fn trades_of_the_spot_market_have_numbers() {
    let Level { price, size } = level("20.5", "3");
    let expected = Trade {
        price,
        size,
        trade_id: 2_290_000_000_000_000_041,
        ids: TradeIds::Distinct,
        side: Some(Side::Sell),
        aggregate: false,
    };
    let all = trades(TRADES);
    assert_eq!(
        (all.len(), all[0], all[1].trade_id),
        (2, expected, expected.trade_id + 1)
    );
    assert_eq!(
        events(&[TRADES])[0].ts_event,
        Nanos(1_700_000_000_123_000_000)
    );
}

#[test]
fn trades_of_other_markets_have_the_hash_of_their_name() {
    let id = |frame: &str| trades(frame)[0].trade_id;
    assert_ne!(id(LINEAR), id(&LINEAR.replace("0a1b2c3d", "0a1b2c3e")));
    assert_eq!(id(LINEAR), id(&LINEAR.replace("20.50", "20.60")));
    // Published values of FNV-1a.
    assert_eq!(
        id(&LINEAR.replace("0a1b2c3d-0000-5b31-9112-a178eb6023af", "a")),
        0xaf63_dc4c_8601_ec8c
    );
    assert_eq!(
        id(&LINEAR.replace("0a1b2c3d-0000-5b31-9112-a178eb6023af", "0")),
        1,
        "0 means none"
    );
    let old = LINEAR.replace("publicTrade.", "trade.linear.");
    assert_eq!(trades(&old), trades(LINEAR));
}

#[test]
fn the_first_level_is_a_quote() {
    let event = events(&[QUOTE])[0];
    assert_eq!(
        event.ts_event,
        Nanos(1_700_000_000_200_000_000),
        "of the matching engine"
    );
    let (bid, ask) = (level("20.4", "1.5"), level("20.6", "2"));
    let expected = Quote {
        bid_px: bid.price,
        bid_sz: bid.size,
        ask_px: ask.price,
        ask_sz: ask.size,
        sequence: 0,
    };
    assert_eq!(event.body, Body::Quote(expected));
    let delisted = QUOTE
        .replace(r#"[["20.4","1.5"]]"#, "[]")
        .replace(r#"[["20.6","2"]]"#, "[]");
    assert_eq!(quote(&[QUOTE, &delisted]), ["-", "0", "-", "0"]);
    assert!(decode_all(&[QUOTE]).0.levels.is_empty());
}

#[test]
fn a_quote_may_change_by_its_sides() {
    assert_eq!(quote(&[QUOTE, QUOTE_CHANGE]), ["20.3", "1", "20.6", "2"]);
    let changed = |bids: &str, asks: &str| {
        let change = QUOTE_CHANGE.replace(r#"[["20.4","0"],["20.3","1"]]"#, bids);
        quote(&[
            QUOTE,
            &change.replace(r#""a":[]"#, &format!(r#""a":{asks}"#)),
        ])
    };
    assert_eq!(
        changed(r#"[["20.45","7"],["20.4","0"]]"#, "[]"),
        ["20.45", "7", "20.6", "2"]
    );
    assert_eq!(
        changed("[]", r#"[["20.6","0.5"]]"#),
        ["20.4", "1.5", "20.6", "0.5"]
    );
    assert_eq!(
        changed("[]", r#"[["20.6","0"],["20.9","0"]]"#),
        ["20.4", "1.5", "-", "0"]
    );
    let second = QUOTE_CHANGE
        .replace(r#"[["20.4","0"],["20.3","1"]]"#, "[]")
        .replace("42", "43");
    assert_eq!(
        quote(&[QUOTE, QUOTE_CHANGE, &second]),
        ["20.3", "1", "20.6", "2"]
    );
    assert_eq!(
        events(&[QUOTE, QUOTE_CHANGE])[1].ts_event,
        Nanos(1_700_000_000_300_000_000)
    );
    // What came before is not known.
    let unknown = Err(DecodeError::UnknownType);
    assert_eq!(decode_all(&[QUOTE_CHANGE]).1, [unknown]);
    // One that does not follow is a gap; a copy is nothing.
    let later = [
        QUOTE_CHANGE.replace("42", "44"),
        QUOTE_CHANGE.replace("42", "45"),
    ];
    let (batch, read) = decode_all(&[QUOTE, &later[0], &later[1]]);
    assert_eq!(read[1..], [Ok(Decoded::Events), unknown]);
    assert!(matches!(batch.events[1].body, Body::Gap(gap) if gap.missing == 2));
    let copy = QUOTE_CHANGE.replace("42", "41");
    assert_eq!(decode_all(&[QUOTE, &copy]).1[1], unknown);
    let restart = QUOTE_CHANGE
        .replace(":42,", ":1,")
        .replace(r#"["20.4","0"],"#, "");
    assert_eq!(quote(&[&restart]), ["20.3", "1", "-", "0"]);
}

#[test]
fn a_book_begins_with_a_snapshot_and_its_messages_are_numbered() {
    let (book, bids, asks) = depth(SNAPSHOT);
    let expected = Depth {
        first: 50,
        last: 50,
        bids: 1,
        asks: 2,
        snapshot: Some(Splice::InOrder),
        keep: 50,
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
    let (change, bids, asks) = depth(DELTA);
    let expected = Depth {
        first: 51,
        last: 51,
        asks: 2,
        link: Link::Range,
        ..Depth::default()
    };
    assert_eq!(change, expected);
    assert_eq!(
        (bids, asks),
        (vec![], vec![level("20.6", "0"), level("20.8", "1")])
    );
    let event = events(&[DELTA])[0];
    assert_eq!(
        event.ts_event,
        Nanos(1_700_000_000_300_000_000),
        "of the matching engine"
    );
    let event = events(&[&DELTA.replace(r#","cts":1700000000300"#, "")])[0];
    assert_eq!(
        event.ts_event,
        Nanos(1_700_000_000_303_000_000),
        "of before 2024"
    );
}

#[test]
fn number_one_begins_a_book_after_a_restart() {
    let (book, ..) = depth(&DELTA.replace(":51,", ":1,"));
    assert_eq!(
        (book.snapshot, book.last, book.keep),
        (Some(Splice::InOrder), 1, 50)
    );
    let empty = DELTA
        .replace(":51,", ":1,")
        .replace(r#"[["20.6","0"],["20.8","1"]]"#, "[]");
    let (book, bids, asks) = depth(&empty);
    assert_eq!(
        (book.snapshot, bids, asks),
        (Some(Splice::InOrder), vec![], vec![])
    );
}

#[test]
fn a_level_of_the_retail_book_has_its_whole_quantity() {
    let (book, bids, asks) = depth(RETAIL);
    assert_eq!((book.first, book.last, book.snapshot), (51, 51, None));
    assert_eq!(
        bids,
        [
            level("20.4", "1.25"),
            level("20.3", "0"),
            level("20.2", "0.5")
        ]
    );
    assert_eq!(asks, [level("20.6", "1.229795")]);
    for (from, to, expected) in [
        (r#","0.78821""#, "", DecodeError::WrongType("a")),
        (r#""0.78821""#, r#""x""#, DecodeError::BadNumber("size")),
        (r#""0.78821""#, r#""-1""#, DecodeError::OutOfRange("size")),
        (
            r#""0.78821""#,
            r#""100000000000000000""#,
            DecodeError::TooPrecise("size"),
        ),
        (r#""20.3""#, r#""0""#, DecodeError::OutOfRange("price")),
    ] {
        assert_eq!(
            decode_all(&[&RETAIL.replace(from, to)]).1,
            [Err(expected)],
            "{to}"
        );
    }
}

#[test]
fn a_book_is_made_of_one_topic() {
    let deep = |frame: &str| frame.replace("orderbook.50", "orderbook.200");
    let (events, other) = (Ok(Decoded::Events), Err(DecodeError::UnknownType));
    let frames = [
        DELTA,
        SNAPSHOT,
        &deep(DELTA),
        &deep(SNAPSHOT),
        DELTA,
        &deep(DELTA),
        QUOTE,
    ];
    let (batch, results) = decode_all(&frames);
    assert_eq!(
        results,
        [events, events, other, events, other, events, events]
    );
    assert_eq!(batch.levels.len(), 2 + 3 + 3 + 2);
}

#[test]
fn any_form_that_means_the_same_is_read() {
    let usual = |frame| decode_all(&[frame]).0;
    for (frame, same) in [
        (
            LINEAR,
            r#" { "data" : [ {"i":"0a1b2c3d-0000-5b31-9112-\u0061178eb6023af","p":20.5,"v":0.01,"\u0053":"Buy","s":"ABCUSDT","T":"1700000000123"} ], "topic" : "publicTrade.ABCUSDT" } "#,
        ),
        (
            DELTA,
            r#"{"cts":1700000000300.0,"data":{"seq":"905","u":"51","a":[[20.6,0],["20.8",1,7]],"b":[],"s":"ABC\u0055SDT"},"type":"delta","topic":"orderbook.50.ABCUSDT"}"#,
        ),
        (
            QUOTE,
            &QUOTE
                .replace(",\"seq\"", " , \"seq\"")
                .replace("{\"topic\"", "{ \"topic\""),
        ),
    ] {
        let (frame, same) = (usual(frame), usual(same));
        assert_eq!((&frame.events, &frame.levels), (&same.events, &same.levels));
        assert_eq!(frame.events.len(), 1);
    }
}

#[test]
fn bad_frames_leave_nothing_behind() {
    for (frame, from, to, expected) in [
        (
            LINEAR,
            r#""20.50""#,
            r#""NaN""#,
            DecodeError::BadNumber("p"),
        ),
        (
            LINEAR,
            r#""20.50""#,
            r#""-1""#,
            DecodeError::OutOfRange("p"),
        ),
        (LINEAR, r#""20.50""#, "null", DecodeError::MissingField("p")),
        (LINEAR, r#""p""#, r#""P""#, DecodeError::MissingField("p")),
        (LINEAR, r#""20.50""#, "[20.5]", DecodeError::WrongType("p")),
        (
            LINEAR,
            r#""20.50""#,
            r#""1","p":"2""#,
            DecodeError::RepeatedField("p"),
        ),
        (LINEAR, r#""0.010""#, r#""0""#, DecodeError::OutOfRange("v")),
        (LINEAR, "Buy", "buy", DecodeError::OutOfRange("S")),
        (
            LINEAR,
            "1700000000123",
            "-5",
            DecodeError::ImplausibleTime("T", None),
        ),
        (
            LINEAR,
            r#""s":"ABCUSDT""#,
            r#""s":"ABDUSDT""#,
            DecodeError::OutOfRange("s"),
        ),
        (
            LINEAR,
            r#""i":"0a1b2c3d-0000-5b31-9112-a178eb6023af","#,
            "",
            DecodeError::MissingField("i"),
        ),
        (
            LINEAR,
            r#"[{"T""#,
            r#"[7,{"T""#,
            DecodeError::WrongType("data"),
        ),
        (
            TRADES,
            r#""v":"1""#,
            r#""v":"x""#,
            DecodeError::BadNumber("v"),
        ),
        (
            DELTA,
            r#""type":"delta""#,
            r#""type":"Delta""#,
            DecodeError::OutOfRange("type"),
        ),
        (
            DELTA,
            r#""type":"delta","#,
            "",
            DecodeError::MissingField("type"),
        ),
        (DELTA, r#""u":51,"#, "", DecodeError::MissingField("u")),
        (
            DELTA,
            r#""u":51"#,
            r#""u":-51"#,
            DecodeError::OutOfRange("u"),
        ),
        (
            DELTA,
            r#""20.8""#,
            r#""0""#,
            DecodeError::OutOfRange("price"),
        ),
        (
            DELTA,
            r#"["20.8","1"]"#,
            r#"["20.8"]"#,
            DecodeError::WrongType("a"),
        ),
        (DELTA, r#""b""#, r#""B""#, DecodeError::MissingField("b")),
        (
            DELTA,
            r#""s":"ABCUSDT""#,
            r#""s":"ABDUSDT""#,
            DecodeError::OutOfRange("s"),
        ),
        (DELTA, "ABCUSDT", "", DecodeError::OutOfRange("s")),
        (
            DELTA,
            r#""cts":1700000000300"#,
            r#""cts":1"#,
            DecodeError::ImplausibleTime("cts", None),
        ),
        (
            DELTA,
            r#"51,"seq""#,
            r#"NaN,"seq""#,
            DecodeError::BadNumber("u"),
        ),
    ] {
        let frame = frame.replace(from, to);
        let (batch, results) = decode_all(&[&frame]);
        assert_eq!(results, [Err(expected)], "{frame}");
        assert!(batch.events.is_empty() && batch.levels.is_empty() && batch.origins.is_empty());
    }
    for frame in [TRADES, DELTA, RETAIL] {
        for cut in 1..frame.len() {
            assert!(decode_all(&[&frame[..cut]]).1[0].is_err(), "{cut}");
        }
    }
}

#[test]
fn a_damaged_message_is_read_or_refused_whole() {
    for message in [TRADES, LINEAR, QUOTE, SNAPSHOT, DELTA, RETAIL] {
        for at in 0..message.len() {
            for byte in [b'"', b'0', b'9', b'-', b'{', b'[', b']', b',', b'\\', 0xff] {
                let mut damaged = message.as_bytes().to_vec();
                damaged[at] = byte;
                let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
                let mut batch = Batch::default();
                let result = decoder.decode(Origin::of_test(), &damaged, &mut batch);
                let is_read = result == Ok(Decoded::Events);
                assert_eq!(is_read, !batch.events.is_empty(), "{message} {at} {byte}");
                Bybit.symbol_of(&damaged);
                Bybit.is_quote(&damaged);
                Bybit.reaction(&damaged);
            }
        }
    }
}
