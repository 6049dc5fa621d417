//! A venue that sends what it should not, or stops in the middle.

use tokio::io::AsyncWriteExt;

use super::told::Told;
use super::*;
use crate::decode::{Decoded, Decoder, Notice};
use crate::engine::book::Book;
use crate::event::{Batch, Body};
use crate::instrument::Instruments;
use crate::units::Price;

/// The beginning of a websocket frame: the first byte has its kind, and 0x80 where a message ends with it.
fn head(first: u8, length: u64) -> Vec<u8> {
    let mut head = vec![first, 127];
    head.extend(length.to_be_bytes());
    head
}

async fn send_raw(server: &mut Server, bytes: &[u8]) {
    within(server.get_mut().write_all(bytes)).await.unwrap();
}

const LAST: u8 = 0x80;
const TEXT: u8 = 1;
const CONTINUED: u8 = 0;

fn coinbase(settings: &mut WebsocketSettings) {
    let venue = Venues::default().named("COINBASE");
    let url = settings.url.clone();
    *settings = WebsocketSettings {
        url,
        symbols: vec!["BTC-USD".into()],
        ..WebsocketSettings::new(venue.expect("it is registered"))
    };
}

/// A snapshot of so many levels a side, of about 105 bytes each, the best ones in the middle.
fn whole_book(levels: u32) -> String {
    let mut updates = vec![];
    for at in 0..levels {
        for (side, price) in [("bid", 10_000_000 - at), ("offer", 10_000_001 + at)] {
            let (units, cents) = (price / 100, price % 100);
            updates.push(format!(
                r#"{{"side":"{side}","event_time":"1970-01-01T00:00:00Z","price_level":"{units}.{cents:02}","new_quantity":"0.{at:08}1"}}"#
            ));
        }
    }
    let updates = updates.join(",");
    format!(
        r#"{{"channel":"l2_data","client_id":"","timestamp":"2026-11-02T03:04:05Z","sequence_num":0,"events":[{{"type":"snapshot","product_id":"BTC-USD","updates":[{updates}]}}]}}"#
    )
}

#[tokio::test]
async fn a_book_of_12_mb_in_a_few_frames_is_read_whole() {
    const LEVELS: u32 = 60_000;
    // The best that a book keeps.
    const KEPT: usize = 50_000;
    let mut feed = RunningFeed::start(coinbase).await;
    let mut server = feed.accept().await;
    let text = whole_book(LEVELS);
    assert!(text.len() > 12_000_000, "{} bytes", text.len());
    let parts: Vec<&[u8]> = text.as_bytes().chunks(5 << 20).collect();
    for (at, part) in parts.iter().enumerate() {
        let kind = if at == 0 { TEXT } else { CONTINUED };
        let last = if at + 1 == parts.len() { LAST } else { 0 };
        send_raw(&mut server, &head(kind | last, part.len() as u64)).await;
        send_raw(&mut server, part).await;
    }
    assert_eq!(feed.text(0).await, text);
    let limit = feed_limit("COINBASE");
    let mut decoder = Decoder::new(Instruments::new(&[], 4), limit);
    let (mut batch, mut book) = (Batch::default(), Book::default());
    let frame = &feed.seen[0];
    let decoded = decoder.decode(frame.origin, &frame.bytes, &mut batch);
    assert_eq!(decoded, Ok(Decoded::Events));
    let Body::Depth(depth) = batch.events[0].body else {
        panic!("{:?}", batch.events[0])
    };
    let (bids, asks) = batch.levels(&depth);
    assert_eq!((bids.len(), asks.len()), (LEVELS as usize, LEVELS as usize));
    book.apply(&depth, bids, asks, batch.events[0].ts_event);
    assert!(book.is_live() && !book.is_crossed());
    let cents = |price: Price| price.scaled(2).expect("they were written so");
    let bids: Vec<i64> = book.bids().map(|level| cents(level.price)).collect();
    let asks: Vec<i64> = book.asks().map(|level| cents(level.price)).collect();
    assert_eq!((bids[0], asks[0]), (10_000_000, 10_000_001));
    for (side, step) in [(bids, -1), (asks, 1)] {
        assert_eq!(side.len(), KEPT);
        assert!(side.windows(2).all(|pair| pair[1] - pair[0] == step));
    }
    feed.end().await;
}

fn feed_limit(venue: &str) -> usize {
    let venue = Venues::default().named(venue).expect("it is registered");
    WebsocketSettings::new(venue).message_bytes_max
}

#[tokio::test]
async fn a_frame_of_64_mb_ends_the_connection_and_is_told_once() {
    let told = Told::begin();
    let feed = RunningFeed::start(|settings| {
        settings.backoff_min = Duration::from_millis(400);
        settings.backoff_max = Duration::from_secs(3_600);
    })
    .await;
    for _ in 0..4 {
        let mut server = feed.accept().await;
        send_raw(&mut server, &head(TEXT | LAST, 64 << 20)).await;
        // It goes on as long as somebody reads.
        let chunk = vec![b' '; 1 << 20];
        for _ in 0..64 {
            if server.get_mut().write_all(&chunk).await.is_err() {
                break;
            }
        }
    }
    let status = feed.end().await;
    assert_eq!(status.ends.of(EndReason::TooLarge), 4);
    assert_eq!(status.received.load(Relaxed), 0);
    assert_eq!(
        told.count("raise `[source] max_frame_bytes`"),
        1,
        "{told:?}"
    );
}

#[tokio::test]
async fn what_is_no_websocket_ends_the_connection_and_is_told_once() {
    let binary_close = [
        0x88, 10, 0x03, 0xf0, b'p', b'o', b'l', b'i', b'c', b'y', b'!', b'!',
    ];
    for (bytes, reason, words) in [
        (&b"\x81\x02\xff\xfe"[..], EndReason::Protocol, "UTF-8"),
        (&b"\x83\x01x"[..], EndReason::Protocol, "opcode"),
        (&b"\xf1\x01x"[..], EndReason::Protocol, "Reserved bits"),
        (&b"\x80\x01x"[..], EndReason::Protocol, "Continue frame"),
        (
            &binary_close,
            EndReason::Closed,
            "code 1008, reason `policy!!`",
        ),
    ] {
        let told = Told::begin();
        let feed = RunningFeed::start(|_| {}).await;
        for _ in 0..3 {
            let mut server = feed.accept().await;
            send_raw(&mut server, bytes).await;
            // Until the client has gone, or says so.
            while let Some(Ok(_)) = within(server.next()).await {}
        }
        drop(feed.accept().await);
        let status = feed.end().await;
        assert!(status.ends.of(reason) >= 3, "{words}: {:?}", status.ends);
        assert_eq!(told.count(words), 1, "{told:?}");
    }
}

#[tokio::test]
async fn half_a_frame_is_waited_for_while_it_comes_and_then_given_up() {
    let mut feed = RunningFeed::start(|settings| settings.idle = Duration::from_millis(600)).await;
    let mut server = feed.accept().await;
    // Slower than the connection may be quiet, and without an answer to a ping.
    let mut text = TRADE.to_owned();
    text.push_str(&" ".repeat(20 - text.len() % 20));
    send_raw(&mut server, &[TEXT | LAST, text.len() as u8]).await;
    assert!(text.len() < 126);
    let began = clock::instant();
    for part in text.as_bytes().chunks(20) {
        sleep(Duration::from_millis(300)).await;
        send_raw(&mut server, part).await;
    }
    assert!(began.elapsed() > Duration::from_millis(1_100));
    assert_eq!(feed.text(0).await, text);
    send_raw(&mut server, &[TEXT | LAST, 125, b'{']).await;
    let next = within(feed.accept()).await;
    let status = feed.end().await;
    assert_eq!(status.ends.of(EndReason::Idle), 1);
    drop((server, next));
}

#[tokio::test]
async fn a_server_that_never_reads_is_read() {
    let mut feed = RunningFeed::start(|_| {}).await;
    let mut server = feed.accept().await;
    // Each ping wants an answer that nobody takes: they are more than all buffers on the way hold.
    let mut ping = vec![0x89, 125];
    ping.extend([b'x'; 125]);
    let pings = ping.repeat(1_000);
    for _ in 0..100 {
        send_raw(&mut server, &pings).await;
    }
    let mut frame = vec![TEXT | LAST, TRADE.len() as u8];
    frame.extend(TRADE.as_bytes());
    send_raw(&mut server, &frame).await;
    assert_eq!(feed.text(0).await, TRADE);
    assert_eq!(feed.end().await.connections.load(Relaxed), 1);
}

#[tokio::test]
async fn endless_answers_to_subscriptions_hold_up_nothing() {
    let mut feed = RunningFeed::start(|_| {}).await;
    let mut server = feed.accept().await;
    let ack = r#"{"result":null,"id":1}"#;
    let mut decoder = Decoder::new(Instruments::new(&[], 4), 1 << 20);
    let (mut trades, mut acks) = (0, 0);
    for round in 1..=100 {
        for _ in 0..50 {
            server.feed(Message::text(ack)).await.unwrap();
        }
        send(&mut server, &full_trade(round)).await;
        // The trade is behind them: nothing of the round is on its way any more.
        feed.text(50).await;
        for frame in feed.seen.drain(..) {
            let mut batch = Batch::default();
            match decoder.decode(frame.origin, &frame.bytes, &mut batch) {
                Ok(Decoded::Events) => trades += batch.events.len(),
                Ok(Decoded::Notice(Notice::Ack)) => acks += 1,
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!((trades, acks), (100, 5_000));
    // Nobody takes them any more: the ring is full, and the rest is dropped and counted.
    for _ in 0..5_000 {
        server.feed(Message::text(ack)).await.unwrap();
    }
    server.flush().await.unwrap();
    while feed.status.received.load(Relaxed) < 10_100 {
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(feed.status.dropped.overflow.load(Relaxed), 5_000 - 64);
    feed.end().await;
}

fn full_trade(number: u64) -> String {
    format!(
        r#"{{"stream":"btcusdt@trade","data":{{"e":"trade","E":1767571201000,"s":"BTCUSDT","t":{number},"p":"1.5","q":"2","T":1767571201000,"m":false,"M":true}}}}"#
    )
}

#[tokio::test]
async fn refused_parts_of_a_subscription_by_the_thousand_are_told_within_bounds() {
    let told = Told::begin();
    let mut feed = RunningFeed::start(coinbase).await;
    let mut server = feed.accept().await;
    let refusal = r#"{"type":"error","message":"Failed to subscribe","reason":"XYZ-USD is not a valid product"}"#;
    for _ in 0..2_000 {
        server.feed(Message::text(refusal)).await.unwrap();
    }
    server.flush().await.unwrap();
    while feed.status.rejections.load(Relaxed) < 2_000 {
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(told.count("XYZ-USD"), 1, "{told:?}");
    feed.seen.clear();
    assert_eq!(feed.end().await.connections.load(Relaxed), 1);
}

#[tokio::test]
async fn a_binary_message_on_a_feed_of_text_is_told_once() {
    let told = Told::begin();
    let feed = RunningFeed::start(|_| {}).await;
    let mut server = feed.accept().await;
    for byte in 0..100 {
        server.send(Message::binary(vec![byte; 9])).await.unwrap();
    }
    while feed.status.dropped.binary.load(Relaxed) < 100 {
        sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(told.count("binary message"), 1, "{told:?}");
    feed.end().await;
}
