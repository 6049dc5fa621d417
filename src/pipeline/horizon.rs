//! How far ahead signals look.

use crate::config::{ConfigFault, PipelineFile};
use crate::label::LabelSpec;
use crate::model::contract::Contract;

/// The horizon of signals, in nanoseconds; 0 where nothing says it. Of several labels, that of the first, or
/// the one that the model was trained for.
///
/// # Errors
/// Where those of the model, of `[signal]` and of all `[label]` tables differ.
pub(super) fn horizon(
    file: &PipelineFile,
    labels: &[LabelSpec],
    contract: &Contract,
) -> Result<i64, ConfigFault> {
    let signal = file.signal.horizon_ms;
    let signal = signal.map(|ms| ("signal", ms.saturating_mul(1_000_000)));
    let horizons: Vec<i64> = labels.iter().filter_map(LabelSpec::horizon_ns).collect();
    let wanted = contract.horizon_ns.or(signal.map(|(_, nanos)| nanos));
    let agreeing = horizons.iter().find(|nanos| Some(**nanos) == wanted);
    let label = agreeing.or(horizons.first()).map(|nanos| ("label", *nanos));
    for (table, written) in signal.into_iter().chain(label) {
        if let Some(trained) = contract.horizon_ns
            && trained != written
        {
            let what = format!(
                "`horizon_ms` of [{table}] is {} but the model was trained for {}; make them agree",
                written / 1_000_000,
                trained / 1_000_000
            );
            return Err(ConfigFault::at(format!("{table}.horizon_ms"), what));
        }
    }
    if let (Some((_, signal)), Some((_, label))) = (signal, label)
        && signal != label
    {
        let what = format!(
            "`horizon_ms` of [signal] is {} but that of [label] is {}; make them agree",
            signal / 1_000_000,
            label / 1_000_000
        );
        return Err(ConfigFault::at("signal.horizon_ms", what));
    }
    let written = signal.or(label).map(|(_, nanos)| nanos);
    Ok(contract.horizon_ns.or(written).unwrap_or(0))
}
