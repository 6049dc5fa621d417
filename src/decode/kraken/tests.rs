//! Examples of the venue's messages, and what becomes of them.

mod routing;

use super::output::{SYMBOL, VENUE};
use super::*;
use crate::decode::message_output::MessageOutput;
use crate::decode::{Decoder, Notice};
use crate::event::{Body, Checksum, ChecksumForm, Depth, Level, Splice, Trade};
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
    let trade = |event: &crate::event::Event| match event.body {
        Body::Trade(trade) => (trade.trade_id, event.instrument),
        other => panic!("{other:?}"),
    };
    batch.events.iter().map(trade).collect()
}

const SNAPSHOT: &str = r#"{"channel":"book","type":"snapshot","data":[{"symbol":"ABC/USD","bids":[{"price":20.50,"qty":3.00100000},{"price":20.40,"qty":0.50000000}],"asks":[{"price":20.60,"qty":7.00000000}],"checksum":123456,"timestamp":"2026-01-02T03:04:05.123456Z"}]}"#;
const CHANGE: &str = r#"{"channel":"book","type":"update","data":[{"symbol":"ABC/USD","bids":[],"asks":[{"price":20.60,"qty":0.00000000},{"price":20.70,"qty":1.25000000}],"checksum":4294967295,"timestamp":"2026-01-02T03:04:06.000001Z"}]}"#;
const TRADES: &str = r#"{"channel":"trade","type":"update","data":[{"symbol":"ABC/USD","side":"buy","price":20.60,"qty":0.10000000,"ord_type":"market","trade_id":41,"timestamp":"2026-01-02T03:04:05.123456Z"},{"symbol":"ABC/USD","side":"sell","price":20.50,"qty":2.00000000,"ord_type":"limit","trade_id":42,"timestamp":"2026-01-02T03:04:05.500000Z"}]}"#;
const TICKER: &str = r#"{"channel":"ticker","type":"update","data":[{"symbol":"ABC/USD","bid":20.50,"bid_qty":3.00100000,"ask":20.60,"ask_qty":7.00000000,"last":20.60,"volume":12.50000000,"vwap":20.55,"low":20.10,"high":20.90,"change":-0.10,"change_pct":-0.48,"timestamp":"2026-01-02T03:04:05.123456Z"}]}"#;
const ACK: &str = r#"{"method":"subscribe","result":{"channel":"book","depth":25,"snapshot":true,"symbol":"ABC/USD"},"success":true,"time_in":"2026-01-02T03:04:05.123456Z","time_out":"2026-01-02T03:04:05.123556Z"}"#;
const REFUSED: &str = r#"{"error":"Currency pair not supported XYZ/USD","method":"subscribe","success":false,"symbol":"XYZ/USD","time_in":"2026-01-02T03:04:05.123456Z","time_out":"2026-01-02T03:04:05.123556Z"}"#;
const STATUS: &str = r#"{"channel":"status","type":"update","data":[{"version":"2.0.10","system":"online","api_version":"v2","connection_id":18446744073709551615}]}"#;
const HEARTBEAT: &str = r#"{"channel":"heartbeat"}"#;
const PONG: &str = r#"{"method":"pong","req_id":7,"time_in":"2026-01-02T03:04:05.123456Z","time_out":"2026-01-02T03:04:05.123556Z"}"#;

/// A time of the examples.
const AT: Nanos = Nanos(1_767_323_045_123_456_000);

#[test]
fn trades_of_a_message() {
    let (batch, results) = decode_all(&[TRADES]);
    assert_eq!(results, [Ok(Decoded::Events)]);
    let expected = Trade {
        price: price("20.6"),
        size: size("0.1"),
        trade_id: 41,
        ids: TradeIds::Successive,
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
fn trades_come_oldest_first_whatever_their_order() {
    let mixed = TRADES
        .replace(":41,", ":43,")
        .replace("update", "snapshot")
        .replace(
            "}]}",
            r#"},{"symbol":"XYZ/USD","side":"buy","price":1,"qty":1,"trade_id":9,"timestamp":"2026-01-02T03:04:05Z"}]}"#,
        );
    let (batch, results) = decode_all(&[&mixed]);
    assert_eq!(results, [Ok(Decoded::Events)]);
    let (abc, xyz) = (InstrumentId(0), InstrumentId(1));
    assert_eq!(trades(&batch), [(42, abc), (43, abc), (9, xyz)]);
}

#[test]
fn a_quote_has_the_best_bid_and_offer() {
    let empty = TICKER.replace(
        r#""bid":20.50,"bid_qty":3.00100000"#,
        r#""bid":0,"bid_qty":0"#,
    );
    let timeless = empty.replace(r#","timestamp":"2026-01-02T03:04:05.123456Z""#, "");
    let (batch, results) = decode_all(&[TICKER, &timeless]);
    assert_eq!(results, [Ok(Decoded::Events); 2]);
    let [Body::Quote(quote), Body::Quote(other)] = [batch.events[0].body, batch.events[1].body]
    else {
        panic!("{:?}", batch.events)
    };
    assert_eq!((quote.bid_px, quote.bid_sz), (price("20.5"), size("3.001")));
    assert_eq!((quote.ask_px, quote.ask_sz), (price("20.6"), size("7")));
    assert_eq!(batch.events[0].ts_event, AT);
    assert_eq!(other.bid_px, Price::UNDEFINED, "no bids");
    assert_eq!(batch.events[1].ts_event, Nanos::UNDEFINED);
}

#[test]
fn a_book_and_its_change_have_the_checksum_of_their_digits() {
    let (batch, results) = decode_all(&[SNAPSHOT, CHANGE]);
    assert_eq!(results, [Ok(Decoded::Events); 2]);
    let book = depth(&batch, 0);
    assert_eq!(book.snapshot, Some(Splice::InOrder));
    assert_eq!((book.first, book.last, book.keep), (0, 0, 10));
    let (bids, asks) = batch.levels(&book);
    assert_eq!(bids, [level("20.5", "3.001"), level("20.4", "0.5")]);
    assert_eq!(asks, [level("20.6", "7")]);
    let sum = |value| Checksum {
        value,
        form: ChecksumForm::Digits {
            price_places: 2,
            size_places: 8,
        },
    };
    assert_eq!(book.checksum, Some(sum(123_456)));
    let change = depth(&batch, 1);
    assert_eq!((change.snapshot, change.keep), (None, 0));
    assert_eq!(change.checksum, Some(sum(u32::MAX)));
    let (bids, asks) = batch.levels(&change);
    assert_eq!(bids, []);
    assert_eq!(asks, [level("20.6", "0"), level("20.7", "1.25")]);
    assert_eq!(batch.events[0].ts_event, AT);
}

#[test]
fn a_message_without_levels_does_not_show_what_digits_the_checksum_has() {
    let none = CHANGE.replace(
        r#"{"price":20.60,"qty":0.00000000},{"price":20.70,"qty":1.25000000}"#,
        "",
    );
    let (batch, results) = decode_all(&[&none]);
    assert_eq!(results, [Ok(Decoded::Events)]);
    assert_eq!(depth(&batch, 0).checksum, None);
}

#[test]
fn a_book_is_kept_as_deep_as_the_venue_promises() {
    let (batch, results) = decode_all(&[ACK, SNAPSHOT]);
    assert_eq!(results[0], Ok(Decoded::Notice(Notice::Ack)));
    assert_eq!(depth(&batch, 0).keep, 25);
    let other = ACK.replace("ABC", "XYZ");
    let (batch, _) = decode_all(&[&other, SNAPSHOT]);
    assert_eq!(depth(&batch, 0).keep, 10, "the promise is of another book");
    let bids: Vec<String> = (0..26)
        .map(|at| format!(r#"{{"price":{}.00,"qty":1.00000000}}"#, 40 - at))
        .collect();
    let deep = SNAPSHOT.replace(r#"{"price":20.40,"qty":0.50000000}"#, &bids.join(","));
    let (batch, results) = decode_all(&[&deep]);
    assert_eq!(results, [Ok(Decoded::Events)]);
    assert_eq!(depth(&batch, 0).keep, 100, "27 levels fit no less");
    for wrong in [
        ACK.replace("25", "70000"),
        ACK.replace(r#""ABC/USD""#, "5"),
        ACK.replace(
            r#"{"channel":"book","depth":25,"snapshot":true,"symbol":"ABC/USD"}"#,
            "[]",
        ),
    ] {
        let (_, results) = decode_all(&[&wrong]);
        assert!(results[0].is_err(), "{wrong}");
    }
}

#[test]
fn the_digits_of_a_number_are_kept() {
    let long = CHANGE
        .replace("20.60", "0.0000000012345678")
        .replace("1.25000000", "98765432109.5");
    let (batch, results) = decode_all(&[&long]);
    assert_eq!(results, [Ok(Decoded::Events)]);
    let change = depth(&batch, 0);
    let (_, asks) = batch.levels(&change);
    assert_eq!(asks[0].price, price("0.0000000012345678"));
    assert_eq!(asks[1].size, size("98765432109.5"));
    let form = change.checksum.map(|checksum| checksum.form);
    let expected = ChecksumForm::Digits {
        price_places: 16,
        size_places: 8,
    };
    assert_eq!(form, Some(expected), "the most places of a level");
}

#[test]
fn the_order_of_fields_and_blanks_mean_nothing() {
    let odd = r#" { "data" : [ { "timestamp":"2026-01-02T04:04:05.123456+01:00", "checksum":123456,
        "asks":[{"qty":"7.00000000","price":20.60}], "new":{"x":[1]},
        "bids":[{"new":1,"price":20.50,"qty":3.00100000},{"price":2.04e1,"qty":0.50000000}],
        "s\u0079mbol":"ABC\/USD" } ], "type":"snapshot", "channel":"book" } "#;
    let (batch, results) = decode_all(&[odd]);
    let (usual, _) = decode_all(&[SNAPSHOT]);
    assert_eq!(results, [Ok(Decoded::Events)]);
    assert_eq!(batch.levels, usual.levels);
    assert_eq!(batch.events[0].ts_event, AT);
    assert_eq!(Kraken.symbol_of(odd.as_bytes()).as_deref(), Some("ABC/USD"));
    let new = TRADES.replace(
        r#""ord_type":"limit","#,
        r#""ord_type":"limit","new":{"x":1},"#,
    );
    let (batch, results) = decode_all(&[&new]);
    let (usual, _) = decode_all(&[TRADES]);
    assert_eq!(
        (batch.events, results),
        (usual.events, vec![Ok(Decoded::Events)])
    );
}

#[test]
fn notices_are_no_events() {
    let maintenance = STATUS.replace("online", "maintenance");
    let unsubscribed = ACK.replace("\"subscribe\"", "\"unsubscribe\"");
    let bare =
        r#"{"error":"Exceeded msg rate","success":false,"time_in":"2026-01-02T03:04:05.1Z"}"#;
    for (frame, notice) in [
        (HEARTBEAT, Notice::Ping),
        (STATUS, Notice::Ack),
        (&maintenance, Notice::VenueError),
        (ACK, Notice::Ack),
        (&unsubscribed, Notice::Ack),
        (PONG, Notice::Ack),
        (REFUSED, Notice::VenueError),
        (bare, Notice::VenueError),
    ] {
        let (batch, results) = decode_all(&[frame]);
        assert_eq!(results, [Ok(Decoded::Notice(notice))], "{frame}");
        assert!(batch.events.is_empty() && batch.origins.is_empty());
    }
    let words = "Exceeded msg rate".to_owned();
    assert_eq!(Kraken.reaction(bare.as_bytes()), Reaction::Fault(words));
}

#[test]
fn bad_frames_leave_nothing_behind() {
    use DecodeError as E;
    for (frame, error) in [
        (CHANGE.replace("20.70", "-1"), E::OutOfRange("price")),
        (CHANGE.replace("20.70", "0"), E::OutOfRange("price")),
        (CHANGE.replace("20.70", "null"), E::MissingField("price")),
        (CHANGE.replace("20.70", "true"), E::WrongType("price")),
        (CHANGE.replace("20.70", r#""x""#), E::BadNumber("price")),
        (
            CHANGE.replace("20.70", "1.2345678901234567890123"),
            E::TooPrecise("price"),
        ),
        (CHANGE.replace("1.25000000", "-1.25"), E::OutOfRange("qty")),
        (
            CHANGE.replace("\"qty\":1.25000000", "\"size\":1"),
            E::MissingField("qty"),
        ),
        (CHANGE.replace("20.70", "01"), E::Malformed),
        (CHANGE.replace("20.70", "NaN"), E::BadNumber("data")),
        (
            CHANGE.replace("\"bids\":[]", "\"bids\":{}"),
            E::WrongType("bids"),
        ),
        (
            CHANGE.replace("\"bids\":[]", "\"bids\":[5]"),
            E::WrongType("bids"),
        ),
        (CHANGE.replace("\"bids\":[],", ""), E::MissingField("bids")),
        (
            CHANGE.replace("\"bids\":[]", "\"bids\":[],\"bids\":[]"),
            E::RepeatedField("bids"),
        ),
        (
            CHANGE.replace("4294967295", "4294967296"),
            E::OutOfRange("checksum"),
        ),
        (
            CHANGE.replace("4294967295", "1.5"),
            E::BadNumber("checksum"),
        ),
        (
            CHANGE.replace("\"checksum\":4294967295,", ""),
            E::MissingField("checksum"),
        ),
        (
            CHANGE.replace("2026-01-02", "2026-02-30"),
            E::BadNumber("timestamp"),
        ),
        (
            CHANGE.replace("2026-01-02", "1969-01-02"),
            E::ImplausibleTime("timestamp", None),
        ),
        (CHANGE.replace("ABC/USD", ""), E::OutOfRange("symbol")),
        (
            CHANGE.replace("ABC/USD", " ABC/USD"),
            E::OutOfRange("symbol"),
        ),
        (CHANGE.replace("\"ABC/USD\"", "7"), E::WrongType("symbol")),
        (CHANGE.replace("update", "patch"), E::OutOfRange("type")),
        (
            CHANGE.replace("[{\"symbol\"", "[7,{\"symbol\""),
            E::WrongType("data"),
        ),
        (CHANGE.replace("\"book\"", "\"ohlc\""), E::UnknownType),
        (CHANGE.replace("\"book\"", "\"level3\""), E::UnknownType),
        (CHANGE.replace("\"book\"", "7"), E::UnknownType),
        (TRADES.replace("sell", "Sell"), E::OutOfRange("side")),
        (
            TRADES.replace("2.00000000", "0.00000000"),
            E::OutOfRange("qty"),
        ),
        (TRADES.replace(":42,", ":-42,"), E::OutOfRange("trade_id")),
        (
            TRADES.replace("\"trade_id\":42,", ""),
            E::MissingField("trade_id"),
        ),
        (
            TICKER.replace("\"ask\":20.60", "\"ask\":-20.60"),
            E::OutOfRange("ask"),
        ),
        (
            TICKER.replace("\"bid_qty\":3.00100000,", ""),
            E::MissingField("bid_qty"),
        ),
        (
            r#"{"channel":"book","type":"update","data":5}"#.into(),
            E::WrongType("data"),
        ),
        (
            r#"{"channel":"book","type":"update"}"#.into(),
            E::MissingField("data"),
        ),
        (r#"{"channel":"book"}"#.into(), E::MissingField("type")),
        (CHANGE[..CHANGE.len() - 20].into(), E::Truncated),
    ] {
        let (batch, results) = decode_all(&[SNAPSHOT, &frame]);
        assert_eq!(results[1], Err(error), "{frame}");
        let left = (batch.events.len(), batch.levels.len(), batch.origins.len());
        assert_eq!(left, (1, 3, 1), "{frame}");
    }
}

#[test]
fn of_a_message_about_several_symbols_the_listed_ones_are_read() {
    let two = TRADES.replacen("ABC", "XYZ", 1);
    let book = CHANGE.replace(
        "[{\"symbol\"",
        r#"[{"symbol":"XYZ/USD","bids":[{"price":1,"qty":1}],"asks":[],"checksum":1},{"symbol""#,
    );
    for frame in [&two, &book] {
        assert_eq!(Kraken.symbol_of(frame.as_bytes()), None, "{frame}");
        let (batch, results) = decode_listed(&["ABC/USD.KRAKEN"], &[frame]);
        assert_eq!(results, [Ok(Decoded::Events)]);
        assert_eq!(
            (batch.events.len(), batch.events[0].instrument),
            (1, InstrumentId(0))
        );
        let (batch, results) = decode_listed(&["DEF/USD.KRAKEN"], &[frame]);
        assert_eq!(results, [Err(DecodeError::NotListed)]);
        assert!(batch.events.is_empty() && batch.levels.is_empty());
    }
    let (batch, _) = decode_listed(&["ABC/USD.KRAKEN"], &[&book]);
    assert_eq!(
        batch.levels(&depth(&batch, 0)).1,
        [level("20.6", "0"), level("20.7", "1.25")]
    );
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
    for frame in [SNAPSHOT, CHANGE, TRADES, TICKER] {
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
