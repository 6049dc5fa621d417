//! Checks whether a pipeline would run: its configuration, its model, and, at the brokers, its topics, its
//! group and its rights.

pub mod brokers;

use std::fmt;

use serde::Serialize;

use self::brokers::ask;
use crate::config::{DeliveryMode, SinkKind, SourceKind};
use crate::decode::venue::Subscription;
use crate::kafka::{client_config, client_description};
use crate::pipeline::broker_needs::BrokerNeeds;
use crate::pipeline::{Pipeline, PipelineError};
use crate::source::websocket::WebsocketSettings;

/// The result of a check.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CheckReport {
    /// Whether the pipeline would run.
    pub ok: bool,
    /// The client for Kafka and what it can do; none of pipelines without Kafka.
    pub kafka: Option<String>,
    /// Its name.
    pub pipeline: String,
    /// The columns of its rows.
    pub features: Vec<String>,
    /// Hash of their definitions.
    pub features_sha256: String,
    /// The model: name, version, SHA-256.
    pub model: [String; 3],
    /// Its labels.
    pub labels: Vec<String>,
    /// Rows in a window.
    pub steps: usize,
    /// How far ahead it looks, in milliseconds.
    pub horizon_ms: i64,
    /// Where the model computes: `cpu`, `cuda:0`, or `cpu (fallback: …)` with the reason.
    pub provider: String,
    /// Windows in each run of it.
    pub batch_max: usize,
    /// How windows are computed: `slide`, `carried` or `plain`.
    pub path: String,
    /// Why they are computed so.
    pub why: String,
    /// The largest difference from ONNX Runtime's scores, relative to the largest score; none where they
    /// were not compared.
    pub max_rel_diff: Option<f64>,
    /// How state comes back after a restart; none where the source is no topic of Kafka.
    pub state: Option<String>,
    /// The feed of a websocket; none of other sources.
    pub feed: Option<CheckedFeed>,
    /// What would run, but is hardly meant.
    pub warnings: Vec<String>,
    /// Problems, each of which would keep it from running.
    pub problems: Vec<String>,
    /// Checks that were skipped, with the reason.
    pub skipped: Vec<String>,
}

/// The feed that a pipeline would open.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CheckedFeed {
    /// The venue.
    pub venue: String,
    /// The address that would be opened, path included, without what is behind a question mark.
    pub address: String,
    /// The address of the REST interface; none where no snapshots are fetched.
    pub rest: Option<String>,
    /// The streams of each symbol.
    pub streams: Vec<String>,
    /// The symbols.
    pub symbols: Vec<String>,
}

/// Checks a pipeline; with `topics` also that the brokers have what it reads and writes, and allow that.
///
/// # Errors
/// [`PipelineError`] where configuration or model are wrong.
pub fn check(pipeline: &Pipeline, topics: bool) -> Result<CheckReport, PipelineError> {
    pipeline.stream_names()?;
    let loaded = pipeline.load_model()?;
    let lineage = &loaded.lineage;
    let model = lineage.first_model();
    let mut report = CheckReport {
        pipeline: pipeline.file.name.clone(),
        features: pipeline.plan.names().to_vec(),
        features_sha256: pipeline.plan.sha256().to_owned(),
        model: [
            model.name.clone(),
            model.version.clone(),
            model.sha256.clone(),
        ],
        labels: model.labels.clone(),
        steps: loaded.contract.steps,
        horizon_ms: model.horizon_ns / 1_000_000,
        provider: loaded.active.to_string(),
        batch_max: loaded.active.batch_max,
        path: loaded.strategy.name().to_owned(),
        why: loaded.strategy.reason.clone(),
        max_rel_diff: loaded.strategy.max_rel_diff,
        ..CheckReport::default()
    };
    let source = &pipeline.file.source;
    if source.kind == SourceKind::Websocket {
        let settings = pipeline.websocket_settings()?;
        match settings.subscription() {
            Ok(subscription) => report.feed = Some(CheckedFeed::of(&settings, &subscription)),
            Err(error) => report.problems.push(error.to_string()),
        }
        report.warnings = pipeline.feed_warnings(&settings);
    } else if pipeline.plan.uses_book() && pipeline.book_snapshots.is_none() && source.kind_written
    {
        report.warnings.push(NO_SNAPSHOTS.into());
    }
    let live = source.kind_written || source.topics_written;
    let of_files = source.table.is_some() && !live;
    let reads = source.kind == SourceKind::Kafka && !of_files;
    if of_files {
        report.skipped.push(format!(
            "the topics: {OF_FILES} `run` would read {} from Kafka: write `kind = \"kafka\"` to have that checked",
            source.topics.join(", ")
        ));
    }
    let is_exact = pipeline.file.sink.delivery == DeliveryMode::ExactlyOnce;
    if reads && is_exact && source.topics.len() > 1 {
        report.warnings.push(NO_ORDER.into());
    }
    if reads {
        report.state = Some(loaded.recovery(&pipeline.file).sentence());
    }
    if reads || pipeline.file.sink.kind == SinkKind::Kafka {
        report.kafka = Some(client_description());
        let (bootstrap, properties) = (pipeline.bootstrap(), &pipeline.file.kafka.properties);
        if topics {
            let needs = BrokerNeeds::of(&pipeline.file, lineage, reads);
            let findings = ask(&bootstrap, properties, &needs);
            report.problems.extend(findings.problems);
            report.warnings.extend(findings.warnings);
            report.skipped.extend(findings.untold);
        } else {
            if let Err(error) = client_config(&bootstrap, &[], properties) {
                report.problems.push(error.to_string());
            }
            report
                .skipped
                .push("the brokers: topics, group and rights (--offline)".into());
        }
    }
    if let Err(error) = pipeline.alert_journal(lineage, false) {
        report.problems.push(error.to_string());
    }
    report.ok = report.problems.is_empty();
    Ok(report)
}

/// What is hardly meant where a book comes from topics.
const NO_ORDER: &str = "records of several topics have no order between them: each signal comes once, but scores \
    depend on the order in which the topics arrive";

const NO_SNAPSHOTS: &str = "features need a book, and the pipeline names no REST address for its snapshots \
    (`[source] rest`): a book waits until the topic holds a snapshot";

impl CheckedFeed {
    fn of(settings: &WebsocketSettings, subscription: &Subscription) -> Self {
        let address = subscription.address.split('?').next();
        Self {
            venue: settings.venue.name().to_owned(),
            address: address.unwrap_or_default().to_owned(),
            rest: settings.rest.clone(),
            streams: settings.streams.clone(),
            symbols: settings.symbols.clone(),
        }
    }
}

const OF_FILES: &str =
    "the pipeline reads tables ([source.table]), and [source] names neither `kind` nor `topics`.";

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kafka) = &self.kafka {
            writeln!(f, "kafka     {kafka}")?;
        }
        writeln!(f, "pipeline  {}", self.pipeline)?;
        writeln!(
            f,
            "features  {} ({})",
            self.features.len(),
            self.features.join(", ")
        )?;
        let [name, version, sha256] = &self.model;
        writeln!(f, "model     {name} {version}, sha256 {sha256}")?;
        let labels = if self.labels.is_empty() {
            "a score".into()
        } else {
            self.labels.join(", ")
        };
        let (steps, horizon) = (self.steps, self.horizon_ms);
        writeln!(
            f,
            "          windows of {steps} rows to {labels}, {horizon} ms ahead"
        )?;
        let plural = if self.batch_max == 1 { "" } else { "s" };
        writeln!(
            f,
            "          on {}, {} window{plural} at once",
            self.provider, self.batch_max
        )?;
        writeln!(f, "path      {}: {}", self.path, self.why)?;
        if let Some(state) = &self.state {
            writeln!(f, "state     {state}")?;
        }
        if let Some(feed) = &self.feed {
            writeln!(f, "feed      {} at {}", feed.venue, feed.address)?;
            if let Some(rest) = &feed.rest {
                writeln!(f, "          snapshots from {rest}")?;
            }
            writeln!(f, "          streams {}", feed.streams.join(" "))?;
        }
        for skipped in &self.skipped {
            writeln!(f, "skipped   {skipped}")?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning   {warning}")?;
        }
        for problem in &self.problems {
            writeln!(f, "problem   {problem}")?;
        }
        writeln!(f, "{}", if self.ok { "ok" } else { "would not run" })
    }
}
