//! The seconds in which two connections overlap: the old one goes on, what the new one brings is held, and
//! what both brought is known by its bytes. Of the quotes that were held the newest is handed on: those
//! before it are of the past.

use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::decode::venue::Venue;
use crate::frame::Frame;

/// What two connections bring while both are open.
#[derive(Default)]
pub(super) struct Overlap {
    /// Since when both have been open; none while the new one is being opened.
    began: Option<Instant>,
    /// Of the new connection, in their order.
    held: Vec<Frame>,
    held_bytes: usize,
    /// Whether one of them is about an instrument.
    has_market: bool,
    /// How often the old connection brought meanwhile what has this hash.
    seen: FxHashMap<u64, u32>,
    hasher: FxBuildHasher,
}

impl Overlap {
    /// The new connection is open.
    pub(super) fn begin(&mut self, now: Instant) {
        self.began = Some(now);
    }

    /// Notes a frame of the old connection.
    pub(super) fn saw(&mut self, bytes: &[u8]) {
        // What came long before the other connection was open is of no use any more.
        if self.seen.len() == SEEN_MAX {
            self.seen.clear();
        }
        *self.seen.entry(self.hasher.hash_one(bytes)).or_default() += 1;
    }

    /// Holds a frame of the new connection.
    pub(super) fn hold(&mut self, frame: Frame, is_of_market: bool) {
        self.has_market |= is_of_market;
        self.held_bytes += frame.bytes.len();
        self.held.push(frame);
    }

    /// Whether the new connection can take over: it has brought something of the market, and the old one had
    /// time to bring what was on its way.
    pub(super) fn is_complete(&self, now: Instant) -> bool {
        let began = self.began.unwrap_or(now);
        let passed = now.saturating_duration_since(began);
        passed >= OVERLAP_MAX
            || self.has_market && (passed >= OVERLAP || self.held_bytes > HELD_BYTES_MAX)
    }

    /// Whether the new connection has brought anything, an answer at least: it takes over where the old one
    /// ends before it is complete.
    pub(super) fn has_begun(&self) -> bool {
        !self.held.is_empty()
    }

    /// What the new connection brought, with whether it adds nothing to what the old one brought. `beside`:
    /// snapshots of books come beside the stream, so that a change that both brought counts once.
    pub(super) fn into_frames(mut self, venue: &dyn Venue, beside: bool) -> Vec<(Frame, bool)> {
        let held = std::mem::take(&mut self.held);
        let symbols: Vec<Option<u64>> = held
            .iter()
            .map(|frame| self.quoted(venue, &frame.bytes))
            .collect();
        let numbered = symbols.iter().enumerate();
        let newest: FxHashMap<u64, usize> = numbered
            .filter_map(|(at, symbol)| Some(((*symbol)?, at)))
            .collect();
        let mut frames = vec![];
        for (at, frame) in held.into_iter().enumerate() {
            let is_repeated =
                self.was_brought(&frame.bytes) && (beside || venue.counts_once(&frame.bytes));
            let is_newest = symbols[at].is_none_or(|symbol| newest[&symbol] == at);
            frames.push((frame, is_repeated || !is_newest));
        }
        frames
    }

    /// The symbol of a quote, as a hash.
    fn quoted(&self, venue: &dyn Venue, message: &[u8]) -> Option<u64> {
        let is_quote = venue.is_quote(message);
        let symbol = venue.symbol_of(message).filter(|_| is_quote)?;
        Some(self.hasher.hash_one(symbol.as_bytes()))
    }

    /// Whether the old connection brought the same, as often as the new one so far.
    fn was_brought(&mut self, message: &[u8]) -> bool {
        match self.seen.get_mut(&self.hasher.hash_one(message)) {
            Some(times) if *times > 0 => {
                *times -= 1;
                true
            }
            _ => false,
        }
    }
}

/// How long two connections overlap, where the new one brings something, and at most.
const OVERLAP: Duration = Duration::from_millis(1_000);
const OVERLAP_MAX: Duration = Duration::from_secs(10);
/// Frames of the old connection that are remembered.
const SEEN_MAX: usize = 1 << 18;
/// Bytes of the new connection that are held at most for longer than they must.
const HELD_BYTES_MAX: usize = 64 << 20;
