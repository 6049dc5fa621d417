//! A PD that was observed.

use serde::{Deserialize, Serialize};

use crate::units::Nanos;

/// A PD and when it became known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Observation {
    pub(super) ts: Nanos,
    #[serde(with = "exact")]
    pub(super) pd: f64,
}

/// Numbers as text, which every format preserves to the last bit.
mod exact {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &f64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<f64, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}
