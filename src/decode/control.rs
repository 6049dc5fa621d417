//! Frames that we write ourselves: gaps that a source found, and ticks of the clock.
//!
//! They go through the rings and into captures like any frame, so that a replay sees what live saw.

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

/// Whether a message of ours is about the connection itself: a new one begins, or messages of it are missing.
pub(super) fn is_of_connection(message: &[u8]) -> bool {
    let kind = text_of(message, "foretick");
    match kind.as_deref() {
        Some("handover") => true,
        Some("gap") => text_of(message, "symbol").is_none(),
        _ => false,
    }
}

/// Reads `{"foretick":"gap","symbol":…,"venue":…,"reason":…,"missing":…}`, `{"foretick":"tick","ts":…}`, or
/// `{"foretick":"handover"}`: what follows came by another connection, and nothing is missing.
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
            let reason = match wire.reason.text("reason")? {
                "reconnect" => GapReason::Reconnect,
                "overflow" => GapReason::Overflow,
                "sequence" => GapReason::Sequence,
                "renumbered" => GapReason::Renumbered,
                "checksum" => GapReason::Checksum,
                _ => return Err(DecodeError::OutOfRange("reason")),
            };
            let gap = Gap {
                reason,
                missing: wire.missing.number_or_zero("missing")?,
            };
            batch.push(instrument, Nanos::UNDEFINED, Body::Gap(gap));
        }
        "handover" => return Ok(Decoded::Notice(Notice::Handover)),
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
