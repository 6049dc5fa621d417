//! Records of each kind, sound and bad, and the fast reader against the general parser.

use proptest::prelude::*;

use super::*;
use crate::decode::Decoder;
use crate::event::Figure;
use crate::frame::Origin;
use crate::units::{Price, Side, Size};

fn decode_one(frame: &str) -> (Batch, Result<Decoded, DecodeError>) {
    let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
    let mut batch = Batch::default();
    let origin = Origin::of_test();
    let result = decoder.decode(origin, frame.as_bytes(), &mut batch);
    (batch, result)
}

fn price(text: &str) -> Price {
    Price::parse(text.as_bytes()).unwrap()
}

fn size(text: &str) -> Size {
    Size::parse(text.as_bytes()).unwrap()
}

#[test]
fn a_trade_line_as_it_is() {
    let line = r#"{"ts_event":1700000000000081000,"symbol":"SYM03USDT","price":12.3456,"size":0.500,"side":"buy"}"#;
    let (batch, result) = decode_one(line);
    assert_eq!(result, Ok(Decoded::Events));
    let event = batch.events[0];
    assert_eq!(event.ts_event, Nanos(1_700_000_000_000_081_000));
    let Body::Trade(trade) = event.body else {
        panic!("{event:?}")
    };
    assert_eq!((trade.price, trade.size), (price("12.3456"), size("0.5")));
    assert_eq!(trade.side, Side::Buy);
}

#[test]
fn numbers_may_be_text_and_a_stamp_may_come_first() {
    let line = r#"1700000000000000077 {"ts_event":9,"instrument":"A.XNAS","price":"1.5","size":"2","side":"sell","extra":[1]}"#;
    let (batch, result) = decode_one(line);
    assert_eq!(result, Ok(Decoded::Events));
    assert_eq!(batch.origins[0].ts_recv, Nanos(1_700_000_000_000_000_077));
}

#[test]
fn quotes_and_books() {
    let (batch, _) = decode_one(
        r#"{"ts_event":9,"symbol":"A","bid_px":1.5,"bid_sz":2,"ask_px":null,"ask_sz":null}"#,
    );
    let Body::Quote(quote) = batch.events[0].body else {
        panic!("{:?}", batch.events)
    };
    assert_eq!(
        (quote.bid_px, quote.ask_px),
        (price("1.5"), Price::UNDEFINED)
    );
    let (batch, _) = decode_one(
        r#"{"ts_event":9,"symbol":"A","first_sequence":3,"sequence":5,"snapshot":true,"bids":[[1.5,2]],"asks":[["1.6","3"],[1.7,0]]}"#,
    );
    let Body::Depth(depth) = batch.events[0].body else {
        panic!("{:?}", batch.events)
    };
    assert!(
        depth.snapshot.is_some()
            && (depth.first, depth.last, depth.bids, depth.asks) == (3, 5, 1, 2)
    );
}

#[test]
fn bars_figures_and_sentiment() {
    let line = r#"{"ts_event":9,"symbol":"A","open":"1.5","high":3,"low":1,"close":2}"#;
    let (batch, result) = decode_one(line);
    assert_eq!(result, Ok(Decoded::Events));
    let Body::Bar(bar) = batch.events[0].body else {
        panic!("{:?}", batch.events)
    };
    assert_eq!((bar.open, bar.close), (price("1.5"), price("2")));
    let line = r#"{"schema":"signals.sentiment.v1","instrument":"A","ts_event":9,"score":0.5,
        "probabilities":{"bullish":0.5},"sentiment":{"average":-0.25,"weight":2,"half_life_ms":3},"latency_ns":{"queue":1}}"#;
    let (batch, result) = decode_one(line);
    assert_eq!(result, Ok(Decoded::Events));
    let Body::Sentiment(average) = batch.events[0].body else {
        panic!("{:?}", batch.events)
    };
    assert_eq!(
        (average.average, average.weight, average.half_life),
        (-0.25, 2.0, 3_000_000)
    );
    let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20)
        .with_figures(&["cpi".into(), "vix".into()]);
    let mut batch = Batch::default();
    let origin = Origin::of_test();
    let line = br#"{"ts_event":9,"figure":"vix","value":17.5,"period":"2015-10-01"}"#;
    assert_eq!(
        decoder.decode(origin, line, &mut batch),
        Ok(Decoded::Events)
    );
    assert_eq!(batch.events[0].instrument, InstrumentId::ALL);
    let expected = Figure {
        figure: 1,
        value: 17.5,
    };
    assert_eq!(batch.events[0].body, Body::Figure(expected));
    let line = br#"{"ts_event":9,"figure":"gdp","value":1}"#;
    let refused = decoder.decode(origin, line, &mut batch);
    assert_eq!(refused, Err(DecodeError::OtherFigure));
}

#[test]
fn bad_records() {
    for (line, expected) in [
        (
            r#"{"ts_event":9,"symbol":"A","open":1,"high":1,"low":1,"close":2}"#,
            DecodeError::OutOfRange("high"),
        ),
        (
            r#"{"ts_event":9,"symbol":"A","open":1,"high":2,"low":1.5,"close":2}"#,
            DecodeError::OutOfRange("low"),
        ),
        (
            r#"{"ts_event":9,"symbol":"A","open":1,"high":2,"close":2}"#,
            DecodeError::WrongShape,
        ),
        (
            r#"{"ts_event":9,"symbol":"A","open":1,"high":2,"low":0,"close":2}"#,
            DecodeError::OutOfRange("low"),
        ),
        (
            r#"{"ts_event":9,"instrument":"A","sentiment":{"average":2,"weight":1,"half_life_ms":1}}"#,
            DecodeError::OutOfRange("average"),
        ),
        (
            r#"{"ts_event":9,"figure":"vix","value":"high"}"#,
            DecodeError::WrongShape,
        ),
        (
            r#"{"ts_event":9,"symbol":"A","price":-1,"size":2,"side":"buy"}"#,
            DecodeError::OutOfRange("price"),
        ),
        (
            r#"{"ts_event":9,"symbol":"A","price":1,"size":0,"side":"buy"}"#,
            DecodeError::OutOfRange("size"),
        ),
        (
            r#"{"ts_event":9,"symbol":"A","price":1,"size":2,"side":"hold"}"#,
            DecodeError::OutOfRange("side"),
        ),
        (
            r#"{"ts_event":9,"symbol":"A","price":"x","size":2,"side":"buy"}"#,
            DecodeError::BadNumber("price"),
        ),
        (
            r#"{"ts_event":9,"symbol":"A","price":NaN,"size":2,"side":"buy"}"#,
            DecodeError::Malformed,
        ),
        (
            r#"{"ts_event":-9,"symbol":"A","price":1,"size":2,"side":"buy"}"#,
            DecodeError::OutOfRange("ts_event"),
        ),
        (
            r#"{"ts_event":9,"symbol":"A","price":1}"#,
            DecodeError::WrongShape,
        ),
        (r#"{"ts_event":9,"symbol":"A"}"#, DecodeError::UnknownType),
        (
            r#"{"ts_event":9,"symbol":"A","price":1,"#,
            DecodeError::Truncated,
        ),
    ] {
        let (batch, result) = decode_one(line);
        assert_eq!(result, Err(expected), "{line}");
        assert!(batch.events.is_empty() && batch.origins.is_empty());
    }
}

/// A record close to what encoders write: some fields missing or twice, some odd values, one byte
/// changed, here and there.
fn record() -> impl Strategy<Value = String> {
    let field = prop::sample::select(vec![
        r#""ts_event":1700000000000081000"#,
        r#""ts_event":9223372036854775808"#,
        r#""ts_event":-9"#,
        r#""ts_event": 7"#,
        r#""symbol":"A""#,
        r#""instrument":"Ä.XETR""#,
        r#""price":12.3456"#,
        r#""price":"1e3""#,
        r#""price":-0.5"#,
        r#""price":007"#,
        r#""size":1e-2"#,
        r#""size":"0.50""#,
        r#""side":"buy""#,
        r#""side":"s\u0065ll""#,
        r#""trade_id":18446744073709551615"#,
        r#""trade_id":5"#,
        r#""ts_recv":null"#,
        r#""extra":[1,{}]"#,
    ]);
    let sound = r#""ts_event":9,"symbol":"B","price":1.5,"size":2,"side":"sell""#;
    let start = prop::sample::select(vec![
        format!("{sound},"),
        format!("{sound} "),
        String::new(),
    ]);
    (start, prop::collection::vec(field, 0..7)).prop_map(|(start, fields)| {
        let text = format!("{{{start}{}}}", fields.join(","));
        text.replace(",}", "}")
    })
}

proptest! {
    #[test]
    fn the_fast_reader_agrees_with_the_general_parser_on_all_that_it_reads(
        record in record(),
        place in any::<prop::sample::Index>(),
        byte in prop::option::of(prop::sample::select(b"{}\",:0.-+eE x\\\x01\xff".to_vec())),
    ) {
        let mut bytes = record.into_bytes();
        if let Some(byte) = byte {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(fast) = fast_trade::read(&bytes) {
            let general = parse::<TopicRecord<'_>>(&bytes);
            prop_assert!(general.is_ok(), "{}: {general:?}", String::from_utf8_lossy(&bytes));
            let general = general.unwrap();
            prop_assert_eq!(fast, FastTrade {
                ts_event: general.ts_event,
                ts_recv: general.ts_recv,
                symbol: general.symbol.unwrap(),
                price: decimal(general.price.as_ref().unwrap()),
                size: decimal(general.size.as_ref().unwrap()),
                side: general.side.unwrap(),
                trade_id: general.trade_id,
            });
        }
    }
}

#[test]
fn records_as_encoders_write_them_are_read_by_the_fast_reader() {
    for line in [
        r#"{"ts_event":1700000000000081000,"symbol":"A","price":12.3456,"size":0.500,"side":"buy"}"#,
        r#"{"trade_id": 5, "side": "sell", "size": "0.5", "price": "7", "symbol": "A", "ts_event": 9}"#,
    ] {
        assert!(fast_trade::read(line.as_bytes()).is_some(), "{line}");
    }
}
