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
use super::shard::shard_of;
use super::text::{elements, text_of, value_of};
use crate::event::{Batch, Body, Event, Gap, GapReason};
use crate::frame::binary::{is_binary, wrapped_length};
use crate::instrument::{InstrumentId, Instruments};
use crate::units::Nanos;

/// The first bytes of each of them, as we write them.
pub(crate) const PREFIX: &[u8] = b"{\"foretick\":";

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

/// The frame that a capture holds as `{"foretick":"frame","base64":"…"}`; none where the text is anything
/// else. See [`crate::frame::binary`].
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

/// Reads `{"foretick":"gap","symbol":…,"venue":…,"reason":…,"missing":…}`, or with `"shard":…,"shards":…` in
/// the symbol's place, which concerns all instruments of that shard; `{"foretick":"tick","ts":…}`, or with
/// `"symbol":…`, a whole name, where it is the clock of one instrument alone; `{"foretick":"handover"}`: what follows came by another connection, and nothing is missing; and what only
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
            let word = wire.reason.text("reason")?;
            let reason = GapReason::ALL
                .into_iter()
                .find(|reason| reason.word() == word);
            let gap = Gap {
                reason: reason.ok_or(DecodeError::OutOfRange("reason"))?,
                missing: wire.missing.number_or_zero("missing")?,
            };
            let shards = wire.shards.number_or_zero("shards")?;
            if shards > 1 {
                let shard = wire.shard.number_or_zero("shard")?;
                gap_of_shard((shard, shards), gap, instruments, batch);
                return Ok(Decoded::Events);
            }
            let instrument = match wire.symbol.optional_text("symbol")? {
                Some(symbol) => {
                    let venue = wire.venue.optional_text("venue")?;
                    instruments.intern(symbol, venue.unwrap_or(FIRST_VENUE))?
                }
                None => InstrumentId::ALL,
            };
            batch.push(instrument, Nanos::UNDEFINED, Body::Gap(gap));
        }
        "repeated" => return Err(DecodeError::Repeated),
        "handover" => return Ok(Decoded::Notice(Notice::Handover)),
        "opened" => return Ok(Decoded::Notice(Notice::Opened)),
        "ended" => return Ok(Decoded::Notice(Notice::Ended)),
        "session" => return Ok(Decoded::Notice(Notice::Session)),
        "tick" => {
            let instrument = match wire.symbol.optional_text("symbol")? {
                Some(name) => instruments.intern(name, "")?,
                None => InstrumentId::ALL,
            };
            batch.push(instrument, Nanos(wire.ts.nanos("ts")?), Body::Tick);
        }
        _ => return Err(DecodeError::OutOfRange("foretick")),
    }
    Ok(Decoded::Events)
}

/// A gap of each known instrument of one of so many shards, whatever the number of shards here. How much is
/// missing of which is unknown.
fn gap_of_shard(
    (shard, shards): (u64, u64),
    gap: Gap,
    instruments: &Instruments,
    batch: &mut Batch,
) {
    let gap = Gap { missing: 0, ..gap };
    let concerned = ShardSet {
        shards: usize::try_from(shards).unwrap_or(usize::MAX),
        of: usize::try_from(shard).into_iter().collect(),
    };
    for id in concerned.instruments(instruments) {
        batch.push(id, Nanos::UNDEFINED, Body::FeedGap(gap));
    }
}

/// Some of the shards of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShardSet {
    shards: usize,
    of: Vec<usize>,
}

impl ShardSet {
    fn has(&self, name: &str) -> bool {
        self.of.contains(&shard_of(name.as_bytes(), self.shards))
    }

    /// The known instruments of these shards.
    fn instruments(&self, known: &Instruments) -> impl Iterator<Item = InstrumentId> {
        let all = (0..known.len() as u32).map(InstrumentId);
        all.filter(|&id| self.has(known.name(id)))
    }

    /// Leaves of the events from `first` on what these shards saw.
    pub(super) fn keep_own(&self, known: &Instruments, batch: &mut Batch, first: usize) {
        let all = batch.events.split_off(first);
        for event in all {
            let body = match event.body {
                _ if event.instrument != InstrumentId::ALL => {
                    if self.has(known.name(event.instrument)) {
                        batch.events.push(event);
                    }
                    continue;
                }
                Body::Gap(gap) => Body::FeedGap(gap),
                Body::Tick => Body::Tick,
                _ => {
                    batch.events.push(event);
                    continue;
                }
            };
            let told = self.instruments(known);
            let told = told.map(|instrument| Event {
                instrument,
                body,
                ..event
            });
            batch.events.extend(told);
        }
    }
}

/// The shards that took a frame which others lost; none where the message is anything else.
#[must_use]
pub(super) fn taken_by(message: &[u8]) -> Option<ShardSet> {
    if !message.starts_with(PREFIX) || text_of(message, "foretick")? != "frame" {
        return None;
    }
    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.trim().parse().ok();
    let shards = number(value_of(message, "shards")?.0).filter(|&shards| shards > 0)?;
    let of = value_of(message, "of").map(|of| elements(of.0).filter_map(|one| number(one.0)));
    Some(ShardSet {
        shards,
        of: of.into_iter().flatten().collect(),
    })
}

/// The length of a frame as it came, which has `frame_bytes` where it was read: that which it has in a
/// capture of which nothing was lost, so that a replay refuses the same ones.
pub(super) fn length(frame: &[u8], taken_by: Option<&ShardSet>, frame_bytes: usize) -> usize {
    match (is_binary(frame), taken_by) {
        (true, _) => wrapped_length(frame.len()),
        (false, Some(_)) => frame.len(),
        (false, None) => frame_bytes,
    }
}

/// Whether a message is a frame that some shards took and others lost: all of it goes to each.
#[must_use]
pub fn is_partly_lost(message: &[u8]) -> bool {
    taken_by(message).is_some()
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
    shard: Field<'a>,
    #[serde(borrow)]
    shards: Field<'a>,
    #[serde(borrow)]
    reason: Field<'a>,
    #[serde(borrow)]
    missing: Field<'a>,
    #[serde(borrow)]
    ts: Field<'a>,
}

const NAMES: [&str; 8] = [
    "foretick", "symbol", "venue", "shard", "shards", "reason", "missing", "ts",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Decoder;
    use crate::frame::Origin;
    use crate::frame::binary::wrapped;

    #[test]
    fn a_gap_of_a_shard_concerns_its_instruments_alone() {
        let listed: Vec<String> = (0..40).map(|at| format!("A{at}.X")).collect();
        let gap = br#"{"foretick":"gap","shard":2,"shards":3,"reason":"overflow","missing":7}"#;
        let expected: Vec<u32> = (0..40)
            .filter(|&at| shard_of(listed[at as usize].as_bytes(), 3) == 2)
            .collect();
        assert!(expected.len() > 5 && expected.len() < 35);
        for shards in [1, 3, 4] {
            let mut told = vec![];
            for shard in 0..shards {
                let decoder = Decoder::new(Instruments::new(&listed, 50), 1 << 10);
                let (mut decoder, mut batch) = (decoder.of_shard(shard, shards), Batch::default());
                for name in &listed {
                    let symbol = name.trim_end_matches(".X");
                    let known = format!(
                        r#"{{"foretick":"gap","symbol":"{symbol}","venue":"X","reason":"overflow"}}"#
                    );
                    decoder
                        .decode(Origin::of_test(), known.as_bytes(), &mut batch)
                        .expect("it is listed");
                }
                batch.clear();
                let read = decoder.decode(Origin::of_test(), gap, &mut batch);
                assert_eq!(read, Ok(Decoded::Events));
                for event in &batch.events {
                    let (reason, missing) = (GapReason::Overflow, 0);
                    assert!(
                        matches!(event.body, Body::FeedGap(gap) if gap == Gap { reason, missing })
                    );
                    told.push(event.instrument.0);
                }
            }
            told.sort_unstable();
            assert_eq!(told, expected, "each once on {shards} shards");
        }
    }

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
