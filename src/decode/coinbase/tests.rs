//! Examples of the venue's messages, and what becomes of them.

mod routing;

use super::output::{SYMBOL, VENUE};
use super::*;
use crate::decode::message_output::MessageOutput;
use crate::decode::{Decoder, Notice};
use crate::event::{Body, Depth, Event, Gap, GapReason, Level, Splice, Trade};
use crate::frame::Origin;
use crate::instrument::InstrumentId;
use crate::units::{Nanos, Price, Side, Size};

fn decode_all(frames: &[&str]) -> (Batch, Vec<Result<Decoded, DecodeError>>) {
    decode_listed(&[], frames)
}

fn decode_listed(listed: &[&str], frames: &[&str]) -> (Batch, Vec<Result<Decoded, DecodeError>>) {
    let listed: Vec<String> = listed.iter().map(ToString::to_string).collect();
    let mut decoder = Decoder::new(Instruments::new(&listed, 16), 1 << 20);
    let mut batch = Batch::default();
    let decode = |frame: &&str| decoder.decode(Origin::of_test(), frame.as_bytes(), &mut batch);
    let results = frames.iter().map(decode).collect();
    (batch, results)
}

fn price(text: &str) -> Price {
    Price::parse(text.as_bytes()).unwrap()
}

fn size(text: &str) -> Size {
    Size::parse(text.as_bytes()).unwrap()
}

fn level(of_price: &str, of_size: &str) -> Level {
    Level {
        price: price(of_price),
        size: size(of_size),
    }
}

fn depth(batch: &Batch, at: usize) -> Depth {
    match batch.events[at].body {
        Body::Depth(depth) => depth,
        other => panic!("{other:?}"),
    }
}

fn trades(batch: &Batch) -> Vec<(u64, InstrumentId)> {
    let trade = |event: &Event| match event.body {
        Body::Trade(trade) => (trade.trade_id, event.instrument),
        other => panic!("{other:?}"),
    };
    batch.events.iter().map(trade).collect()
}

const SNAPSHOT: &str = r#"{"channel":"l2_data","timestamp":"2026-01-02T03:04:05.987654321Z","sequence_num":0,"events":[{"type":"snapshot","product_id":"ABC-USD","updates":[{"side":"bid","event_time":"2026-01-02T03:04:05.123456Z","price_level":"20.50","new_quantity":"3.001"},{"side":"offer","event_time":"2026-01-02T03:04:05.123456Z","price_level":"20.6","new_quantity":"7"},{"side":"bid","event_time":"2026-01-02T03:04:05.123456Z","price_level":"20.4","new_quantity":"0.5"}]}]}"#;
const CHANGE: &str = r#"{"channel":"l2_data","client_id":"","timestamp":"2026-01-02T03:04:06.0000001Z","sequence_num":7,"events":[{"type":"update","product_id":"ABC-USD","updates":[{"side":"offer","event_time":"2026-01-02T03:04:05.1Z","price_level":"20.6","new_quantity":"0"},{"side":"offer","event_time":"2026-01-02T03:04:05.2Z","price_level":"20.70","new_quantity":"1.25"}]}]}"#;
const NOTHING: &str = r#"{"channel":"l2_data","timestamp":"2026-01-02T03:04:06Z","sequence_num":8,"events":[{"type":"update","product_id":"ABC-USD","updates":[]}]}"#;
const TRADES: &str = r#"{"channel":"market_trades","client_id":"","timestamp":"2026-01-02T03:04:06.5Z","sequence_num":5,"events":[{"type":"snapshot","trades":[{"trade_id":"42","product_id":"ABC-USD","price":"20.50","size":"2.00","side":"BUY","time":"2026-01-02T03:04:05.500000Z"},{"trade_id":"41","product_id":"ABC-USD","price":"20.60","size":"0.1","side":"SELL","time":"2026-01-02T03:04:05.123456Z"}]}]}"#;
const TICKER: &str = r#"{"channel":"ticker","client_id":"","timestamp":"2026-01-02T03:04:05.123456Z","sequence_num":12,"events":[{"type":"update","tickers":[{"type":"ticker","product_id":"ABC-USD","price":"20.60","volume_24_h":"12.5","low_24_h":"20.1","high_24_h":"20.9","low_52_w":"1","high_52_w":"30","price_percent_chg_24_h":"-0.48","best_bid":"20.50","best_bid_quantity":"3.001","best_ask":"20.60","best_ask_quantity":"7"}]}]}"#;
const ACK: &str = r#"{"channel":"subscriptions","timestamp":"2026-01-02T03:04:05.1Z","sequence_num":3,"events":[{"subscriptions":{"level2":["ABC-USD"]}}]}"#;
const HEARTBEAT: &str = r#"{"channel":"heartbeats","client_id":"","timestamp":"2026-01-02T03:04:05.1Z","sequence_num":4,"events":[{"current_time":"2026-01-02 03:04:05.1 +0000 UTC m=+91717.5","heartbeat_counter":42}]}"#;
const ERROR: &str =
    r#"{"type":"error","message":"Failed to subscribe","reason":"XYZ-USD is not a valid product"}"#;

/// A time of the examples.
const AT: Nanos = Nanos(1_767_323_045_123_456_000);

#[test]
fn trades_come_oldest_first_with_the_side_that_started_them() {
    let (batch, results) = decode_all(&[TRADES]);
    assert_eq!(results, [Ok(Decoded::Events)]);
    let expected = Trade {
        price: price("20.6"),
        size: size("0.1"),
        trade_id: 41,
        ids: TradeIds::Rising,
        // The venue names the side that rested.
        side: Some(Side::Buy),
        aggregate: false,
    };
    assert_eq!(batch.events[0].body, Body::Trade(expected));
    assert_eq!(batch.events[0].ts_event, AT);
    assert!(matches!(
        batch.events[1].body,
        Body::Trade(Trade {
            side: Some(Side::Sell),
            trade_id: 42,
            ..
        })
    ));
}

#[test]
fn a_quote_has_the_best_bid_and_offer() {
    let empty = TICKER
        .replace("\"20.50\"", "\"0\"")
        .replace("\"3.001\"", "\"0\"");
    let (batch, results) = decode_all(&[TICKER, &empty]);
    assert_eq!(results, [Ok(Decoded::Events); 2]);
    let [Body::Quote(quote), Body::Quote(other)] = [batch.events[0].body, batch.events[1].body]
    else {
        panic!("{:?}", batch.events)
    };
    assert_eq!((quote.bid_px, quote.bid_sz), (price("20.5"), size("3.001")));
    assert_eq!((quote.ask_px, quote.ask_sz), (price("20.6"), size("7")));
    assert_eq!(batch.events[0].ts_event, AT);
    assert_eq!(other.bid_px, Price::UNDEFINED, "no bids");
}

#[test]
fn a_book_and_its_changes_have_bids_before_offers() {
    let (batch, results) = decode_all(&[SNAPSHOT, CHANGE, NOTHING]);
    assert_eq!(results, [Ok(Decoded::Events); 3]);
    let book = depth(&batch, 0);
    assert_eq!(book.snapshot, Some(Splice::InOrder));
    assert_eq!(
        (book.first, book.last, book.keep, book.checksum),
        (0, 0, 0, None)
    );
    let (bids, asks) = batch.levels(&book);
    assert_eq!(bids, [level("20.5", "3.001"), level("20.4", "0.5")]);
    assert_eq!(asks, [level("20.6", "7")]);
    assert_eq!(batch.events[0].ts_event, AT);
    let change = depth(&batch, 1);
    assert_eq!(change.snapshot, None);
    let (bids, asks) = batch.levels(&change);
    assert_eq!(bids, []);
    assert_eq!(asks, [level("20.6", "0"), level("20.7", "1.25")]);
    assert_eq!(
        batch.events[1].ts_event,
        Nanos(1_767_323_045_200_000_000),
        "of the last update"
    );
    assert_eq!(
        batch.events[2].ts_event,
        Nanos(1_767_323_046_000_000_000),
        "of the message"
    );
}

#[test]
fn the_order_of_fields_and_blanks_mean_nothing() {
    let odd = r#" { "events" : [ { "updates":[
          {"price_level":"20.50","side":"bid","new_quantity":3.001,"x":{}},
          {"new_quantity":"7","side":"offer","price_level":"2.06e1"},
          {"side":"bid","event_time":"2026-01-02T03:04:05.123456+00:00","price_level":"20.4","new_quantity":"0.5"}
        ], "product\u005fid":"ABC-\u0055SD", "type":"snapshot" } ], "sequence_num" : 0,
        "timestamp":"2026-01-02T03:04:05.987654321Z", "channel" : "l2_data" } "#;
    let (batch, results) = decode_all(&[odd]);
    let (usual, _) = decode_all(&[SNAPSHOT]);
    assert_eq!(results, [Ok(Decoded::Events)]);
    assert_eq!(batch.levels, usual.levels);
    assert_eq!(batch.events[0].ts_event, AT);
    assert_eq!(
        Coinbase.symbol_of(odd.as_bytes()).as_deref(),
        Some("ABC-USD")
    );
    assert_eq!(Coinbase.connection_number(odd.as_bytes()), Some(0));
    let new = TRADES.replace(r#""side":"BUY","#, r#""side":"BUY","new":{"x":1},"#);
    let (batch, results) = decode_all(&[&new]);
    let (usual, _) = decode_all(&[TRADES]);
    assert_eq!(
        (batch.events, results),
        (usual.events, vec![Ok(Decoded::Events)])
    );
}

#[test]
fn notices_are_no_events() {
    for (frame, notice) in [
        (HEARTBEAT, Notice::Ping),
        (ACK, Notice::Ack),
        (ERROR, Notice::VenueError),
    ] {
        let (batch, results) = decode_all(&[frame]);
        assert_eq!(results, [Ok(Decoded::Notice(notice))], "{frame}");
        assert!(batch.events.is_empty() && batch.origins.is_empty());
    }
}

#[test]
fn bad_frames_leave_nothing_behind() {
    use DecodeError as E;
    for (frame, error) in [
        (CHANGE.replace("20.70", "-1"), E::OutOfRange("price_level")),
        (CHANGE.replace("20.70", "0"), E::OutOfRange("price_level")),
        (
            CHANGE.replace("\"20.70\"", "null"),
            E::MissingField("price_level"),
        ),
        (
            CHANGE.replace("\"20.70\"", "true"),
            E::WrongType("price_level"),
        ),
        (CHANGE.replace("20.70", ""), E::BadNumber("price_level")),
        (
            CHANGE.replace("20.70", "1.2345678901234567890123"),
            E::TooPrecise("price_level"),
        ),
        (
            CHANGE.replace("1.25", "-1.25"),
            E::OutOfRange("new_quantity"),
        ),
        (CHANGE.replacen("offer", "ask", 1), E::OutOfRange("side")),
        (
            CHANGE.replacen("\"side\":\"offer\",", "", 1),
            E::MissingField("side"),
        ),
        (CHANGE.replace("05.2Z", "65.2Z"), E::BadNumber("event_time")),
        (
            CHANGE.replace("2026-01-02T03:04:06", "1969-01-02T03:04:06"),
            E::ImplausibleTime("timestamp", None),
        ),
        (
            CHANGE.replace("\"timestamp\":\"2026-01-02T03:04:06.0000001Z\",", ""),
            E::MissingField("timestamp"),
        ),
        (CHANGE.replace("ABC-USD", ""), E::OutOfRange("product_id")),
        (
            CHANGE.replace("ABC-USD", "ABC-USD."),
            E::OutOfRange("product_id"),
        ),
        (
            CHANGE.replace("\"product_id\":\"ABC-USD\",", ""),
            E::MissingField("product_id"),
        ),
        (
            CHANGE.replace("\"update\"", "\"patch\""),
            E::OutOfRange("type"),
        ),
        (
            CHANGE.replace("\"type\":\"update\",", ""),
            E::MissingField("type"),
        ),
        (
            CHANGE.replace("\"updates\":[", "\"updates\":[5,"),
            E::WrongType("updates"),
        ),
        (
            NOTHING.replace("\"updates\":[]", "\"updates\":{}"),
            E::WrongType("updates"),
        ),
        (
            NOTHING.replace(",\"updates\":[]", ""),
            E::MissingField("updates"),
        ),
        (
            NOTHING.replace("\"updates\":[]", "\"updates\":[],\"updates\":[]"),
            E::RepeatedField("updates"),
        ),
        (
            NOTHING.replace("\"events\":[", "\"events\":[[],"),
            E::WrongType("events"),
        ),
        (
            r#"{"channel":"l2_data","timestamp":"2026-01-02T03:04:06Z","sequence_num":8}"#.into(),
            E::MissingField("events"),
        ),
        (CHANGE.replace("l2_data", "candles"), E::UnknownType),
        (
            TICKER.replace("\"ticker\",\"client", "\"ticker_batch\",\"client"),
            E::UnknownType,
        ),
        (TRADES.replace("BUY", "buy"), E::OutOfRange("side")),
        (TRADES.replace("2.00", "0.00"), E::OutOfRange("size")),
        (
            TRADES.replace("\"42\"", "\"-42\""),
            E::OutOfRange("trade_id"),
        ),
        (TRADES.replace("\"42\"", "\"x\""), E::BadNumber("trade_id")),
        (
            TRADES.replace("\"trade_id\":\"42\",", ""),
            E::MissingField("trade_id"),
        ),
        (
            TICKER.replace("\"best_ask\":\"20.60\"", "\"best_ask\":\"-20.60\""),
            E::OutOfRange("best_ask"),
        ),
        (
            TICKER.replace("\"best_bid_quantity\":\"3.001\",", ""),
            E::MissingField("best_bid_quantity"),
        ),
        (CHANGE[..CHANGE.len() - 20].into(), E::Truncated),
    ] {
        let (batch, results) = decode_all(&[SNAPSHOT, &frame]);
        assert_eq!(results[1], Err(error), "{frame}");
        assert_eq!(batch.levels.len(), 3, "{frame}");
        // No number shows that it is missing, because it had one.
        let gap = Body::Gap(Gap {
            reason: GapReason::Sequence,
            missing: 1,
        });
        let left: Vec<Body> = batch.events[1..].iter().map(|event| event.body).collect();
        let is_counted = error.unreadable() && frame.contains("\"sequence_num\":");
        assert_eq!(left, vec![gap; usize::from(is_counted)], "{frame}");
        assert_eq!(batch.origins.len(), batch.events.len(), "{frame}");
    }
}

#[test]
fn of_a_message_about_several_products_the_listed_ones_are_read() {
    let two_trades = TRADES.replacen("ABC", "XYZ", 1);
    let two_books = CHANGE.replace(
        "\"events\":[",
        r#""events":[{"type":"update","product_id":"XYZ-USD","updates":[{"side":"bid","event_time":"2026-01-02T03:04:05.1Z","price_level":"1","new_quantity":"1"}]},"#,
    );
    for frame in [&two_trades, &two_books] {
        let spaced = frame.replacen("\"channel\":", "\"channel\" : ", 1);
        for frame in [frame, &spaced] {
            assert_eq!(Coinbase.symbol_of(frame.as_bytes()), None, "{frame}");
            let (batch, results) = decode_listed(&["ABC-USD.COINBASE"], &[frame]);
            assert_eq!(results, [Ok(Decoded::Events)]);
            assert_eq!(
                (batch.events.len(), batch.events[0].instrument),
                (1, InstrumentId(0))
            );
            let (batch, results) = decode_listed(&["DEF-USD.COINBASE"], &[frame]);
            assert_eq!(results, [Err(DecodeError::NotListed)]);
            assert!(batch.events.is_empty() && batch.levels.is_empty());
        }
    }
    let (batch, _) = decode_listed(&["ABC-USD.COINBASE"], &[&two_books]);
    assert_eq!(
        batch.levels(&depth(&batch, 0)).1,
        [level("20.6", "0"), level("20.7", "1.25")]
    );
    let (batch, _) = decode_all(&[&two_trades]);
    let (abc, xyz) = (InstrumentId(1), InstrumentId(0));
    assert_eq!(trades(&batch), [(42, xyz), (41, abc)]);
}

/// Reads a message by the quick reader, and by the general one.
fn read_twice(frame: &[u8]) -> Option<[(Batch, Result<Decoded, DecodeError>); 2]> {
    let read = |quick: bool| {
        let mut batch = Batch::default();
        batch.begin_frame(Origin::of_test());
        let (mut stream, mut instruments) = (StreamState::default(), Instruments::new(&[], 16));
        let mut out =
            MessageOutput::new((VENUE, SYMBOL), &mut stream, &mut instruments, &mut batch);
        if quick {
            usual::read(frame, &mut out)?;
            out.take_back();
        }
        let result = match quick {
            true => mapping::decode(frame, out),
            false => mapping::any(frame, out),
        };
        Some((batch, result))
    };
    Some([read(true)?, read(false)?])
}

#[test]
fn the_quick_reader_agrees_with_the_general_one_on_all_that_it_reads() {
    let mut read = 0;
    let mut compare = |frame: &[u8]| {
        if let Some([quick, general]) = read_twice(frame) {
            let frame = String::from_utf8_lossy(frame);
            assert_eq!(quick.1, general.1, "{frame}");
            assert_eq!(quick.0.events, general.0.events, "{frame}");
            assert_eq!(quick.0.levels, general.0.levels, "{frame}");
            read += 1;
        }
    };
    for frame in [SNAPSHOT, CHANGE, NOTHING, TRADES, TICKER] {
        assert!(read_twice(frame.as_bytes()).is_some(), "{frame}");
        for at in 0..frame.len() {
            compare(&frame.as_bytes()[..at]);
            for byte in *b"\"\\{}[],:. -0159eEnxZ\0\xff" {
                let mut other = frame.as_bytes().to_vec();
                other[at] = byte;
                compare(&other);
                other.insert(at, byte);
                compare(&other);
            }
        }
    }
    assert!(read > 1_000, "{read}");
}

#[test]
fn levels_of_an_unknown_time_are_of_the_time_of_the_message() {
    let first = SNAPSHOT.replace("2026-01-02T03:04:05.123456Z", "1970-01-01T00:00:00Z");
    let odd = first.replace("\"updates\":", "\"updates\" :");
    for frame in [first, odd] {
        let (batch, results) = decode_all(&[&frame]);
        assert_eq!(results, [Ok(Decoded::Events)]);
        assert_eq!(batch.events[0].ts_event, Nanos(1_767_323_045_987_654_321));
    }
}
