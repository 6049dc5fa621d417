//! The digest: one hash over all signals of a run, which proves that two runs gave the same.

mod hashes;
mod parts;

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use self::hashes::{HashSum, HashesByInstrument, SignalHashes, hash_text};
pub use self::parts::Digests;
use self::parts::{day_of, parts_of};
use super::lineage::Lineage;
use super::quality::Quality;
use super::{MAX_OUTPUTS, Signal};
use crate::hex::hex;

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
    /// Whether each day has a hash of its own.
    keeps_days: bool,
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
        Self::with(
            lineage,
            SignalHashes::Sum(HashSum::default(), BTreeMap::new()),
        )
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
            keeps_days: false,
        }
    }

    /// The same; the signals of each day have a digest of their own, too: see [`Digest::parts`].
    #[must_use]
    pub fn by_day(self) -> Self {
        Self {
            keeps_days: true,
            ..self
        }
    }

    /// Whether each day has a digest of its own.
    #[must_use]
    pub fn keeps_days(&self) -> bool {
        self.keeps_days
    }

    /// The digests of each instrument, and of each day where they are kept.
    #[must_use]
    pub fn parts(&self) -> Digests {
        parts_of(&self.header, &self.signals)
    }

    /// Adds a signal of the instrument with this name. All ids must come from one table of instruments.
    pub fn add(&mut self, signal: &Signal, name: &str) {
        let outputs = self.outputs[usize::from(signal.model)];
        let day = self.keeps_days.then(|| day_of(signal.ts_event));
        match &mut self.signals {
            SignalHashes::ByInstrument(all) => {
                let hash = all.hash_of(signal.instrument, name);
                hash_signal(&mut hash.whole, signal, outputs);
                if let Some(day) = day {
                    hash_signal(hash.of_day(day), signal, outputs);
                }
            }
            SignalHashes::Sum(sum, days) => {
                let mut hash = Sha256::new();
                hash_text(&mut hash, name);
                hash_signal(&mut hash, signal, outputs);
                let hash = hash.finalize();
                sum.add(&hash);
                if let Some(day) = day {
                    days.entry(day).or_default().add(&hash);
                }
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
            (SignalHashes::Sum(sum, days), SignalHashes::Sum(other, other_days)) => {
                sum.merge(&other);
                for (day, other) in other_days {
                    days.entry(day).or_default().merge(&other);
                }
            }
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
                    all.update(hashes[slot].whole.clone().finalize());
                }
            }
            SignalHashes::Sum(sum, _) => sum.hash_into(&mut all),
        }
        hex(&all.finalize())
    }
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
