//! A model's file: read once, made into a session for each shard.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::error::PipelineError;
use super::watchdog::Deadline;
use super::weights;
use crate::config;
use crate::config::{ConfigFault, Document, ModelKind};
use crate::engine::feature::FeaturePlan;
use crate::hex::hex;
use crate::model::contract::{ColumnKind, Contract, DeclaredContract};
use crate::model::linear::Linear;
use crate::model::onnx::Onnx;
use crate::model::provider::{Active, Execution};
use crate::model::{Model, ModelError};

/// A model's bytes, from which each shard makes its own session.
pub(super) struct ModelFile {
    pub(super) kind: ModelKind,
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
    pub(super) sha256: String,
    pub(super) execution: Execution,
    pub(super) declared: DeclaredContract,
    pub(super) deadline: Deadline,
}

impl ModelFile {
    /// Reads the file that `[model]` names, below the folder of the document. A file without metadata is
    /// taken to have these features.
    ///
    /// # Errors
    /// [`PipelineError`] where none is named or it cannot be read.
    pub(super) fn read(
        model: &config::ModelConfig,
        document: &Document,
        execution: Execution,
        plan: &FeaturePlan,
        single_rows: bool,
    ) -> Result<Self, PipelineError> {
        let deadline = Deadline {
            run: Duration::from_millis(model.deadline_ms),
        };
        if model.kind == ModelKind::Sum {
            let sha256 = hex(&Sha256::digest(b"sum"));
            return Ok(Self {
                kind: model.kind,
                path: "sum".into(),
                bytes: vec![],
                sha256,
                execution,
                declared: DeclaredContract::default(),
                deadline,
            });
        }
        let Some(file) = &model.file else {
            let what = "`[model]` needs `file`: the model's file below this folder";
            return Err(document.error(ConfigFault::at("model.file", what)).into());
        };
        check_inputs(model, plan.names()).map_err(|fault| document.error(fault))?;
        let folder = document.path().parent().unwrap_or(Path::new("."));
        let path = folder.join(file);
        let bytes = read(&path)?;
        let mut sha256 = Sha256::new_with_prefix(&bytes);
        let bytes = match model.kind {
            ModelKind::Onnx => {
                let whole = weights::whole(&path, bytes).map_err(|what| ModelError::Load {
                    path: path.clone(),
                    what,
                })?;
                for file in &whole.files {
                    sha256.update(file);
                }
                whole.bytes
            }
            ModelKind::Linear | ModelKind::Sum => bytes,
        };
        let sha256 = hex(&sha256.finalize());
        Ok(Self {
            kind: model.kind,
            path,
            bytes,
            sha256,
            execution,
            declared: declared(model, plan, single_rows),
            deadline,
        })
    }

    /// A session, what the model says of itself, and where it computes.
    ///
    /// # Errors
    /// [`ModelError`].
    pub(super) fn build(
        &self,
        columns: &[String],
    ) -> Result<(Box<dyn Model>, Contract, Active), ModelError> {
        let sha256 = self.sha256.clone();
        match self.kind {
            ModelKind::Sum => {
                let (model, contract) = Linear::sum(columns);
                let contract = Contract { sha256, ..contract };
                Ok((Box::new(model), contract, Active::default()))
            }
            ModelKind::Linear => {
                let (model, contract) = Linear::parse(&self.path, &self.bytes, sha256)?;
                Ok((Box::new(model), contract, Active::default()))
            }
            ModelKind::Onnx => {
                let (model, contract) = Onnx::parse_declared(
                    &self.path,
                    &self.bytes,
                    sha256,
                    self.execution,
                    &self.declared,
                    Some(&self.deadline),
                )?;
                let active = model.active().clone();
                Ok((Box::new(model), contract, active))
            }
        }
    }
}

/// Refuses a `[[model.input]]` of features that the pipeline does not have.
fn check_inputs(model: &config::ModelConfig, features: &[String]) -> Result<(), ConfigFault> {
    for (at, input) in model.inputs.iter().enumerate() {
        if let Some(unknown) = input.features.iter().find(|name| !features.contains(name)) {
            let what = format!(
                "[[model.input]] of `{}` lists `{unknown}`, which is not a feature of the pipeline",
                input.name
            );
            return Err(ConfigFault::at(format!("model.input[{at}].features"), what));
        }
    }
    Ok(())
}

/// Reads a model's file, whole.
fn read(path: &Path) -> Result<Vec<u8>, ModelError> {
    let failed = |cause| ModelError::Read {
        path: path.to_owned(),
        cause,
    };
    let found = std::fs::metadata(path).map_err(failed)?;
    let refused = |what: &str| {
        Err(ModelError::Load {
            path: path.to_owned(),
            what: what.into(),
        })
    };
    if !found.is_file() {
        return refused("it is no file");
    }
    if found.len() > weights::BYTES_MAX {
        return refused("it is larger than 2 GiB, the most that is taken");
    }
    std::fs::read(path).map_err(failed)
}

/// What the configuration says of a model, for a file that does not say it.
fn declared(
    model: &config::ModelConfig,
    plan: &FeaturePlan,
    single_rows: bool,
) -> DeclaredContract {
    let kind = |at: usize| {
        // Rows of records have their fields as columns, in order.
        match plan.fields().get(at) {
            _ if plan.tokens().is_some() => ColumnKind::Token,
            None => ColumnKind::Number,
            Some(field) if field.categories.is_empty() => ColumnKind::Field,
            Some(field) => ColumnKind::Category(field.categories.clone()),
        }
    };
    DeclaredContract {
        features: plan.names().to_vec(),
        kinds: (0..plan.len()).map(kind).collect(),
        steps: model.steps,
        labels: model.labels.clone(),
        version: model.version.clone(),
        inputs: model
            .inputs
            .iter()
            .map(|input| (input.name.clone(), input.features.clone()))
            .collect(),
        output: model.output.clone(),
        single_rows,
    }
}
