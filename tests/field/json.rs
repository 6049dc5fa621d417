//! JSON by its meaning: a message in another order of keys, with other blanks, escapes and forms of numbers
//! is the same event; a message that comes first says nothing about those that follow.

use std::sync::Arc;

use foretick::decode::{DecodeError, Decoded, Decoder, Notice, RecordForm, RecordKind};
use foretick::event::{Batch, Event, Level};
use foretick::frame::Origin;
use foretick::instrument::Instruments;
use foretick::schema::RecordField;
use foretick::units::Nanos;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::replayed::replay;

/// Messages of each kind. Names of instruments have other letters, a slash and a quote here and there.
fn messages() -> Vec<Value> {
    let ts = 1_790_000_000_000_000_000_i64;
    let ms = 1_790_000_000_000_i64;
    let trade = json!({"e": "trade", "E": ms, "s": "测试USDT", "t": 500, "p": "20.50", "q": "3.25", "T": ms, "m": true, "M": true});
    let diff = json!({"e": "depthUpdate", "E": ms, "s": "ABCUSDT", "U": 11, "u": 14,
        "b": [["20.40", "1"], ["20.30", "0.00"]], "a": [["20.60", "2.5"]]});
    let ticker =
        json!({"u": 14, "s": "ABCUSDT", "b": "20.40", "B": "1.00", "a": "20.60", "A": "2.50"});
    let book = json!({"lastUpdateId": 12, "bids": [["20.40", "1.5"]], "asks": [["20.60", "2"], ["20.70", "9"]]});
    let stream = |name: &str, data: &Value| json!({"stream": name, "data": data});
    vec![
        stream("测试usdt@trade", &trade),
        stream("abcusdt@depth@100ms", &diff),
        stream("abcusdt@depth5@100ms", &book),
        stream("abcusdt@depth_snapshot", &book),
        stream("abcusdt@bookTicker", &ticker),
        json!({"e": "aggTrade", "E": ms, "s": "ABCUSDT", "a": 7, "p": "2", "q": "1", "f": 1, "l": 2, "T": ms, "m": false}),
        json!({"e": "serverShutdown", "E": ms}),
        json!({"result": null, "id": 1}),
        json!({"code": 2, "msg": "Invalid \"request\""}),
        trade,
        diff,
        ticker,
        json!({"ts_event": ts, "symbol": "A/B.X", "price": "20.5", "size": 3, "side": "buy", "trade_id": 7, "ts_recv": ts + 5}),
        json!({"ts_event": ts, "instrument": "A\"B.X", "bid_px": 5, "bid_sz": "0.25", "ask_px": null, "ask_sz": null, "sequence": 9}),
        json!({"ts_event": ts, "symbol": "A.X", "bid_px": null, "bid_sz": null, "ask_px": null, "ask_sz": null}),
        json!({"ts_event": ts, "symbol": "A.X", "first_sequence": 3, "sequence": 5, "snapshot": true,
            "bids": [["1.5", 2]], "asks": [[1.75, "3"], [2, 0]]}),
        json!({"ts_event": ts, "symbol": "A.X", "open": "1.5", "high": 3, "low": 1, "close": 2, "volume": null}),
        json!({"ts_event": ts, "figure": "cpi", "value": 17.5, "period": "2015-10"}),
        json!({"ts_event": ts, "instrument": "A.X", "sentiment": {"average": -0.25, "weight": 2, "half_life_ms": 3000}}),
        json!({"foretick": "gap", "symbol": "测试USDT", "venue": "BINANCE", "reason": "overflow", "missing": 3}),
        json!({"foretick": "gap", "reason": "reconnect"}),
        json!({"foretick": "tick", "ts": ts}),
    ]
}

fn records() -> Vec<(RecordKind, Value)> {
    let ts = 1_790_000_000_000_000_000_i64;
    vec![
        (
            RecordKind::Application,
            json!({"ts_event": ts, "applicant": "Zoë/1", "product": "card",
                "fields": {"income": 1500.5, "purpose": "Häuser", "more": [1, {"income": 2}]}}),
        ),
        (
            RecordKind::Statement,
            json!({"ts_event": ts, "ts_recv": ts, "obligor": "Firm \"A\"", "period": 2015,
                "items": {"income": null, "purpose": "car"}}),
        ),
    ]
}

/// Another way of writing.
#[derive(Clone, Debug)]
struct Form {
    order: u64,
    blanks: u64,
    escapes: u64,
    numbers: u64,
    unknown: bool,
}

fn form() -> impl Strategy<Value = Form> {
    (
        any::<u64>(),
        any::<u64>(),
        any::<u64>(),
        any::<u64>(),
        any::<bool>(),
    )
        .prop_map(|(order, blanks, escapes, numbers, unknown)| Form {
            order,
            blanks,
            escapes,
            numbers,
            unknown,
        })
}

/// Writes a value in another form of the same meaning.
struct Writer {
    form: Form,
    out: String,
}

impl Writer {
    /// The next bits of one of the random numbers, rotated.
    fn choose(random: &mut u64, of: u64) -> u64 {
        *random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (*random >> 33) % of
    }

    fn blank(&mut self) {
        let blanks = ["", "", " ", "\t", "  ", "\r"];
        let chosen = Self::choose(&mut self.form.blanks, blanks.len() as u64);
        self.out += blanks[chosen as usize];
    }

    fn value(&mut self, value: &Value, is_outer: bool) {
        self.blank();
        match value {
            Value::Object(members) => {
                let mut members: Vec<(String, Value)> = members
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect();
                if self.form.unknown && is_outer {
                    members.push((
                        "unknown \"field\"".into(),
                        json!({"ts_event": 5, "symbol": [1, "}"], "s": "x"}),
                    ));
                }
                for at in (1..members.len()).rev() {
                    let other = Self::choose(&mut self.form.order, at as u64 + 1);
                    members.swap(at, other as usize);
                }
                self.list('{', '}', members.len(), |writer, at| {
                    let (key, value) = &members[at];
                    writer.text(key);
                    writer.blank();
                    writer.out.push(':');
                    // What stands in `data` is a message too.
                    writer.value(value, false);
                });
            }
            Value::Array(values) => self.list('[', ']', values.len(), |writer, at| {
                writer.value(&values[at], false);
            }),
            Value::String(text) => match text.parse::<f64>() {
                // A key of a record may look like a number, but no sample does.
                Ok(_) => self.number(text),
                Err(_) => self.text(text),
            },
            Value::Number(number) => self.number(&number.to_string()),
            other => self.out += &other.to_string(),
        }
        self.blank();
    }

    fn list(&mut self, open: char, close: char, length: usize, write: impl Fn(&mut Self, usize)) {
        self.out.push(open);
        for at in 0..length {
            if at > 0 {
                self.out.push(',');
            }
            self.blank();
            write(self, at);
        }
        self.blank();
        self.out.push(close);
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for letter in text.chars() {
            match (Self::choose(&mut self.form.escapes, 5), letter) {
                (0, _) => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        self.out += &format!("\\u{unit:04x}");
                    }
                }
                (_, '"' | '\\') => self.out.extend(['\\', letter]),
                (1, '/') => self.out += "\\/",
                _ => self.out.push(letter),
            }
        }
        self.out.push('"');
    }

    fn number(&mut self, digits: &str) {
        let whole = !digits.contains('.');
        let written = match Self::choose(&mut self.form.numbers, 6) {
            0 if whole => format!("{digits}.0"),
            1 if whole && digits != "0" => format!("{digits}0e-1"),
            2 if whole && digits != "0" => format!("{digits}E+0"),
            3 if !whole => format!("{digits}00"),
            4 if !whole => format!("{digits}e0"),
            _ => digits.to_owned(),
        };
        match Self::choose(&mut self.form.numbers, 2) {
            0 => self.text(&written),
            _ => self.out += &written,
        }
    }
}

fn rewritten(value: &Value, form: Form) -> String {
    let mut writer = Writer {
        form,
        out: String::new(),
    };
    writer.value(value, true);
    writer.out
}

/// What a frame is read as: its events with their levels, values and names.
type Read = (
    Result<Decoded, DecodeError>,
    Vec<Event>,
    Vec<Level>,
    Vec<u64>,
    Vec<String>,
);

fn read(decoder: &mut Decoder, text: &str) -> Read {
    let origin = Origin {
        ts_recv: Nanos(1_790_000_000_000_000_900),
        offset: 0,
        partition: 0,
        stream: 0,
        late: false,
        reprocessed: false,
    };
    let mut batch = Batch::default();
    let result = decoder.decode(origin, text.as_bytes(), &mut batch);
    let names = batch
        .events
        .iter()
        .map(|event| decoder.instruments().name(event.instrument).to_owned());
    let names = names.collect();
    let values = batch.events.iter().flat_map(|event| match &event.body {
        foretick::event::Body::Record(record) => batch
            .values(record)
            .iter()
            .map(|value| value.to_bits())
            .collect(),
        _ => vec![],
    });
    let values = values.collect();
    (result, batch.events, batch.levels, values, names)
}

fn market_decoder() -> Decoder {
    Decoder::new(Instruments::new(&[], 64), 1 << 20).with_figures(&["cpi".into()])
}

fn record_decoder(kind: RecordKind) -> Decoder {
    let field = |name, categories: &[&str]| RecordField {
        name,
        categories: categories.iter().map(|&text| text.to_owned()).collect(),
        min: f64::NEG_INFINITY,
        max: f64::INFINITY,
        needed: false,
    };
    let fields = [field("income", &[]), field("purpose", &["car", "Häuser"])];
    let form = RecordForm::new(kind, &fields, &[], None);
    Decoder::new(Instruments::new(&[], 64), 1 << 20).for_records(Arc::new(form))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_message_in_another_form_is_the_same_event(
        form in form(),
        at in any::<prop::sample::Index>(),
        first in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let messages = messages();
        let message = at.get(&messages);
        let expected = read(&mut market_decoder(), &message.to_string());
        prop_assert!(expected.0.is_ok(), "{message}: {:?}", expected.0);
        let mut decoder = market_decoder();
        if let Some(first) = first {
            // Whatever came before says nothing about this message.
            let (result, ..) = read(&mut decoder, &first.get(&messages).to_string());
            prop_assert!(result.is_ok());
        }
        let text = rewritten(message, form);
        let (result, events, levels, values, names) = read(&mut decoder, &text);
        prop_assert_eq!(result, expected.0, "{}", text);
        let plain = |events: &[Event]| -> Vec<_> { events.iter().map(|event| (event.ts_event, event.body)).collect() };
        prop_assert_eq!(plain(&events), plain(&expected.1), "{}", text);
        prop_assert_eq!((levels, values, names), (expected.2, expected.3, expected.4), "{}", text);
    }

    #[test]
    fn a_record_in_another_form_is_the_same_record(form in form(), at in any::<prop::sample::Index>()) {
        let records = records();
        let (kind, record) = at.get(&records);
        let expected = read(&mut record_decoder(*kind), &record.to_string());
        prop_assert_eq!(expected.0, Ok(Decoded::Events));
        let text = rewritten(record, form);
        let read = read(&mut record_decoder(*kind), &text);
        prop_assert_eq!(format!("{read:?}"), format!("{expected:?}"), "{}", text);
    }
}

#[test]
fn keys_texts_and_numbers_mean_what_they_mean() {
    let run = replay(
        "price",
        "trade",
        &[
            r#"1790000000000000005 {"data":{"E":1790000000000,"T":1790000000000,"e":"trade","m":false,"p":"20.00","q":"10","s":"ABCUSDT","t":500},"stream":"abcusdt@trade"}"#,
            r#"1790000000100000005 { "stream" : "abcusdt@trade" , "data" : { "e" : "trade", "E":1790000000100, "s":"\u0041BCUSDT","t":"501","p":20.01,"q":1e1,"T":1790000000100,"m":false } }"#,
            r#"1790000000200000005 {"\u0065":"tr\u0061de","E":1790000000200,"s":"ABCUSDT","t":502,"p":"20.02","q":"10","T":1.7900000002E12,"m":false}"#,
            r#"{"ts_event":"1790000000300000000","s\u0079mbol":"ABCUSDT.BINANCE","price":"2003e-2","size":"1","side":"b\u0075y","trade_id":503.0}"#,
        ],
    );
    assert_eq!(
        run.scores(),
        [20.0, 20.01, 20.02, 20.03],
        "{:?}",
        run.dead_letters
    );
    let names: Vec<&str> = run
        .signals
        .iter()
        .filter_map(|signal| signal["instrument"].as_str())
        .collect();
    assert_eq!(names, ["ABCUSDT.BINANCE"; 4]);
}

#[test]
fn the_shard_of_an_instrument_does_not_depend_on_the_form_of_its_messages() {
    let messages = messages();
    let mut finder = foretick::decode::route::SymbolFinder::default();
    for message in &messages {
        let plain = message.to_string();
        let expected = finder.symbol_of(0, plain.as_bytes()).map(String::from);
        for seed in 0..50 {
            let form = Form {
                order: seed,
                blanks: seed,
                escapes: seed,
                numbers: seed,
                unknown: seed % 2 == 0,
            };
            let text = rewritten(message, form);
            let found = finder.symbol_of(0, text.as_bytes()).map(String::from);
            let upper = |name: &Option<String>| name.as_ref().map(|name| name.to_ascii_uppercase());
            assert_eq!(upper(&found), upper(&expected), "{text}");
        }
    }
}

#[test]
fn what_comes_first_says_nothing_about_what_follows() {
    let trade = |at: i64| {
        let ts = 1_790_000_000_000_000_000 + at * 100_000_000;
        format!(
            r#"{{"ts_event":{ts},"symbol":"ABC.X","price":"20.0{at}","size":"1","side":"buy"}}"#
        )
    };
    for first in [
        r#"{"code":503,"msg":"upstream reconnecting"}"#,
        r#"{"result":null,"id":1}"#,
        r#"{"error":{"code":1},"id":2}"#,
        r#"{"type":"heartbeat"}"#,
        "[]",
        r#"{"e":"kline","s":"ABC"}"#,
        r#"{"e":"trade","E":1790000000000,"s":"OTHER","t":1,"p":"1","q":"1","T":1790000000000,"m":true}"#,
    ] {
        let mut lines = vec![first.to_owned()];
        lines.extend((0..6).map(trade));
        let run = replay("price", "trade", &lines);
        let own = run
            .signals
            .iter()
            .filter(|signal| signal["instrument"] == "ABC.X")
            .count();
        assert_eq!(own, 6, "{first}");
    }
}

#[test]
fn a_venue_error_is_a_notice() {
    let (result, ..) = read(&mut market_decoder(), r#"{ "msg":"x", "code":"503" }"#);
    assert_eq!(result, Ok(Decoded::Notice(Notice::VenueError)));
}

#[test]
fn a_record_that_is_ours_and_wrong_is_a_dead_letter_that_names_the_field() {
    let line =
        |fields: &str| format!(r#"{{"ts_event":1790000000000000000,"symbol":"ABC.X",{fields}}}"#);
    let lines = [
        line(r#""price":null,"size":"1","side":"buy""#),
        line(r#""price":"5","side":"buy""#),
        line(r#""Price":"5","Size":"1","Side":"buy""#),
        line(r#""price":"5","size":"1","side":"BUY""#),
        line(r#""price":NaN,"size":"1","side":"buy""#),
        line(r#""price":{},"size":"1","side":"buy""#),
        line(r#""open":"5","high":"6","low":"4","close":null"#),
        line(r#""bid_px":"5","bid_sz":null,"ask_px":"6","ask_sz":"1""#),
        line(r#""price":"5","size":"1","side":"buy""#),
    ];
    let run = replay("price", "trade", &lines);
    assert_eq!(
        run.refusals(),
        [
            "missing_field price",
            "missing_field size",
            "missing_field price",
            "out_of_range side",
            "bad_number price",
            "wrong_type price",
            "missing_field close",
            "missing_field bid_sz",
        ]
    );
    assert_eq!(run.scores(), [5.0]);
    assert_eq!(run.summary["frames"]["dropped"], 0);
}

#[test]
fn a_book_that_does_not_say_whether_it_is_whole_is_refused() {
    let book = |fields: &str| {
        format!(
            r#"{{"ts_event":1790000000000000000,"symbol":"A.X",{fields},"bids":[[99,1]],"asks":[[101,1]]}}"#
        )
    };
    let lines = [
        book(r#""Snapshot":true,"first_sequence":5,"sequence":5"#),
        book(r#""snapshot":null,"first_sequence":5,"sequence":5"#),
        book(r#""first_sequence":5,"sequence":5"#),
        book(r#""snapshot":true,"first_sequence":5,"Sequence":5"#),
        book(r#""snapshot":true,"first_sequence":5,"sequence":null"#),
        book(r#""snapshot":true,"sequence":5"#),
        book(r#""snapshot":true,"first_sequence":5,"sequence":5"#),
    ];
    let run = replay("mid", "book", &lines);
    assert_eq!(
        run.refusals(),
        [
            "missing_field snapshot",
            "missing_field snapshot",
            "missing_field snapshot",
            "missing_field sequence",
            "missing_field sequence",
            "missing_field first_sequence",
        ]
    );
    assert_eq!(run.scores(), [100.0]);
}

#[test]
fn an_optional_field_in_another_case_is_refused() {
    let line =
        |fields: &str| format!(r#"{{"ts_event":1790000000000000000,"symbol":"A.X",{fields}}}"#);
    let trade = r#""price":5,"size":1,"side":"buy""#;
    let lines = [
        line(r#""open":1,"high":2,"low":1,"close":2,"Volume":5"#),
        line(&format!(r#"{trade},"Trade_Id":5"#)),
        line(&format!(r#"{trade},"TS_RECV":1790000000000000005"#)),
        line(r#""bid_px":1,"bid_sz":1,"ask_px":2,"ask_sz":1,"Sequence":7"#),
        // Nothing is missed where the field is there too, or is none of a trade's.
        line(&format!(r#"{trade},"trade_id":1,"TRADE_ID":"x""#)),
        line(&format!(
            r#"{trade},"trade_id":2,"Volume":9,"Close":7,"note":"x""#
        )),
    ];
    let run = replay("price", "trade", &lines);
    assert_eq!(
        run.refusals(),
        [
            "missing_field volume",
            "missing_field trade_id",
            "missing_field ts_recv",
            "missing_field sequence",
        ]
    );
    assert_eq!(run.scores(), [5.0, 5.0]);
}

#[test]
fn what_is_no_number_names_its_field_wherever_it_stands() {
    let line =
        |fields: &str| format!(r#"{{"ts_event":1790000000000000000,"symbol":"A.X",{fields}}}"#);
    let book = r#""first_sequence":5,"sequence":5,"snapshot":true"#;
    let lines = [
        line(r#""price":nan,"size":1,"side":"buy""#),
        line(r#""price":-inf,"size":1,"side":"buy""#),
        line(&format!(r#"{book},"bids":[[NaN,1]],"asks":[]"#)),
        line(r#""sentiment":{"average":NaN,"weight":1,"half_life_ms":5}"#),
        r#"{"stream":"abc@trade","data":{"e":"trade","s":"ABC","t":1,"p":NaN,"q":"1","T":1790000000000,"m":true}}"#
            .into(),
        line(r#""price":5,"size":1,"side":"buy""#),
    ];
    let run = replay("price", "trade", &lines);
    assert_eq!(
        run.refusals(),
        [
            "bad_number price",
            "bad_number price",
            "bad_number bids",
            "bad_number sentiment",
            "bad_number p",
        ]
    );
}

#[test]
fn lists_of_a_stream_of_all_symbols_are_a_kind_that_is_not_read() {
    let event = r#"{"e":"24hrMiniTicker","E":1790000000000,"s":"ABC","c":"1"}"#;
    let trade = r#"{"e":"trade","E":1790000000000,"s":"ABC","t":1,"p":"2","q":"1","T":1790000000000,"m":true}"#;
    let lines = [
        trade.to_owned(),
        format!(r#"{{"stream":"!miniTicker@arr","data":[{event}]}}"#),
        format!(r#"{{"data":[{event},{event}],"stream":"!ticker_1h@arr"}}"#),
        format!(" [ {event}]"),
        // A list of what is read is a mistake of the sender.
        format!("[{trade}]"),
        format!(r#"{{"stream":"abc@trade","data":[{trade}]}}"#),
    ];
    let run = replay("price", "trade", &lines);
    assert_eq!(
        run.summary["frames"]["dropped_by_reason"]["unknown_type"],
        3
    );
    assert_eq!(run.refusals(), ["wrong_shape -", "wrong_type data"]);
    assert_eq!(run.scores(), [2.0]);
}

#[test]
fn a_message_of_a_stream_that_is_read_names_what_it_lacks() {
    let trade = r#"{"e":"trade","E":1790000000000,"s":"ABCUSDT","t":1,"p":"2","q":"1","T":1790000000000,"m":true}"#;
    let lines = [
        r#"{"stream":"abcusdt@trade"}"#.to_owned(),
        r#"{ "stream" : "abcusdt@depth20@100ms" }"#.into(),
        r#"{"stream":"abcusdt@trade","data":{}}"#.into(),
        r#"{"data": {}, "stream": "abcusdt@depth@100ms"}"#.into(),
        r#"{"stream":"abcusdt@aggTrade","data":null}"#.into(),
        format!(r#"{{"stream":"abcusdt@trade","Data":{trade}}}"#),
        format!(r#"{{"Stream":"abcusdt@trade","Data":{trade}}}"#),
        format!(r#"{{"STREAM":"x","data":{trade}}}"#),
        format!(r#"{{"data":{trade}}}"#),
        // What is not read stays what it was.
        r#"{"stream":"abcusdt@kline_1m","data":{}}"#.into(),
        r#"{"Stream":"abcusdt@kline_1m","Data":{"e":"kline"}}"#.into(),
        r#"{ "stream": "stdout", "log": "you@example.com", "data": {} }"#.into(),
        r#"{"data":{"e":"kline"}}"#.into(),
        format!(r#"{{"stream":"abcusdt@trade","data":{trade}}}"#),
    ];
    let run = replay("price", "trade", &lines);
    let [data, stream] = ["missing_field data", "missing_field stream"];
    assert_eq!(
        run.refusals(),
        [data, data, data, data, data, data, stream, stream, stream]
    );
    assert_eq!(
        run.summary["frames"]["dropped_by_reason"]["unknown_type"],
        4
    );
    assert_eq!(run.scores(), [2.0]);
}
