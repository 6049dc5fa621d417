//! Subscriptions in both encodings, and what the venue's errors mean for the connection.

use super::super::*;
use super::{PACKED_ERROR, TRADE, bytes};
use crate::decode::venue::Credentials;

#[test]
fn errors_end_the_run_refuse_a_part_or_are_waited_out() {
    let of = |code: u16, msg: &str| {
        let message = format!(r#"[{{"T":"error","code":{code},"msg":"{msg}"}}]"#);
        Alpaca.reaction(message.as_bytes())
    };
    for code in [401, 402, 408, 409, 411] {
        assert_eq!(of(code, "no"), Reaction::Fatal(format!("{code}: no")));
    }
    for code in [400, 405, 410] {
        assert_eq!(of(code, "no"), Reaction::Rejected(format!("{code}: no")));
    }
    for code in [404, 406, 407, 500, 999] {
        assert_eq!(
            of(code, "slow client"),
            Reaction::Fault(format!("{code}: slow client"))
        );
    }
    assert_eq!(of(403, "already authenticated"), Reaction::None);
    assert_eq!(Alpaca.reaction(TRADE.as_bytes()), Reaction::None);
    let packed = Alpaca.reaction(&bytes(PACKED_ERROR));
    assert_eq!(
        packed,
        Reaction::Fault("406: connection limit exceeded".into())
    );
}

fn wanted(url: &str, streams: &[&str], run: impl FnOnce(&Wanted<'_>)) {
    let streams: Vec<String> = streams.iter().map(|&stream| stream.to_owned()).collect();
    let symbols = ["OAK".to_owned(), "ELM".to_owned()];
    let credentials = Credentials {
        key: "canary-key".into(),
        secret: "canary-secret".into(),
    };
    run(&Wanted {
        url,
        symbols: &symbols,
        streams: &streams,
        credentials: Some(&credentials),
    });
}

#[test]
fn a_subscription_has_the_account_in_headers_and_shows_none_of_it() {
    wanted("wss://x", &["trades", "quotes", "corrections"], |wanted| {
        let text = Alpaca.subscription(wanted);
        assert_eq!(text.address, "wss://x/v2/iex");
        assert_eq!(
            text.headers,
            [
                ("apca-api-key-id", "canary-key".into()),
                ("apca-api-secret-key", "canary-secret".into())
            ]
        );
        let message = r#"{"action":"subscribe","quotes":["OAK","ELM"],"trades":["OAK","ELM"]}"#;
        assert_eq!(text.messages, [message]);
        assert!(text.binary_messages.is_empty());
        let shown = format!("{text:?} {wanted:?}");
        assert!(
            !shown.contains("canary") && shown.contains("apca-api-key-id"),
            "{shown}"
        );
        let packed = Alpaca
            .binary_subscription(wanted)
            .expect("it has binary messages");
        let expected = "83a6616374696f6ea9737562736372696265a674726164657392a34f414ba3454c4d\
            a671756f74657392a34f414ba3454c4d";
        assert_eq!(packed.binary_messages, [bytes(expected)]);
        assert_eq!(
            packed.headers[2],
            ("content-type", "application/msgpack".into())
        );
        assert!(packed.messages.is_empty());
    });
    for (url, streams, address) in [
        ("wss://x/v2/test", &["trades"][..], "wss://x/v2/test"),
        ("wss://x:8443", &["news"], "wss://x:8443/v1beta1/news"),
        ("wss://x/v2/sip", &["news"], "wss://x/v2/sip"),
    ] {
        wanted(url, streams, |wanted| {
            assert_eq!(Alpaca.subscription(wanted).address, address)
        });
    }
}

#[test]
fn many_symbols_are_spread_over_several_messages() {
    let symbols: Vec<String> = (0..1_000).map(|at| format!("S{at}")).collect();
    let streams = ["trades".to_owned()];
    let wanted = Wanted {
        url: "wss://x",
        symbols: &symbols,
        streams: &streams,
        credentials: None,
    };
    let text = Alpaca.subscription(&wanted);
    assert!(text.headers.is_empty());
    let named: usize = text
        .messages
        .iter()
        .map(|message| message.matches("\"S").count())
        .sum();
    assert_eq!((text.messages.len(), named), (3, 1_000));
    assert!(text.messages.iter().all(|message| message.len() < 32_768));
    let packed = Alpaca
        .binary_subscription(&wanted)
        .expect("it has binary messages");
    let mut reader = packed::Reader(&packed.binary_messages[0]);
    assert_eq!(reader.map(), Ok(2));
    assert_eq!(reader.key(), Ok("action"));
    assert_eq!(reader.value(), Ok(packed::Packed::Text("subscribe")));
    assert_eq!(reader.key(), Ok("trades"));
    assert_eq!(reader.list(), Ok(400));
    assert_eq!(reader.skip(400), Ok(()));
    assert!(reader.0.is_empty());
}
