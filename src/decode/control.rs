//! Frames that we write ourselves: gaps that a source found, ticks of the clock, and the form in which a
//! capture holds binary frames.
//!
//! They go through the rings and into captures like any frame, so that a replay sees what live saw.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::decoded::{Decoded, Notice};
use super::error::DecodeError;
use super::field::{Field, parse_fields};
use super::text::{text_of, value_of};
use crate::event::{Batch, Body, Gap, GapReason};
use crate::instrument::{InstrumentId, Instruments};
use crate::units::Nanos;

/// The first bytes of each of them, as we write them.
pub(super) const PREFIX: &[u8] = b"{\"foretick\":";

/// Whether a message is one of them, in whatever form.
#[must_use]
pub fn is_control(message: &[u8]) -> bool {
    if message.starts_with(PREFIX) {
        return true;
    }
    // A search finds out faster than a walk that a message has not even the word.
    let may_be = memchr::memmem::find(message, b"foretick").is_some()
        || memchr::memchr(b'\\', message).is_some();
    may_be && value_of(message, "foretick").is_some()
}

/// Whether a message of ours begins a session of a source.
pub(super) fn begins_session(message: &[u8]) -> bool {
    text_of(message, "foretick").is_some_and(|kind| kind == "session")
}

/// Whether a message of ours is about the connection itself: a new one begins, or messages of it are missing.
pub(super) fn is_of_connection(message: &[u8]) -> bool {
    let kind = text_of(message, "foretick");
    match kind.as_deref() {
        Some("handover") => true,
        Some("gap") => text_of(message, "symbol").is_none(),
        _ => false,
    }
}

/// Whether a message of ours is about the whole feed, so that a source sends it to every shard: not about one
/// instrument, nor about what one shard had no room for.
#[must_use]
pub fn is_of_feed(message: &[u8]) -> bool {
    message.starts_with(PREFIX)
        && text_of(message, "symbol").is_none()
        && text_of(message, "reason").is_none_or(|reason| reason != "overflow")
}

/// The binary frame that a capture holds as `{"foretick":"frame","base64":"…"}`; none where the text is
/// anything else. See [`crate::frame::binary`].
///
/// # Errors
/// [`DecodeError`] where there is no base64.
#[must_use]
pub fn unwrapped(message: &[u8]) -> Option<Result<Vec<u8>, DecodeError>> {
    if !message.starts_with(PREFIX) || text_of(message, "foretick")? != "frame" {
        return None;
    }
    let Some(text) = value_of(message, "base64") else {
        return Some(Err(DecodeError::MissingField("base64")));
    };
    let text = text.text().ok_or(DecodeError::WrongType("base64"));
    let read = |text: std::borrow::Cow<'_, str>| STANDARD.decode(text.as_bytes());
    Some(text.and_then(|text| read(text).map_err(|_| DecodeError::OutOfRange("base64"))))
}

/// Reads `{"foretick":"gap","symbol":…,"venue":…,"reason":…,"missing":…}`, `{"foretick":"tick","ts":…}`,
/// `{"foretick":"handover"}`: what follows came by another connection, and nothing is missing; and what only
/// tells of a connection or a session: `{"foretick":"opened","url":…,"connection":…}`,
/// `{"foretick":"ended","connection":…,"reason":…,"code":…,"words":…}`, `{"foretick":"session",…}`.
pub(super) fn decode(
    bytes: &[u8],
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    let wire: ControlFrame<'_> = parse_fields(bytes, &NAMES)?;
    match wire.foretick.text("foretick")? {
        "gap" => {
            let instrument = match wire.symbol.optional_text("symbol")? {
                Some(symbol) => {
                    let venue = wire.venue.optional_text("venue")?;
                    instruments.intern(symbol, venue.unwrap_or(FIRST_VENUE))?
                }
                None => InstrumentId::ALL,
            };
            let word = wire.reason.text("reason")?;
            let reason = GapReason::ALL
                .into_iter()
                .find(|reason| reason.word() == word);
            let gap = Gap {
                reason: reason.ok_or(DecodeError::OutOfRange("reason"))?,
                missing: wire.missing.number_or_zero("missing")?,
            };
            batch.push(instrument, Nanos::UNDEFINED, Body::Gap(gap));
        }
        "repeated" => return Err(DecodeError::Repeated),
        "handover" => return Ok(Decoded::Notice(Notice::Handover)),
        "opened" => return Ok(Decoded::Notice(Notice::Opened)),
        "ended" => return Ok(Decoded::Notice(Notice::Ended)),
        "session" => return Ok(Decoded::Notice(Notice::Session)),
        "tick" => batch.push(InstrumentId::ALL, Nanos(wire.ts.nanos("ts")?), Body::Tick),
        _ => return Err(DecodeError::OutOfRange("foretick")),
    }
    Ok(Decoded::Events)
}

/// The venue of gaps in captures that name none: they were made when there was one venue.
const FIRST_VENUE: &str = "BINANCE";

#[derive(Default, Deserialize)]
#[serde(default)]
struct ControlFrame<'a> {
    #[serde(borrow)]
    foretick: Field<'a>,
    #[serde(borrow)]
    symbol: Field<'a>,
    #[serde(borrow)]
    venue: Field<'a>,
    #[serde(borrow)]
    reason: Field<'a>,
    #[serde(borrow)]
    missing: Field<'a>,
    #[serde(borrow)]
    ts: Field<'a>,
}

const NAMES: [&str; 6] = ["foretick", "symbol", "venue", "reason", "missing", "ts"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Decoder;
    use crate::frame::Origin;
    use crate::frame::binary::wrapped;

    #[test]
    fn a_binary_frame_comes_out_of_a_capture_as_it_went_in() {
        let frame = b"\x91\x00\xff\n";
        for text in [
            wrapped(frame),
            r#"{"foretick":"frame","base64":"kQD/Cg=="}"#.into(),
            r#"{"foretick": "frame", "of": {"base64": "AA=="}, "base64": "kQD\/Cg=="}"#.into(),
        ] {
            assert_eq!(
                unwrapped(text.as_bytes()),
                Some(Ok(frame.to_vec())),
                "{text}"
            );
        }
        for (text, error) in [
            (
                r#"{"foretick":"frame"}"#,
                DecodeError::MissingField("base64"),
            ),
            (
                r#"{"foretick":"frame","base64":7}"#,
                DecodeError::WrongType("base64"),
            ),
            (
                r#"{"foretick":"frame","base64":"?"}"#,
                DecodeError::OutOfRange("base64"),
            ),
        ] {
            assert_eq!(unwrapped(text.as_bytes()), Some(Err(error)), "{text}");
            let mut decoder = Decoder::new(Instruments::new(&[], 1), 1 << 10);
            let read = decoder.decode(Origin::of_test(), text.as_bytes(), &mut Batch::default());
            assert_eq!(read, Err(error), "{text}");
        }
        for text in [
            "",
            "{}",
            r#"{"foretick":"gap","base64":"AA=="}"#,
            r#"{"base64":"AA=="}"#,
        ] {
            assert_eq!(unwrapped(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_binary_frame_is_too_long_live_and_in_a_replay_alike() {
        // 75 bytes are 100 in base64, and 32 around them.
        let frame = [&[0x91], [0_u8; 74].as_slice()].concat();
        for (most, is_too_long) in [(131, true), (132, false)] {
            for bytes in [frame.clone(), wrapped(&frame).into_bytes()] {
                let mut decoder = Decoder::new(Instruments::new(&[], 1), most);
                let read = decoder.decode(Origin::of_test(), &bytes, &mut Batch::default());
                assert_eq!(read == Err(DecodeError::Oversized), is_too_long, "{read:?}");
            }
        }
    }
}
