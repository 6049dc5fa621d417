//! A model's file: read once, made into a session for each shard.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::error::PipelineError;
use crate::config;
use crate::config::{ConfigFault, Document, ModelKind};
use crate::hex::hex;
use crate::model::contract::{Contract, DeclaredContract};
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
        features: &[String],
    ) -> Result<Self, PipelineError> {
        if model.kind == ModelKind::Sum {
            let sha256 = hex(&Sha256::digest(b"sum"));
            return Ok(Self {
                kind: model.kind,
                path: "sum".into(),
                bytes: vec![],
                sha256,
                execution,
                declared: DeclaredContract::default(),
            });
        }
        let Some(file) = &model.file else {
            let what = "`[model]` needs `file`: the model's file below this folder";
            return Err(document.error(ConfigFault::at("model.file", what)).into());
        };
        check_inputs(model, features).map_err(|fault| document.error(fault))?;
        let folder = document.path().parent().unwrap_or(Path::new("."));
        let path = folder.join(file);
        let bytes = std::fs::read(&path).map_err(|cause| ModelError::Read {
            path: path.clone(),
            cause,
        })?;
        let sha256 = hex(&Sha256::digest(&bytes));
        Ok(Self {
            kind: model.kind,
            path,
            bytes,
            sha256,
            execution,
            declared: declared(model, features),
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

/// What the configuration says of a model, for a file that does not say it.
fn declared(model: &config::ModelConfig, features: &[String]) -> DeclaredContract {
    DeclaredContract {
        features: features.to_vec(),
        steps: model.steps,
        labels: model.labels.clone(),
        version: model.version.clone(),
        inputs: model
            .inputs
            .iter()
            .map(|input| (input.name.clone(), input.features.clone()))
            .collect(),
        output: model.output.clone(),
    }
}
