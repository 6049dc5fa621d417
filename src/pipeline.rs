//! A checked pipeline: nothing optional that is needed, every value held against the others and
//! against the model. Makes the engines.

mod model_file;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::model_file::ModelFile;
use crate::config;
use crate::config::{ConfigError, ModelKind, NormaliseBy, PipelineFile, RowOn, line_of};
use crate::decode::privacy::Pseudonym;
use crate::decode::{Decoder, RecordForm};
use crate::engine::feature::FeaturePlan;
use crate::engine::row::{RowRules, RowTrigger};
use crate::engine::{Engine, EngineSettings};
use crate::instrument::Instruments;
use crate::label::Labelling;
use crate::model::ModelError;
use crate::model::contract::Contract;
use crate::model::kernel::Isa;
use crate::model::normalise::Normalise;
use crate::model::provider::{Active, Execution, Provider};
use crate::model::strategy::{Strategy, Windows};
use crate::news::News;
use crate::schema::RecordKind;
use crate::signal::field::Field;
use crate::signal::lineage::Lineage;
use crate::source::file::{FileError, FileSource};
use crate::source::table::{ColumnNames, TableColumns};

/// A pipeline, ready to run.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// The configuration as written, with overrides.
    pub file: PipelineFile,
    /// The features.
    pub plan: Arc<FeaturePlan>,
    /// When rows are made.
    pub rules: RowRules,
    /// What really happened, where `[label]` is given.
    pub labelling: Option<Labelling>,
    /// The fields of a signal that are written.
    pub fields: Vec<Field>,
    /// Where the model is to compute.
    pub execution: Execution,
    /// What the records look like, where they are what it reads.
    pub form: Option<Arc<RecordForm>>,
    /// How headlines are read, where they are what it reads.
    pub news: Option<Arc<News>>,
    path: PathBuf,
    text: String,
}

/// A pipeline with its model.
pub struct Loaded {
    /// What the model says of itself.
    pub contract: Contract,
    /// What all signals share.
    pub lineage: Lineage,
    /// Where the model computes.
    pub active: Active,
    /// How its windows are computed.
    pub strategy: Strategy,
    settings: EngineSettings,
    plan: Arc<FeaturePlan>,
    model: ModelFile,
}

/// Why a pipeline cannot run.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The configuration. Not transparent: whoever asks for the cause must find it.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl Pipeline {
    /// Loads and checks a pipeline's configuration; the model is not touched.
    ///
    /// # Errors
    /// [`ConfigError`] with file, line and what to do.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Self, ConfigError> {
        let (file, path, text) = PipelineFile::load(path, overrides)?;
        let error = |needle: &str, what: String| ConfigError {
            path: path.clone(),
            line: line_of(&text, needle),
            what,
        };
        let news = news(&file, &path).map_err(|(key, what)| error(key, what))?;
        let vocabulary = news.as_ref().map_or("", |news| news.pieces.sha256());
        let plan = FeaturePlan::compile_with(&file.features, vocabulary)
            .map_err(|e| error(&format!("\"{}\"", e.feature), e.to_string()))?;
        if plan.is_empty() {
            return Err(error(
                "[[feature]]",
                "no feature is a column; take `hidden` from one".into(),
            ));
        }
        for (needle, zero) in [
            ("shards", file.engine.shards == 0),
            ("batch", file.engine.batch == 0),
            ("ring_frames", file.engine.ring_frames == 0),
            ("every", file.row.every == 0),
            ("max_instruments", file.source.max_instruments == 0),
        ] {
            if zero {
                return Err(error(needle, format!("`{needle}` must be above zero")));
            }
        }
        let labelling = file
            .label
            .as_ref()
            .map(Labelling::from_config)
            .transpose()
            .map_err(|(needle, what)| error(needle, what))?;
        let fields = Field::select(&file.sink.fields).map_err(|(name, what)| error(&name, what))?;
        let execution =
            Execution::from_config(&file.model).map_err(|(needle, what)| error(needle, what))?;
        let records = match file.row.on {
            RowOn::Application => Some(RecordKind::Application),
            RowOn::Statement => Some(RecordKind::Statement),
            RowOn::Trade | RowOn::Quote | RowOn::Book | RowOn::Bar | RowOn::News => None,
        };
        if !plan.figures().is_empty() && file.engine.shards != 1 {
            return Err(error("shards", FIGURES_ARE_FOR_ALL.into()));
        }
        if (file.row.on == RowOn::News) != plan.tokens().is_some() {
            return Err(error("on =", HEADLINES_ARE_TOKENS.into()));
        }
        let form = match (records, plan.fields().is_empty()) {
            (None, true) => None,
            (Some(kind), false) => {
                let persons = kind == RecordKind::Application;
                let pseudonym = Pseudonym::configured(file.privacy.as_ref(), persons)
                    .map_err(|what| error("[privacy]", what))?;
                let products = &file.source.products;
                Some(Arc::new(RecordForm::new(
                    kind,
                    plan.fields(),
                    products,
                    pseudonym,
                )))
            }
            (None, false) => return Err(error("on =", FIELDS_ARE_OF_RECORDS.into())),
            (Some(_), true) => return Err(error("[[feature]]", RECORDS_ARE_FIELDS.into())),
        };
        let rules = RowRules {
            on: match file.row.on {
                RowOn::Trade => RowTrigger::Trade,
                RowOn::Quote => RowTrigger::Quote,
                RowOn::Book => RowTrigger::Book,
                RowOn::Bar => RowTrigger::Bar,
                RowOn::Application | RowOn::Statement | RowOn::News => RowTrigger::Record,
            },
            stale_after: file.row.stale_after_ms.saturating_mul(1_000_000),
        };
        Ok(Self {
            plan: Arc::new(plan),
            file,
            rules,
            labelling,
            fields,
            execution,
            form,
            news,
            path,
            text,
        })
    }

    /// Loads the model and holds it against the features.
    ///
    /// # Errors
    /// [`PipelineError`] where the model is missing, cannot be loaded, or was made for other features.
    pub fn load_model(&self) -> Result<Loaded, PipelineError> {
        let mut model = self.model_file()?;
        let (_, mut contract, active) = model.build(self.plan.names())?;
        self.check_records(&contract)?;
        model.execution = active.execution();
        if active.fallback.is_some() {
            tracing::warn!(provider = %active, "the model runs on the processor, as `fallback` allows");
        }
        contract.check(self.plan.names(), self.plan.sha256(), &model.path)?;
        let strategy = self.strategy(&model, &contract)?;
        self.check_steps(&contract)?;
        let horizon_ns = self.horizon(&mut contract)?;
        let normalise = match self.file.model.normalise {
            NormaliseBy::None => Normalise::None,
            NormaliseBy::Expanding => Normalise::Expanding,
            NormaliseBy::Model => contract.normalise.clone().unwrap_or(Normalise::None),
        };
        let settings = EngineSettings {
            rules: self.rules,
            steps: contract.steps,
            every: self.file.row.every,
            while_warming: self.file.row.while_warming,
            normalise,
            outputs: contract.outputs(),
            reasons: contract.reasons.len(),
            half_life: self.news.as_ref().map(|news| news.half_life),
        };
        // Of two labels of a company or an applicant the score is the probability of the last: its PD.
        let places = match (&self.form, &contract.labels[..]) {
            (Some(_), [_, _]) if contract.places.is_empty() => vec![0.0, 1.0],
            _ => contract.places.clone(),
        };
        let lineage = Lineage {
            schema: self.file.signal.schema.clone(),
            pipeline: self.file.name.clone(),
            labels: contract.labels.clone(),
            places,
            reasons: contract.reasons.clone(),
            grades: contract.grades.clone(),
            key: self
                .form
                .as_ref()
                .map_or("instrument", |form| form.kind().key()),
            horizon_ns,
            model_name: contract.name.clone(),
            model_version: contract.version.clone(),
            model_sha256: contract.sha256.clone(),
            features_sha256: self.plan.sha256().to_owned(),
            half_life_ns: self.news.as_ref().map(|news| news.half_life),
            shadow: self.file.signal.shadow,
            streams: vec![],
        };
        Ok(Loaded {
            contract,
            lineage,
            active,
            strategy,
            settings,
            plan: Arc::clone(&self.plan),
            model,
        })
    }

    /// A decoder for one shard.
    #[must_use]
    pub fn decoder(&self) -> Decoder {
        let source = &self.file.source;
        let instruments = Instruments::new(&source.instruments, source.max_instruments);
        let decoder = Decoder::new(instruments, source.max_frame_bytes);
        match (&self.form, &self.news) {
            (Some(form), _) => decoder.for_records(Arc::clone(form)),
            (None, Some(news)) => decoder.for_news(Arc::clone(news)),
            (None, None) => decoder.with_figures(self.plan.figures()),
        }
    }

    /// Captures, and tables where `[source.table]` says what their columns mean.
    ///
    /// # Errors
    /// [`FileError`] naming the file.
    pub fn open(&self, inputs: &[PathBuf]) -> Result<FileSource, FileError> {
        let columns = self.columns();
        let most = self.file.source.max_frame_bytes;
        FileSource::open_with(inputs, most, columns.as_ref())
    }

    /// What the columns of a table mean.
    #[must_use]
    pub fn columns(&self) -> Option<TableColumns> {
        let (form, table) = (self.form.as_ref()?, self.file.source.table.as_ref()?);
        let product = self.file.source.products.first().cloned();
        let config::Table {
            key,
            period,
            ts_event,
            outcome,
        } = table.clone();
        let names = ColumnNames {
            key,
            period,
            ts_event,
            outcome,
        };
        Some(TableColumns::new(
            form.kind(),
            names,
            product,
            self.plan.fields(),
        ))
    }

    /// Kafka's address: the configuration's, the environment's, or the default.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        let environment = || {
            std::env::var("KAFKA_BOOTSTRAP")
                .ok()
                .filter(|text| !text.is_empty())
        };
        let written = self.file.kafka.bootstrap.clone();
        written
            .or_else(environment)
            .unwrap_or_else(|| "127.0.0.1:9092".into())
    }

    /// The same pipeline with its linear baseline, `linear.json` beside it; none where there is none.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn linear(&self) -> Result<Option<Self>, ConfigError> {
        let beside = self.path.with_file_name("linear.json");
        if self.file.model.kind == ModelKind::Linear || !beside.exists() {
            return Ok(None);
        }
        let mut linear = self.clone();
        linear.file.model = config::Model::linear("linear.json".into());
        Ok(Some(linear))
    }

    /// Whether its frames may be kept in a capture.
    ///
    /// # Errors
    /// [`ConfigError`] where they are about persons.
    pub fn may_be_captured(&self) -> Result<(), ConfigError> {
        if self.form.as_ref().is_some_and(|form| form.names_persons()) {
            let what = "a capture would hold personal data as it came; replay the topic itself instead \
                        (`run --until-end`)";
            return Err(self.error("[privacy]", what.into()));
        }
        Ok(())
    }

    /// Where the configuration stands.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// An error at the first line on which `needle` stands.
    #[must_use]
    pub fn error(&self, needle: &str, what: String) -> ConfigError {
        ConfigError {
            path: self.path.clone(),
            line: line_of(&self.text, needle),
            what,
        }
    }

    /// Applications stand alone; a window of several would mix persons.
    fn check_records(&self, contract: &Contract) -> Result<(), ConfigError> {
        let alone = matches!(self.file.row.on, RowOn::Application | RowOn::News);
        if alone && contract.steps != 1 {
            let what = format!(
                "the model takes windows of {} rows, but applications and headlines stand alone",
                contract.steps
            );
            return Err(self.error("on =", what));
        }
        Ok(())
    }

    /// How the model's windows are computed.
    fn strategy(&self, model: &ModelFile, contract: &Contract) -> Result<Strategy, PipelineError> {
        let asked = self.file.model.window;
        let reason = match (model.kind, model.execution.provider) {
            _ if !contract.reasons.is_empty() => "it gives reasons beside its scores".into(),
            _ if !self.file.model.inputs.is_empty() => "it has several inputs".into(),
            _ if self.news.is_some() => "a headline is a row that stands alone".into(),
            _ if self.file.row.on == RowOn::Statement => {
                "a window is of periods, any of which may be told anew".into()
            }
            (ModelKind::Onnx, Provider::Cpu) => {
                let Contract { steps, .. } = *contract;
                let strategy =
                    Strategy::choose(&model.path, &model.bytes, steps, asked, Isa::best())?;
                let (name, why) = (strategy.name(), &strategy.reason);
                tracing::info!(window = name, why, "how windows are computed");
                return Ok(strategy);
            }
            (ModelKind::Onnx, provider) => {
                format!("the model runs on {provider}, which takes whole windows")
            }
            _ => "the model takes the newest row alone".into(),
        };
        match asked {
            Windows::Carried => {
                let what = format!("`window = \"carried\"` cannot be had: {reason}; take it out");
                Err(self.error("window", what).into())
            }
            Windows::Auto | Windows::Plain => Ok(Strategy::plain(reason)),
        }
    }

    /// Windows that reach over the border of the split must have been purged.
    fn check_steps(&self, contract: &Contract) -> Result<(), ConfigError> {
        match &self.file.label {
            Some(label) if (label.steps as usize) < contract.steps => Err(self.error(
                "steps",
                format!(
                    "[label] purges {} rows at the border, but the model's windows have {}; set \
                     `steps` to that",
                    label.steps, contract.steps
                ),
            )),
            _ => Ok(()),
        }
    }

    /// The model's horizon and the configured one must agree where both are given.
    fn horizon(&self, contract: &mut Contract) -> Result<i64, ConfigError> {
        let signal = self
            .file
            .signal
            .horizon_ms
            .map(|ms| ("[signal]", ms.saturating_mul(1_000_000)));
        let label = self
            .labelling
            .as_ref()
            .map(|label| ("[label]", label.horizon_ns));
        for (table, written) in signal.into_iter().chain(label) {
            if contract
                .horizon_ns
                .is_some_and(|trained| trained != written)
            {
                return Err(self.error(
                    table,
                    format!(
                        "`horizon_ms` of {table} is {} but the model was trained for {}; make them agree",
                        written / 1_000_000,
                        contract.horizon_ns.unwrap_or(0) / 1_000_000
                    ),
                ));
            }
        }
        let written = signal.or(label).map(|(_, nanos)| nanos);
        Ok(contract.horizon_ns.or(written).unwrap_or(0))
    }
}

/// How headlines are read, where the pipeline reads such.
fn news(file: &PipelineFile, path: &Path) -> Result<Option<Arc<News>>, (&'static str, String)> {
    let tokens = file.features.iter().find_map(|feature| feature.max_tokens);
    match (&file.news, file.row.on == RowOn::News) {
        (None, false) => Ok(None),
        (Some(news), true) => {
            if file.engine.shards != 1 {
                return Err(("shards", ONE_SHARD.into()));
            }
            let folder = path.parent().unwrap_or(Path::new("."));
            let news = News::configured(news, tokens.unwrap_or(0), folder)?;
            Ok(Some(Arc::new(news)))
        }
        (Some(_), false) => Err(("[news]", "`[news]` needs `on = \"news\"` in [row]".into())),
        (None, true) => Err((
            "on =",
            "headlines need a [news] table: vocabulary, half_life_ms".into(),
        )),
    }
}

const ONE_SHARD: &str = "`shards` must be 1: an item may concern several instruments, and is held against all \
     that came before it";
const FIGURES_ARE_FOR_ALL: &str =
    "`shards` must be 1: a figure concerns all instruments, and comes in one partition";
const HEADLINES_ARE_TOKENS: &str = "`on = \"news\"` and a feature `kind = \"tokens\"` go together";
const FIELDS_ARE_OF_RECORDS: &str =
    "fields are of records; write `on = \"application\"` or `\"statement\"`";
const RECORDS_ARE_FIELDS: &str =
    "rows of records are their fields; make each feature `kind = \"field\"`";

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
