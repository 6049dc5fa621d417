//! A row and the record of the same content mean the same; hostile rows are refused.

use proptest::prelude::*;

use crate::decode::{DecodeError, Decoded, Decoder};
use crate::event::{Bar, Depth, Quote, Splice, Trade, TradeIds};
use crate::event::{Batch, Level};
use crate::frame::Origin;
use crate::frame::packed::{MARK, RowBody, RowFault, UnpackedRow, encode};
use crate::instrument::Instruments;
use crate::time::LikelyUnit;
use crate::units::{Nanos, Price, Side, Size};

fn price(text: &str) -> Price {
    match text {
        "" => Price::UNDEFINED,
        text => Price::parse(text.as_bytes()).unwrap(),
    }
}

fn size(text: &str) -> Size {
    match text {
        "" => Size::UNDEFINED,
        text => Size::parse(text.as_bytes()).unwrap(),
    }
}

type Read = (Batch, Result<Decoded, DecodeError>, Vec<String>);

fn decode(frame: &[u8]) -> Read {
    let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
    let mut batch = Batch::default();
    let result = decoder.decode(Origin::of_test(), frame, &mut batch);
    let instruments = decoder.instruments();
    let name = |event: &crate::event::Event| instruments.name(event.instrument).to_owned();
    let names = batch.events.iter().map(name).collect();
    (batch, result, names)
}

const TIME: Nanos = Nanos(1_700_000_000_000_000_009);

fn row(body: RowBody) -> UnpackedRow<'static> {
    UnpackedRow {
        ts_event: TIME,
        ts_recv: Nanos::UNDEFINED,
        instrument: "A.XNAS",
        body,
        levels: &[],
        cell: "",
    }
}

fn packed(row: &UnpackedRow<'_>) -> Vec<u8> {
    let mut frame = vec![];
    encode(row, &mut frame);
    frame
}

/// Asserts that a row and a record give the same events, or are refused for the same reason.
#[track_caller]
fn assert_twins(row: &UnpackedRow<'_>, record: &str) {
    let (from_row, from_record) = (decode(&packed(row)), decode(record.as_bytes()));
    assert_eq!(from_row.1, from_record.1, "{record}");
    assert_eq!(from_row.0.events, from_record.0.events, "{record}");
    assert_eq!(from_row.0.levels, from_record.0.levels, "{record}");
    assert_eq!(from_row.0.origins, from_record.0.origins, "{record}");
    assert_eq!(from_row.2, from_record.2, "{record}");
}

fn trade(px: &str, sz: &str, side: Option<Side>) -> RowBody {
    RowBody::Trade(Trade {
        price: price(px),
        size: size(sz),
        trade_id: 7,
        ids: TradeIds::Successive,
        side,
        aggregate: false,
    })
}

fn quote([bid_px, bid_sz, ask_px, ask_sz]: [&str; 4]) -> RowBody {
    RowBody::Quote(Quote {
        bid_px: price(bid_px),
        bid_sz: size(bid_sz),
        ask_px: price(ask_px),
        ask_sz: size(ask_sz),
        sequence: 0,
    })
}

fn bar([open, high, low, close, volume]: [&str; 5]) -> RowBody {
    RowBody::Bar(Bar {
        open: price(open),
        high: price(high),
        low: price(low),
        close: price(close),
        volume: size(volume),
    })
}

#[test]
fn a_row_and_a_record_mean_the_same() {
    let record = |fields: &str| format!(r#"{{"ts_event":{},"symbol":"A.XNAS",{fields}}}"#, TIME.0);
    for (px, sz, side) in [
        ("1.5", "2", "buy"),
        ("1.24e-9", "146033283519", "sell"),
        ("1.5", "0", "unknown"),
        ("0", "2", "buy"),
        ("-1.5", "2", "buy"),
        ("1.5", "-2", "buy"),
    ] {
        let of = match side {
            "buy" => Some(Side::Buy),
            "sell" => Some(Side::Sell),
            _ => None,
        };
        let fields = format!(r#""price":"{px}","size":"{sz}","side":"{side}","trade_id":7"#);
        assert_twins(&row(trade(px, sz, of)), &record(&fields));
    }
    for sides in [
        ["1.5", "2", "1.6", "3"],
        ["1.5", "2", "", ""],
        ["", "", "1.6", "3"],
        ["1.5", "0", "1.6", "3"],
        ["0", "2", "1.6", "3"],
        ["1.5", "-2", "1.6", "3"],
        ["1.5", "", "1.6", "3"],
        ["1.7", "2", "1.6", "3"],
    ] {
        let names = ["bid_px", "bid_sz", "ask_px", "ask_sz"].into_iter();
        let fields: Vec<String> = names
            .zip(sides)
            .map(|(name, value)| match value {
                "" => format!(r#""{name}":null"#),
                value => format!(r#""{name}":"{value}""#),
            })
            .collect();
        assert_twins(&row(quote(sides)), &record(&fields.join(",")));
    }
    for prices in [
        ["1.5", "3", "1", "2", "1000"],
        ["1.5", "3", "1", "2", ""],
        ["1.5", "3", "1", "2", "0"],
        ["1.5", "1.4", "1", "1.2", "1"],
        ["1.5", "3", "1.6", "2", "1"],
        ["0", "3", "1", "2", "1"],
        ["1.5", "3", "1", "2", "-1"],
    ] {
        let names = ["open", "high", "low", "close", "volume"].into_iter();
        let fields = names.zip(prices).filter(|(_, value)| !value.is_empty());
        let fields: Vec<String> = fields
            .map(|(name, value)| format!(r#""{name}":"{value}""#))
            .collect();
        assert_twins(&row(bar(prices)), &record(&fields.join(",")));
    }
}

#[test]
fn a_book_change_and_its_record_mean_the_same() {
    let record = |fields: &str| format!(r#"{{"ts_event":{},"symbol":"A.XNAS",{fields}}}"#, TIME.0);
    let level = |px: &str, sz: &str| Level {
        price: price(px),
        size: size(sz),
    };
    let depth = |first, last, is_whole: bool, bids: usize, asks: usize| {
        RowBody::Depth(Depth {
            first,
            last,
            bids: bids as u32,
            asks: asks as u32,
            snapshot: is_whole.then_some(Splice::ByNumber),
            ..Depth::default()
        })
    };
    let levels = [
        level("1.5", "2"),
        level("0", "0"),
        level("1.6", "0"),
        level("1.7", "1"),
    ];
    let unpacked = UnpackedRow {
        levels: &levels,
        ..row(depth(3, 5, true, 2, 2))
    };
    let fields = r#""first_sequence":3,"sequence":5,"snapshot":true,
        "bids":[["1.5","2"],["0","0"]],"asks":[["1.6","0"],["1.7","1"]]"#;
    assert_twins(&unpacked, &record(fields));
    let backwards = UnpackedRow {
        levels: &levels[..1],
        ..row(depth(6, 5, false, 1, 0))
    };
    let fields =
        r#""first_sequence":6,"sequence":5,"snapshot":false,"bids":[["1.5","2"]],"asks":[]"#;
    assert_twins(&backwards, &record(fields));
    let negative = [level("1.5", "-2")];
    let negative = UnpackedRow {
        levels: &negative,
        ..row(depth(5, 5, false, 1, 0))
    };
    let fields =
        r#""first_sequence":5,"sequence":5,"snapshot":false,"bids":[["1.5","-2"]],"asks":[]"#;
    assert_twins(&negative, &record(fields));
}

#[test]
fn times_and_names_are_checked_as_those_of_records() {
    let fields = r#""price":"1.5","size":"2","side":"buy","trade_id":7"#;
    let body = trade("1.5", "2", Some(Side::Buy));
    for (ts_event, ts_recv, name) in [
        (TIME, Nanos(TIME.0 + 5), "A.XNAS"),
        (TIME, Nanos(TIME.0 + 5), " A"),
        (Nanos(TIME.0 / 1000), Nanos(TIME.0 + 5), "A"),
        (TIME, Nanos(5), "A"),
        (Nanos(-5), TIME, "A"),
        (Nanos(TIME.0 + 100_000_000_000_000), TIME, "A"),
    ] {
        let unpacked = UnpackedRow {
            ts_event,
            ts_recv,
            instrument: name,
            ..row(body)
        };
        let (event, received) = (ts_event.0, ts_recv.0);
        let record =
            format!(r#"{{"ts_event":{event},"ts_recv":{received},"symbol":"{name}",{fields}}}"#);
        assert_twins(&unpacked, &record);
    }
    let micros = UnpackedRow {
        ts_event: Nanos(TIME.0 / 1000),
        ..row(body)
    };
    let expected = DecodeError::ImplausibleTime("ts_event", Some(LikelyUnit::Microseconds));
    assert_eq!(decode(&packed(&micros)).1, Err(expected));
    let none = UnpackedRow {
        ts_event: Nanos::UNDEFINED,
        ..row(body)
    };
    let expected = DecodeError::MissingField("ts_event");
    assert_eq!(decode(&packed(&none)).1, Err(expected));
}

#[test]
fn an_unreadable_row_is_a_dead_letter_that_shows_the_cell() {
    let unpacked = UnpackedRow {
        cell: "row 17: abc",
        ..row(RowBody::Unreadable(RowFault::BadNumber("price")))
    };
    let frame = packed(&unpacked);
    let (batch, result, _) = decode(&frame);
    assert_eq!(result, Err(DecodeError::BadNumber("price")));
    assert!(batch.events.is_empty());
    let decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
    let shown = String::from_utf8(decoder.redacted(&frame).into_owned()).unwrap();
    assert_eq!(
        shown,
        r#"{"row":"row 17: abc","symbol":"A.XNAS","ts_event":1700000000000000009}"#
    );
}

proptest! {
    #[test]
    fn hostile_bytes_are_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..120), kind in 0_u8..8) {
        bytes.insert(0, MARK);
        if bytes.len() > 3 {
            bytes[1] = kind;
            (bytes[2], bytes[3]) = (bytes[2] % 16, 0);
        }
        let (batch, result, _) = decode(&bytes);
        prop_assert_eq!(result.is_ok(), !batch.events.is_empty());
        prop_assert!(result.is_ok() || batch.levels.is_empty());
    }
}
