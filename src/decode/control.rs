//! Frames that we write ourselves: gaps that a source found, and ticks of the clock.
//!
//! They go through the rings and into captures like any frame, so that a replay sees what live saw.

use serde::Deserialize;

use super::decoded::Decoded;
use super::error::DecodeError;
use super::json::parse;
use crate::event::{Batch, Body, Gap, GapReason};
use crate::instrument::{InstrumentId, Instruments};
use crate::units::Nanos;

/// The first bytes of each of them.
pub(super) const PREFIX: &[u8] = b"{\"foretick\":";

/// Reads `{"foretick":"gap","symbol":…,"venue":…,"reason":…,"missing":…}` or `{"foretick":"tick","ts":…}`.
pub(super) fn decode(
    bytes: &[u8],
    instruments: &mut Instruments,
    batch: &mut Batch,
) -> Result<Decoded, DecodeError> {
    let wire: ControlFrame<'_> = parse(bytes)?;
    match wire.foretick {
        "gap" => {
            let instrument = match wire.symbol {
                Some(symbol) => instruments.intern(symbol, wire.venue.unwrap_or(FIRST_VENUE))?,
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

/// The venue of gaps in captures that name none: they were made when there was one venue.
const FIRST_VENUE: &str = "BINANCE";

#[derive(Deserialize)]
struct ControlFrame<'a> {
    foretick: &'a str,
    symbol: Option<&'a str>,
    venue: Option<&'a str>,
    reason: Option<&'a str>,
    missing: Option<u64>,
    ts: Option<i64>,
}
