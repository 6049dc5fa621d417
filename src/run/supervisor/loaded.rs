//! A pipeline of a run with its model and its sink: loaded, not started.

use std::path::Path;

use crate::model::ModelError;
use crate::pipeline::{Loaded, Pipeline, PipelineError};
use crate::run::budget::ResourceNeed;
use crate::signal::lineage::Lineage;
use crate::sink::existing_file::ExistingFile;
use crate::sink::{Sink, SinkError};

/// A pipeline of the run, with its model.
pub struct LoadedPipeline {
    pub(super) pipeline: Pipeline,
    pub(super) loaded: Loaded,
    open: Box<Open>,
}

type Open = dyn Fn(&Pipeline, &Lineage) -> Result<Box<dyn Sink>, SinkError> + Send;

impl LoadedPipeline {
    /// A pipeline with its model, as `run` takes it.
    ///
    /// # Errors
    /// [`PipelineError`].
    pub fn load(path: &Path, overrides: &[String]) -> Result<Self, PipelineError> {
        let pipeline = Pipeline::load(path, overrides)?;
        let loaded = load_model(&pipeline)?;
        Ok(Self {
            pipeline,
            loaded,
            open: Box::new(Pipeline::open_sink),
        })
    }

    /// The same into another sink, which is opened at each start.
    #[must_use]
    pub fn into_sink(
        self,
        open: impl Fn(&Pipeline, &Lineage) -> Result<Box<dyn Sink>, SinkError> + Send + 'static,
    ) -> Self {
        let open = Box::new(open);
        Self { open, ..self }
    }

    /// Replaces the files of its sink that are there at the first start, where `force` is true.
    pub fn replace_files(&mut self, force: bool) {
        self.pipeline.sinks.existing = force.into();
    }

    /// The pipeline.
    #[must_use]
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// Its model.
    #[must_use]
    pub fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    pub(super) fn name(&self) -> &str {
        &self.pipeline.file.name
    }

    /// Opens its sink. From then on its files are its own: another start goes on with them.
    pub(super) fn open_sink(&mut self) -> Result<Box<dyn Sink>, SinkError> {
        let sink = (self.open)(&self.pipeline, &self.loaded.lineage)?;
        self.pipeline.sinks.existing = ExistingFile::Continued;
        Ok(sink)
    }

    /// Loads the model again, as it is now. The configuration stays that of the beginning.
    ///
    /// # Errors
    /// [`PipelineError`], also where the model needs more than `bytes_max` in all.
    pub(super) fn reload_model(&mut self, bytes_max: u64) -> Result<(), PipelineError> {
        let loaded = load_model(&self.pipeline)?;
        if ResourceNeed::of(&self.pipeline, &loaded).bytes() > bytes_max {
            let path = self.pipeline.path().to_owned();
            let what = "its model has grown beyond what --max-memory leaves for it".into();
            return Err(ModelError::Load { path, what }.into());
        }
        self.loaded = loaded;
        Ok(())
    }
}

fn load_model(pipeline: &Pipeline) -> Result<Loaded, PipelineError> {
    let streams = pipeline.stream_names()?;
    let mut loaded = pipeline.load_model()?;
    loaded.lineage.streams = streams;
    Ok(loaded)
}
