//! The windows of a model: whether they fit the rows and the split, and which models compute them whole,
//! whatever their graph is.

use super::error::PipelineError;
use super::execution;
use super::model_file::ModelFile;
use super::split::SplitSettings;
use crate::config::{ConfigFault, Document, ModelKind, PipelineFile, RowOn};
use crate::model::contract::Contract;
use crate::model::kernel::Isa;
use crate::model::provider::Provider;
use crate::model::strategy::{Strategy, WindowMode};

/// Whether each row is scored by itself: applications and headlines.
pub(super) fn has_single_rows(file: &PipelineFile) -> bool {
    matches!(file.row.on, RowOn::Application | RowOn::News)
}

/// Refuses windows of several applications or headlines, each of which is scored by itself, and windows that
/// reach across the border of the split and were not purged.
///
/// # Errors
/// The key at fault.
pub(super) fn check(
    file: &PipelineFile,
    split: &SplitSettings,
    contract: &Contract,
) -> Result<(), ConfigFault> {
    let steps = contract.steps;
    if has_single_rows(file) && steps != 1 {
        let what = format!(
            "the model takes windows of {steps} rows, but applications and headlines are scored one by one"
        );
        return Err(ConfigFault::at("row.on", what));
    }
    let is_asked_for = !file.labels.is_empty() || split.test_from.is_some();
    match is_asked_for && (split.steps as usize) < steps {
        true => {
            let table = split.steps_key.split('.').next().unwrap_or_default();
            let what = format!(
                "[{table}] purges {} rows at the border, but the model's windows have {steps}; set `steps` to that",
                split.steps
            );
            Err(ConfigFault::at(split.steps_key, what))
        }
        false => Ok(()),
    }
}

/// Why windows are computed whole; none for a model whose graph decides it.
pub(super) fn why_whole(
    file: &PipelineFile,
    model: &ModelFile,
    contract: &Contract,
) -> Option<String> {
    let reason = match (model.kind, model.execution.provider) {
        _ if !contract.reasons.is_empty() => "it gives reasons beside its scores",
        _ if !file.model.inputs.is_empty() => "it has several inputs",
        _ if file.row.on == RowOn::News => "each headline is scored by itself",
        _ if file.row.on == RowOn::Statement => {
            "windows of reporting periods are recomputed whole, because any period can be restated"
        }
        (ModelKind::Onnx, Provider::Cpu) => return None,
        (ModelKind::Onnx, provider) => {
            return Some(format!(
                "the model runs on {provider}, which takes whole windows"
            ));
        }
        (ModelKind::Linear | ModelKind::Sum, _) => "the model takes only the newest row",
    };
    Some(reason.to_owned())
}

/// How the model's windows are computed.
///
/// # Errors
/// [`PipelineError`] where `window = "carried"` is not possible.
pub(super) fn strategy(
    file: &PipelineFile,
    document: &Document,
    model: &ModelFile,
    contract: &Contract,
) -> Result<Strategy, PipelineError> {
    let requested = execution::window_mode(file.model.window);
    let Some(reason) = why_whole(file, model, contract) else {
        let steps = contract.steps;
        let strategy = Strategy::choose(&model.path, &model.bytes, steps, requested, Isa::best())?;
        let (name, why) = (strategy.name(), &strategy.reason);
        tracing::info!(window = name, why, "how windows are computed");
        return Ok(strategy);
    };
    match requested {
        WindowMode::Carried => {
            let what = format!("`window = \"carried\"` is not possible: {reason}; take it out");
            Err(document.error(ConfigFault::at("model.window", what)).into())
        }
        WindowMode::Auto | WindowMode::Plain => Ok(Strategy::plain(reason)),
    }
}
