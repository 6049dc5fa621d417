//! Signals: what leaves, and the digest over them.

pub mod average;
pub mod digest;
pub mod field;
pub mod lineage;
pub mod quality;

use self::average::Average;
use self::quality::Quality;
use crate::frame::Origin;
use crate::instrument::InstrumentId;
use crate::units::{Nanos, Price};

/// The most scores that a model may give.
pub const MAX_OUTPUTS: usize = 8;

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
    /// Place among [`lineage::Lineage::reasons`].
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

impl Signal {
    /// The item of news as it is published: 16 hexadecimal digits.
    #[must_use]
    pub fn item_text(&self) -> String {
        format!("{:016x}", self.item.unwrap_or(0))
    }
}
