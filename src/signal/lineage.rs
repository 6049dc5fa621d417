//! What all signals of a run share: the pipeline, its streams, and the models that may score them.

use sha2::{Digest as _, Sha256};

use super::Signal;
use super::model::ModelIdentity;
use crate::hex::hex;

/// What all signals of a run share. A signal names its model by the index in [`Lineage::models`].
#[derive(Clone, Debug, Default)]
pub struct Lineage {
    /// The schema's name, which is also the default topic.
    pub schema: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The name of the field that says whom a signal is about: `instrument`, `applicant`, `obligor`.
    pub key: &'static str,
    /// The half-life of averages of news, in nanoseconds; none for other pipelines.
    pub half_life_ns: Option<i64>,
    /// Whether signals may be published again as corrections.
    pub corrects: bool,
    /// Names of the streams that origins point to.
    pub streams: Vec<String>,
    /// The models of the run: one, or more where a model is replaced while the run goes on, or has a shadow.
    pub models: Vec<ModelIdentity>,
}

impl Lineage {
    /// The model that made a signal.
    ///
    /// # Panics
    /// Where the signal is not of this lineage.
    #[must_use]
    pub fn model(&self, signal: &Signal) -> &ModelIdentity {
        &self.models[usize::from(signal.model)]
    }

    /// The model that the run began with.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn first_model(&self) -> &ModelIdentity {
        self.models.first().expect("a run begins with a model")
    }

    /// The label of the highest probability, and that probability; see [`ModelIdentity::label`]. None for a
    /// signal that must not be acted on.
    #[must_use]
    pub fn label(&self, signal: &Signal) -> Option<(&str, f64)> {
        let model = self.model(signal);
        let may_be_acted_on = signal.quality.may_be_acted_on();
        may_be_acted_on.then(|| model.label(&signal.outputs))?
    }

    /// The signal as one number; see [`ModelIdentity::score`].
    #[must_use]
    pub fn score(&self, signal: &Signal) -> f64 {
        self.model(signal).score(&signal.outputs)
    }

    /// The grade of the signal's score; none for a model without grades, and for a signal that must not be
    /// acted on.
    #[must_use]
    pub fn grade(&self, signal: &Signal) -> Option<&str> {
        let (model, score) = (self.model(signal), self.score(signal));
        let may_be_acted_on = signal.quality.may_be_acted_on();
        may_be_acted_on.then(|| model.grade(score))?
    }

    /// The codes of a signal's reasons, the strongest first.
    pub fn codes(&self, signal: &Signal) -> impl Iterator<Item = &str> {
        let model = self.model(signal);
        let codes = signal.reasons.into_iter().flatten();
        codes.map(|reason| &*model.reasons[usize::from(reason.code)])
    }

    /// The signal's identity: a hash of pipeline, instrument and the address of its frame, so that the same
    /// frame gives the same id whenever it is read again. Further events of one instrument in a frame have
    /// ids of their own. A correction has the id of the signal that it replaces.
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
        if signal.part > 0 {
            hash.update(signal.part.to_le_bytes());
        }
        hex(&hash.finalize()[..16])
    }

    /// When the signal is out of date; none where its horizon is not known.
    #[must_use]
    pub fn valid_until(&self, signal: &Signal) -> Option<i64> {
        let horizon_ns = self.model(signal).horizon_ns;
        (horizon_ns > 0).then(|| signal.ts_event.0.saturating_add(horizon_ns))
    }

    /// The name of a stream; empty where it has none.
    #[must_use]
    pub fn stream(&self, stream: u16) -> &str {
        self.streams
            .get(usize::from(stream))
            .map_or("", |name| name)
    }
}
