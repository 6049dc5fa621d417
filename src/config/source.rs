//! `[source]`: where frames come from, and which of them are read.

use std::time::Duration;

use serde::Deserialize;

use super::history::HistoryConfig;
use super::table::TableConfig;
use super::websocket::WebsocketConfig;

/// `[source]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceConfig {
    /// The transport of a live run: `websocket` or `kafka`. Commands that read files ignore it. Default:
    /// `"kafka"`.
    pub kind: SourceKind,
    /// Whether the configuration names `kind`; no key of its own.
    #[serde(skip)]
    pub kind_written: bool,
    /// The instruments to read, as `SYMBOL.VENUE`; frames of others are dropped and counted. Default: `[]`,
    /// which reads all that arrive. A websocket subscribes to these and needs at least one.
    pub instruments: Vec<String>,
    /// The most instruments (companies, applicants) that each shard keeps state for. Frames of further ones
    /// are dropped and counted. Default: `10000`, which bounds memory where `instruments` is empty.
    pub max_instruments: usize,
    /// The largest frame that is read, in bytes; a larger one is a dead letter, and ends the connection of a
    /// websocket, which is made anew. Default: `4194304` (4 MiB), or more where the venue of a listed
    /// instrument sends larger messages, such as books of 5 to 12 MB at COINBASE (32 MiB).
    pub max_frame_bytes: usize,
    /// Whether the configuration names `max_frame_bytes`; no key of its own.
    #[serde(skip)]
    pub max_frame_bytes_written: bool,
    /// How far the time of an event may be ahead of the time when it was received, in milliseconds; an
    /// event that is further ahead is a dead letter, so that one wrong clock cannot hold time. Both the time
    /// at which the frame was received and the record's own `ts_recv` count. A line of a file without
    /// receive time is held against the lines around it instead: it, and up to 31 behind it, are too far
    /// ahead where as many lines behind them are back at the time of the line before, one of them about the
    /// same instrument (by a day or more: one line is enough). Receive times of files that jump by more than
    /// a day and come back are wrong, too. Default: `600000` (10 minutes) where `row.on` is `trade`, `quote`
    /// or `book`, otherwise `86400000` (a day), for senders that write dates alone. Records, news and bars
    /// in files are not held against each other unless this is given.
    pub max_ahead_ms: Option<u64>,
    /// How much earlier than the latest event of its instrument an event may be, in milliseconds, before it
    /// is late: `row.late` says what becomes of it then. Default: `0`: any event that is earlier than the one
    /// before it is late.
    pub lateness_ms: Option<u64>,
    /// Instruments of which nothing was received for so long, in milliseconds, do not hold the watermark
    /// (`foretick_watermark_timestamp_seconds`). Default: `60000`.
    pub idle_ms: u64,
    /// How often the shards have a tick of the clock, in milliseconds, so that a silent instrument becomes
    /// `stale`, and one whose book waits for a snapshot `gap`; `0` or `--until-end`: never. Default: `1000`,
    /// and `0` with `sink.delivery = "exactly_once"`, whose signals depend on the records alone.
    pub tick_ms: Option<u64>,
    /// The base address of the venue's REST interface, for snapshots of books; an empty text requests none.
    /// With `kind = "kafka"` a book whose changes come from the topics begins with such a snapshot, and is
    /// repaired by one, where this or `source.websocket.rest` is written. Default: with a websocket that of
    /// the venue, for Binance `https://data-api.binance.vision`; with Kafka none.
    pub rest: Option<String>,
    /// The products whose applications are graded; applications of others are dead letters. Default: `[]`,
    /// which grades all products.
    pub products: Vec<String>,
    /// What the columns of a CSV or Parquet file mean. Not given: tables are not read.
    pub table: Option<TableConfig>,
    /// What the columns of archives of trades, quotes, books and bars mean, where the files do not say it.
    pub history: HistoryConfig,
    /// The exchange's feed, where `kind = "websocket"`.
    pub websocket: WebsocketConfig,
    /// The topics to read, where `kind = "kafka"`. Default: the topic that holds what `row.on` names:
    /// `credit.statements.v1`, `credit.applications.v1`, `news.items.v1`, `md.bars.v1`, else `md.trades.v1`.
    pub topics: Vec<String>,
    /// Whether the configuration lists `topics`; no key of its own.
    #[serde(skip)]
    pub topics_written: bool,
    /// How far back the topics are read again at a start, in milliseconds of the records' timestamps, so that
    /// windows and averages are complete. Signals of these records are not published again. With `state.dir`
    /// it holds only for a group that has committed nothing. Default: `0`: all records that the topics keep,
    /// up to the committed offset; nothing for a group that has committed nothing.
    pub rebuild_ms: u64,
    /// Where a consumer group without committed offsets starts: `earliest` (the oldest record) or `latest`
    /// (the next record). Default: `"latest"`: a signal for an old record is of no use live.
    pub start: StartOffset,
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self {
            kind: SourceKind::Kafka,
            kind_written: false,
            instruments: vec![],
            max_instruments: 10_000,
            max_frame_bytes: 4 << 20,
            max_frame_bytes_written: false,
            max_ahead_ms: None,
            lateness_ms: None,
            idle_ms: 60_000,
            tick_ms: None,
            rest: None,
            products: vec![],
            table: None,
            history: HistoryConfig::default(),
            websocket: WebsocketConfig::default(),
            topics: vec![],
            topics_written: false,
            rebuild_ms: 0,
            start: StartOffset::Latest,
        }
    }
}

impl SourceConfig {
    /// The REST address that is written, with its key.
    #[must_use]
    pub fn written_rest(&self) -> Option<(&'static str, &str)> {
        let own = self.rest.as_deref().map(|rest| ("source.rest", rest));
        let of_websocket = self.websocket.rest.as_deref();
        own.or(of_websocket.map(|rest| ("source.websocket.rest", rest)))
    }

    /// How often the shards have a tick of the clock; none where they have none.
    #[must_use]
    pub fn tick(&self) -> Option<Duration> {
        let millis = self.tick_ms.or(self.websocket.tick_ms).unwrap_or(1_000);
        (millis > 0).then(|| Duration::from_millis(millis))
    }
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

/// Where a consumer group without committed offsets starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartOffset {
    /// At the oldest record.
    Earliest,
    /// At the next record.
    Latest,
}
