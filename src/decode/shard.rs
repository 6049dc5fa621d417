//! The shard of a name.
//!
//! Live feeds, file replay and gaps about a shard place names by the same function.

use crate::event::{Batch, Event};
use crate::instrument::{InstrumentId, Instruments};

/// The shard of a symbol: FNV-1a of its upper-case letters up to the first dot, modulo `shards`.
///
/// What follows the dot is the venue (`BTCUSDT.BINANCE`), which not every feed names.
#[must_use]
pub fn shard_of(symbol: &[u8], shards: usize) -> usize {
    let end = memchr::memchr(b'.', symbol).unwrap_or(symbol.len());
    (name_hash(&symbol[..end]) % shards as u64) as usize
}

/// FNV-1a of the upper-case letters: the same for `btcusdt` and `BTCUSDT`.
pub(crate) fn name_hash(name: &[u8]) -> u64 {
    name.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_uppercase())).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Takes out the events from `first` on that are of the instruments of another shard than `own` of `shards`.
pub(super) fn keep_own(
    (own, shards): (usize, usize),
    instruments: &Instruments,
    batch: &mut Batch,
    first: usize,
) {
    let is_own = |event: &Event| {
        let name = instruments.name(event.instrument);
        event.instrument == InstrumentId::ALL || shard_of(name.as_bytes(), shards) == own
    };
    batch.retain_events(first, is_own);
}
