//! `[label]`, checked.

use crate::config;
use crate::config::ConfigFault;
use crate::label::Labelling;
use crate::time::parse_time;

/// How rows are labelled and split.
///
/// # Errors
/// The key whose value makes no sense.
pub(super) fn labelling(label: &config::LabelConfig) -> Result<Labelling, ConfigFault> {
    if label.horizon_ms <= 0 {
        return Err(ConfigFault::at(
            "label.horizon_ms",
            "`horizon_ms` must be above zero",
        ));
    }
    if label.threshold_bps.is_nan() || label.threshold_bps < 0.0 {
        return Err(ConfigFault::at(
            "label.threshold_bps",
            "`threshold_bps` must be zero or more",
        ));
    }
    let test_from = label.test_from.as_deref().map(parse_time).transpose();
    Ok(Labelling {
        horizon_ns: label.horizon_ms.saturating_mul(1_000_000),
        threshold_bps: label.threshold_bps,
        test_from: test_from.map_err(|what| ConfigFault::at("label.test_from", what))?,
    })
}
