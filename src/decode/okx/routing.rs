//! What a look at a message's bytes shows: its symbol, its kind, whether it is OKX's, and what the connection
//! must do about it.

use std::borrow::Cow;

use super::channel::{
    Channel, ConnectionEvent, LOGIN_FAILED, REFUSED, SERVICE_UPGRADE, TOO_FREQUENT,
};
use crate::decode::text::{members, text_of, value_of};
use crate::decode::venue::Reaction;

/// The instrument in `arg`. Answers to requests have one too, but behind `event`.
pub(super) fn symbol_of(message: &[u8]) -> Option<Cow<'_, str>> {
    for (key, value) in members(message) {
        if key.is("event") {
            return None;
        }
        if key.is("arg") {
            return text_of(value.0, "instId");
        }
    }
    None
}

/// Only the newest quote of an instrument matters.
pub(super) fn is_quote(message: &[u8]) -> bool {
    let channel = channel_of(message);
    channel.is_some_and(|name| Channel::of(&name) == Some(Channel::Quote))
}

/// Whether a message has the marks of OKX: a channel in `arg`, an event of this venue, or `pong`.
pub(super) fn recognises(message: &[u8]) -> bool {
    if is_pong(message) {
        return true;
    }
    let has = |name| value_of(message, name).is_some();
    if let Some(event) = text_of(message, "event") {
        return ConnectionEvent::of(&event).is_some()
            && (has("connId") || has("arg") || has("code"));
    }
    channel_of(message).is_some()
}

/// What to do about a message. Those of channels are long, and begin with `arg`.
pub(super) fn reaction(message: &[u8]) -> Reaction {
    if message.starts_with(b"{\"arg\":{") {
        return Reaction::None;
    }
    let (event, code) = (text_of(message, "event"), text_of(message, "code"));
    let Some(event) = event.and_then(|event| ConnectionEvent::of(&event)) else {
        return Reaction::None;
    };
    let code = code.unwrap_or_default();
    let words = || match text_of(message, "msg") {
        Some(words) => format!("{code}: {words}"),
        None => code.to_string(),
    };
    match event {
        ConnectionEvent::Error | ConnectionEvent::Notice if code == SERVICE_UPGRADE => {
            Reaction::Reconnect
        }
        ConnectionEvent::Error if LOGIN_FAILED.contains(&&*code) => Reaction::Fatal(words()),
        ConnectionEvent::Error if code == TOO_FREQUENT => Reaction::Fault(words()),
        ConnectionEvent::Error if REFUSED.contains(&&*code) => Reaction::Rejected(words()),
        ConnectionEvent::TooManyConnections => {
            let channel = text_of(message, "channel").unwrap_or_default();
            Reaction::Rejected(format!("too many connections have the channel {channel}"))
        }
        // Too many requests (50011), a system that is busy or out of service (50026).
        ConnectionEvent::Error => Reaction::RefusedForNow(words()),
        ConnectionEvent::Notice => Reaction::Told(words()),
        ConnectionEvent::Answer => Reaction::None,
    }
}

/// The answer to our `ping`, which is no JSON.
pub(super) fn is_pong(message: &[u8]) -> bool {
    message.trim_ascii() == b"pong"
}

fn channel_of(message: &[u8]) -> Option<Cow<'_, str>> {
    text_of(value_of(message, "arg")?.0, "channel")
}
