//! `pipeline.toml` as written, and the sentences about what is wrong with it.
//!
//! Two steps: TOML to [`PipelineFile`] here, with unknown keys refused; then `pipeline` checks the
//! values against each other and against the model. Units stand in the names. Secrets are `env:NAME`
//! or `file:PATH`, never the secret itself.

mod defaults;
mod model;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use self::model::{Fallback, Model, ModelInput, ModelKind, NormaliseBy, ProviderName};
use crate::alert::rule::Rule;
use crate::engine::feature::FeatureSpec;

/// A pipeline's configuration as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PipelineFile {
    /// The pipeline's name: in every signal, and the default consumer group.
    pub name: String,
    /// Where frames come from.
    #[serde(default)]
    pub source: Source,
    /// Threads and buffers.
    #[serde(default)]
    pub engine: Engine,
    /// When rows and signals are made.
    pub row: Row,
    /// The columns of a row, in order.
    #[serde(rename = "feature")]
    pub features: Vec<FeatureSpec>,
    /// What scores them.
    pub model: Model,
    /// What `features` and `backtest` compare with.
    pub label: Option<Label>,
    /// What leaves.
    #[serde(default)]
    pub signal: Signal,
    /// When a score is an alert.
    #[serde(default, rename = "alert")]
    pub alerts: Vec<Rule>,
    /// Where it goes.
    #[serde(default)]
    pub sink: Sink,
    /// Connection to Kafka, for source and sink.
    #[serde(default)]
    pub kafka: Kafka,
    /// Metrics and health.
    #[serde(default)]
    pub metrics: Metrics,
    /// How persons are named in what leaves.
    pub privacy: Option<Privacy>,
    /// How headlines are read.
    pub news: Option<News>,
}

/// `[source]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Source {
    /// `websocket` or `kafka`; `replay` reads files instead.
    pub kind: SourceKind,
    /// Instruments to take, as `SYMBOL.VENUE`; empty: all that come (Kafka only).
    pub instruments: Vec<String>,
    /// Instruments to keep state for, at most; others are dropped and counted.
    pub max_instruments: usize,
    /// Frames over this size are refused, in bytes. The largest Binance message, a snapshot of 5,000
    /// levels, has 400 kB.
    pub max_frame_bytes: usize,
    /// Products whose applications are graded; others are refused. Empty: all.
    pub products: Vec<String>,
    /// `[source.table]`: what the columns of a CSV or Parquet file mean.
    pub table: Option<Table>,
    /// `[source.websocket]`
    pub websocket: Websocket,
    /// Topics to read (Kafka). If not given that of [`Row::on`]: `credit.statements.v1`,
    /// `credit.applications.v1`, `news.items.v1`, `md.bars.v1`, else `md.trades.v1`.
    pub topics: Vec<String>,
    /// Whether somebody wrote which.
    #[serde(skip)]
    pub topics_written: bool,
    /// How far back the topics are read again at a start, in milliseconds of the records' times, for windows
    /// and averages to be whole; what comes of that is not published again. 0: not at all (Kafka).
    pub rebuild_ms: u64,
    /// Where a group without committed offsets begins: `earliest` or `latest` (Kafka).
    pub start: Start,
}

/// The transport of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// An exchange's websocket.
    Websocket,
    /// Kafka topics.
    Kafka,
}

/// Where a new consumer group begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// At the oldest record.
    Earliest,
    /// At the next record.
    Latest,
}

/// `[source.table]`: rows of a file as records. All other columns are fields of the record.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The column that names the applicant or obligor.
    pub key: String,
    /// The column of a statement's period; whole numbers, also written `2014.0`.
    pub period: Option<String>,
    /// The column of the time at which a row was known: nanoseconds, RFC 3339, or a day. Without one it is
    /// the end of the period's year, and for applications the number of the row.
    pub ts_event: Option<String>,
    /// The column of what really happened, which `evaluate` takes from `--labels`: 0 or 1 (false or true), or
    /// a label; empty where it is not known yet.
    pub outcome: Option<String>,
}

/// `[privacy]`: identifiers of persons leave as keyed tokens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Privacy {
    /// The key of the tokens, as `env:NAME` or `file:PATH`: 16 bytes or more.
    pub key: String,
    /// The key's name, which stands before each token, so that tokens of a new key are told apart.
    pub key_id: String,
}

/// `[news]`: how headlines become rows, and scores averages.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct News {
    /// The vocabulary, below the pipeline's folder: one piece a line.
    pub vocabulary: PathBuf,
    /// The instruments that headlines name, below the pipeline's folder: a CSV file with the columns
    /// `symbol`, `cashtag`, `names`. Without one only those count that an item lists itself.
    pub names: Option<PathBuf>,
    /// The language that is read; items in others are passed over.
    #[serde(default = "defaults::language")]
    pub language: String,
    /// The instrument of items that concern none that is known; without one they are passed over.
    pub unrouted: Option<String>,
    /// Time after which a score counts half in its instrument's average, in milliseconds.
    pub half_life_ms: i64,
    /// How far apart copies of a headline may be, in milliseconds.
    #[serde(default = "defaults::fold_ms")]
    pub fold_ms: i64,
    /// The share of common words from which on two headlines about an instrument are copies, in (0, 1].
    #[serde(default = "defaults::fold_similarity")]
    pub fold_similarity: f64,
}

/// `[source.websocket]`: the feed of the venue that the names of `instruments` end in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Websocket {
    /// Base address, without a path; the venue's own if not given (`wss://data-stream.binance.vision`).
    pub url: Option<String>,
    /// Base address of the REST interface, for book snapshots; the venue's own if not given
    /// (`https://data-api.binance.vision`), and empty for none.
    pub rest: Option<String>,
    /// Streams of each instrument, in the venue's words; empty: its usual ones (`trade`, `bookTicker`,
    /// `depth@100ms`).
    pub streams: Vec<String>,
    /// Age of the last frame at which the connection counts as dead, in milliseconds.
    pub idle_ms: u64,
    /// A tick of the clock every so many milliseconds, so that silence is noticed; 0 for none.
    pub tick_ms: u64,
}

/// `[engine]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Engine {
    /// Engine threads; each owns its instruments. Signals do not depend on it.
    pub shards: usize,
    /// Frames worked on at once, at most. Signals do not depend on it.
    pub batch: usize,
    /// Frames that may wait for a shard.
    pub ring_frames: usize,
    /// Bytes that these may have in all; a larger frame waits alone.
    pub ring_bytes: usize,
    /// How long a shard may be behind its source before its signals are marked `degraded`, in
    /// milliseconds; 0 for ever. Concerns `run` alone, and no run with `--until-end`, which is behind by
    /// nature.
    pub late_after_ms: u64,
}

/// `[row]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The kind of event that makes a row.
    pub on: RowOn,
    /// A signal at every so many rows of an instrument.
    #[serde(default = "defaults::one")]
    pub every: u64,
    /// Age of book and quote from which on a signal is `stale`, in milliseconds.
    #[serde(default = "defaults::stale_after_ms")]
    pub stale_after_ms: i64,
    /// Whether signals are given, marked `warming`, before all windows have been full.
    #[serde(default = "defaults::yes")]
    pub while_warming: bool,
}

/// The kind of event that makes a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowOn {
    /// Each trade.
    Trade,
    /// Each quote.
    Quote,
    /// Each change of the book.
    Book,
    /// Each loan application.
    Application,
    /// Each financial statement; a window is of a company's last periods.
    Statement,
    /// Each bar.
    Bar,
    /// Each headline, once for each instrument that it concerns.
    News,
}

/// `[label]`: what really happened, for training and backtests.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// How far ahead, in milliseconds of event time.
    pub horizon_ms: i64,
    /// A move of the mid beyond this is `up` or `down`, in basis points.
    pub threshold_bps: f64,
    /// Rows before this time are `train`, from it on `test`; those whose label or window reaches
    /// across are `purge`. RFC 3339, UTC.
    pub test_from: Option<String>,
    /// Rows in a window of the model to be trained.
    #[serde(default = "defaults::one")]
    pub steps: u64,
}

/// `[signal]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signal {
    /// The schema that signals follow.
    pub schema: String,
    /// How far ahead a signal looks, in milliseconds, where the model does not say.
    pub horizon_ms: Option<i64>,
    /// Marks the signals as made for comparison only.
    pub shadow: bool,
}

/// `[sink]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sink {
    /// `stdout`, `file` or `kafka`.
    pub kind: SinkKind,
    /// The file: JSON lines, or Parquet where the name ends in `.parquet`.
    pub file: Option<PathBuf>,
    /// The topic; the schema's name if not given.
    pub topic: Option<String>,
    /// Where unreadable frames go: a topic (Kafka) or a file (otherwise). Default for Kafka:
    /// `<topic>.dlq.v1`, after the topic that a frame came from, or the signals' where it came from none.
    pub dead_letters: Option<String>,
    /// Where alerts go: a topic (Kafka; `alerts.default.v1` if not given) or a file (otherwise; nowhere if
    /// not given).
    pub alerts: Option<String>,
    /// The file that keeps the episodes of alerts over a restart; without it each run begins anew.
    pub alerts_state: Option<PathBuf>,
    /// The fields of a signal that are written; empty: all.
    pub fields: Vec<String>,
}

/// Where signals go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SinkKind {
    /// Standard output, JSON lines.
    Stdout,
    /// A file.
    File,
    /// A Kafka topic.
    Kafka,
}

/// `[kafka]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kafka {
    /// Bootstrap servers; where not given `KAFKA_BOOTSTRAP`, and then 127.0.0.1:9092.
    pub bootstrap: Option<String>,
    /// Consumer group; the pipeline's name if not given.
    pub group: Option<String>,
    /// The broker is the embedded one of `demo`, which does not wake a waiting fetch.
    pub embedded: bool,
    /// librdkafka properties, passed on. Secrets as `env:NAME` or `file:PATH`.
    pub properties: BTreeMap<String, String>,
}

/// `[metrics]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// Address of `/metrics`, `/healthz` and `/readyz`; empty for none.
    pub listen: String,
}

/// What is wrong with a configuration, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {what}", path.display(), line.map_or(String::new(), |line| format!(":{line}")))]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1, where one is known.
    pub line: Option<usize>,
    /// What is wrong and what to write instead.
    pub what: String,
}

impl PipelineFile {
    /// Reads `pipeline.toml` of a pipeline's folder, or the file itself, and applies `key=value`
    /// overrides such as `engine.batch=7`. Also gives the file's path and text.
    ///
    /// # Errors
    /// [`ConfigError`] with file, line and what to do.
    pub fn load(path: &Path, overrides: &[String]) -> Result<(Self, PathBuf, String), ConfigError> {
        let file = if path.is_dir() {
            path.join("pipeline.toml")
        } else {
            path.to_owned()
        };
        let text = std::fs::read_to_string(&file).map_err(|cause| ConfigError {
            path: file.clone(),
            line: None,
            what: format!(
                "while reading the pipeline: {cause}; name its folder or its pipeline.toml"
            ),
        })?;
        let written: Self = toml::from_str(&text).map_err(|error| ConfigError {
            path: file.clone(),
            line: error.span().map(|span| line_at(&text, span.start)),
            what: explain(error.message()),
        })?;
        if overrides.is_empty() {
            return Ok((written.resolved(), file, text));
        }
        let mut table: toml::Table = toml::from_str(&text).unwrap_or_default();
        for one in overrides {
            set(&mut table, one).map_err(|what| ConfigError {
                path: file.clone(),
                line: None,
                what,
            })?;
        }
        let changed: Self = table
            .try_into()
            .map_err(|error: toml::de::Error| ConfigError {
                path: file.clone(),
                line: None,
                what: format!(
                    "with --set {}: {}",
                    overrides.join(" --set "),
                    explain(error.message())
                ),
            })?;
        Ok((changed.resolved(), file, text))
    }

    /// Fills in what depends on other tables.
    fn resolved(mut self) -> Self {
        self.source.topics_written = !self.source.topics.is_empty();
        if !self.source.topics_written {
            self.source.topics = vec![defaults::topic(self.row.on).into()];
        }
        self
    }
}

/// The line, from 1, on which `needle` first stands.
#[must_use]
pub fn line_of(text: &str, needle: &str) -> Option<usize> {
    text.find(needle).map(|at| line_at(text, at))
}

fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count()
        + 1
}

/// Adds what to do to what the parser says.
fn explain(message: &str) -> String {
    let hint = if message.contains("unknown field") {
        "; take the key out or correct its name (units stand in the names: window_ms, max_frame_bytes)"
    } else if message.contains("missing field") {
        "; add it, see the comments in pipelines/price-direction/pipeline.toml"
    } else {
        ""
    };
    format!("{}{hint}", message.trim_end())
}

/// Sets `a.b.c=value`; the value is TOML, or else text.
fn set(table: &mut toml::Table, assignment: &str) -> Result<(), String> {
    let usage = || format!("--set {assignment}: write key=value, such as engine.batch=7");
    let (key, value) = assignment.split_once('=').ok_or_else(usage)?;
    let value = toml::from_str::<toml::Table>(&format!("v = {value}"))
        .ok()
        .and_then(|mut parsed| parsed.remove("v"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));
    let mut place = table;
    let mut parts: Vec<&str> = key.trim().split('.').collect();
    let last = parts
        .pop()
        .filter(|part| !part.is_empty())
        .ok_or_else(usage)?;
    for part in parts {
        let next = place
            .entry(part)
            .or_insert_with(|| toml::Value::Table(toml::Table::new()));
        place = next
            .as_table_mut()
            .ok_or_else(|| format!("--set {assignment}: `{part}` is no table"))?;
    }
    place.insert(last.to_owned(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "name = \"x\"\n[row]\non = \"trade\"\n[[feature]]\nname = \"p\"\nkind = \"price\"\n[model]\nkind = \"sum\"\n";

    fn load(text: &str, overrides: &[&str]) -> Result<PipelineFile, String> {
        let name = format!(
            "foretick-config-{}-{:x}.toml",
            std::process::id(),
            text.len()
        );
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        let overrides: Vec<String> = overrides.iter().map(|o| (*o).to_owned()).collect();
        PipelineFile::load(&path, &overrides)
            .map(|loaded| loaded.0)
            .map_err(|e| e.to_string())
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let error = load(&GOOD.replace("on = ", "window_s = 3\non = "), &[]).unwrap_err();
        assert!(
            error.contains(".toml:3: unknown field `window_s`"),
            "{error}"
        );
        assert!(error.contains("window_ms"), "says what to do: {error}");
    }

    #[test]
    fn a_wrong_value_is_refused_with_its_line() {
        let error = load(&GOOD.replace("\"trade\"", "\"noon\""), &[]).unwrap_err();
        assert!(error.contains(":3: unknown variant `noon`"), "{error}");
    }

    #[test]
    fn overrides_reach_any_table() {
        let file = load(
            GOOD,
            &[
                "engine.batch=7",
                "kafka.bootstrap=127.0.0.1:1",
                "row.on=book",
            ],
        )
        .unwrap();
        assert_eq!((file.engine.batch, file.row.on), (7, RowOn::Book));
        assert_eq!(file.kafka.bootstrap.as_deref(), Some("127.0.0.1:1"));
        let error = load(GOOD, &["engine.bath=7"]).unwrap_err();
        assert!(
            error.contains("--set engine.bath=7") && error.contains("unknown field"),
            "{error}"
        );
        assert!(load(GOOD, &["engine"]).unwrap_err().contains("key=value"));
    }

    #[test]
    fn topics_that_nobody_wrote_follow_the_rows() {
        for (on, topic) in [
            ("trade", "md.trades.v1"),
            ("bar", "md.bars.v1"),
            ("news", "news.items.v1"),
            ("statement", "credit.statements.v1"),
            ("application", "credit.applications.v1"),
        ] {
            let file = load(GOOD, &[&format!("row.on={on}")]).unwrap();
            assert_eq!(file.source.topics, [topic]);
            assert!(!file.source.topics_written);
        }
        let file = load(GOOD, &["row.on=bar", "source.topics=[\"x\"]"]).unwrap();
        assert_eq!(
            (file.source.topics_written, &*file.source.topics[0]),
            (true, "x")
        );
    }

    #[test]
    fn a_missing_file_says_what_to_name() {
        let error = PipelineFile::load(Path::new("/nowhere"), &[])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("/nowhere") && error.contains("folder"),
            "{error}"
        );
    }
}
