//! Frames that we write ourselves: gaps that a source knows of, and ticks of the clock.
//!
//! They travel and are recorded as any frame, so that a replay sees what live saw.

use serde::Deserialize;

use super::json::parse;
use super::{DecodeError, Decoded};
use crate::event::{Batch, Body, Gap, GapReason};
use crate::instrument::{InstrumentId, Instruments};
use crate::units::Nanos;

/// How each of them begins.
pub(super) const PREFIX: &[u8] = b"{\"foretick\":";

/// Reads `{"foretick":"gap","symbol":…,"reason":…,"missing":…}` or `{"foretick":"tick","ts":…}`.
pub(super) fn decode(
    bytes: &[u8],
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    let wire: Wire<'_> = parse(bytes)?;
    match wire.foretick {
        "gap" => {
            let instrument = match wire.symbol {
                Some(symbol) => instruments.intern(symbol, wire.venue.unwrap_or("BINANCE"))?,
                None => InstrumentId::ALL,
            };
            let reason = match wire.reason {
                Some("reconnect") => GapReason::Reconnect,
                Some("overflow") => GapReason::Overflow,
                Some("sequence") => GapReason::Sequence,
                _ => return Err(DecodeError::WrongShape),
            };
            let gap = Gap {
                reason,
                missing: wire.missing.unwrap_or(0),
            };
            batch.push(instrument, Nanos::UNDEFINED, Body::Gap(gap));
        }
        "tick" => {
            let time = wire.ts.ok_or(DecodeError::WrongShape)?;
            batch.push(InstrumentId::ALL, Nanos(time), Body::Tick);
        }
        _ => return Err(DecodeError::UnknownType),
    }
    Ok(Decoded::Events)
}

#[derive(Deserialize)]
struct Wire<'a> {
    foretick: &'a str,
    symbol: Option<&'a str>,
    venue: Option<&'a str>,
    reason: Option<&'a str>,
    missing: Option<u64>,
    ts: Option<i64>,
}
