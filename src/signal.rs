//! Signals: what a model says of an instrument at an event.

pub mod average;
pub mod digest;
pub mod field;
pub mod lineage;
pub mod model;
pub mod quality;

use serde::{Deserialize, Serialize};

use self::average::Average;
use self::quality::Quality;
use crate::frame::Origin;
use crate::instrument::InstrumentId;
use crate::units::{Nanos, Price};

/// The most outputs that a model may have.
pub const MAX_OUTPUTS: usize = 8;

/// What a model says of one instrument at one event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signal {
    /// The instrument, obligor or applicant.
    pub instrument: InstrumentId,
    /// The time of the event that caused it, on the venue's clock.
    pub ts_event: Nanos,
    /// When it was made, by the clock of this run.
    pub ts_out: Nanos,
    /// The model that made it: index into [`Lineage::models`](lineage::Lineage::models).
    pub model: u8,
    /// Probabilities in the order of the labels; the score alone where there are none.
    pub outputs: [f64; MAX_OUTPUTS],
    /// How good its inputs are.
    pub quality: Quality,
    /// The reasons that raised the score most, the strongest first, where the model gives reasons.
    pub reasons: [Option<Reason>; MAX_REASONS],
    /// For news: the decayed average of the instrument's scores, this one included.
    pub average: Option<Average>,
    /// For news: the number of the item, which its revisions share.
    pub item: Option<u64>,
    /// For statements: the newest period of its window; a restatement has the period of the signal before it.
    pub period: Option<i64>,
    /// The last traded price before it, for display; it is not published.
    pub last_price: Price,
    /// The address of the frame that caused it.
    pub origin: Origin,
    /// Which event of its instrument within that frame it is of, from 0.
    pub part: u16,
    /// How often a signal of the same event was published before: a correction replaces them.
    pub revision: u32,
    /// The duration of each stage in this run.
    pub latency: Latency,
}

/// A reason of a score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// Index into [`ModelIdentity::reasons`](model::ModelIdentity::reasons).
    pub code: u16,
    /// How much it adds to the score, in the model's unit (log-odds for risks).
    pub weight: f32,
}

/// The most reasons of a signal: more are not likely to be helpful (12 CFR 1002.9, comment 9(b)(2)-1).
pub const MAX_REASONS: usize = 4;

impl Reason {
    /// The reasons with the largest weights above zero, largest first; of equal ones the first.
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

/// Nanoseconds of each stage for the batch in which the signal was made. `queue` is the difference of two
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

impl Signal {
    /// The number of the news item as it is published: 16 hexadecimal digits.
    #[must_use]
    pub fn item_text(&self) -> String {
        format!("{:016x}", self.item.unwrap_or(0))
    }
}

#[cfg(test)]
pub(crate) mod tests;
