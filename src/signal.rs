//! Signals: what leaves, and the digest over them.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::feature::hex;
use crate::instrument::InstrumentId;
use crate::model::MAX_OUTPUTS;
use crate::news::average::Average;
use crate::source::Origin;
use crate::units::{Nanos, Price};

/// One answer of a model, for one instrument at one event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signal {
    /// Whom it is about.
    pub instrument: InstrumentId,
    /// The time of the event it answers, on the venue's clock.
    pub ts_event: Nanos,
    /// When it was made; a clock reading of this run.
    pub ts_out: Nanos,
    /// Probabilities in the order of the labels; the score alone where there are none.
    pub outputs: [f64; MAX_OUTPUTS],
    /// How far the inputs can be trusted.
    pub quality: Quality,
    /// What raised the score most, the strongest first, where the model says so.
    pub reasons: [Option<Reason>; MAX_REASONS],
    /// Of news: the decayed average of its instrument's scores, this one included.
    pub average: Option<Average>,
    /// Of news: the number of the item, the same for each of its revisions.
    pub item: Option<u64>,
    /// The last price traded before it, for people to look at; not part of what is published.
    pub last_price: Price,
    /// The frame that it answers.
    pub origin: Origin,
    /// What each stage took in this run.
    pub latency: Latency,
}

/// Why a score is what it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reason {
    /// Place among [`Lineage::reasons`].
    pub code: u16,
    /// What it adds to the score, in the model's unit (log-odds for risks).
    pub weight: f32,
}

/// Reasons of a signal at most: more are not likely to be helpful (12 CFR 1002.9, comment 9(b)(2)-1).
pub const MAX_REASONS: usize = 4;

impl Reason {
    /// The largest weights above zero, largest first; the first of equal ones.
    #[must_use]
    pub fn strongest(weights: &[f64]) -> [Option<Self>; MAX_REASONS] {
        let mut strongest: [Option<Self>; MAX_REASONS] = [None; MAX_REASONS];
        for (code, &weight) in weights.iter().enumerate() {
            let mut next = Some(Self {
                code: code as u16,
                weight: weight as f32,
            })
            .filter(|reason| reason.weight > 0.0);
            for place in &mut strongest {
                let stronger = |next: Self| place.is_none_or(|held| next.weight > held.weight);
                if next.is_some_and(stronger) {
                    std::mem::swap(place, &mut next);
                }
            }
        }
        strongest
    }
}

/// How far a signal's inputs can be trusted, from best to worst. A signal has the worst quality of the
/// rows in its window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quality {
    /// Complete and fresh.
    #[default]
    Ok,
    /// A feature's window has not covered its span yet.
    Warming,
    /// The book or quote is older than the pipeline allows, or the instrument fell silent.
    Stale,
    /// Under overload we dropped frames ourselves, or had been behind for longer than the pipeline allows.
    Degraded,
    /// The best bid is at or above the best ask.
    Crossed,
    /// Frames are missing: the numbering jumped or the connection was lost.
    Gap,
}

/// Nanoseconds by stage, of the batch that the signal was made in. `queue` is the difference of two
/// wall-clock readings and may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// From `ts_recv` until the shard took the frame.
    pub queue: i64,
    /// Decoding.
    pub decode: i64,
    /// Book, windows and features.
    pub feature: i64,
    /// The model.
    pub model: i64,
}

/// What all signals of a pipeline share.
#[derive(Clone, Debug, Default)]
pub struct Lineage {
    /// The schema's name, which is also the default topic.
    pub schema: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// Classes in the order of the outputs; none for a plain score.
    pub labels: Vec<String>,
    /// Where each label lies on the scale of the score: the default rate of a grade; none for the scale
    /// from −1 to 1.
    pub places: Vec<f64>,
    /// Codes of the reasons, in the order in which the model gives them.
    pub reasons: Vec<String>,
    /// Names of grades by the score up to which they go, best first.
    pub grades: Vec<(String, f64)>,
    /// Under which name it is written whom a signal is about: `instrument`, `applicant`, `obligor`.
    pub key: &'static str,
    /// How far ahead the signal looks; 0 where nobody says.
    pub horizon_ns: i64,
    /// The model's name.
    pub model_name: String,
    /// The model's version.
    pub model_version: String,
    /// SHA-256 of the model's file.
    pub model_sha256: String,
    /// SHA-256 of the features' definitions.
    pub features_sha256: String,
    /// Of news: the half-life of averages, in nanoseconds.
    pub half_life_ns: Option<i64>,
    /// Published beside the real ones, for comparison only.
    pub shadow: bool,
    /// Names of the streams that origins point to.
    pub streams: Vec<String>,
}

impl Signal {
    /// The item of news as it is published: 16 hexadecimal digits.
    #[must_use]
    pub fn item_text(&self) -> String {
        format!("{:016x}", self.item.unwrap_or(0))
    }
}

/// The expected place of a label, where labels have these places, or lie evenly between −1 and 1; a single
/// output itself.
#[must_use]
pub fn expected(outputs: &[f64], places: &[f64]) -> f64 {
    let classes = outputs.len();
    if classes < 2 {
        return outputs[0];
    }
    let even = |at: usize| 2.0 * at as f64 / (classes - 1) as f64 - 1.0;
    let place = |at: usize| places.get(at).copied().unwrap_or_else(|| even(at));
    (0..classes)
        .map(|at| place(at) * outputs[at])
        .fold(0.0, |sum, term| sum + term)
}

impl Quality {
    /// All qualities, best first.
    pub const ALL: [Self; 6] = [
        Self::Ok,
        Self::Warming,
        Self::Stale,
        Self::Degraded,
        Self::Crossed,
        Self::Gap,
    ];

    /// The word used in messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warming => "warming",
            Self::Stale => "stale",
            Self::Degraded => "degraded",
            Self::Crossed => "crossed",
            Self::Gap => "gap",
        }
    }
}

impl Lineage {
    /// The label of the highest probability, and that probability; the first of equal ones.
    #[must_use]
    pub fn label(&self, signal: &Signal) -> Option<(&str, f64)> {
        let probabilities = &signal.outputs[..self.labels.len()];
        let best = probabilities
            .iter()
            .enumerate()
            .reduce(|a, b| if b.1 > a.1 { b } else { a })?;
        Some((&self.labels[best.0], *best.1))
    }

    /// One number: the score itself, or the expected label on the scale of [`Lineage::places`], or else on
    /// one from −1 (first label) to 1 (last): for down, flat, up that is P(up) − P(down).
    #[must_use]
    pub fn score(&self, signal: &Signal) -> f64 {
        expected(&signal.outputs[..self.labels.len().max(1)], &self.places)
    }

    /// The grade of a score: the first whose border is not below it, else the last.
    #[must_use]
    pub fn grade(&self, signal: &Signal) -> Option<&str> {
        self.grade_of(self.score(signal))
    }

    /// The same of a score alone.
    #[must_use]
    pub fn grade_of(&self, score: f64) -> Option<&str> {
        let grade = self.grades.iter().find(|(_, border)| score <= *border);
        grade.or(self.grades.last()).map(|(name, _)| &**name)
    }

    /// Codes of a signal's reasons, the strongest first.
    pub fn codes(&self, signal: &Signal) -> impl Iterator<Item = &str> {
        let codes = signal.reasons.into_iter().flatten();
        codes.map(|reason| &*self.reasons[usize::from(reason.code)])
    }

    /// The signal's identity: a hash of pipeline, instrument and the place of its frame, so that the
    /// same frame gives the same id whenever it is read again.
    #[must_use]
    pub fn signal_id(&self, signal: &Signal, instrument: &str) -> String {
        let mut hash = Sha256::new();
        for part in [
            &*self.pipeline,
            instrument,
            self.stream(signal.origin.stream),
        ] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.update(signal.origin.partition.to_le_bytes());
        hash.update(signal.origin.offset.to_le_bytes());
        hex(&hash.finalize()[..16])
    }

    /// When the signal is out of date; `None` where no horizon is known.
    #[must_use]
    pub fn valid_until(&self, signal: &Signal) -> Option<i64> {
        (self.horizon_ns > 0).then(|| signal.ts_event.0.saturating_add(self.horizon_ns))
    }

    /// The name of a stream.
    #[must_use]
    pub fn stream(&self, stream: u16) -> &str {
        self.streams
            .get(usize::from(stream))
            .map_or("", |name| name)
    }
}

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
