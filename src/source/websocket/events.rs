//! Frames of ours that tell of a connection: that it was opened, and how it ended.
//!
//! They change nothing; a capture shows by them what happened.

use serde::Serialize;

use super::end::End;

#[derive(Serialize)]
struct Opened<'a> {
    foretick: &'static str,
    connection: i32,
    url: &'a str,
}

#[derive(Serialize)]
struct Ended<'a> {
    foretick: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<i32>,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<&'a str>,
}

/// A connection was opened.
pub(super) fn opened(connection: i32, address: &str) -> String {
    text(&Opened {
        foretick: "opened",
        connection,
        url: &shown(address),
    })
}

/// An address without its query, and without a name before its host: either may be a credential.
pub(super) fn shown(address: &str) -> String {
    let url = address.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host_at = rest.find('/').unwrap_or(rest.len());
    let host_at = rest[..host_at].rfind('@').map_or(0, |at| at + 1);
    format!("{scheme}://{}", &rest[host_at..])
}

/// A connection ended, or could not be opened and has no number.
pub(super) fn ended(connection: Option<i32>, end: &End) -> String {
    let (code, words) = end.words();
    let words = words.filter(|words| !words.is_empty());
    let words: Option<String> = words.map(|words| words.chars().take(WORDS_MAX).collect());
    text(&Ended {
        foretick: "ended",
        connection,
        reason: end.reason().word(),
        code,
        words: words.as_deref(),
    })
}

/// We stop, and leave the connection.
pub(super) fn stopped(connection: i32) -> String {
    text(&Ended {
        foretick: "ended",
        connection: Some(connection),
        reason: "stopped",
        code: None,
        words: None,
    })
}

fn text(event: &impl Serialize) -> String {
    serde_json::to_string(event).expect("texts and numbers")
}

/// Characters of the venue's words that are kept.
const WORDS_MAX: usize = 300;

#[cfg(test)]
mod tests {
    use tokio_tungstenite::tungstenite::protocol::CloseFrame;

    use super::*;

    #[test]
    fn an_end_is_told_in_the_words_of_the_venue() {
        let end = End::Closed(Some(CloseFrame {
            code: 1008.into(),
            reason: "too \"many\"\nrequests".into(),
        }));
        assert_eq!(
            ended(Some(3), &end),
            r#"{"foretick":"ended","connection":3,"reason":"closed","code":1008,"words":"too \"many\"\nrequests"}"#
        );
        assert_eq!(
            ended(None, &End::timeout()).split(r#","words""#).next(),
            Some(r#"{"foretick":"ended","reason":"timeout""#)
        );
        let long = ended(Some(1), &End::Fatal("é".repeat(9_000)));
        assert!(long.len() < 1_000, "{}", long.len());
    }

    #[test]
    fn an_address_is_told_without_credentials() {
        for address in [
            "wss://stream.example.com/ws?listenKey=secret#secret",
            "wss://user:secret@stream.example.com/ws",
        ] {
            assert_eq!(
                opened(2, address),
                r#"{"foretick":"opened","connection":2,"url":"wss://stream.example.com/ws"}"#
            );
        }
    }
}
