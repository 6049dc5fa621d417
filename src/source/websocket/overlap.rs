//! The seconds in which two connections overlap: the old one goes on, what the new one brings is held, and
//! what both brought is known by its bytes.

use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use rustc_hash::{FxBuildHasher, FxHashSet};

use crate::frame::Frame;

/// What two connections bring while both are open.
#[derive(Default)]
pub(super) struct Overlap {
    /// Since when both have been open; none while the new one is being opened.
    began: Option<Instant>,
    /// Of the new connection, in their order.
    held: Vec<Frame>,
    held_bytes: usize,
    /// Hashes of what the old connection brought meanwhile.
    seen: FxHashSet<u64>,
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
        self.seen.insert(self.hasher.hash_one(bytes));
    }

    /// Holds a frame of the new connection.
    pub(super) fn hold(&mut self, frame: Frame) {
        self.held_bytes += frame.bytes.len();
        self.held.push(frame);
    }

    /// Whether the new connection can take over: it has brought something, and the old one had time to bring
    /// what was on its way.
    pub(super) fn is_complete(&self, now: Instant) -> bool {
        let began = self.began.unwrap_or(now);
        let passed = now.saturating_duration_since(began);
        passed >= OVERLAP_MAX
            || self.has_begun() && (passed >= OVERLAP || self.held_bytes > HELD_BYTES_MAX)
    }

    /// Whether the new connection has brought anything, so that its subscription holds.
    pub(super) fn has_begun(&self) -> bool {
        !self.held.is_empty()
    }

    /// What the new connection brought, with whether the old one brought the same.
    pub(super) fn into_frames(self) -> impl Iterator<Item = (Frame, bool)> {
        let Self {
            held, seen, hasher, ..
        } = self;
        held.into_iter().map(move |frame| {
            let is_repeated = seen.contains(&hasher.hash_one(&*frame.bytes));
            (frame, is_repeated)
        })
    }
}

/// How long two connections overlap, where the new one brings something, and at most.
const OVERLAP: Duration = Duration::from_millis(1_000);
const OVERLAP_MAX: Duration = Duration::from_secs(10);
/// Frames of the old connection that are remembered.
const SEEN_MAX: usize = 1 << 18;
/// Bytes of the new connection that are held at most for longer than they must.
const HELD_BYTES_MAX: usize = 64 << 20;
