//! The fields of a published signal, in the order in which they are written.

use std::fmt;

use super::lineage::Lineage;
use super::model::ModelIdentity;

/// A field of a published signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the names are those of the schema, which describes them"
)]
pub enum SignalField {
    Schema,
    SignalId,
    Pipeline,
    Instrument,
    TsEvent,
    TsRecv,
    TsOut,
    HorizonNs,
    ValidUntil,
    Label,
    Probabilities,
    Score,
    Confidence,
    Grade,
    Reasons,
    Sentiment,
    Item,
    Quality,
    Model,
    FeaturesSha256,
    Source,
    LatencyNs,
    Shadow,
    Revision,
}

impl SignalField {
    /// All fields in the order in which they are written.
    pub const ALL: [(&'static str, Self); 24] = [
        ("schema", Self::Schema),
        ("signal_id", Self::SignalId),
        ("pipeline", Self::Pipeline),
        ("instrument", Self::Instrument),
        ("ts_event", Self::TsEvent),
        ("ts_recv", Self::TsRecv),
        ("ts_out", Self::TsOut),
        ("horizon_ns", Self::HorizonNs),
        ("valid_until", Self::ValidUntil),
        ("label", Self::Label),
        ("probabilities", Self::Probabilities),
        ("score", Self::Score),
        ("confidence", Self::Confidence),
        ("grade", Self::Grade),
        ("reasons", Self::Reasons),
        ("sentiment", Self::Sentiment),
        ("item", Self::Item),
        ("quality", Self::Quality),
        ("model", Self::Model),
        ("features_sha256", Self::FeaturesSha256),
        ("source", Self::Source),
        ("latency_ns", Self::LatencyNs),
        ("shadow", Self::Shadow),
        ("revision", Self::Revision),
    ];

    /// The fields of these names, in the order given; all fields where no name is given.
    ///
    /// # Errors
    /// The first name that is not that of a field.
    pub fn select(names: &[String]) -> Result<Vec<Self>, UnknownField> {
        if names.is_empty() {
            return Ok(Self::ALL.iter().map(|field| field.1).collect());
        }
        let find = |(at, name): (usize, &String)| {
            let known = Self::ALL.iter().find(|field| field.0 == name);
            known.map(|field| field.1).ok_or_else(|| UnknownField {
                at,
                name: name.clone(),
            })
        };
        names.iter().enumerate().map(find).collect()
    }

    /// Whether the signals that this model makes in this lineage have the field.
    #[must_use]
    pub fn is_of(self, model: &ModelIdentity, lineage: &Lineage) -> bool {
        match self {
            Self::Grade => !model.grades.is_empty(),
            Self::Reasons => !model.reasons.is_empty(),
            Self::Sentiment | Self::Item => lineage.half_life_ns.is_some(),
            Self::Revision => lineage.corrects,
            _ => true,
        }
    }

    /// Its name in the schema.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|field| field.1 == self)
            .map_or("", |field| field.0)
    }
}

/// A name that is not that of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownField {
    /// Its place in the list of names.
    pub at: usize,
    /// The name.
    pub name: String,
}

impl fmt::Display for UnknownField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<&str> = SignalField::ALL.iter().map(|field| field.0).collect();
        let name = &self.name;
        write!(
            f,
            "a signal has no field `{name}`; it has {}",
            all.join(", ")
        )
    }
}
