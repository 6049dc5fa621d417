//! A pipeline with its model: makes the engines.

use std::sync::Arc;

use super::model_file::ModelFile;
use super::recovery;
use super::recovery::Recovery;
use crate::config::PipelineFile;
use crate::engine::feature::FeaturePlan;
use crate::engine::{Engine, EngineSettings};
use crate::model::ModelError;
use crate::model::contract::Contract;
use crate::model::provider::Active;
use crate::model::strategy::Strategy;
use crate::signal::MAX_OUTPUTS;
use crate::signal::lineage::Lineage;
use crate::state::StateIdentity;

/// A pipeline with its model.
pub struct Loaded {
    /// The contract of the model file.
    pub contract: Contract,
    /// What all signals share.
    pub lineage: Lineage,
    /// Where the model computes.
    pub active: Active,
    /// How the model's windows are computed.
    pub strategy: Strategy,
    pub(super) settings: EngineSettings,
    pub(super) plan: Arc<FeaturePlan>,
    pub(super) model: ModelFile,
}

impl Loaded {
    /// A new engine, with a model session of its own.
    ///
    /// # Errors
    /// [`ModelError`] when the session cannot be made.
    pub fn engine(&self) -> Result<Engine, ModelError> {
        if let Some(slide) = self.strategy.sliding_windows(self.settings.every) {
            let plan = Arc::clone(&self.plan);
            return Ok(Engine::sliding(plan, self.settings.clone(), slide));
        }
        let (model, _, _) = self.model.build(self.plan.names())?;
        Ok(Engine::new(
            Arc::clone(&self.plan),
            self.settings.clone(),
            model,
        ))
    }

    /// How rows become windows, and windows signals.
    #[must_use]
    pub fn settings(&self) -> &EngineSettings {
        &self.settings
    }

    /// The outputs of one window whose cells are those that the model sees, computed for itself by a session
    /// of its own; none where the model gives no usable numbers for it.
    ///
    /// # Errors
    /// [`ModelError`] when the model fails.
    pub fn score_window(&self, cells: &[f64]) -> Result<Option<[f64; MAX_OUTPUTS]>, ModelError> {
        let (mut model, _, _) = self.model.build(self.plan.names())?;
        let mut given = vec![];
        model.score(cells, &mut given)?;
        let form = self.settings.form;
        let given = given.get(..form.given).unwrap_or_default();
        Ok(form.outputs(given).ok())
    }

    /// How the state of a live run comes back after a restart.
    #[must_use]
    pub fn recovery(&self, file: &PipelineFile) -> Recovery {
        recovery::recovery(file, &self.settings)
    }

    /// Of what the snapshots of a live run are.
    #[must_use]
    pub fn state_identity(&self, file: &PipelineFile) -> StateIdentity {
        recovery::identity(file, &self.plan, &self.settings, &self.lineage)
    }
}
