//! The digest: one hash over all signals of a run, which proves that two runs gave the same.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::lineage::Lineage;
use super::{MAX_OUTPUTS, Signal};
use crate::hex::hex;

/// A hash over signals that is the same for the same input, however it was batched, sharded or carried.
///
/// Covers everything in a signal but the clock readings of this run (`ts_recv`, `ts_out`, `latency_ns`)
/// and the address that its frame happened to have (`source`, and `signal_id`, which is made of it): the
/// same capture has other addresses in a file than in a topic. Order counts per instrument only.
#[derive(Debug)]
pub struct Digest {
    outputs: usize,
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
        for part in [
            &lineage.schema,
            &lineage.pipeline,
            &lineage.model_name,
            &lineage.model_version,
            &lineage.model_sha256,
            &lineage.features_sha256,
        ] {
            header.update((part.len() as u64).to_le_bytes());
            header.update(part);
        }
        for label in &lineage.labels {
            header.update(label);
            header.update([0]);
        }
        header.update(lineage.horizon_ns.to_le_bytes());
        header.update([u8::from(lineage.shadow)]);
        let outputs = lineage.labels.len().max(1);
        Self {
            outputs,
            header,
            keys: BTreeMap::new(),
            hashes: vec![],
            by_id: vec![],
        }
    }

    /// Takes a signal of the instrument with that name. Ids must be those of one table.
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
        for (at, output) in signal.outputs[..self.outputs].iter().enumerate() {
            bytes[16 + 8 * at..24 + 8 * at].copy_from_slice(&output.to_bits().to_le_bytes());
        }
        self.hashes[slot].update(&bytes[..16 + 8 * self.outputs]);
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

    /// Adds the keys of another shard; no key may be in both.
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
