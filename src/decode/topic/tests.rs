//! Records of each kind, sound and bad, and the fast reader against the general parser.

use proptest::prelude::*;

use super::*;
use crate::decode::{AHEAD_NS, Decoder};
use crate::event::Figure;
use crate::frame::Origin;
use crate::time::LikelyUnit;
use crate::units::{Nanos, Price, Side, Size};

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
    assert_eq!(trade.side, Some(Side::Buy));
}

#[test]
fn numbers_may_be_text_and_a_stamp_may_come_first() {
    let line = r#"1700000000000000077 {"ts_event":1700000000000000009,"instrument":"A.XNAS","price":"1.5","size":"2","side":"sell","extra":[1]}"#;
    let (batch, result) = decode_one(line);
    assert_eq!(result, Ok(Decoded::Events));
    assert_eq!(batch.origins[0].ts_recv, Nanos(1_700_000_000_000_000_077));
}

#[test]
fn quotes_and_books() {
    let (batch, _) = decode_one(
        r#"{"ts_event":1700000000000000009,"symbol":"A","bid_px":1.5,"bid_sz":2,"ask_px":null,"ask_sz":null}"#,
    );
    let Body::Quote(quote) = batch.events[0].body else {
        panic!("{:?}", batch.events)
    };
    assert_eq!(
        (quote.bid_px, quote.ask_px),
        (price("1.5"), Price::UNDEFINED)
    );
    let (batch, _) = decode_one(
        r#"{"ts_event":1700000000000000009,"symbol":"A","first_sequence":3,"sequence":5,"snapshot":true,"bids":[[1.5,2]],"asks":[["1.6","3"],[1.7,0]]}"#,
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
    let line =
        r#"{"ts_event":1700000000000000009,"symbol":"A","open":"1.5","high":3,"low":1,"close":2}"#;
    let (batch, result) = decode_one(line);
    assert_eq!(result, Ok(Decoded::Events));
    let Body::Bar(bar) = batch.events[0].body else {
        panic!("{:?}", batch.events)
    };
    assert_eq!((bar.open, bar.close), (price("1.5"), price("2")));
    let line = r#"{"schema":"signals.sentiment.v1","instrument":"A","ts_event":1700000000000000009,"score":0.5,
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
    let line =
        br#"{"ts_event":1700000000000000009,"figure":"vix","value":17.5,"period":"2015-10-01"}"#;
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
    let line = br#"{"ts_event":1700000000000000009,"figure":"gdp","value":1}"#;
    let refused = decoder.decode(origin, line, &mut batch);
    assert_eq!(refused, Err(DecodeError::OtherFigure));
}

#[test]
fn a_record_that_is_ours_and_wrong_names_its_field() {
    let time = "\"ts_event\":1700000000000000009";
    for (fields, expected) in [
        (
            r#""price":null,"size":"1","side":"buy""#,
            DecodeError::MissingField("price"),
        ),
        (
            r#""price":"5","size":"1","side":null"#,
            DecodeError::MissingField("side"),
        ),
        (
            r#""size":"1","side":"buy""#,
            DecodeError::MissingField("price"),
        ),
        (
            r#""Price":"5","Size":"1","Side":"buy""#,
            DecodeError::MissingField("price"),
        ),
        (
            r#""price":"5","Size":"1","side":"buy""#,
            DecodeError::MissingField("size"),
        ),
        (
            r#""price":"5","size":"1","side":"BUY""#,
            DecodeError::OutOfRange("side"),
        ),
        (
            r#""price":"5","size":"1","side":1"#,
            DecodeError::WrongType("side"),
        ),
        (
            r#""price":[5],"size":"1","side":"buy""#,
            DecodeError::WrongType("price"),
        ),
        (
            r#""price":true,"size":"1","side":"buy""#,
            DecodeError::WrongType("price"),
        ),
        (
            r#""price":1,"price":2,"size":"1","side":"buy""#,
            DecodeError::RepeatedField("price"),
        ),
        (
            r#""price":1,"size":-Infinity,"side":"buy""#,
            DecodeError::BadNumber("size"),
        ),
        (
            r#""price":1,"size":2,"side":"buy","trade_id":1.5"#,
            DecodeError::BadNumber("trade_id"),
        ),
        (
            r#""price":1,"size":2,"side":"buy","trade_id":-1"#,
            DecodeError::OutOfRange("trade_id"),
        ),
        (
            r#""open":null,"high":6,"low":4,"close":5"#,
            DecodeError::MissingField("open"),
        ),
        (
            r#""open":5,"high":6,"low":4,"close":null"#,
            DecodeError::MissingField("close"),
        ),
        (
            r#""bid_px":5,"bid_sz":null,"ask_px":6,"ask_sz":1"#,
            DecodeError::MissingField("bid_sz"),
        ),
        (
            r#""bid_px":5,"bid_sz":1"#,
            DecodeError::MissingField("ask_px"),
        ),
        (
            r#""Bid_Px":5,"Bid_Sz":1,"Ask_Px":6,"Ask_Sz":1"#,
            DecodeError::MissingField("bid_px"),
        ),
        (r#""bids":[[1,2]]"#, DecodeError::MissingField("asks")),
        (
            r#""bids":[[1,2]],"asks":{}"#,
            DecodeError::WrongType("asks"),
        ),
        (
            r#""bids":[[1,2],[3]],"asks":[]"#,
            DecodeError::WrongType("bids"),
        ),
        (
            r#""bids":[[1,null]],"asks":[]"#,
            DecodeError::MissingField("size"),
        ),
        (
            r#""bids":[[1,2]],"asks":[],"snapshot":"yes""#,
            DecodeError::WrongType("snapshot"),
        ),
        (r#""sentiment":0.5"#, DecodeError::WrongType("sentiment")),
        (
            r#""sentiment":{"weight":1,"half_life_ms":1}"#,
            DecodeError::MissingField("average"),
        ),
        (r#""open_interest":5"#, DecodeError::MissingField("price")),
        (r#""obligor":"C1","items":{}"#, DecodeError::UnknownType),
        (r#""score":0.5"#, DecodeError::UnknownType),
    ] {
        let (batch, result) = decode_one(&format!(r#"{{{time},"symbol":"A",{fields}}}"#));
        assert_eq!(result, Err(expected), "{fields}");
        assert!(batch.events.is_empty() && batch.levels.is_empty());
    }
    let trade = r#""price":1,"size":2,"side":"buy""#;
    for (fields, expected) in [
        (
            r#""ts_event":null,"symbol":"A""#,
            DecodeError::MissingField("ts_event"),
        ),
        (r#""symbol":"A""#, DecodeError::MissingField("ts_event")),
        (
            r#""Ts_Event":1700000000000000009,"symbol":"A""#,
            DecodeError::MissingField("ts_event"),
        ),
        (
            r#""ts_event":"noon","symbol":"A""#,
            DecodeError::BadNumber("ts_event"),
        ),
        (
            r#""ts_event":[],"symbol":"A""#,
            DecodeError::WrongType("ts_event"),
        ),
        (
            r#""ts_event":1700000000000000009"#,
            DecodeError::MissingField("symbol"),
        ),
        (
            r#""ts_event":1700000000000000009,"SYMBOL":"A""#,
            DecodeError::MissingField("symbol"),
        ),
        (
            r#""ts_event":1700000000000000009,"symbol":"""#,
            DecodeError::OutOfRange("symbol"),
        ),
        (
            r#""ts_event":1700000000000000009,"symbol":7"#,
            DecodeError::WrongType("symbol"),
        ),
        (
            r#""ts_event":1700000000000000009,"symbol":"A","instrument":"B""#,
            DecodeError::RepeatedField("instrument"),
        ),
    ] {
        let (_, result) = decode_one(&format!("{{{fields},{trade}}}"));
        assert_eq!(result, Err(expected), "{fields}");
    }
}

#[test]
fn a_time_in_another_unit_is_refused_with_the_unit() {
    use LikelyUnit::{Microseconds, Milliseconds, Seconds};
    for (time, unit) in [
        ("1700000000", Some(Seconds)),
        ("1700000000123", Some(Milliseconds)),
        ("\"1700000000123\"", Some(Milliseconds)),
        ("1700000000123456", Some(Microseconds)),
        ("7", None),
        ("0", None),
        ("9223372036854775807", None),
    ] {
        let line = |ts: &str, fields: &str| format!(r#"{{"ts_event":{ts},"symbol":"A",{fields}}}"#);
        for fields in [
            r#""price":1,"size":2,"side":"buy""#,
            r#""bid_px":1,"bid_sz":2,"ask_px":3,"ask_sz":4"#,
        ] {
            let (_, result) = decode_one(&line(time, fields));
            let expected = DecodeError::ImplausibleTime("ts_event", unit);
            assert_eq!(result, Err(expected), "{time}");
        }
        let received = format!(r#""price":1,"size":2,"side":"buy","ts_recv":{time}"#);
        let (_, result) = decode_one(&line("1700000000000000009", &received));
        assert_eq!(result, Err(DecodeError::ImplausibleTime("ts_recv", unit)));
        let (_, result) = decode_one(&format!(
            "{time} {}",
            line("1700000000000000009", &received)
        ));
        if !time.starts_with('"') {
            assert_eq!(result, Err(DecodeError::ImplausibleTime("ts_recv", unit)));
        }
    }
}

#[test]
fn an_event_far_ahead_of_its_receive_time_is_refused() {
    let line = |ts: i64| {
        format!(
            r#"{{"ts_event":{ts},"ts_recv":1700000000000000000,"symbol":"A","price":1,"size":2,"side":"buy"}}"#
        )
    };
    let start = 1_700_000_000_000_000_000;
    let (_, result) = decode_one(&line(start + AHEAD_NS));
    assert_eq!(result, Ok(Decoded::Events));
    let (batch, result) = decode_one(&line(start + AHEAD_NS + 1));
    assert_eq!(result, Err(DecodeError::TimeAhead("ts_event")));
    assert!(batch.events.is_empty());
}

#[test]
fn bad_records() {
    for (line, expected) in [
        (
            r#"{"ts_event":1700000000000000009,"symbol":"A","open":1,"high":1,"low":1,"close":2}"#,
            DecodeError::OutOfRange("high"),
        ),
        (
            r#"{"ts_event":1700000000000000009,"symbol":"A","open":1,"high":2,"low":1.5,"close":2}"#,
            DecodeError::OutOfRange("low"),
        ),
        (
            r#"{"ts_event":1700000000000000009,"symbol":"A","open":1,"high":2,"close":2}"#,
            DecodeError::MissingField("low"),
        ),
        (
            r#"{"ts_event":1700000000000000009,"symbol":"A","open":1,"high":2,"low":0,"close":2}"#,
            DecodeError::OutOfRange("low"),
        ),
        (
            r#"{"ts_event":1700000000000000009,"instrument":"A","sentiment":{"average":2,"weight":1,"half_life_ms":1}}"#,
            DecodeError::OutOfRange("average"),
        ),
        (
            r#"{"ts_event":1700000000000000009,"figure":"vix","value":"high"}"#,
            DecodeError::BadNumber("value"),
        ),
        (
            r#"{"ts_event":1700000000000000009,"symbol":"A","price":-1,"size":2,"side":"buy"}"#,
            DecodeError::OutOfRange("price"),
        ),
        (
            r#"{"ts_event":1700000000000000009,"symbol":"A","price":1,"size":0,"side":"buy"}"#,
            DecodeError::OutOfRange("size"),
        ),
        (
            r#"{"ts_event":1700000000000000009,"symbol":"A","price":1,"size":2,"side":"hold"}"#,
            DecodeError::OutOfRange("side"),
        ),
        (
            r#"{"ts_event":1700000000000000009,"symbol":"A","price":"x","size":2,"side":"buy"}"#,
            DecodeError::BadNumber("price"),
        ),
        (
            r#"{"ts_event":1700000000000000009,"symbol":"A","price":NaN,"size":2,"side":"buy"}"#,
            DecodeError::BadNumber("price"),
        ),
        (
            r#"{"ts_event":-9,"symbol":"A","price":1,"size":2,"side":"buy"}"#,
            DecodeError::ImplausibleTime("ts_event", None),
        ),
        (
            r#"{"ts_event":1700000000000000009,"symbol":"A","price":1}"#,
            DecodeError::MissingField("size"),
        ),
        (
            r#"{"ts_event":1700000000000000009,"symbol":"A"}"#,
            DecodeError::MissingField("price"),
        ),
        (
            r#"{"ts_event":1700000000000000009,"symbol":"A","price":1,"#,
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
        r#""pr\u0069ce":2"#,
        r#""price":null"#,
        r#""price":[1]"#,
        r#""trade_id":18446744073709551615"#,
        r#""trade_id":5"#,
        r#""ts_recv":null"#,
        r#""extra":[1,{}]"#,
    ]);
    let sound = r#""ts_event":1700000000000000009,"symbol":"B","price":1.5,"size":2,"side":"sell""#;
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
            let mut read = vec![];
            for general in [false, true] {
                let mut batch = Batch::default();
                batch.begin_frame(Origin::of_test());
                let mut instruments = Instruments::new(&[], 16);
                let result = match general {
                    true => decode_any(&bytes, &[], &mut instruments, &mut batch),
                    false => decode_trade(&fast, &mut instruments, &mut batch),
                };
                read.push((result, batch.events, batch.origins));
            }
            prop_assert_eq!(&read[0], &read[1], "{}", String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn records_as_encoders_write_them_are_read_by_the_fast_reader() {
    for line in [
        r#"{"ts_event":1700000000000081000,"symbol":"A","price":12.3456,"size":0.500,"side":"buy"}"#,
        r#"{"trade_id": 5, "side": "sell", "size": "0.5", "price": "7", "symbol": "A", "ts_event": 1700000000000000009}"#,
    ] {
        assert!(fast_trade::read(line.as_bytes()).is_some(), "{line}");
    }
}
