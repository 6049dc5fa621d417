//! A handover at a venue whose books come with the subscription.

use super::overlap::Overlap;
use super::*;
use crate::decode::json_feed::{
    BookFields, Condition, EventMapping, EventTime, Fields, LevelLists, Mapping, Pointer,
    TradeFields, UpdateNumbers, Whole,
};

/// A book of the venue, whole or changed.
fn book(action: &str, before: i64, number: i64) -> String {
    format!(
        r#"{{"arg":{{"channel":"books","instId":"OAK-USDT"}},"action":"{action}","data":[{{"asks":[],"bids":[["1","2"]],"ts":"1700000000000","seqId":{number},"prevSeqId":{before}}}]}}"#
    )
}

/// The venue announces the end of a connection.
const CLOSING: &str = r#"{"event":"notice","code":"64008","msg":"closing","connId":"a"}"#;

/// A feed of this stream of OKX.
async fn of_okx(stream: &str) -> RunningFeed {
    RunningFeed::start(|settings| {
        settings.venue = Venues::default().named("OKX").expect("it is registered");
        settings.symbols = vec!["OAK-USDT".into()];
        settings.streams = vec![stream.into()];
    })
    .await
}

#[tokio::test]
async fn changes_behind_the_new_connections_book_are_applied_again() {
    let mut feed = of_okx("books").await;
    let mut old = feed.accept().await;
    send(&mut old, CLOSING).await;
    let mut new = feed.accept().await;
    let (whole, change) = (book("snapshot", -1, 10), book("update", 10, 11));
    // Both bring the change, in the same bytes; the book before it is the new connection's alone.
    send(&mut new, &whole).await;
    send(&mut old, &change).await;
    send(&mut new, &change).await;
    let handover = r#"{"foretick":"handover"}"#;
    let mut at = 0;
    while feed.text(at).await != handover {
        at += 1;
    }
    assert_eq!(feed.text(at + 1).await, whole);
    assert_eq!(
        feed.text(at + 2).await,
        change,
        "or the book would be the older one"
    );
    feed.end().await;
}

/// A best bid and offer of the venue at this millisecond.
fn quote(millis: u32) -> String {
    format!(
        r#"{{"arg":{{"channel":"bbo-tbt","instId":"OAK-USDT"}},"data":[{{"asks":[["2","1"]],"bids":[["1","1"]],"ts":"17000000{millis:05}","seqId":{millis}}}]}}"#
    )
}

#[tokio::test]
async fn of_the_quotes_that_were_held_the_newest_is_handed_on() {
    let mut feed = of_okx("bbo-tbt").await;
    let mut old = feed.accept().await;
    send(&mut old, CLOSING).await;
    let mut new = feed.accept().await;
    for millis in 1..=3 {
        send(&mut new, &quote(millis)).await;
    }
    let handover = r#"{"foretick":"handover"}"#;
    let mut at = 0;
    while feed.text(at).await != handover {
        at += 1;
    }
    assert_eq!(feed.text(at + 1).await, quote(3));
    let status = feed.end().await;
    assert_eq!(status.dropped.repeated.load(Relaxed), 2);
}

#[test]
fn what_both_connections_brought_counts_once_where_no_book_begins_with_it() {
    let venue = crate::decode::json_feed::venue(described());
    let are_copies = |held: &[&'static str]| -> Vec<bool> {
        let mut overlap = Overlap::default();
        // The old connection brought each of them once.
        for text in [TRADE, BOOK] {
            overlap.saw(text.as_bytes());
        }
        for text in held {
            let bytes = Bytes::from_static(text.as_bytes());
            let origin = crate::frame::Origin::of_test();
            overlap.hold(Frame { origin, bytes }, true);
        }
        let frames = overlap.into_frames(venue, false);
        frames.into_iter().map(|(_, is_copy)| is_copy).collect()
    };
    const TRADE: &str = r#"{"type":"trade","symbol":"OAK"}"#;
    const BOOK: &str = r#"{"type":"book","symbol":"OAK"}"#;
    assert_eq!(are_copies(&[BOOK, TRADE, "{}"]), [false, true, false]);
    assert_eq!(
        are_copies(&[TRADE, TRADE]),
        [true, false],
        "another one alike"
    );
}

/// A feed of trades without numbers, and of books.
fn described() -> Mapping {
    let at = |pointer: &str| Pointer::parse(pointer).unwrap();
    let is = |word: &str| Condition::new(std::iter::once((&"/type".to_owned(), &word.to_owned())));
    let kind = |word: &str, fields: Fields| EventMapping {
        when: is(word).unwrap(),
        events: None,
        symbol: at("/symbol"),
        time: EventTime::Before,
        fields,
    };
    let trade = TradeFields {
        price: at("/p"),
        size: at("/q"),
        side: at("/s"),
        buy: "B".into(),
        sell: "S".into(),
        id: None,
    };
    let book = BookFields {
        levels: LevelLists::BySide {
            bids: at("/b"),
            asks: at("/a"),
        },
        level_price: at("/0"),
        level_size: at("/1"),
        level_gone: Condition::default(),
        whole: Whole::Always,
        keep: 0,
        numbers: UpdateNumbers::None,
    };
    Mapping {
        venue: "MINE".into(),
        path: String::new(),
        subscribe: vec![],
        resubscribe: vec![],
        newest_first: false,
        ignore: vec![],
        reconnect: vec![],
        rejected: vec![],
        fatal: vec![],
        reason: None,
        keepalive: None,
        silent_max: None,
        answers: vec![],
        kinds: vec![
            kind("trade", Fields::Trade(trade)),
            kind("book", Fields::Book(book)),
        ],
    }
}

#[tokio::test]
async fn a_replacement_that_is_refused_for_good_is_not_tried_again() {
    let mut feed = RunningFeed::start(|_| {}).await;
    let mut old = feed.accept().await;
    send(&mut old, SHUTDOWN).await;
    let (mut refused, _) = within(feed.listener.accept()).await.unwrap();
    let answer = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut refused, answer)
        .await
        .unwrap();
    let again = timeout(Duration::from_millis(600), feed.listener.accept()).await;
    assert!(again.is_err(), "credentials that are refused are sent once");
    // The connection in use goes on.
    send(&mut old, &trade(1)).await;
    assert_eq!(feed.text(1).await, trade(1));
    feed.end().await;
}

#[tokio::test]
async fn a_replacement_that_is_refused_for_now_does_not_take_over() {
    let mut feed = of_okx("trades").await;
    let mut old = feed.accept().await;
    send(&mut old, CLOSING).await;
    let mut refused = feed.accept().await;
    let answer = r#"{"event":"error","code":"50026","msg":"System error","connId":"b"}"#;
    send(&mut refused, answer).await;
    // The next one is tried, and the one in use goes on meanwhile.
    let _next = feed.accept().await;
    let trade = r#"{"arg":{"channel":"trades","instId":"OAK-USDT"},"data":[]}"#;
    send(&mut old, trade).await;
    let mut at = 0;
    while feed.text(at).await != trade {
        assert!(!feed.text(at).await.contains("handover"));
        at += 1;
    }
    feed.end().await;
}
