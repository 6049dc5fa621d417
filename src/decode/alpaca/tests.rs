//! Examples of the venue's messages, in both encodings, and what becomes of them. Those of MessagePack were
//! written by another encoder, msgpack for Python.

mod connection;
mod news;

use super::*;
use crate::decode::{Decoder, Notice, Venues};
use crate::event::{Amendment, AmendmentKind, Body, Quote, Trade, TradingStatus};
use crate::frame::Origin;
use crate::frame::binary::wrapped;
use crate::units::{Nanos, Price, Size};

/// 2026-02-19, 14:30 UTC.
const OPEN: i64 = 1_771_511_400_000_000_000;

const TRADE: &str = r#"[{"T":"t","i":52983525029461,"S":"OAK","x":"V","p":126.55,"s":100,"t":"2026-02-19T14:30:00.123456789Z","c":["@","I"],"z":"C"}]"#;
const QUOTE: &str = r#"[{"T":"q","S":"OAK","bx":"U","bp":126.54,"bs":2,"ax":"Q","ap":126.56,"as":11,"t":"2026-02-19T14:30:00.2Z","c":["R"],"z":"C"}]"#;
const CORRECTION: &str = r#"[{"T":"c","S":"OAK","x":"V","oi":52983525029461,"op":126.55,"os":100,"oc":["@"],"ci":52983525029462,"cp":126.5,"cs":100,"cc":["@"],"t":"2026-02-19T14:30:01Z","z":"C"}]"#;
const CANCEL: &str = r#"[{"T":"x","S":"OAK","i":52983525029461,"x":"V","p":126.55,"s":100,"a":"C","t":"2026-02-19T14:30:02Z","z":"C"}]"#;
const HALT: &str = r#"[{"T":"s","S":"OAK","sc":"H","sm":"Trading Halt","rc":"T12","rm":"Information requested","t":"2026-02-19T14:30:03Z","z":"C"}]"#;
const BAR: &str = r#"[{"T":"b","S":"OAK","o":126.5,"h":127,"l":126.25,"c":126.75,"v":12000,"t":"2026-02-19T14:30:00Z","n":87,"vw":126.61}]"#;

/// `[{"T":"t","i":52983525029461,"S":"FAKEPACA","x":"N","p":134.56,"s":3,"t":…,"c":["@","I"],"z":"A",
/// "new":{"a":[1,null,2.5]}}]`
const PACKED_TRADE: &str = "918aa154a174a169cf0000303030303655a153a846414b4550414341a178a14ea170cb4060d1eb851eb852\
    a17303a174d7ff1d6f345469971e68a16392a140a149a17aa141a36e657781a1619301c0cb4004000000000000";
/// A trade of OAK, a quote of ELM whose bid is 87.66 × 70000, and price limits of ELM.
const PACKED_SEVERAL: &str = "\
    9389a154a174a16907a153a34f414ba178a156a170cb3fb999999999999aa17364a174d6ff69971e68a163c0a17aa1438ba1\
    54a171a153a3454c4da26278a155a26270cb4055ea3d70a3d70aa26273ce00011170a26178a151a26170cb4055eb851eb851\
    eca2617304a174d7ff0000000469971e68a16391a152a17aa14387a154a16ca153a3454c4da175cb4010d70a3d70a3d7a164\
    cb4009c28f5c28f5c3a169a142a174d7ff0000000869971e68a17aa143";
/// `[{"T":"error","code":406,"msg":"connection limit exceeded"}]`
const PACKED_ERROR: &str = "9183a154a56572726f72a4636f6465cd0196a36d7367b9636f6e6e656374696f6e206c696d69742065786365\
    65646564";
/// A trade whose time is in the year 2514, in the longest form.
const PACKED_FAR: &str = "9188a154a174a16901a153a34f414ba178a156a170cb3ff0000000000000a17301a174c70cff00000005000000\
    0400000000a17aa143";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits
        .chunks(2)
        .map(|pair| (pair[0] << 4 | pair[1]) as u8)
        .collect()
}

fn decode_all(frames: &[&[u8]]) -> (Batch, Vec<Result<Decoded, DecodeError>>) {
    let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
    let mut batch = Batch::default();
    let origin = Origin {
        ts_recv: Nanos(OPEN),
        ..Origin::of_test()
    };
    let results = frames
        .iter()
        .map(|frame| decoder.decode(origin, frame, &mut batch));
    let results = results.collect();
    (batch, results)
}

fn decode(frame: &str) -> (Batch, Result<Decoded, DecodeError>) {
    let (batch, results) = decode_all(&[frame.as_bytes()]);
    (batch, results[0])
}

fn price(text: &str) -> Price {
    Price::parse(text.as_bytes()).unwrap()
}

fn size(text: &str) -> Size {
    Size::parse(text.as_bytes()).unwrap()
}

fn trade_of(batch: &Batch, at: usize) -> Trade {
    match batch.events[at].body {
        Body::Trade(trade) => trade,
        _ => panic!("{:?}", batch.events),
    }
}

#[test]
fn a_trade_has_its_time_its_digits_and_no_side() {
    let (batch, result) = decode(TRADE);
    assert_eq!(result, Ok(Decoded::Events));
    assert_eq!(batch.events[0].ts_event, Nanos(OPEN + 123_456_789));
    let trade = trade_of(&batch, 0);
    assert_eq!((trade.price, trade.size), (price("126.55"), size("100")));
    assert_eq!(
        (trade.side, trade.ids, trade.aggregate),
        (None, TradeIds::Distinct, false)
    );
    // The digits as written, not those of the nearest float.
    let (batch, _) = decode(&TRADE.replace("126.55", "0.1234567890123456789"));
    assert!(batch.events.is_empty(), "too precise");
    let (batch, _) = decode(&TRADE.replace("126.55", "123456.789012345678"));
    assert_eq!(trade_of(&batch, 0).price, price("123456.789012345678"));
    // A fraction of a share.
    let (batch, _) = decode(&TRADE.replace("\"s\":100", "\"s\":0.25"));
    assert_eq!(trade_of(&batch, 0).size, size("0.25"));
}

#[test]
fn the_number_of_a_trade_is_unique_for_its_exchange_and_tape() {
    let id = |from: &str, to: &str| trade_of(&decode(&TRADE.replace(from, to)).0, 0).trade_id;
    let own = id("", "");
    assert_eq!(
        own,
        id("\"c\":[\"@\",\"I\"]", "\"c\":[]"),
        "conditions say nothing"
    );
    for (from, to) in [
        ("\"x\":\"V\"", "\"x\":\"D\""),
        ("\"z\":\"C\"", "\"z\":\"A\""),
        ("\"x\":\"V\",", ""),
        ("61,", "62,"),
    ] {
        assert_ne!(own, id(from, to), "{to}");
    }
    // An exchange and a tape are not one text.
    let moved = TRADE
        .replace("\"x\":\"V\"", "\"x\":\"VC\"")
        .replace("\"z\":\"C\"", "\"z\":\"\"");
    assert_ne!(own, trade_of(&decode(&moved).0, 0).trade_id);
    for (message, kind) in [
        (CORRECTION, AmendmentKind::Correction),
        (CANCEL, AmendmentKind::Cancel),
    ] {
        let (batch, result) = decode(message);
        assert_eq!(result, Ok(Decoded::Events));
        let expected = Amendment {
            kind,
            trade_id: own,
        };
        assert_eq!(batch.events[0].body, Body::Amendment(expected));
    }
}

#[test]
fn a_quote_may_lack_a_side() {
    let (batch, result) = decode(QUOTE);
    assert_eq!(result, Ok(Decoded::Events));
    let quote = Quote {
        bid_px: price("126.54"),
        bid_sz: size("2"),
        ask_px: price("126.56"),
        ask_sz: size("11"),
        sequence: 0,
    };
    assert_eq!(batch.events[0].body, Body::Quote(quote));
    let (batch, _) = decode(&QUOTE.replace("126.54,\"bs\":2", "0,\"bs\":0"));
    let one_sided = Quote {
        bid_px: Price::UNDEFINED,
        bid_sz: Size::ZERO,
        ..quote
    };
    assert_eq!(batch.events[0].body, Body::Quote(one_sided));
}

#[test]
fn a_bar_ends_a_minute_after_its_time() {
    for kind in ["b", "u"] {
        let (batch, result) = decode(&BAR.replace("\"T\":\"b\"", &format!("\"T\":\"{kind}\"")));
        assert_eq!(result, Ok(Decoded::Events));
        assert_eq!(batch.events[0].ts_event, Nanos(OPEN + 60_000_000_000));
        let Body::Bar(bar) = batch.events[0].body else {
            panic!("{:?}", batch.events)
        };
        assert_eq!((bar.open, bar.close), (price("126.5"), price("126.75")));
        assert_eq!(
            (bar.high, bar.low, bar.volume),
            (price("127"), price("126.25"), size("12000"))
        );
    }
}

#[test]
fn codes_of_both_kinds_of_tapes_halt_and_resume() {
    for (code, status) in [
        ("2", TradingStatus::Halted),
        ("H", TradingStatus::Halted),
        ("P", TradingStatus::Halted),
        ("Q", TradingStatus::Halted),
        ("3", TradingStatus::Trading),
        ("T", TradingStatus::Trading),
    ] {
        let (batch, result) = decode(&HALT.replace("\"H\"", &format!("\"{code}\"")));
        assert_eq!(result, Ok(Decoded::Events), "{code}");
        assert_eq!(batch.events[0].body, Body::Status(status), "{code}");
    }
    for code in ["5", "A", "E", "F", ""] {
        let (_, result) = decode(&HALT.replace("\"H\"", &format!("\"{code}\"")));
        assert_eq!(result, Err(DecodeError::UnknownType), "{code}");
    }
}

#[test]
fn messages_about_the_connection_are_notices() {
    for (message, notice) in [
        (r#"[{"T":"success","msg":"connected"}]"#, Notice::Ack),
        (r#"[{"msg":"authenticated","T":"success"}]"#, Notice::Ack),
        (
            r#"[{"T":"subscription","trades":["OAK"],"quotes":[],"bars":["*"]}]"#,
            Notice::Ack,
        ),
        (
            r#"[{"T":"error","code":405,"msg":"symbol limit exceeded"}]"#,
            Notice::VenueError,
        ),
    ] {
        assert_eq!(decode(message).1, Ok(Decoded::Notice(notice)), "{message}");
    }
    let (_, results) = decode_all(&[&bytes(PACKED_ERROR)]);
    assert_eq!(results, [Ok(Decoded::Notice(Notice::VenueError))]);
    for kind in ["l", "i", "d", "o", "p", "n", "later"] {
        let message = format!(r#"[{{"T":"{kind}","S":"OAK","t":"2026-02-19T14:30:00Z"}}]"#);
        assert_eq!(decode(&message).1, Err(DecodeError::UnknownType), "{kind}");
    }
}

#[test]
fn the_order_of_fields_and_blanks_mean_nothing() {
    let odd = r#" [ { "z" : "C" , "t":"2026-02-19T09:30:00.123456789-05:00","extra":{"T":"q"},
        "s":1e2,"p":"126.55","x":"V","\u0053":"\u004fAK","i":52983525029461.0 , "T":"t" } ] "#;
    let (usual, _) = decode(TRADE);
    let (batch, result) = decode(odd);
    assert_eq!(result, Ok(Decoded::Events));
    assert_eq!(batch.events, usual.events);
    assert!(Alpaca.recognises(odd.as_bytes()));
    assert_eq!(Alpaca.symbol_of(odd.as_bytes()).as_deref(), Some("OAK"));
}

#[test]
fn a_packed_message_means_what_its_text_means() {
    let text = r#"[{"T":"t","i":52983525029461,"S":"FAKEPACA","x":"N","p":134.56,"s":3,"t":"2026-02-19T14:30:00.123456789Z","z":"A"}]"#;
    let packed = bytes(PACKED_TRADE);
    let (batch, results) = decode_all(&[text.as_bytes(), &packed, wrapped(&packed).as_bytes()]);
    assert_eq!(results, [Ok(Decoded::Events); 3]);
    for at in [1, 2] {
        assert_eq!(trade_of(&batch, 0), trade_of(&batch, at));
        assert_eq!(batch.events[0].ts_event, batch.events[at].ts_event);
        assert_eq!(batch.events[0].instrument, batch.events[at].instrument);
    }
    assert_eq!(Alpaca.symbol_of(&packed).as_deref(), Some("FAKEPACA"));
    assert!(Alpaca.recognises(&packed) && !Alpaca.is_quote(&packed));
    assert!(Alpaca.split(&packed).is_empty());
}

#[test]
fn a_list_of_several_is_split_into_lists_of_one() {
    let limits =
        r#"{"T":"l","S":"ELM","u":4.21,"d":3.22,"i":"B","t":"2026-02-19T14:30:00Z","z":"C"}"#;
    let [trade, quote] = [TRADE, QUOTE].map(|message| &message[1..message.len() - 1]);
    let several = format!("[{trade} , {},\n{limits}]", quote.replace("OAK", "ELM"));
    let split = Alpaca.split(several.as_bytes());
    let texts: Vec<&str> = split
        .iter()
        .map(|one| std::str::from_utf8(one).unwrap())
        .collect();
    assert_eq!(
        texts,
        [TRADE, &QUOTE.replace("OAK", "ELM"), &format!("[{limits}]")]
    );
    let packed = Alpaca.split(&bytes(PACKED_SEVERAL));
    for list in [&split, &packed] {
        let symbols: Vec<_> = list.iter().map(|one| Alpaca.symbol_of(one)).collect();
        let symbols: Vec<_> = symbols.iter().map(Option::as_deref).collect();
        assert_eq!(symbols, [Some("OAK"), Some("ELM"), Some("ELM")]);
        let quotes: Vec<bool> = list.iter().map(|one| Alpaca.is_quote(one)).collect();
        assert_eq!(quotes, [false, true, false]);
        assert!(list.iter().all(|one| Alpaca.split(one).is_empty()));
    }
    // As a whole it belongs to no symbol, and what is not used in it hides nothing.
    for whole in [several.into_bytes(), bytes(PACKED_SEVERAL)] {
        assert_eq!(Alpaca.symbol_of(&whole), None);
        assert!(!Alpaca.is_quote(&whole));
        let (batch, results) = decode_all(&[&whole]);
        assert_eq!((results[0], batch.events.len()), (Ok(Decoded::Events), 2));
        assert_eq!(trade_of(&batch, 0).size, size("100"));
        assert!(matches!(batch.events[1].body, Body::Quote(_)));
    }
    let broken = format!("[{trade},{}", &quote[..60]);
    assert!(Alpaca.split(broken.as_bytes()).is_empty());
    let whole = bytes(PACKED_SEVERAL);
    assert!(Alpaca.split(&whole[..whole.len() - 1]).is_empty());
}

#[test]
fn a_frame_is_split_behind_its_time_and_as_it_came() {
    let venues = Venues::default();
    let packed = bytes(PACKED_SEVERAL);
    let plain = venues.split(&packed);
    assert_eq!(
        (plain.len(), &plain),
        (3, &venues.split(wrapped(&packed).as_bytes()))
    );
    let stamped = [b"1771511400000000007! ", packed.as_slice()].concat();
    for (one, plain) in venues.split(&stamped).iter().zip(&plain) {
        assert_eq!(crate::frame::split_stamp(one).1, plain);
        assert!(one.starts_with(b"1771511400000000007! "));
    }
    for other in [
        "",
        "[",
        "[1,2]",
        r#"[{"a":1},{"T":"t"}]"#,
        r#"{"T":"t"}"#,
        TRADE,
    ] {
        assert!(venues.split(other.as_bytes()).is_empty(), "{other}");
    }
}

#[test]
fn what_cannot_be_read_is_named_and_leaves_nothing() {
    for (from, to, expected) in [
        ("126.55", "NaN", DecodeError::BadNumber("p")),
        ("126.55", "\"abc\"", DecodeError::BadNumber("p")),
        ("126.55", "null", DecodeError::MissingField("p")),
        ("126.55", "[1]", DecodeError::WrongType("p")),
        ("126.55", "-1", DecodeError::OutOfRange("p")),
        ("126.55", "1e30", DecodeError::OutOfRange("p")),
        ("126.55", "1,\"p\":2", DecodeError::RepeatedField("p")),
        ("\"s\":100", "\"s\":0", DecodeError::OutOfRange("s")),
        ("\"p\"", "\"P\"", DecodeError::MissingField("p")),
        (
            "\"i\":52983525029461",
            "\"i\":-1",
            DecodeError::OutOfRange("i"),
        ),
        (
            "\"i\":52983525029461",
            "\"i\":1.5",
            DecodeError::BadNumber("i"),
        ),
        ("\"x\":\"V\"", "\"x\":7", DecodeError::WrongType("x")),
        ("\"OAK\"", "\"\"", DecodeError::OutOfRange("S")),
        ("\"OAK\"", "\" OAK\"", DecodeError::OutOfRange("S")),
        (
            "2026-02-19T14:30:00.123456789Z",
            "today",
            DecodeError::BadNumber("t"),
        ),
        ("2026-", "0001-", DecodeError::ImplausibleTime("t", None)),
        ("2026-", "2027-", DecodeError::TimeAhead("t_event")),
        ("}]", "}", DecodeError::Truncated),
        ("}]", "},", DecodeError::Truncated),
        ("}]", "},5]", DecodeError::WrongShape),
        ("[\"@\",\"I\"]", "[\"@\",}", DecodeError::Malformed),
    ] {
        let frame = TRADE.replace(from, to);
        let (batch, result) = decode(&frame);
        let expected = match expected {
            DecodeError::TimeAhead(_) => DecodeError::TimeAhead("ts_event"),
            other => other,
        };
        assert_eq!(result, Err(expected), "{frame}");
        assert!(
            batch.events.is_empty() && batch.origins.is_empty(),
            "{frame}"
        );
    }
    // One that cannot be read spoils a list that was not split.
    let two = TRADE.replace("}]", "},{\"T\":\"t\",\"S\":\"OAK\"}]");
    assert_eq!(decode(&two).1, Err(DecodeError::MissingField("p")));
    let mut broken = TRADE.as_bytes().to_vec();
    broken[60] = 0xff;
    assert!(decode_all(&[&broken]).1[0].is_err());
}

#[test]
fn no_bytes_make_the_reader_panic() {
    let packed = bytes(PACKED_SEVERAL);
    for length in 0..packed.len() {
        let (batch, results) = decode_all(&[&packed[..length]]);
        assert!(results[0].is_err() && batch.events.is_empty(), "{length}");
    }
    let trade = bytes(PACKED_TRADE);
    for at in 0..trade.len() {
        for byte in 0..=u8::MAX {
            let mut changed = trade.clone();
            changed[at] = byte;
            for venue in Venues::default().all() {
                venue.reaction(&changed);
                venue.symbol_of(&changed);
                venue.split(&changed);
            }
            decode_all(&[&changed]);
        }
    }
    // A list of four billion, and lists in lists.
    for bomb in [
        &b"\xdd\xff\xff\xff\xff"[..],
        &[0x91; 100_000],
        b"\x91\xdf\xff\xff\xff\xff\xa1T\xa1t",
    ] {
        let (_, results) = decode_all(&[bomb]);
        assert!(results[0].is_err());
        assert!(Alpaca.split(bomb).is_empty());
    }
    let nested = [
        b"\x91\x82\xa1T\xa1t\xa1c",
        [0x91; 100_000].as_slice(),
        b"\xc0",
    ]
    .concat();
    assert_eq!(
        decode_all(&[&nested]).1,
        [Err(DecodeError::MissingField("p"))]
    );
    let far = bytes(PACKED_FAR);
    assert_eq!(
        decode_all(&[&far]).1,
        [Err(DecodeError::ImplausibleTime("t", None))]
    );
    // Bytes behind the list, a float that is none, and a key twice.
    let behind = [trade.as_slice(), b"\xc0"].concat();
    assert_eq!(decode_all(&[&behind]).1, [Err(DecodeError::Malformed)]);
    let infinite = PACKED_TRADE.replace("4060d1eb851eb852", "7ff0000000000000");
    assert_eq!(
        decode_all(&[&bytes(&infinite)]).1,
        [Err(DecodeError::BadNumber("p"))]
    );
    let twice = PACKED_TRADE
        .replace("a36e6577", "a154")
        .replace("81a1619301c0cb4004000000000000", "c0");
    assert_eq!(
        decode_all(&[&bytes(&twice)]).1,
        [Err(DecodeError::RepeatedField("T"))]
    );
}

#[test]
fn only_the_venues_own_messages_are_recognised() {
    for message in [TRADE, QUOTE, CORRECTION, CANCEL, HALT, BAR] {
        assert!(Alpaca.recognises(message.as_bytes()), "{message}");
        let venue = Venues::default().recognise(message.as_bytes());
        assert_eq!(venue.map(Venue::name), Some("ALPACA"), "{message}");
    }
    for message in [
        r#"{"e":"trade","E":1,"s":"ABCUSDT","t":1,"p":"1","q":"1","T":1,"m":true}"#,
        r#"[{"e":"24hrMiniTicker","T":1}]"#,
        r#"{"T":"t","S":"OAK"}"#,
        r#"{"topic":"publicTrade.X","data":[{"T":1,"s":"X"}]}"#,
        r#"[{"T":1}]"#,
        r#"[0,"x"]"#,
        "[]",
        "",
    ] {
        assert!(!Alpaca.recognises(message.as_bytes()), "{message}");
    }
}
