//! Which models compute their windows whole, whatever their graph is.

use super::model_file::ModelFile;
use crate::config::{ModelKind, PipelineFile, RowOn};
use crate::model::contract::Contract;
use crate::model::provider::Provider;

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
