//! A lineage and signals for tests of what is made of them.

use super::*;
use crate::signal::lineage::Lineage;
use crate::signal::model::ModelIdentity;

/// A lineage of two models: one with labels and a horizon, and a shadow with grades.
pub(crate) fn two_models() -> Lineage {
    let first = ModelIdentity {
        version: "1".into(),
        labels: vec!["down".into(), "up".into()],
        horizon_ns: 900,
        ..ModelIdentity::default()
    };
    let second = ModelIdentity {
        version: "2".into(),
        grades: vec![("A".into(), 0.5), ("B".into(), 1.0)],
        shadow: true,
        ..ModelIdentity::default()
    };
    Lineage {
        models: vec![first, second],
        ..Lineage::default()
    }
}

/// A signal of one of these models.
pub(crate) fn signal(model: u8) -> Signal {
    let mut outputs = [0.0; MAX_OUTPUTS];
    outputs[..2].copy_from_slice(&[0.25, 0.75]);
    Signal {
        instrument: InstrumentId(0),
        ts_event: Nanos(100),
        ts_out: Nanos(101),
        model,
        outputs,
        quality: Quality::Ok,
        reasons: [None; MAX_REASONS],
        average: None,
        item: None,
        period: None,
        last_price: Price::UNDEFINED,
        origin: Origin::of_test(),
        part: 0,
        revision: 0,
        latency: Latency::default(),
    }
}
