//! The digest: one hash over all signals of a run. Two runs with the same digest made the same signals.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::lineage::Lineage;
use super::{MAX_OUTPUTS, Signal};
use crate::hex::hex;

/// A hash over signals that is the same for the same input, however it was batched, sharded or transported.
///
/// Covers everything in a signal but the clock readings of this run (`ts_recv`, `ts_out`, `latency_ns`)
/// and the address of its frame (`source`, and `signal_id`, which is made of it): the same message has
/// another address in a file than in a topic. Order counts for each instrument alone.
#[derive(Debug)]
pub struct Digest {
    /// The number of outputs of each model.
    outputs: Vec<usize>,
    header: Sha256,
    keys: BTreeMap<Box<str>, usize>,
    hashes: Vec<Sha256>,
    by_id: Vec<Option<usize>>,
}

impl Digest {
    /// An empty digest for signals of this lineage.
    #[must_use]
    pub fn new(lineage: &Lineage) -> Self {
        let mut header = Sha256::new();
        let with_length = |header: &mut Sha256, part: &str| {
            header.update((part.len() as u64).to_le_bytes());
            header.update(part);
        };
        with_length(&mut header, &lineage.schema);
        with_length(&mut header, &lineage.pipeline);
        for model in &lineage.models {
            for part in [
                &model.name,
                &model.version,
                &model.sha256,
                &model.features_sha256,
            ] {
                with_length(&mut header, part);
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
            keys: BTreeMap::new(),
            hashes: vec![],
            by_id: vec![],
        }
    }

    /// Adds a signal of the instrument with this name. All ids must come from one table of instruments.
    pub fn add(&mut self, signal: &Signal, name: &str) {
        let at = signal.instrument.index();
        if at >= self.by_id.len() {
            self.by_id.resize(at + 1, None);
        }
        let slot = match self.by_id[at] {
            Some(slot) => slot,
            None => {
                let slot = *self.keys.entry(name.into()).or_insert(self.hashes.len());
                if slot == self.hashes.len() {
                    self.hashes.push(Sha256::new());
                }
                self.by_id[at] = Some(slot);
                slot
            }
        };
        let mut bytes = [0_u8; 8 * (MAX_OUTPUTS + 2)];
        bytes[..8].copy_from_slice(&signal.ts_event.0.to_le_bytes());
        bytes[8] = signal.quality as u8;
        bytes[9] = signal.model;
        let outputs = self.outputs[usize::from(signal.model)];
        for (at, output) in signal.outputs[..outputs].iter().enumerate() {
            bytes[16 + 8 * at..24 + 8 * at].copy_from_slice(&output.to_bits().to_le_bytes());
        }
        self.hashes[slot].update(&bytes[..16 + 8 * outputs]);
        for reason in signal.reasons.iter().flatten() {
            self.hashes[slot].update(reason.code.to_le_bytes());
            self.hashes[slot].update(reason.weight.to_bits().to_le_bytes());
        }
        if let Some(average) = signal.average {
            self.hashes[slot].update(average.value.to_bits().to_le_bytes());
            self.hashes[slot].update(average.weight.to_bits().to_le_bytes());
        }
        if let Some(item) = signal.item {
            self.hashes[slot].update(item.to_le_bytes());
        }
    }

    /// Adds the digest of another shard; no instrument may be in both.
    pub fn merge(&mut self, other: Self) {
        for (name, slot) in other.keys {
            self.keys.insert(name, self.hashes.len());
            self.hashes.push(other.hashes[slot].clone());
        }
        self.by_id.clear();
    }

    /// The digest so far, in hexadecimal.
    #[must_use]
    pub fn finish(&self) -> String {
        let mut all = self.header.clone();
        for (name, &slot) in &self.keys {
            all.update((name.len() as u64).to_le_bytes());
            all.update(name.as_bytes());
            all.update(self.hashes[slot].clone().finalize());
        }
        hex(&all.finalize())
    }
}
