//! News items of the venue, through the reader of news.

use std::sync::Arc;

use super::super::*;
use super::{OPEN, bytes};
use crate::decode::Decoder;
use crate::event::Body;
use crate::frame::Origin;
use crate::news::News;
use crate::news::fold::CopyRule;
use crate::news::route::Router;
use crate::news::wordpiece::WordPiece;
use crate::units::Nanos;

fn news_decoder() -> Decoder {
    let news = News {
        pieces: WordPiece::parse("[PAD]\n[UNK]\n[CLS]\n[SEP]\nup\ndown\n").unwrap(),
        max_tokens: 6,
        router: Router::parse("symbol,cashtag,names\nASH.ALPACA,ASH,Ash Corp\n").unwrap(),
        language: "en".into(),
        unrouted: None,
        rule: CopyRule {
            within: 86_400_000_000_000,
            similarity: 0.6,
        },
        half_life: 1_000_000_000,
    };
    let listed = [
        "OAK.ALPACA".to_owned(),
        "ELM.ALPACA".to_owned(),
        "ASH.ALPACA".to_owned(),
    ];
    Decoder::new(Instruments::new(&listed, 16), 1 << 20).for_news(Arc::new(news))
}

const NEWS: &str = r#"[{"T":"n","id":24918784,"headline":"Oak &amp; Elm <b>up</b>","summary":"","author":"A","created_at":"2026-02-19T14:30:00Z","updated_at":"2026-02-19T14:30:05Z","content":"","url":"https://x","symbols":["OAK","ELM","FIR"],"source":"x"}]"#;
/// A later revision of the item, about OAK alone.
const PACKED_NEWS: &str = "9188a154a16ea26964ce017c3b00a8686561646c696e65b64f616b2026616d703b20456c6d20757020616761696eaa637265\
    617465645f6174d6ff69971e68aa757064617465645f6174d6ff69971e6fa7636f6e74656e74a83c703e783c2f703ea77379\
    6d626f6c7391a34f414ba6736f75726365a178";

fn read_news(decoder: &mut Decoder, frame: &[u8]) -> Result<Vec<String>, &'static str> {
    let mut batch = Batch::default();
    let origin = Origin {
        ts_recv: Nanos(OPEN),
        ..Origin::of_test()
    };
    let decoded = decoder
        .decode(origin, frame, &mut batch)
        .map_err(DecodeError::reason)?;
    assert_eq!(decoded == Decoded::Events, !batch.events.is_empty());
    let told = batch.events.iter().map(|event| {
        let name = decoder.instruments().name(event.instrument);
        match event.body {
            Body::Record(record) if record.revised => format!("{name} revised"),
            Body::Record(_) => name.to_owned(),
            Body::Withdrawn(_) => format!("{name} withdrawn"),
            Body::Gap(_) => "a gap".to_owned(),
            _ => panic!("{event:?}"),
        }
    });
    Ok(told.collect())
}

#[test]
fn a_news_item_is_about_the_listed_of_its_symbols() {
    let mut decoder = news_decoder();
    let mut read = |frame: &str| read_news(&mut decoder, frame.as_bytes());
    assert_eq!(
        read(NEWS),
        Ok(vec!["OAK.ALPACA".into(), "ELM.ALPACA".into()])
    );
    assert_eq!(read(NEWS), Err("old_revision"));
    let older = NEWS.replace(":05Z", ":04Z").replace(">up", ">down");
    assert_eq!(read(&older), Err("old_revision"));
    let other = NEWS.replace("24918784", "24918785");
    assert_eq!(
        read(&other),
        Err("instrument_not_listed"),
        "a copy; FIR is not listed"
    );
    // A later one about one of them, and one that names none but in its headline.
    let later = NEWS
        .replace(":05Z", ":06Z")
        .replace(">up", ">down")
        .replace(r#""ELM","FIR""#, "\"FIR\"");
    let expected = [
        "OAK.ALPACA revised".to_owned(),
        "ELM.ALPACA withdrawn".into(),
    ];
    assert_eq!(read(&later), Ok(expected.into()));
    let routed = NEWS
        .replace(r#"["OAK","ELM","FIR"]"#, "[]")
        .replace("24918784", "7");
    let routed = routed.replace("Oak &amp; Elm", "$ASH rises as Ash Corp goes");
    assert_eq!(read(&routed), Ok(vec!["ASH.ALPACA".into()]));
    for (from, to, reason) in [
        ("Oak &amp; Elm <b>up</b>", "<p></p>", "out_of_range"),
        ("\"headline\"", "\"title\"", "missing_field"),
        ("24918784", "\"x\"", "bad_number"),
        ("[\"OAK\",", "[\"\",", "out_of_range"),
        ("[\"OAK\",\"ELM\",\"FIR\"]", "\"OAK\"", "wrong_type"),
        ("2026-02-19T14:30:05Z", "2026-02-21T14:30:05Z", "time_ahead"),
        ("2026-02-19T14:30:05Z", "soon", "bad_number"),
        ("\"T\":\"n\"", "\"T\":\"t\"", "unknown_type"),
    ] {
        let frame = NEWS
            .replace("24918784", "99")
            .replace(from, to)
            .replace("99", "24918799");
        let frame = if from == "24918784" {
            NEWS.replace(from, to)
        } else {
            frame
        };
        assert_eq!(read(&frame), Err(reason), "{frame}");
    }
    assert_eq!(read(r#"[{"T":"success","msg":"connected"}]"#), Ok(vec![]));
    assert_eq!(
        read(r#"{"foretick":"gap","reason":"reconnect"}"#).map(|told| told.len()),
        Ok(1)
    );
}

#[test]
fn news_in_messagepack_and_of_the_topic_are_read_too() {
    let mut decoder = news_decoder();
    assert!(read_news(&mut decoder, NEWS.as_bytes()).is_ok());
    let packed = bytes(PACKED_NEWS);
    let expected = [
        "OAK.ALPACA revised".to_owned(),
        "ELM.ALPACA withdrawn".into(),
    ];
    assert_eq!(read_news(&mut decoder, &packed), Ok(expected.into()));
    assert_eq!(Alpaca.symbol_of(NEWS.as_bytes()), None);
    let record = format!(
        r#"{{"ts_event":{OPEN},"id":"1","headline":"Ash rises","instruments":["ASH.ALPACA"]}}"#
    );
    assert_eq!(
        read_news(&mut decoder, record.as_bytes()),
        Ok(vec!["ASH.ALPACA".into()])
    );
}
