//! How far ahead signals look.

use crate::config::{ConfigFault, PipelineFile};
use crate::label::Labelling;
use crate::model::contract::Contract;

/// The horizon of signals, in nanoseconds; 0 where nothing says it.
///
/// # Errors
/// Where those of the model, of `[signal]` and of `[label]` differ.
pub(super) fn horizon(
    file: &PipelineFile,
    labelling: Option<&Labelling>,
    contract: &Contract,
) -> Result<i64, ConfigFault> {
    let signal = file.signal.horizon_ms;
    let signal = signal.map(|ms| ("signal", ms.saturating_mul(1_000_000)));
    let label = labelling.map(|label| ("label", label.horizon_ns));
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
