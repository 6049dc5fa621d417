//! What the connection is asked for and told, and what a look at a message shows.

use super::{Bybit, DELTA, LINEAR, QUOTE, QUOTE_CHANGE, RETAIL, SNAPSHOT, TRADES, decode_all};
use crate::decode::venue::{Reaction, SnapshotRequest, Venue, Wanted};
use crate::decode::{DecodeError, Decoded, Notice};

#[test]
fn answers_of_the_server_are_no_events() {
    let notice = |notice| Ok(Decoded::Notice(notice));
    let (ack, refused) = (notice(Notice::Ack), notice(Notice::VenueError));
    for (message, expected) in [
        (
            r#"{"success":true,"ret_msg":"subscribe","conn_id":"c1","op":"subscribe"}"#,
            ack,
        ),
        (
            r#"{"success":true,"ret_msg":"","conn_id":"c1","req_id":"1","op":"subscribe"}"#,
            ack,
        ),
        (
            r#"{"success":false,"ret_msg":"Invalid topic","conn_id":"c1","op":"subscribe"}"#,
            refused,
        ),
        (
            r#"{"success":true,"ret_msg":"pong","conn_id":"c1","req_id":"","op":"ping"}"#,
            ack,
        ),
        (
            r#"{"req_id":"1","op":"pong","args":["1700000000000"],"conn_id":"c1"}"#,
            ack,
        ),
        (r#"{"args":["1700000000000"],"op":"pong"}"#, ack),
        (
            r#"{"success":true,"conn_id":"c1","data":{"failTopics":[],"successTopics":["x"]},"type":"COMMAND_RESP"}"#,
            ack,
        ),
        (
            r#"{"op":"auth","success":false,"retCode":10003,"retMsg":"Invalid key","connId":"c1"}"#,
            refused,
        ),
    ] {
        assert!(Bybit.recognises(message.as_bytes()), "{message}");
        assert_eq!(Bybit.symbol_of(message.as_bytes()), None);
        let (batch, results) = decode_all(&[message]);
        assert_eq!(results, [expected], "{message}");
        assert!(batch.events.is_empty() && batch.origins.is_empty());
    }
    for name in [
        "tickers.ABCUSDT",
        "kline.5.ABCUSDT",
        "orderbook.full.ABCUSDT",
        "orderbook",
    ] {
        let message = DELTA.replace("orderbook.50.ABCUSDT", name);
        assert_eq!(
            decode_all(&[&message]).1,
            [Err(DecodeError::UnknownType)],
            "{name}"
        );
    }
}

#[test]
fn a_message_shows_its_symbol_and_kind_unparsed() {
    for message in [TRADES, LINEAR, QUOTE, QUOTE_CHANGE, SNAPSHOT, DELTA, RETAIL] {
        let message = message.as_bytes();
        assert!(Bybit.recognises(message));
        assert_eq!(Bybit.symbol_of(message).as_deref(), Some("ABCUSDT"));
        assert_eq!(Bybit.is_quote(message), message == QUOTE.as_bytes());
        assert_eq!(Bybit.book_change_of(message), None);
        assert_eq!(Bybit.reaction(message), Reaction::None);
    }
    for message in [
        "",
        "pong",
        r#"{"method":"subscribe","success":true,"result":{},"ret_msg":""}"#,
        r#"{"event":"subscribe","arg":{"channel":"x"},"connId":"c1"}"#,
        r#"{"topic":"/market/ticker:ABC-USDT","type":"message","data":{}}"#,
        r#"{"op":"subscribe","args":["orderbook.50.ABCUSDT"]}"#,
        r#"{"success":true,"subscribe":"trade:XBTUSD","request":{"op":"subscribe"}}"#,
    ] {
        assert!(!Bybit.recognises(message.as_bytes()), "{message}");
    }
}

#[test]
fn a_refused_topic_is_told_and_a_refused_key_ends_the_feed() {
    let answer = |op: &str, words: &str| {
        let message =
            format!(r#"{{"success":false,"ret_msg":"{words}","conn_id":"c1","op":"{op}"}}"#);
        Bybit.reaction(message.as_bytes())
    };
    assert_eq!(
        answer("subscribe", "Invalid topic"),
        Reaction::Rejected("Invalid topic".into())
    );
    assert_eq!(
        answer("subscribe", "error:topic already subscribed"),
        Reaction::None
    );
    assert_eq!(answer("unsubscribe", "no such topic"), Reaction::None);
    let auth =
        br#"{"op":"auth","success":false,"retCode":10003,"retMsg":"Invalid key","connId":"c1"}"#;
    assert_eq!(
        Bybit.reaction(auth),
        Reaction::Fatal("10003: Invalid key".into())
    );
    let done = br#"{"success":true,"ret_msg":"","conn_id":"c1","op":"subscribe"}"#;
    assert_eq!(Bybit.reaction(done), Reaction::None);
    // The same would be taken later, whatever was asked for.
    for (message, words) in [
        (
            r#"{"success":false,"ret_msg":"Request frequency too high","conn_id":"c1","op":""}"#,
            "Request frequency too high",
        ),
        (
            r#"{"success":false,"ret_msg":"Request frequency too high","conn_id":"c1","op":"subscribe"}"#,
            "Request frequency too high",
        ),
        (
            r#"{"retCode":10006,"retMsg":"Too many visits!","retExtInfo":{}}"#,
            "10006: Too many visits!",
        ),
    ] {
        let reaction = Bybit.reaction(message.as_bytes());
        assert_eq!(reaction, Reaction::RefusedForNow(words.into()), "{message}");
        assert!(Bybit.recognises(message.as_bytes()), "{message}");
        let (_, results) = decode_all(&[message]);
        assert_eq!(
            results,
            [Ok(Decoded::Notice(Notice::VenueError))],
            "{message}"
        );
    }
    let other = br#"{"success":false,"ret_msg":"why","conn_id":"c1","op":""}"#;
    assert_eq!(Bybit.reaction(other), Reaction::Told("why".into()));
    let topics = |topic: &str| vec![topic.to_owned()];
    assert!(Bybit.has_book(&topics("orderbook.50")));
    assert!(!Bybit.has_book(&topics("publicTrade")));
}

#[test]
fn a_subscription_has_a_request_for_each_symbol() {
    let text = |words: &[&str]| {
        words
            .iter()
            .map(|&word| word.to_owned())
            .collect::<Vec<_>>()
    };
    let (symbols, streams) = (
        text(&["ABCUSDT", "XYZUSDT"]),
        text(&["publicTrade", "orderbook.1", "orderbook.200"]),
    );
    let wanted = Wanted {
        url: "wss://x",
        symbols: &symbols,
        streams: &streams,
        credentials: None,
    };
    let subscription = Bybit.subscription(&wanted);
    assert_eq!(subscription.address, "wss://x/v5/public/spot");
    assert_eq!(
        subscription.messages,
        [
            r#"{"args":["publicTrade.ABCUSDT","orderbook.1.ABCUSDT","orderbook.200.ABCUSDT"],"op":"subscribe"}"#,
            r#"{"args":["publicTrade.XYZUSDT","orderbook.1.XYZUSDT","orderbook.200.XYZUSDT"],"op":"subscribe"}"#,
        ]
    );
    let url = "wss://x/v5/public/linear";
    assert_eq!(Bybit.subscription(&Wanted { url, ..wanted }).address, url);
    let many: Vec<String> = (0..11).map(|number| format!("kline.{number}")).collect();
    let many = Bybit.subscription(&Wanted {
        streams: &many,
        ..wanted
    });
    assert_eq!(many.messages.len(), 4, "ten topics a request");
    assert_eq!(
        Bybit.snapshot_request("ABCUSDT", &streams),
        SnapshotRequest::Send(vec![
            r#"{"args":["orderbook.200.ABCUSDT"],"op":"unsubscribe"}"#.into(),
            r#"{"args":["orderbook.200.ABCUSDT"],"op":"subscribe"}"#.into(),
        ])
    );
    assert!(!Bybit.needs_snapshot("orderbook.50"));
}

#[test]
fn a_symbol_has_the_venues_spelling() {
    for (written, spelt) in [
        ("BTCUSDT", "BTCUSDT"),
        ("btc/usdt", "BTCUSDT"),
        ("BTC-USDT", "BTCUSDT"),
        ("BTC_USDT", "BTCUSDT"),
        ("BTC-PERP", "BTCPERP"),
        ("BTC-27DEC24", "BTC-27DEC24"),
        ("BTC-6JAN23-17500-C", "BTC-6JAN23-17500-C"),
        ("SOLUSDT_SOL/USDT", "SOLUSDT_SOL/USDT"),
    ] {
        assert_eq!(Bybit.spelling(written), spelt);
    }
}
