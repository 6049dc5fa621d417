//! What the connection is asked for and told, and what a look at a message shows.

use super::{FIVE, Okx, QUOTE, SNAPSHOT, TRADE, UPDATE, UPGRADE, decode_all};
use crate::decode::venue::{Reaction, SnapshotRequest, Venue, Wanted};
use crate::decode::{DecodeError, Decoded, Notice};

#[test]
fn notices_of_the_server_are_no_events() {
    let notice = |notice| Ok(Decoded::Notice(notice));
    for (message, expected) in [
        (
            r#"{"event":"subscribe","arg":{"channel":"books","instId":"ABC-USDT"},"connId":"a1"}"#,
            notice(Notice::Ack),
        ),
        (
            r#"{"event":"unsubscribe","arg":{"channel":"books","instId":"ABC-USDT"},"connId":"a1"}"#,
            notice(Notice::Ack),
        ),
        (
            r#"{"event":"login","code":"0","msg":"","connId":"a1"}"#,
            notice(Notice::Ack),
        ),
        (
            r#"{"event":"channel-conn-count","channel":"orders","connCount":"2","connId":"a1"}"#,
            notice(Notice::Ack),
        ),
        (
            r#"{"event":"channel-conn-count-error","channel":"orders","connCount":"30","connId":"a1"}"#,
            notice(Notice::VenueError),
        ),
        (
            r#"{"event":"error","code":"60018","msg":"x","connId":"a1"}"#,
            notice(Notice::VenueError),
        ),
        (UPGRADE, notice(Notice::Shutdown)),
        (&UPGRADE.replace("64008", "1"), notice(Notice::Ack)),
        ("pong", notice(Notice::Ack)),
        (
            &TRADE.replace("trades", "tickers"),
            Err(DecodeError::UnknownType),
        ),
        (
            r#"{"arg":{"channel":"instruments","instType":"SPOT"},"data":[]}"#,
            Err(DecodeError::UnknownType),
        ),
    ] {
        assert!(Okx.recognises(message.as_bytes()), "{message}");
        let (batch, results) = decode_all(&[message]);
        assert_eq!(results, [expected], "{message}");
        assert!(batch.events.is_empty() && batch.origins.is_empty());
    }
}

#[test]
fn a_message_shows_its_symbol_and_kind_unparsed() {
    let ack = br#"{"event":"subscribe","arg":{"channel":"bbo-tbt","instId":"ABC-USDT"}}"#;
    for message in [TRADE, QUOTE, SNAPSHOT, UPDATE, FIVE] {
        let message = message.as_bytes();
        assert!(Okx.recognises(message));
        assert_eq!(Okx.symbol_of(message).as_deref(), Some("ABC-USDT"));
        assert_eq!(Okx.is_quote(message), message == QUOTE.as_bytes());
        assert_eq!(Okx.book_change_of(message), None);
        assert_eq!(Okx.reaction(message), Reaction::None);
    }
    assert_eq!(Okx.symbol_of(ack), None);
    for message in [
        "",
        "ping",
        r#"{"event":"heartbeat"}"#,
        r#"{"event":"error","msg":"x"}"#,
        r#"{"channel":"trades","data":[]}"#,
        r#"{"op":"subscribe","args":[{"channel":"trades","instId":"A"}]}"#,
    ] {
        assert!(!Okx.recognises(message.as_bytes()), "{message}");
    }
}

#[test]
fn the_connection_is_renewed_refused_or_given_up() {
    assert_eq!(Okx.reaction(UPGRADE.as_bytes()), Reaction::Reconnect);
    let error = |code: &str| {
        let message = format!(r#"{{"event":"error","code":"{code}","msg":"why","connId":"a1"}}"#);
        Okx.reaction(message.as_bytes())
    };
    assert_eq!(error("60018"), Reaction::Rejected("60018: why".into()));
    assert_eq!(error("60009"), Reaction::Fatal("60009: why".into()));
    assert_eq!(
        error("60014"),
        Reaction::Fault("60014: why".into()),
        "too fast"
    );
    assert_eq!(error("64008"), Reaction::Reconnect);
    for code in ["50011", "50026", "63999"] {
        let for_now = Reaction::RefusedForNow(format!("{code}: why"));
        assert_eq!(error(code), for_now, "the same would be taken later");
    }
    let notice = UPGRADE.replace("64008", "1");
    assert!(
        matches!(Okx.reaction(notice.as_bytes()), Reaction::Told(words) if words.starts_with("1: "))
    );
    let full =
        br#"{"event":"channel-conn-count-error","channel":"books","connCount":"30","connId":"a1"}"#;
    let words = "too many connections have the channel books";
    assert_eq!(Okx.reaction(full), Reaction::Rejected(words.into()));
    assert_eq!(Okx.reaction(b"pong"), Reaction::None);
}

#[test]
fn a_subscription_names_all_channels_in_few_requests() {
    let text = |words: &[&str]| {
        words
            .iter()
            .map(|&word| word.to_owned())
            .collect::<Vec<_>>()
    };
    let (symbols, streams) = (text(&["ABC-USDT", "X\"Y"]), text(&["trades", "books"]));
    let wanted = Wanted {
        url: "wss://x:8443",
        symbols: &symbols,
        streams: &streams,
        credentials: None,
    };
    let subscription = Okx.subscription(&wanted);
    assert_eq!(subscription.address, "wss://x:8443/ws/v5/public");
    assert_eq!(
        subscription.messages,
        [
            r#"{"args":[{"channel":"trades","instId":"ABC-USDT"},{"channel":"books","instId":"ABC-USDT"},{"channel":"trades","instId":"X\"Y"},{"channel":"books","instId":"X\"Y"}],"op":"subscribe"}"#
        ]
    );
    let url = "wss://x/ws/v5/business";
    assert_eq!(Okx.subscription(&Wanted { url, ..wanted }).address, url);
    let many: Vec<String> = (0..150).map(|number| format!("A{number}-USDT")).collect();
    let many = Okx.subscription(&Wanted {
        symbols: &many,
        ..wanted
    });
    assert_eq!(many.messages.len(), 2);
    assert_eq!(
        Okx.snapshot_request("ABC-USDT", &streams),
        SnapshotRequest::Send(vec![
            r#"{"args":[{"channel":"books","instId":"ABC-USDT"}],"op":"unsubscribe"}"#.into(),
            r#"{"args":[{"channel":"books","instId":"ABC-USDT"}],"op":"subscribe"}"#.into(),
        ])
    );
    assert!(!Okx.needs_snapshot("books"));
    assert!(Okx.has_book(&streams) && !Okx.has_book(&streams[..1]));
}

#[test]
fn a_symbol_has_the_venues_spelling() {
    for (written, spelt) in [
        ("BTC-USDT", "BTC-USDT"),
        ("btc/usdt", "BTC-USDT"),
        ("BTCUSDT", "BTC-USDT"),
        ("BTC_USDT", "BTC-USDT"),
        ("BTC_USDT-SWAP", "BTC-USDT-SWAP"),
        ("BTC-USD_UM-SWAP", "BTC-USD_UM-SWAP"),
    ] {
        assert_eq!(Okx.spelling(written), spelt);
    }
}
