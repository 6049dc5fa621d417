//! A checked pipeline: nothing optional that is needed, every value compared with the others and with
//! the model. Builds decoders, engines, sources and sinks from it.

mod addresses;
mod alerts;
mod backtest;
pub mod broker_needs;
mod credentials;
mod described;
mod error;
mod execution;
mod features;
mod feed;
mod history;
mod horizon;
mod hours;
mod inputs;
mod instruments;
mod json_feed;
mod label;
mod lineage;
mod loaded;
mod login;
mod memory;
mod model_file;
mod needs;
mod news;
mod numbers;
mod records;
mod recovery;
mod rules;
mod scores;
mod sink;
mod snapshots;
mod source;
mod split;
mod streams;
pub mod topics;
mod watchdog;
mod weights;
mod windows;

use std::path::Path;
use std::sync::Arc;

pub use self::backtest::BacktestSettings;
pub use self::described::DescribedInputs;
pub use self::error::PipelineError;
pub use self::loaded::Loaded;
use self::memory::MemoryBound;
use self::model_file::ModelFile;
pub use self::recovery::Recovery;
pub use self::sink::SinkMemory;
pub use self::split::{FoldSettings, SplitSettings};
use self::streams::Purpose;
use crate::config;
use crate::config::{ConfigError, ConfigFault, Document, ModelKind, NormaliseBy, PipelineFile};
use crate::decode;
use crate::decode::{Decoder, RecordForm, Venues};
use crate::engine::EngineSettings;
use crate::engine::feature::FeaturePlan;
use crate::engine::row::RowRules;
use crate::instrument::Instruments;
use crate::label::LabelSpec;
use crate::model::normalise::Normalise;
use crate::model::provider::{Execution, Provider};
use crate::news::News;
use crate::signal::field::SignalField;
use crate::signal::lineage::Lineage;
use crate::sink::alert_journal::{AlertJournal, AlertJournalError};
use crate::sink::{Sink, SinkError};
use crate::source::file::SpanEnd;
use crate::source::history::HistoryOptions;
use crate::source::kafka::KafkaSourceSettings;
use crate::source::websocket::WebsocketSettings;
use crate::units::Nanos;

/// A pipeline, ready to run.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// The configuration as written, with overrides.
    pub file: PipelineFile,
    /// The features.
    pub plan: Arc<FeaturePlan>,
    /// When rows are made.
    pub rules: RowRules,
    /// How rows are labelled.
    pub labels: Vec<LabelSpec>,
    /// How labelled rows are divided.
    pub split: SplitSettings,
    /// The fields of a signal that are written.
    pub fields: Vec<SignalField>,
    /// Where the model is to compute.
    pub execution: Execution,
    /// What the records look like, where rows are records.
    pub form: Option<Arc<RecordForm>>,
    /// How headlines are read, where rows are headlines.
    pub news: Option<Arc<News>>,
    /// What outlives the sinks of a run that begins again.
    pub sinks: SinkMemory,
    /// How snapshots are fetched for books whose changes come from topics.
    pub book_snapshots: Option<WebsocketSettings>,
    /// How archives are read, where rows are of a market.
    pub history: HistoryOptions,
    venues: Venues,
    purpose: Purpose,
    /// What is read of inputs.
    span: (Option<Nanos>, Option<SpanEnd>),
    document: Document,
}

impl Pipeline {
    /// Loads and checks a pipeline's configuration; the model is not touched.
    ///
    /// # Errors
    /// [`ConfigError`] with file, line and what to do.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Self, ConfigError> {
        Self::load_for(path, overrides, Purpose::Signals)
    }

    /// The same, for a recording of what comes: the streams need not bring what rows and features need, and a
    /// feed that is described may have no events yet.
    ///
    /// # Errors
    /// [`ConfigError`] with file, line and what to do.
    pub fn load_to_record(path: &Path, overrides: &[String]) -> Result<Self, ConfigError> {
        Self::load_for(path, overrides, Purpose::Recording)
    }

    fn load_for(path: &Path, overrides: &[String], purpose: Purpose) -> Result<Self, ConfigError> {
        let (file, document) = PipelineFile::load(path, overrides)?;
        Self::check(file, &document, purpose).map_err(|fault| document.error(fault))
    }

    fn check(
        mut file: PipelineFile,
        document: &Document,
        purpose: Purpose,
    ) -> Result<Self, ConfigFault> {
        let folder = document.path().parent().unwrap_or(Path::new("."));
        let news = news::news(&file, folder)?;
        let vocabulary = news.as_ref().map_or("", |news| news.pieces.sha256());
        let plan = features::plan(&file, vocabulary)?;
        numbers::check(&file)?;
        credentials::check(&file.source.websocket)?;
        alerts::check(&file)?;
        backtest::check(&file)?;
        topics::check(&file)?;
        sink::check(&file)?;
        let labels = label::labels(&file, &plan)?;
        let split = split::split(&file)?;
        let fields = SignalField::select(&file.sink.fields).map_err(|unknown| {
            ConfigFault::at(format!("sink.fields[{}]", unknown.at), unknown.to_string())
        })?;
        let execution = execution::execution(&file.model)?;
        let form = records::form(&file, &plan)?;
        let feed = json_feed::mapping(&file, purpose)?;
        let rules = rules::rules(&file, &plan)?;
        let history = history::history_options(&file)?;
        // Nothing can be wrong any more: a feed that is described lives as long as the process.
        let venues = source::venues_of(&file.source, feed.map(decode::json_feed::venue));
        if !file.source.max_frame_bytes_written {
            file.source.max_frame_bytes = source::usual_frame_bytes_max(&file.source, &venues);
        }
        Ok(Self {
            sinks: SinkMemory::default(),
            book_snapshots: snapshots::of_topics(&file, &plan, &venues)?,
            venues,
            history,
            purpose,
            span: (None, None),
            plan: Arc::new(plan),
            file,
            rules,
            labels,
            split,
            fields,
            execution,
            form: form.map(Arc::new),
            news: news.map(Arc::new),
            document: document.clone(),
        })
    }

    /// Loads the model and holds it against the features.
    ///
    /// # Errors
    /// [`PipelineError`] where the model is missing, cannot be loaded, or was made for other features.
    pub fn load_model(&self) -> Result<Loaded, PipelineError> {
        let names = self.plan.names();
        let mut model = ModelFile::read(
            &self.file.model,
            &self.document,
            self.execution,
            &self.plan,
            windows::has_single_rows(&self.file),
        )?;
        let memory = self.file.model.memory_bytes;
        let memory = (self.execution.provider == Provider::Cpu).then_some(memory);
        let _bound = (model.kind == ModelKind::Onnx).then(|| MemoryBound::more(memory));
        let explain = |error| memory::explain(error, self.file.model.memory_bytes);
        let (mut session, mut contract, active) = model.build(names).map_err(explain)?;
        windows::check(&self.file, &self.split, &contract)
            .map_err(|fault| self.document.error(fault))?;
        model.execution = active.execution();
        if active.fallback.is_some() {
            tracing::warn!(provider = %active, "the model runs on the processor, as `fallback` allows");
        }
        contract.check(names, self.plan.sha256(), &model.path)?;
        let strategy = windows::strategy(&self.file, &self.document, &model, &contract)?;
        let horizon_ns = horizon::horizon(&self.file, &self.labels, &contract)
            .map_err(|fault| self.document.error(fault))?;
        let normalise = match self.file.model.normalise {
            NormaliseBy::None => Normalise::None,
            NormaliseBy::Expanding => Normalise::Expanding,
            NormaliseBy::Model => contract.normalise.clone().unwrap_or(Normalise::None),
        };
        let form = scores::form(&self.file, &self.fields, &mut contract)
            .map_err(|fault| self.document.error(fault))?;
        let pieces = self.news.as_ref().map_or(0, |news| news.pieces.count());
        scores::try_out(
            &mut *session,
            (&self.file, &self.document),
            (&model, &contract, form),
            (&normalise, pieces),
        )
        .map_err(|error| match error {
            PipelineError::Model(error) => explain(error).into(),
            other => other,
        })?;
        let settings = EngineSettings {
            rules: self.rules,
            steps: contract.steps,
            every: self.file.row.every,
            while_warming: self.file.row.while_warming,
            normalise,
            form,
            reasons: contract.reasons.len(),
            values: contract.values.clone(),
            model: 0,
            half_life: self.news.as_ref().map(|news| news.half_life),
        };
        let lineage = lineage::lineage(
            &self.file,
            self.form.as_ref().map(|form| form.kind()),
            self.plan.sha256(),
            &contract,
            horizon_ns,
        );
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
        let decoder = Decoder::new(instruments, source.max_frame_bytes)
            .with_venues(self.venues())
            .with_max_ahead(source::max_ahead_ns(&self.file));
        match (&self.form, &self.news) {
            (Some(form), _) => decoder.for_records(Arc::clone(form)),
            (None, Some(news)) => decoder.for_news(Arc::clone(news)),
            (None, None) => decoder.with_figures(self.plan.figures()),
        }
    }

    /// The venues whose messages are read, first those of the listed instruments and the one that the
    /// pipeline describes: some venues write messages that look alike.
    #[must_use]
    pub fn venues(&self) -> Venues {
        self.venues.clone()
    }

    /// The names of the streams that a live run's frames come from, for [`Lineage::streams`].
    ///
    /// # Errors
    /// [`ConfigError`] where the instruments of a websocket are not of one known venue.
    pub fn stream_names(&self) -> Result<Vec<String>, ConfigError> {
        feed::stream_names(&self.file, &self.venues, self.purpose)
            .map_err(|fault| self.document.error(fault))
    }

    /// The settings of the venue's feed.
    ///
    /// # Errors
    /// [`ConfigError`] where the instruments are not of one known venue.
    pub fn websocket_settings(&self) -> Result<WebsocketSettings, ConfigError> {
        feed::websocket(&self.file, &self.venues, self.purpose)
            .map_err(|fault| self.document.error(fault))
    }

    /// What of the venue's feed is not refused, but hardly meant.
    #[must_use]
    pub fn feed_warnings(&self, settings: &WebsocketSettings) -> Vec<String> {
        feed::warnings(&self.file, settings)
    }

    /// The settings of the Kafka consumer; with `until_end` it ends where the topics ended at the start.
    #[must_use]
    pub fn kafka_settings(&self, until_end: bool) -> KafkaSourceSettings {
        source::kafka(&self.file, self.sinks.slot.of(&self.file), until_end)
    }

    /// Kafka's address: the configuration's, the environment's, or the default.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        source::bootstrap(&self.file.kafka)
    }

    /// Opens the sink that `[sink]` names, for a live run. Brokers must let the pipeline in first.
    ///
    /// # Errors
    /// [`SinkError`] where the file cannot be made, brokers refuse the login, or none answers.
    pub fn open_sink(&self, lineage: &Lineage) -> Result<Box<dyn Sink>, SinkError> {
        login::log_in_first(&self.file, lineage, &self.sinks.patience)?;
        sink::open(&self.file, &self.fields, lineage, &self.sinks)
    }

    /// The file that signals are written to, where `[sink] kind` is `file`.
    #[must_use]
    pub fn sink_file(&self) -> &Path {
        sink::file_of(&self.file.sink)
    }

    /// The journal of the alerts that `[[alert]]` asks for; none without such a table. `keeps_states` is
    /// whether episodes are saved by partition.
    ///
    /// # Errors
    /// [`AlertJournalError`].
    pub fn alert_journal(
        &self,
        lineage: &Lineage,
        keeps_states: bool,
    ) -> Result<Option<AlertJournal>, AlertJournalError> {
        alerts::journal(&self.file, lineage, keeps_states)
    }

    /// How signals are traded in a backtest; reads the file of latencies, where one is named.
    ///
    /// # Errors
    /// [`ConfigError`] where there is no `[backtest]`, its values make no sense, the file cannot be read, or
    /// the pipeline's rows are of no market.
    pub fn backtest(&self) -> Result<BacktestSettings, ConfigError> {
        backtest::settings(&self.file, &self.plan).map_err(|fault| self.document.error(fault))
    }

    /// The same pipeline with its linear baseline, `linear.json` beside the configuration; none where that
    /// file does not exist, or the pipeline's own model is linear.
    #[must_use]
    pub fn linear(&self) -> Option<Self> {
        let file = self.path().with_file_name("linear.json");
        if self.file.model.kind == ModelKind::Linear || !file.exists() {
            return None;
        }
        let mut linear = self.clone();
        linear.file.model = config::ModelConfig::linear("linear.json".into());
        Some(linear)
    }

    /// Whether its frames may be kept in a capture.
    ///
    /// # Errors
    /// [`ConfigError`] where they are about persons.
    pub fn may_be_captured(&self) -> Result<(), ConfigError> {
        if self.form.as_ref().is_some_and(|form| form.names_persons()) {
            let what = "a capture would hold personal data as it came; replay the topic itself instead \
                        (`run --until-end`)";
            return Err(self.error("privacy", what));
        }
        Ok(())
    }

    /// Where the configuration is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.document.path()
    }

    /// An error about the value under a key such as `engine.shards`, with its line.
    #[must_use]
    pub fn error(&self, key: &str, what: impl Into<String>) -> ConfigError {
        self.document.error(ConfigFault::at(key, what))
    }
}
