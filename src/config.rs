//! `pipeline.toml` as written: one struct for each table, one field with its meaning for each key.
//!
//! Parses only, and refuses unknown keys: `pipeline` checks the values against each other and against the
//! model. Units stand in the names of the keys. A secret is written as `env:NAME` or `file:PATH`.

mod backtest;
mod document;
mod engine;
mod error;
mod history;
mod hours;
mod json_feed;

mod kafka;
mod label;
mod metrics;
mod model;
mod news;
mod overrides;
mod privacy;
mod row;
mod signal;
mod sink;
mod source;
mod split;
mod state;
mod table;
mod websocket;

use std::path::Path;

use serde::Deserialize;

pub use self::backtest::{BacktestConfig, FillKind, FillMarket, SizeBy, TradedSides};
pub use self::document::Document;
pub use self::engine::EngineConfig;
pub use self::error::{ConfigError, ConfigFault};
pub use self::history::{HistoryConfig, HistoryPresetName, HistoryUnitName, TradeIdsName};
pub use self::hours::HoursConfig;
pub use self::json_feed::{
    JsonAnswerConfig, JsonBookConfig, JsonFeedConfig, JsonIds, JsonQuoteConfig, JsonTimeUnit,
    JsonTradeConfig,
};

pub use self::kafka::{GroupProtocol, KafkaConfig};
pub use self::label::{Against, LabelConfig, LabelKindName, PriceName};
pub use self::metrics::MetricsConfig;
pub use self::model::{
    ActivationName, Fallback, ModelConfig, ModelInput, ModelKind, NormaliseBy, ProviderName,
    WindowSetting,
};
pub use self::news::NewsConfig;
pub use self::privacy::PrivacyConfig;
pub use self::row::{RowConfig, RowLate, RowOn};
pub use self::signal::SignalConfig;
pub use self::sink::{DeliveryMode, SinkConfig, SinkKind};
pub use self::source::{SourceConfig, SourceKind, StartOffset};
pub use self::split::{FoldsConfig, FoldsKind, GroupBy, SplitConfig};
pub use self::state::StateConfig;
pub use self::table::TableConfig;
pub use self::websocket::WebsocketConfig;
use crate::alert::rule::AlertRule;
use crate::engine::feature::FeatureSpec;

/// A pipeline's configuration as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipelineFile {
    /// The pipeline's name. It stands in every signal, and is the default of `kafka.group`. Required.
    pub name: String,
    /// Where frames come from.
    #[serde(default)]
    pub source: SourceConfig,
    /// Threads, batches and buffers.
    #[serde(default)]
    pub engine: EngineConfig,
    /// When rows and signals are made. Required.
    pub row: RowConfig,
    /// The columns of a row, in order: one table for each feature. Required: at least one that is not
    /// `hidden`.
    #[serde(rename = "feature")]
    pub features: Vec<FeatureSpec>,
    /// The model that scores the rows. Required.
    pub model: ModelConfig,
    /// The labels of a row: what really happened after it, for `features`: one table `[label]`, or one
    /// `[[label]]` for each. Not given: rows have no labels.
    #[serde(default, rename = "label", deserialize_with = "label::one_or_more")]
    pub labels: Vec<LabelConfig>,
    /// How `features` divides rows into training, validation and test.
    #[serde(default)]
    pub split: SplitConfig,
    /// How `foretick backtest` trades signals. Not given: the command needs `--set backtest.…`.
    pub backtest: Option<BacktestConfig>,
    /// What all signals of the pipeline have in common.
    #[serde(default)]
    pub signal: SignalConfig,
    /// Rules that turn scores into alerts: one table for each rule. Not given: no alerts.
    #[serde(default, rename = "alert")]
    pub alerts: Vec<AlertRule>,
    /// Where signals, alerts and dead letters are written.
    #[serde(default)]
    pub sink: SinkConfig,
    /// What outlives a restart of a run that reads Kafka.
    #[serde(default)]
    pub state: StateConfig,
    /// The connection to Kafka, for source and sink.
    #[serde(default)]
    pub kafka: KafkaConfig,
    /// Metrics, health and the live page.
    #[serde(default)]
    pub metrics: MetricsConfig,
    /// How identifiers of persons become tokens. Required with `on = "application"`.
    pub privacy: Option<PrivacyConfig>,
    /// How headlines are read. Required with `on = "news"`.
    pub news: Option<NewsConfig>,
}

impl PipelineFile {
    /// Reads `pipeline.toml` of a pipeline's folder, or the file itself, and applies `key=value`
    /// overrides such as `engine.batch=7`. Also returns the document, which finds the line of a key.
    ///
    /// # Errors
    /// [`ConfigError`] with file, line and what to do.
    pub fn load(path: &Path, overrides: &[String]) -> Result<(Self, Document), ConfigError> {
        let document = Document::read(path, overrides)?;
        let mut file: Self = document.parse()?;
        file.source.kind_written = document.is_written("source.kind");
        file.source.max_frame_bytes_written = document.is_written("source.max_frame_bytes");
        file.fill_in();
        Ok((file, document))
    }

    /// Fills in the defaults that depend on other tables.
    fn fill_in(&mut self) {
        self.source.topics_written = !self.source.topics.is_empty();
        if !self.source.topics_written {
            self.source.topics = vec![self.row.on.default_topic().to_owned()];
        }
    }
}

#[cfg(test)]
mod tests;
