//! What a look at the messages shows, and what is sent.

use super::*;

#[test]
fn what_the_venue_refuses_is_reported_in_its_words() {
    let words = "Failed to subscribe: XYZ-USD is not a valid product".to_owned();
    assert_eq!(
        Coinbase.reaction(ERROR.as_bytes()),
        Reaction::Rejected(words)
    );
    let words = "authentication failure".to_owned();
    let error = r#"{"type":"error","message":"authentication failure"}"#;
    assert_eq!(Coinbase.reaction(error.as_bytes()), Reaction::Fatal(words));
    let error = r#"{"type":"error","message":"rate limit exceeded"}"#;
    let for_now = Reaction::RefusedForNow("rate limit exceeded".into());
    assert_eq!(Coinbase.reaction(error.as_bytes()), for_now);
    let streams = ["ticker", "level2"].map(str::to_owned);
    assert!(Coinbase.has_book(&streams) && !Coinbase.has_book(&streams[..1]));
    for frame in [
        SNAPSHOT, CHANGE, NOTHING, TRADES, TICKER, ACK, HEARTBEAT, "", "{",
    ] {
        assert_eq!(
            Coinbase.reaction(frame.as_bytes()),
            Reaction::None,
            "{frame}"
        );
    }
}

#[test]
fn a_message_shows_its_product_kind_and_number_unparsed() {
    let bytes = |frame: &'static str| frame.as_bytes();
    for (frame, number) in [
        (SNAPSHOT, 0),
        (CHANGE, 7),
        (NOTHING, 8),
        (TRADES, 5),
        (TICKER, 12),
    ] {
        let spaced = frame.replace("\":", "\" : ");
        for frame in [frame, &spaced] {
            assert_eq!(
                Coinbase.symbol_of(frame.as_bytes()).as_deref(),
                Some("ABC-USD"),
                "{frame}"
            );
            assert_eq!(
                Coinbase.connection_number(frame.as_bytes()),
                Some(number),
                "{frame}"
            );
        }
    }
    for (frame, number) in [
        (ACK, Some(3)),
        (HEARTBEAT, Some(4)),
        (ERROR, None),
        ("", None),
    ] {
        assert_eq!(Coinbase.connection_number(bytes(frame)), number, "{frame}");
        assert_eq!(Coinbase.symbol_of(bytes(frame)), None, "{frame}");
    }
    let inner = TRADES
        .replacen("\"sequence_num\":5,", "", 1)
        .replace("\"time\"", "\"sequence_num\":9,\"time\"");
    assert_eq!(
        Coinbase.connection_number(inner.as_bytes()),
        None,
        "it is of a trade"
    );
    assert!(Coinbase.is_quote(bytes(TICKER)));
    for change in [CHANGE, NOTHING] {
        assert_eq!(
            Coinbase.book_change_of(bytes(change)).as_deref(),
            Some("ABC-USD")
        );
    }
    for frame in [SNAPSHOT, TRADES, ACK, HEARTBEAT, ERROR] {
        assert!(!Coinbase.is_quote(bytes(frame)), "{frame}");
        assert_eq!(Coinbase.book_change_of(bytes(frame)), None, "{frame}");
    }
}

#[test]
fn the_venues_messages_are_recognised_and_no_others() {
    let status = ACK.replace("subscriptions", "status");
    for frame in [
        SNAPSHOT,
        CHANGE,
        NOTHING,
        TRADES,
        TICKER,
        ACK,
        HEARTBEAT,
        ERROR,
        &status,
        &SNAPSHOT[..SNAPSHOT.len() - 50],
    ] {
        assert!(Coinbase.recognises(frame.as_bytes()), "{frame}");
    }
    for frame in [
        r#"{"stream":"abcusdt@trade","data":{"e":"trade","s":"ABCUSDT"}}"#,
        r#"{"code":2,"msg":"Invalid request","id":1}"#,
        r#"{"channel":"heartbeat"}"#,
        r#"{"channel":"ticker","type":"update","data":[{"symbol":"ABC/USD"}]}"#,
        r#"{"method":"subscribe","success":false,"error":"Currency pair not supported"}"#,
        r#"{"event":"error","code":"60012","msg":"Invalid request","connId":"1"}"#,
        r#"{"arg":{"channel":"trades","instId":"ABC-USDT"},"data":[]}"#,
        r#"{"topic":"publicTrade.ABCUSDT","type":"snapshot","ts":1,"data":[]}"#,
        r#"{"success":false,"ret_msg":"error","conn_id":"1","op":"subscribe"}"#,
        r#"[{"T":"error","code":407,"msg":"slow client"}]"#,
        "{",
        "",
        "[]",
    ] {
        assert!(!Coinbase.recognises(frame.as_bytes()), "{frame}");
    }
}

#[test]
fn a_subscription_is_a_message_for_each_channel_and_one_for_heartbeats() {
    let symbols = ["ABC-USD".to_owned(), "XYZ-EUR".to_owned()];
    let streams = ["market_trades", "ticker", "level2", "heartbeats"].map(str::to_owned);
    let wanted = Wanted {
        url: "wss://advanced-trade-ws.coinbase.com",
        symbols: &symbols,
        streams: &streams,
        credentials: None,
    };
    let subscription = Coinbase.subscription(&wanted);
    assert_eq!(subscription.address, "wss://advanced-trade-ws.coinbase.com");
    let channel = |text: &String| {
        let request: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(request["type"], "subscribe");
        let channel = request["channel"].as_str().unwrap().to_owned();
        if channel != "heartbeats" {
            assert_eq!(request["product_ids"], serde_json::json!(symbols));
        }
        channel
    };
    let channels: Vec<String> = subscription.messages.iter().map(channel).collect();
    assert_eq!(
        channels,
        ["heartbeats", "market_trades", "ticker", "level2"]
    );
}

#[test]
fn a_new_subscription_brings_a_new_snapshot() {
    let SnapshotRequest::Send(messages) = Coinbase.snapshot_request("ABC-USD", &[]) else {
        panic!("it is sent")
    };
    let request = |text: &String| {
        let request: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(request["channel"], "level2");
        assert_eq!(request["product_ids"], serde_json::json!(["ABC-USD"]));
        request["type"].as_str().unwrap().to_owned()
    };
    let requests: Vec<String> = messages.iter().map(request).collect();
    assert_eq!(requests, ["unsubscribe", "subscribe"]);
    assert!(!Coinbase.needs_snapshot("level2"));
}

#[test]
fn a_product_has_one_spelling() {
    for (written, spelling) in [
        ("BTC-USD", "BTC-USD"),
        ("btc/usd", "BTC-USD"),
        ("BTCUSD", "BTC-USD"),
        ("BTCUSDT", "BTC-USDT"),
        ("BTC", "BTC-USD"),
        ("btc_usd", "BTC-USD"),
        ("BTC-USDC", "BTC-USD"),
        ("USDT-USDC", "USDT-USDC"),
        ("EURC-USDC", "EURC-USDC"),
        ("ETH-BTC", "ETH-BTC"),
    ] {
        assert_eq!(Coinbase.spelling(written), spelling, "{written}");
    }
}
