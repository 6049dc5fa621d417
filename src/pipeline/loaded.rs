//! A pipeline with its model: makes the engines.

use std::sync::Arc;

use super::model_file::ModelFile;
use crate::engine::feature::FeaturePlan;
use crate::engine::{Engine, EngineSettings};
use crate::model::ModelError;
use crate::model::contract::Contract;
use crate::model::provider::Active;
use crate::model::strategy::Strategy;
use crate::signal::lineage::Lineage;

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
}
