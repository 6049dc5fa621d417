//! What a look at a message's bytes shows: its symbol, its kind, whether it is Bybit's, and what the
//! connection must do about it.

use std::borrow::Cow;

use super::topic::{Topic, TopicKind};
use crate::decode::text::{members, text_of, value_of};
use crate::decode::venue::Reaction;

/// The symbol, which ends the name of the topic.
pub(super) fn symbol_of(message: &[u8]) -> Option<Cow<'_, str>> {
    let name = topic_of(message)?;
    let at = name.rfind('.')? + 1;
    Some(match name {
        Cow::Borrowed(name) => Cow::Borrowed(&name[at..]),
        Cow::Owned(name) => Cow::Owned(name[at..].to_owned()),
    })
    .filter(|symbol| !symbol.is_empty())
}

/// Only the newest quote of an instrument matters, where it is a whole one.
pub(super) fn is_quote(message: &[u8]) -> bool {
    let is_top =
        |name: Cow<'_, str>| Topic::of(&name).is_some_and(|topic| topic.kind == TopicKind::Quote);
    topic_of(message).is_some_and(is_top)
        && value_of(message, "type").is_some_and(|form| form.is("snapshot"))
}

/// Whether a message has the marks of Bybit: a topic with data, or the answer to a request.
pub(super) fn recognises(message: &[u8]) -> bool {
    let [
        mut topic,
        mut data,
        mut op,
        mut success,
        mut connection,
        mut words,
        mut code,
    ] = [false; 7];
    let mut is_pong = false;
    for (key, value) in members(message) {
        // Others have topics too, as of files: `/market/ticker:BTC-USDT`.
        topic |= key.is("topic") && !value.0.starts_with(b"\"/") && value.0.contains(&b'.');
        data |= key.is("data");
        op |= key.is("op");
        is_pong |= key.is("op") && value.is("pong");
        success |= key.is("success");
        connection |= key.is("conn_id") || key.is("connId");
        words |= key.is("ret_msg") || key.is("retMsg");
        code |= key.is("retCode");
        // Data is long, and all else about it stands before or is not needed.
        if topic && data {
            return true;
        }
        if key.is("event") || key.is("method") {
            return false;
        }
    }
    is_pong
        || (op && (success || connection))
        || (success && (connection || words))
        || code && words
}

/// What to do about a message. Those of topics are long, and begin with it.
pub(super) fn reaction(message: &[u8]) -> Reaction {
    if message.starts_with(b"{\"topic\":") || value_of(message, "topic").is_some() {
        return Reaction::None;
    }
    let is_refused = value_of(message, "success").is_some_and(|value| value.0 == b"false");
    let code = value_of(message, "retCode").map(|value| String::from_utf8_lossy(value.0));
    let code = code.filter(|code| code != "0");
    if !is_refused && code.is_none() {
        return Reaction::None;
    }
    let words = text_of(message, "ret_msg").or_else(|| text_of(message, "retMsg"));
    let words = words.unwrap_or_default();
    let is_passing = IS_PASSING.iter().any(|word| words.contains(word));
    let words = || match &code {
        Some(code) => format!("{code}: {words}"),
        None => words.clone().into_owned(),
    };
    match text_of(message, "op").as_deref() {
        Some("subscribe") if words().contains("already subscribed") => Reaction::None,
        // What was not subscribed to has no subscription that could be ended.
        Some("unsubscribe") => Reaction::None,
        Some("auth") => Reaction::Fatal(words()),
        _ if is_passing => Reaction::RefusedForNow(words()),
        Some("subscribe") => Reaction::Rejected(words()),
        _ => Reaction::Told(words()),
    }
}

/// In the words of what would be taken later: too many requests, or a fault of the venue.
const IS_PASSING: [&str; 6] = [
    "too frequen",
    "too high",
    "Too many visits",
    "rate limit",
    "Server Timeout",
    "Internal",
];

fn topic_of(message: &[u8]) -> Option<Cow<'_, str>> {
    text_of(message, "topic")
}
