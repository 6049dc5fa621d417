//! The digest: one hash over all signals of a run, which proves that two runs gave the same.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::lineage::Lineage;
use super::quality::Quality;
use super::{MAX_OUTPUTS, Signal};
use crate::hex::hex;
use crate::instrument::InstrumentId;

/// A hash over signals that is the same for the same input, however it was batched, sharded or transported.
///
/// Covers everything in a signal but the clock readings of this run (`ts_recv`, `ts_out`, `latency_ns`)
/// and the address of its frame (`source`, and `signal_id`, which is made of it): the same message has
/// another address in a file than in a topic.
#[derive(Debug)]
pub struct Digest {
    /// The number of outputs of each model.
    outputs: Vec<usize>,
    header: Sha256,
    signals: SignalHashes,
}

/// The hashes of the signals.
#[derive(Debug)]
enum SignalHashes {
    /// Signals of an instrument are hashed in their order, instruments in the order of their names.
    ByInstrument(HashesByInstrument),
    /// Signals stand alone: the sum of their hashes is that of a set in which one may occur twice. Nothing
    /// of a signal is kept.
    Sum(HashSum),
}

#[derive(Debug, Default)]
struct HashesByInstrument {
    slots: BTreeMap<Box<str>, usize>,
    hashes: Vec<Sha256>,
    slot_of_id: Vec<Option<usize>>,
}

/// How many hashes, and their sum in four parts modulo 2^64 (the additive hash of a multiset: M. Bellare and
/// D. Micciancio, "A New Paradigm for Collision-Free Hashing", 1997).
#[derive(Debug, Default)]
struct HashSum {
    count: u64,
    parts: [u64; 4],
}

impl Digest {
    /// An empty digest for signals of this lineage, in which the order of an instrument's signals counts.
    #[must_use]
    pub fn new(lineage: &Lineage) -> Self {
        Self::with(
            lineage,
            SignalHashes::ByInstrument(HashesByInstrument::default()),
        )
    }

    /// An empty digest for signals that stand alone, in which no order counts and no name is kept.
    #[must_use]
    pub fn without_order(lineage: &Lineage) -> Self {
        Self::with(lineage, SignalHashes::Sum(HashSum::default()))
    }

    fn with(lineage: &Lineage, signals: SignalHashes) -> Self {
        let mut header = Sha256::new();
        hash_text(&mut header, &lineage.schema);
        hash_text(&mut header, &lineage.pipeline);
        for model in &lineage.models {
            for part in [
                &model.name,
                &model.version,
                &model.sha256,
                &model.features_sha256,
            ] {
                hash_text(&mut header, part);
            }
            for label in &model.labels {
                header.update(label);
                header.update([0]);
            }
            header.update(model.horizon_ns.to_le_bytes());
            header.update([u8::from(model.shadow)]);
        }
        let outputs = lineage.models.iter().map(|model| model.labels.len().max(1));
        Self {
            outputs: outputs.collect(),
            header,
            signals,
        }
    }

    /// Adds a signal of the instrument with this name. All ids must come from one table of instruments.
    pub fn add(&mut self, signal: &Signal, name: &str) {
        let outputs = self.outputs[usize::from(signal.model)];
        match &mut self.signals {
            SignalHashes::ByInstrument(all) => {
                hash_signal(all.hash_of(signal.instrument, name), signal, outputs);
            }
            SignalHashes::Sum(sum) => {
                let mut hash = Sha256::new();
                hash_text(&mut hash, name);
                hash_signal(&mut hash, signal, outputs);
                sum.add(&hash.finalize());
            }
        }
    }

    /// Adds the signals of another shard; no instrument may be in both.
    ///
    /// # Panics
    /// If one was made by [`Digest::new`] and the other by [`Digest::without_order`].
    pub fn merge(&mut self, other: Self) {
        match (&mut self.signals, other.signals) {
            (SignalHashes::ByInstrument(all), SignalHashes::ByInstrument(others)) => {
                all.merge(others);
            }
            (SignalHashes::Sum(sum), SignalHashes::Sum(other)) => sum.merge(&other),
            _ => panic!("digests with and without order cannot be merged"),
        }
    }

    /// The digest so far, in hexadecimal.
    #[must_use]
    pub fn finish(&self) -> String {
        let mut all = self.header.clone();
        match &self.signals {
            SignalHashes::ByInstrument(HashesByInstrument { slots, hashes, .. }) => {
                for (name, &slot) in slots {
                    hash_text(&mut all, name);
                    all.update(hashes[slot].clone().finalize());
                }
            }
            SignalHashes::Sum(HashSum { count, parts }) => {
                for part in [count].into_iter().chain(parts) {
                    all.update(part.to_le_bytes());
                }
            }
        }
        hex(&all.finalize())
    }
}

impl HashesByInstrument {
    fn hash_of(&mut self, instrument: InstrumentId, name: &str) -> &mut Sha256 {
        let at = instrument.index();
        if at >= self.slot_of_id.len() {
            self.slot_of_id.resize(at + 1, None);
        }
        let slot = *self.slot_of_id[at].get_or_insert_with(|| {
            let slot = *self.slots.entry(name.into()).or_insert(self.hashes.len());
            if slot == self.hashes.len() {
                self.hashes.push(Sha256::new());
            }
            slot
        });
        &mut self.hashes[slot]
    }

    fn merge(&mut self, other: Self) {
        for (name, slot) in other.slots {
            self.slots.insert(name, self.hashes.len());
            self.hashes.push(other.hashes[slot].clone());
        }
        self.slot_of_id.clear();
    }
}

impl HashSum {
    fn add(&mut self, hash: &[u8]) {
        self.count += 1;
        for (part, bytes) in self.parts.iter_mut().zip(hash.chunks_exact(8)) {
            let bytes = bytes.try_into().expect("chunks of eight bytes");
            *part = part.wrapping_add(u64::from_le_bytes(bytes));
        }
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        for (part, other) in self.parts.iter_mut().zip(other.parts) {
            *part = part.wrapping_add(other);
        }
    }
}

fn hash_text(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}

/// Adds what the digest covers of a signal to a hash.
fn hash_signal(hash: &mut Sha256, signal: &Signal, outputs: usize) {
    let mut bytes = [0_u8; 8 * (MAX_OUTPUTS + 2)];
    bytes[..8].copy_from_slice(&signal.ts_event.0.to_le_bytes());
    bytes[8] = number_of(signal.quality);
    bytes[9] = signal.model;
    for (at, output) in signal.outputs[..outputs].iter().enumerate() {
        bytes[16 + 8 * at..24 + 8 * at].copy_from_slice(&output.to_bits().to_le_bytes());
    }
    hash.update(&bytes[..16 + 8 * outputs]);
    for reason in signal.reasons.iter().flatten() {
        hash.update(reason.code.to_le_bytes());
        hash.update(reason.weight.to_bits().to_le_bytes());
    }
    if let Some(average) = signal.average {
        hash.update(average.value.to_bits().to_le_bytes());
        hash.update(average.weight.to_bits().to_le_bytes());
    }
    if let Some(item) = signal.item {
        hash.update(item.to_le_bytes());
    }
    if signal.revision > 0 {
        hash.update(signal.revision.to_le_bytes());
    }
}

/// The number of a quality in the hash, which stays when there are more of them.
fn number_of(quality: Quality) -> u8 {
    match quality {
        Quality::Ok => 0,
        Quality::Warming => 1,
        Quality::Stale => 2,
        Quality::Degraded => 3,
        Quality::Crossed => 4,
        Quality::Gap => 5,
        Quality::Late => 6,
    }
}
