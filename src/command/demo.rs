//! The demo, one process: a simulated exchange, headlines about it, firms and applicants for loans, four of
//! the pipelines that ship, and an in-memory Kafka broker that other programs can read from.
//!
//! For trying out. Nothing is mocked between source and signal: websocket, REST, rings, models and
//! Kafka protocol are those of `run`. [`crate::simulate`] documents what is made up, and how often.

mod feeds;
mod folders;
mod table;

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use self::feeds::Feeds;
use self::folders::Unpacked;
use self::table::{SharedTable, TablePrinter, TableSink};
use crate::config::SourceKind;
use crate::run::budget::ResourceLimits;
use crate::run::error::RunError;
use crate::run::live::RunOptions;
use crate::run::runtime::metrics_runtime;
use crate::run::stop::StopFlag;
use crate::run::summary::PipelineOutcomes;
use crate::run::supervisor;
use crate::run::supervisor::{LoadErrors, LoadedPipeline, SupervisorError};
use crate::simulate;
use crate::simulate::broker::{BrokerError, EmbeddedBroker};
use crate::simulate::{Exchange, SimulateError};

use crate::sink::gap_json;
use crate::sink::topic::dead_letter_topic;

/// What to show, and for how long.
#[derive(Clone, Debug, Default)]
pub struct DemoSettings {
    /// How long the demo runs; without end if not given.
    pub duration: Option<Duration>,
    /// Seed of everything that is made up.
    pub seed: u64,
    /// Changes to the pipelines' configurations.
    pub overrides: Vec<String>,
}

/// Why the demo cannot start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The pipelines that come with the binary could not be unpacked.
    #[error("while unpacking the pipelines to {}: {cause}", folder.display())]
    Unpack {
        /// The folder.
        folder: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
    /// A pipeline. Not transparent, like those below, so that `source` returns the error itself.
    #[error("{0}")]
    Pipelines(#[from] LoadErrors),
    /// The broker.
    #[error("{0}")]
    Broker(#[from] BrokerError),
    /// The publisher of news and records.
    #[error("while starting to publish news and records: {0}")]
    Feeds(String),
    /// The exchange.
    #[error("{0}")]
    Exchange(#[from] SimulateError),
    /// The runtime of the exchange.
    #[error("{0}")]
    Run(#[from] RunError),
    /// The run.
    #[error("{0}")]
    Supervisor(#[from] SupervisorError),
}

/// Runs the demo, printing to standard output.
///
/// # Errors
/// [`DemoError`] where a part cannot start.
pub fn demo(settings: &DemoSettings, stop: &StopFlag) -> Result<PipelineOutcomes, DemoError> {
    let unpacked =
        Unpacked::create().map_err(|(folder, cause)| DemoError::Unpack { folder, cause })?;
    let runtime = metrics_runtime()?;
    let mut market = simulate::MarketSettings {
        seed: settings.seed,
        news_s: Some(NEWS_S),
        ..simulate::MarketSettings::default()
    };
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let exchange = runtime.block_on(Exchange::start(market.clone(), anywhere))?;
    market.start = exchange.opening;
    let topics = feeds::TOPICS;
    let broker = EmbeddedBroker::start(&topics)?;
    let overrides = overrides(settings, &market, &exchange, &broker, &unpacked);
    let members = supervisor::load_all(&unpacked.pipelines(), &overrides)?;
    let mut written = vec![ALERTS.to_owned(), gap_json::SCHEMA.to_owned()];
    for member in &members {
        let topic = &member.loaded().lineage.schema;
        written.push(topic.clone());
        let file = &member.pipeline().file;
        let read = match file.source.kind {
            SourceKind::Kafka => file.source.topics.clone(),
            _ => vec![topic.clone()],
        };
        written.extend(read.iter().map(|topic| dead_letter_topic(topic)));
    }
    for topic in &written {
        broker.create_topic(topic, if topic.ends_with(".dlq.v1") { 1 } else { 4 })?;
    }
    print_addresses(&exchange, &broker, &written);
    let feeds = Feeds::start(&broker.bootstrap(), &market).map_err(DemoError::Feeds)?;
    let table = SharedTable::default();
    let members = members
        .into_iter()
        .map(|member| with_table(member, &table))
        .collect();
    let printer = TablePrinter::start(table, stop.clone());
    let options = RunOptions {
        duration: settings.duration,
        ..RunOptions::default()
    };
    let ended = supervisor::run(members, &options, &ResourceLimits::default(), stop);
    printer.finish();
    // Not in the macro's arguments: they are evaluated only where the log has this level, and the feeds would
    // go on publishing to a broker that has ended.
    let records = feeds.finish();
    tracing::debug!(records, "news and records published");
    runtime.block_on(exchange.stop());
    Ok(PipelineOutcomes::from(ended?))
}

/// The same pipeline, whose signals and alerts also go to the table.
fn with_table(member: LoadedPipeline, table: &SharedTable) -> LoadedPipeline {
    let table = table.clone();
    member.into_sink(move |pipeline, lineage| {
        Ok(Box::new(TableSink {
            inner: pipeline.open_sink(lineage)?,
            lineage: lineage.clone(),
            table: table.clone(),
        }))
    })
}

/// The addresses of exchange and broker, and the user's own changes last.
fn overrides(
    settings: &DemoSettings,
    market: &simulate::MarketSettings,
    exchange: &Exchange,
    broker: &EmbeddedBroker,
    unpacked: &Unpacked,
) -> Vec<String> {
    let names = market.instruments.iter();
    let names: Vec<String> = names
        .map(|listing| format!("\"{}.BINANCE\"", listing.symbol))
        .collect();
    let mut all = vec![
        format!("kafka.bootstrap={}", broker.bootstrap()),
        "kafka.embedded=true".into(),
        // This broker does not wake a waiting fetch; fetches that do not wait would keep a core busy.
        "kafka.properties={\"fetch.wait.max.ms\" = \"20\"}".into(),
        "source.start=earliest".into(),
        "sink.kind=kafka".into(),
        "metrics.listen=127.0.0.1:0".into(),
        "price-direction:source.kind=websocket".into(),
        format!("price-direction:source.instruments=[{}]", names.join(",")),
        format!(
            "price-direction:source.websocket.url=ws://{}",
            exchange.address
        ),
        format!(
            "price-direction:source.websocket.rest=http://{}",
            exchange.address
        ),
        format!("loan-risk:privacy.key=file:{}", unpacked.key().display()),
        // Made-up headlines are repeated before long, and they move their market for seconds only.
        "news-sentiment:news.fold_ms=5000".into(),
        "news-sentiment:news.half_life_ms=30000".into(),
    ];
    all.extend(settings.overrides.iter().cloned());
    all
}

fn print_addresses(exchange: &Exchange, broker: &EmbeddedBroker, written: &[String]) {
    let (address, bootstrap) = (exchange.address, broker.bootstrap());
    let read = feeds::TOPICS.map(|(topic, _)| topic).join(" ");
    let letters = |topic: &&String| !topic.ends_with(".dlq.v1");
    let signals: Vec<&str> = written.iter().filter(letters).map(String::as_str).collect();
    let text = format!(
        "simulated exchange   ws://{address}/stream  http://{address}/api/v3/depth\n\
         in-memory Kafka      {bootstrap}  (for trying out: keeps nothing)\n\
         made up and read     {read}\n\
         made of it           {}\n\
         read the signals     kcat -b {bootstrap} -t signals.direction.v1 -C -q -o end\n\
         stop                 Ctrl-C\n\n",
        signals.join(" ")
    );
    if let Err(error) = io::stdout().write_all(text.as_bytes()) {
        tracing::warn!(%error, "the addresses could not be printed");
    }
}

/// Mean time between two headlines about an instrument, in seconds.
const NEWS_S: f64 = 6.0;
const ALERTS: &str = crate::alert::record::SCHEMA;
