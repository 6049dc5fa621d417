//! The fields of a published signal, in the order in which they are written.

use super::lineage::Lineage;

/// A field of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the names are those of the schema, which describes them"
)]
pub enum Field {
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
}

impl Field {
    /// All fields in the order in which they are written.
    pub const ALL: [(&'static str, Self); 23] = [
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
    ];

    /// The fields of these names, in the order given; all where none is named.
    ///
    /// # Errors
    /// The name that is none, and those that there are.
    pub fn select(names: &[String]) -> Result<Vec<Self>, (String, String)> {
        if names.is_empty() {
            return Ok(Self::ALL.iter().map(|field| field.1).collect());
        }
        let find = |name: &String| {
            let known = Self::ALL
                .iter()
                .find(|field| field.0 == name)
                .map(|field| field.1);
            known.ok_or_else(|| {
                let all: Vec<&str> = Self::ALL.iter().map(|field| field.0).collect();
                let what = format!("a signal has no field `{name}`; it has {}", all.join(", "));
                (format!("\"{name}\""), what)
            })
        };
        names.iter().map(find).collect()
    }

    /// Whether signals of this lineage have it.
    #[must_use]
    pub fn is_of(self, lineage: &Lineage) -> bool {
        match self {
            Self::Grade => !lineage.grades.is_empty(),
            Self::Reasons => !lineage.reasons.is_empty(),
            Self::Sentiment | Self::Item => lineage.half_life_ns.is_some(),
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
