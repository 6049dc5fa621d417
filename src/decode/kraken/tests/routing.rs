//! What a look at the messages shows, and what is sent.

use super::*;

#[test]
fn only_a_refused_subscription_is_reported() {
    let words = "Currency pair not supported XYZ/USD".to_owned();
    assert_eq!(
        Kraken.reaction(REFUSED.as_bytes()),
        Reaction::Rejected(words)
    );
    let not_subscribed = REFUSED.replace("\"subscribe\"", "\"unsubscribe\"");
    for frame in [
        ACK,
        STATUS,
        HEARTBEAT,
        PONG,
        TRADES,
        SNAPSHOT,
        CHANGE,
        TICKER,
        &not_subscribed,
        "",
        "{",
    ] {
        assert_eq!(Kraken.reaction(frame.as_bytes()), Reaction::None, "{frame}");
    }
}

#[test]
fn what_the_venue_says_is_told_in_its_words() {
    for words in ["EService:Unavailable", "EGeneral:Internal error"] {
        for method in ["", r#""method":"subscribe","#] {
            let answer = format!(r#"{{"error":"{words}",{method}"success":false}}"#);
            let for_now = Reaction::RefusedForNow(words.into());
            assert_eq!(Kraken.reaction(answer.as_bytes()), for_now, "{answer}");
        }
    }
    let other = REFUSED.replace("\"subscribe\"", "\"ping\"");
    assert!(matches!(
        Kraken.reaction(other.as_bytes()),
        Reaction::Told(_)
    ));
    let maintenance = STATUS.replace("online", "maintenance");
    let told = Reaction::Told("status: maintenance".into());
    assert_eq!(Kraken.reaction(maintenance.as_bytes()), told);
    let streams = ["trade", "book:100"].map(str::to_owned);
    assert!(Kraken.has_book(&streams) && !Kraken.has_book(&streams[..1]));
}

#[test]
fn a_message_shows_its_symbol_and_kind_unparsed() {
    let bytes = |frame: &'static str| frame.as_bytes();
    for frame in [SNAPSHOT, CHANGE, TRADES, TICKER, ACK] {
        assert_eq!(
            Kraken.symbol_of(bytes(frame)).as_deref(),
            Some("ABC/USD"),
            "{frame}"
        );
    }
    assert_eq!(Kraken.symbol_of(bytes(REFUSED)).as_deref(), Some("XYZ/USD"));
    for frame in [
        STATUS,
        HEARTBEAT,
        PONG,
        "",
        "{",
        r#"{"channel":"book","type":"update","data":[{"#,
    ] {
        assert_eq!(Kraken.symbol_of(bytes(frame)), None, "{frame}");
    }
    let spaced = TICKER.replace("\"channel\":", "\"channel\": ");
    assert!(Kraken.is_quote(bytes(TICKER)) && Kraken.is_quote(spaced.as_bytes()));
    let spaced = CHANGE.replace("\"channel\":", "\"channel\": ");
    for change in [CHANGE, &spaced] {
        assert_eq!(
            Kraken.book_change_of(change.as_bytes()).as_deref(),
            Some("ABC/USD")
        );
    }
    for frame in [SNAPSHOT, TRADES, ACK, HEARTBEAT] {
        assert!(!Kraken.is_quote(bytes(frame)), "{frame}");
        assert_eq!(Kraken.book_change_of(bytes(frame)), None, "{frame}");
    }
}

#[test]
fn the_venues_messages_are_recognised_and_no_others() {
    let ohlc = CHANGE.replace("\"book\"", "\"ohlc\"");
    for frame in [
        SNAPSHOT,
        CHANGE,
        TRADES,
        TICKER,
        ACK,
        REFUSED,
        STATUS,
        HEARTBEAT,
        PONG,
        &ohlc,
        r#"{"data":[],"type":"update","channel":"executions"}"#,
        &CHANGE[..100],
        r#"{"error":"Exceeded msg rate","success":false,"time_in":"2026-01-02T03:04:05.1Z"}"#,
    ] {
        assert!(Kraken.recognises(frame.as_bytes()), "{frame}");
    }
    for frame in [
        r#"{"stream":"abcusdt@trade","data":{"e":"trade","s":"ABCUSDT"}}"#,
        r#"{"method":"SUBSCRIBE","params":["abcusdt@trade"],"id":1}"#,
        r#"{"result":null,"id":1}"#,
        r#"{"channel":"ticker","timestamp":"2026-01-02T03:04:05Z","sequence_num":1,"events":[]}"#,
        r#"{"channel":"heartbeats","sequence_num":0,"events":[]}"#,
        r#"{"type":"error","message":"authentication failure"}"#,
        r#"{"event":"subscribe","arg":{"channel":"books","instId":"ABC-USDT"},"connId":"1"}"#,
        r#"{"arg":{"channel":"trades","instId":"ABC-USDT"},"data":[]}"#,
        r#"{"success":true,"ret_msg":"subscribe","conn_id":"1","op":"subscribe"}"#,
        r#"{"topic":"publicTrade.ABCUSDT","type":"snapshot","ts":1,"data":[]}"#,
        r#"{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.ABC","data":{}}}"#,
        r#"{"channel":"l2Book","data":{"coin":"ABC"}}"#,
        r#"[{"T":"success","msg":"connected"}]"#,
        r#"{"feed":"book","product_id":"PI_ABCUSD","seq":1}"#,
        "{",
        "",
        "[]",
    ] {
        assert!(!Kraken.recognises(frame.as_bytes()), "{frame}");
    }
}

#[test]
fn a_subscription_is_a_message_for_each_stream() {
    let symbols = ["ABC/USD".to_owned(), "XYZ/EUR".to_owned()];
    let streams = ["trade", "ticker", "book", "book:100", "book:all"].map(str::to_owned);
    let wanted = Wanted {
        url: "wss://ws.kraken.com/v2",
        symbols: &symbols,
        streams: &streams,
        credentials: None,
    };
    let subscription = Kraken.subscription(&wanted);
    assert_eq!(subscription.address, "wss://ws.kraken.com/v2");
    let params = |text: &String| {
        let request: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(request["method"], "subscribe");
        assert_eq!(request["params"]["symbol"], serde_json::json!(symbols));
        assert_eq!(request["params"]["snapshot"], true);
        request["params"].clone()
    };
    let params: Vec<serde_json::Value> = subscription.messages.iter().map(params).collect();
    let channels: Vec<_> = params.iter().map(|params| &params["channel"]).collect();
    assert_eq!(channels, ["trade", "ticker", "book", "book", "book"]);
    assert_eq!(params[0]["depth"], serde_json::Value::Null);
    assert_eq!(params[1]["event_trigger"], "bbo");
    assert_eq!(
        (&params[2]["depth"], &params[3]["depth"]),
        (&10.into(), &100.into())
    );
    assert_eq!(params[4]["depth"], "all", "for the venue to refuse");
}

#[test]
fn a_new_subscription_brings_a_new_snapshot_of_the_same_depth() {
    for (streams, depth) in [
        (vec!["trade", "book:25"], 25),
        (vec!["book"], 10),
        (vec![], 10),
    ] {
        let streams: Vec<String> = streams.into_iter().map(str::to_owned).collect();
        let SnapshotRequest::Send(messages) = Kraken.snapshot_request("ABC/USD", &streams) else {
            panic!("it is sent")
        };
        let request = |text: &String| {
            let request: serde_json::Value = serde_json::from_str(text).unwrap();
            let params = &request["params"];
            assert_eq!(
                (&params["channel"], &params["depth"]),
                (&"book".into(), &depth.into())
            );
            assert_eq!(params["symbol"], serde_json::json!(["ABC/USD"]));
            request["method"].as_str().unwrap().to_owned()
        };
        let methods: Vec<String> = messages.iter().map(request).collect();
        assert_eq!(methods, ["unsubscribe", "subscribe"]);
    }
    assert!(!Kraken.needs_snapshot("book"));
}

#[test]
fn a_symbol_has_one_spelling() {
    for (written, spelling) in [
        ("BTC/USD", "BTC/USD"),
        ("btc-usd", "BTC/USD"),
        ("BTCUSD", "BTC/USD"),
        ("XBTUSDT", "BTC/USDT"),
        ("XXBTZUSD", "BTC/USD"),
        ("XETHXXBT", "ETH/BTC"),
        ("SOL", "SOL/USD"),
        ("BTC_USD", "BTC/USD"),
        ("XBT/USD", "BTC/USD"),
        ("xdg/eur", "DOGE/EUR"),
        ("AAPLx/USD", "AAPLx/USD"),
    ] {
        assert_eq!(Kraken.spelling(written), spelling, "{written}");
    }
}
