//! The hashes of the signals of a run: of each instrument, and of each day.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::instrument::InstrumentId;

/// Days since 1970-01-01, UTC.
pub(super) type UtcDay = i64;

/// The hashes of the signals.
#[derive(Debug)]
pub(super) enum SignalHashes {
    /// Signals of an instrument are hashed in their order, instruments in the order of their names.
    ByInstrument(HashesByInstrument),
    /// Signals stand alone: the sum of their hashes is that of a set in which one may occur twice. Nothing
    /// of a signal is kept.
    Sum(HashSum, BTreeMap<UtcDay, HashSum>),
}

#[derive(Debug, Default)]
pub(super) struct HashesByInstrument {
    pub(super) slots: BTreeMap<Box<str>, usize>,
    pub(super) hashes: Vec<InstrumentHash>,
    pub(super) slot_of_id: Vec<Option<usize>>,
}

/// The hash over an instrument's signals, and those over the signals of each day, where they are kept.
#[derive(Debug, Default)]
pub(super) struct InstrumentHash {
    pub(super) whole: Sha256,
    pub(super) days: Vec<(UtcDay, Sha256)>,
}

/// How many hashes, and their sum in four parts modulo 2^64 (the additive hash of a multiset: M. Bellare and
/// D. Micciancio, "A New Paradigm for Collision-Free Hashing", 1997).
#[derive(Debug, Default)]
pub(super) struct HashSum {
    pub(super) count: u64,
    pub(super) parts: [u64; 4],
}

impl HashesByInstrument {
    pub(super) fn hash_of(&mut self, instrument: InstrumentId, name: &str) -> &mut InstrumentHash {
        let at = instrument.index();
        if at >= self.slot_of_id.len() {
            self.slot_of_id.resize(at + 1, None);
        }
        let slot = *self.slot_of_id[at].get_or_insert_with(|| {
            let slot = *self.slots.entry(name.into()).or_insert(self.hashes.len());
            if slot == self.hashes.len() {
                self.hashes.push(InstrumentHash::default());
            }
            slot
        });
        &mut self.hashes[slot]
    }

    pub(super) fn merge(&mut self, mut other: Self) {
        for (name, slot) in other.slots {
            self.slots.insert(name, self.hashes.len());
            self.hashes.push(std::mem::take(&mut other.hashes[slot]));
        }
        self.slot_of_id.clear();
    }
}

impl InstrumentHash {
    /// The hash of a day: usually that of the signal before.
    pub(super) fn of_day(&mut self, day: UtcDay) -> &mut Sha256 {
        let known = self.days.iter().rposition(|(known, _)| *known == day);
        let at = known.unwrap_or(self.days.len());
        if known.is_none() {
            self.days.push((day, Sha256::new()));
        }
        &mut self.days[at].1
    }
}

impl HashSum {
    pub(super) fn add(&mut self, hash: &[u8]) {
        self.count += 1;
        for (part, bytes) in self.parts.iter_mut().zip(hash.chunks_exact(8)) {
            let bytes = bytes.try_into().expect("chunks of eight bytes");
            *part = part.wrapping_add(u64::from_le_bytes(bytes));
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        for (part, other) in self.parts.iter_mut().zip(other.parts) {
            *part = part.wrapping_add(other);
        }
    }

    pub(super) fn hash_into(&self, hash: &mut Sha256) {
        for part in [self.count].iter().chain(&self.parts) {
            hash.update(part.to_le_bytes());
        }
    }
}

/// Adds a text with its length.
pub(super) fn hash_text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}
