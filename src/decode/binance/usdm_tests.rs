//! Examples of the messages of futures, and what tells them from those of the spot market.

use super::*;
use crate::decode::{Decoder, Venues};
use crate::engine::book::{Applied, Book};
use crate::event::{Body, Link, Splice};
use crate::frame::Origin;
use crate::instrument::InstrumentId;
use crate::units::Nanos;

const TRADE: &str = r#"{"e":"trade","E":1700000000124,"T":1700000000123,"s":"ABCUSDT","t":41,"p":"20.50","q":"3.000","X":"MARKET","m":true}"#;
const AGGREGATE: &str = r#"{"e":"aggTrade","E":1700000000124,"a":7,"s":"ABCUSDT","p":"20.50","q":"3","f":40,"l":41,"T":1700000000123,"m":false}"#;
const QUOTE: &str = r#"{"e":"bookTicker","u":90,"s":"ABCUSDT","b":"20.40","B":"1","a":"20.60","A":"2","T":1700000000200,"E":1700000000201}"#;
const CHANGE: &str = r#"{"e":"depthUpdate","E":1700000000202,"T":1700000000200,"s":"ABCUSDT","U":60,"u":90,"pu":50,"b":[["20.40","1"]],"a":[["20.60","0"]]}"#;
const SNAPSHOT: &str = r#"{"lastUpdateId":70,"E":1700000000190,"T":1700000000180,"bids":[["20.30","1"]],"asks":[["20.60","2"],["20.70","9"]]}"#;

fn decoded(venues: &Venues, frames: &[&str]) -> (Batch, Vec<String>) {
    let decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
    let mut decoder = decoder.with_venues(venues.clone());
    let mut batch = Batch::default();
    for frame in frames {
        let result = decoder.decode(Origin::of_test(), frame.as_bytes(), &mut batch);
        assert_eq!(result, Ok(Decoded::Events), "{frame}");
    }
    let table = decoder.instruments();
    let name = |id| table.name(InstrumentId(id)).to_owned();
    let names = (0..table.len() as u32).map(name).collect();
    (batch, names)
}

#[test]
fn changes_join_the_snapshot_and_name_the_one_before() {
    let next = CHANGE
        .replace(":60,", ":95,")
        .replace(":90,", ":99,")
        .replace(":50,", ":90,");
    let (batch, names) = decoded(&Venues::default(), &[CHANGE, SNAPSHOT, &next]);
    assert_eq!(names, ["ABCUSDT.BINANCE_USDM"]);
    let mut book = Book::default();
    let mut applied = vec![];
    for event in &batch.events {
        let Body::Depth(depth) = event.body else {
            panic!("{event:?}")
        };
        let (bids, asks) = batch.levels(&depth);
        applied.push(book.apply(&depth, bids, asks, event.ts_event));
    }
    let spliced = Applied::Spliced { dropped: 0 };
    assert_eq!(applied, [Applied::Waiting, spliced, Applied::Changed]);
    let Body::Depth(change) = batch.events[0].body else {
        panic!("{:?}", batch.events)
    };
    assert_eq!((change.first, change.last), (51, 90));
    assert_eq!(change.link, Link::Chain);
    let times: Vec<Nanos> = batch.events.iter().map(|event| event.ts_event).collect();
    let millis = |last: i64| Nanos((1_700_000_000_000 + last) * 1_000_000);
    assert_eq!(times, [millis(200), millis(180), millis(200)]);
}

#[test]
fn a_change_that_names_itself_as_the_one_before_is_refused() {
    for (from, to, field) in [(":50,", ":60,", "pu"), (":60,", ":91,", "U")] {
        let mut decoder = Decoder::new(Instruments::new(&[], 16), 1 << 20);
        let frame = CHANGE.replace(from, to);
        let mut batch = Batch::default();
        let result = decoder.decode(Origin::of_test(), frame.as_bytes(), &mut batch);
        assert_eq!(result, Err(DecodeError::OutOfRange(field)), "{frame}");
        assert!(batch.events.is_empty() && batch.levels.is_empty());
    }
}

#[test]
fn a_partial_book_is_a_whole_book() {
    let frame = format!(r#"{{"stream":"abcusdt@depth5@100ms","data":{CHANGE}}}"#);
    let (batch, _) = decoded(&Venues::default(), &[&frame]);
    let Body::Depth(book) = batch.events[0].body else {
        panic!("{:?}", batch.events)
    };
    assert_eq!(book.snapshot, Some(Splice::InOrder));
    assert_eq!((book.first, book.last), (90, 90));
}

#[test]
fn a_number_that_the_venue_gave_to_no_fill_is_not_missing() {
    let nothing = TRADE
        .replace("\"20.50\"", "\"0\"")
        .replace("\"3.000\"", "\"0\"")
        .replace("MARKET", "NA");
    let fund = TRADE.replace("MARKET", "INSURANCE_FUND");
    let slow = nothing.replace("\"t\":41", "\"t\":4.1e1");
    for frame in [nothing, fund, slow] {
        let (batch, names) = decoded(&Venues::default(), &[&frame]);
        assert_eq!(batch.events[0].body, Body::SkippedTrade(41), "{frame}");
        assert_eq!(names, ["ABCUSDT.BINANCE_USDM"]);
    }
    let (batch, _) = decoded(&Venues::default(), &[TRADE]);
    assert!(matches!(batch.events[0].body, Body::Trade(trade) if trade.trade_id == 41));
}

#[test]
fn each_message_shows_its_market_whatever_came_before_and_whoever_is_preferred() {
    let spot_trade = TRADE.replace(r#""X":"MARKET","m":true"#, r#""m":true,"M":true"#);
    let spot_aggregate = AGGREGATE.replace(r#""m":false"#, r#""m":false,"M":true"#);
    let spot_quote = r#"{"u":90,"s":"ABCUSDT","b":"20.40","B":"1","a":"20.60","A":"2"}"#;
    let spot_change = CHANGE
        .replace(r#""pu":50,"#, "")
        .replace(r#""T":1700000000200,"#, "");
    let spot_snapshot = SNAPSHOT.replace(r#""E":1700000000190,"T":1700000000180,"#, "");
    let spot = [
        &spot_trade,
        &spot_aggregate,
        spot_quote,
        &spot_change,
        &spot_snapshot,
    ];
    let usdm = [TRADE, AGGREGATE, QUOTE, CHANGE, SNAPSHOT];
    let change_of = [&*spot_change, CHANGE];
    for preferred in ["BINANCE", "BINANCE_USDM"] {
        let venues = Venues::default().preferring([preferred].into_iter());
        for (own, other) in spot.iter().zip(&usdm).map(|(own, other)| (*own, *other)) {
            for (frame, name) in [(own, "BINANCE"), (other, "BINANCE_USDM")] {
                let venue = venues.recognise(frame.as_bytes()).map(Venue::name);
                assert_eq!(venue, Some(name), "{frame}");
                let text = format!(r#"{{"stream":"abcusdt@x","data":{frame}}}"#);
                let venue = venues.recognise(text.as_bytes()).map(Venue::name);
                assert_eq!(venue, Some(name), "{text}");
                let change = change_of[usize::from(name == "BINANCE_USDM")];
                let (batch, names) = decoded(&venues, &[change, frame]);
                let last = batch.events[1].instrument;
                assert_eq!(names[last.index()], format!("ABCUSDT.{name}"), "{frame}");
            }
            let spaced = other.replace("\"s\"", " \"s\" ");
            let (batch, names) = decoded(&venues, &[&spot_change, CHANGE, own, &spaced]);
            let of = |at: usize| &*names[batch.events[at].instrument.index()];
            assert_eq!(
                (of(2), of(3)),
                ("ABCUSDT.BINANCE", "ABCUSDT.BINANCE_USDM"),
                "{other}"
            );
        }
    }
}

#[test]
fn a_decoder_of_spot_instruments_drops_futures() {
    let listed = ["ABCUSDT.BINANCE".to_owned()];
    let venues = Venues::default().preferring(["BINANCE"].into_iter());
    let mut decoder = Decoder::new(Instruments::new(&listed, 16), 1 << 20).with_venues(venues);
    for frame in [TRADE, AGGREGATE, QUOTE, CHANGE] {
        let result = decoder.decode(Origin::of_test(), frame.as_bytes(), &mut Batch::default());
        assert_eq!(result, Err(DecodeError::NotListed), "{frame}");
    }
}

#[test]
fn a_subscription_goes_to_the_entry_that_has_its_streams() {
    let texts = |words: &[&str]| -> Vec<String> { words.iter().map(|&w| w.to_owned()).collect() };
    let symbols = texts(&["ABCUSDT", "XYZUSDT"]);
    let address = |streams: &[&str]| {
        let wanted = Wanted {
            url: "wss://x",
            symbols: &symbols,
            streams: &texts(streams),
            credentials: None,
        };
        USDM.subscription(&wanted).address
    };
    assert_eq!(
        address(&["trade", "depth@100ms"]),
        "wss://x/public/stream?streams=abcusdt@trade/abcusdt@depth@100ms/xyzusdt@trade/xyzusdt@depth@100ms"
    );
    assert_eq!(
        address(&["aggTrade"]),
        "wss://x/market/stream?streams=abcusdt@aggTrade/xyzusdt@aggTrade"
    );
    let usual = texts(USDM.usual_streams());
    assert_eq!(USDM.refusal(&usual), None);
    let mixed = texts(&["bookTicker", "aggTrade", "depth20"]);
    let refusal = USDM.refusal(&mixed).expect("two entries");
    assert!(refusal.contains("`bookTicker` and `aggTrade`"), "{refusal}");
    assert_eq!(SPOT.refusal(&mixed), None);
    assert_eq!(
        USDM.snapshot_request("abcusdt", &[]),
        SnapshotRequest::Get {
            path: "/fapi/v1/depth?symbol=ABCUSDT&limit=1000".into(),
            weight: 20
        }
    );
}

#[test]
fn a_fetched_snapshot_keeps_its_market() {
    let message = USDM.snapshot_message("ABCUSDT", SNAPSHOT.as_bytes());
    assert!(USDM.recognises(&message) && !SPOT.recognises(&message));
    let text = std::str::from_utf8(&message).expect("a message is text");
    let (batch, names) = decoded(&Venues::default(), &[text]);
    assert_eq!(names, ["ABCUSDT.BINANCE_USDM"]);
    assert_eq!(batch.events[0].ts_event, Nanos(1_700_000_000_180_000_000));
}
