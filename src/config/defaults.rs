//! What holds where a table or a key is not written.

use std::path::PathBuf;

use super::{
    Engine, Metrics, Model, ModelKind, NormaliseBy, ProviderName, RowOn, Signal, Sink, SinkKind,
    Source, SourceKind, Start, Websocket,
};
use crate::model::strategy::Windows;

impl Model {
    /// The built-in linear model in this file.
    #[must_use]
    pub fn linear(file: PathBuf) -> Self {
        Self {
            kind: ModelKind::Linear,
            file: Some(file),
            normalise: NormaliseBy::Model,
            steps: None,
            labels: vec![],
            version: None,
            inputs: vec![],
            output: None,
            window: Windows::Auto,
            provider: ProviderName::Cpu,
            device: None,
            batch_max: None,
            batch_wait_us: 0,
            fallback: None,
        }
    }
}

impl Default for Source {
    fn default() -> Self {
        Self {
            kind: SourceKind::Kafka,
            instruments: vec![],
            max_instruments: 10_000,
            max_frame_bytes: 4 << 20,
            products: vec![],
            table: None,
            websocket: Websocket::default(),
            topics: vec![],
            topics_written: false,
            rebuild_ms: 0,
            start: Start::Latest,
        }
    }
}

impl Default for Websocket {
    fn default() -> Self {
        Self {
            url: None,
            rest: None,
            streams: vec![],
            idle_ms: 10_000,
            tick_ms: 1_000,
        }
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            shards: 1,
            batch: 256,
            ring_frames: 8_192,
            ring_bytes: 32 << 20,
            late_after_ms: 1_000,
        }
    }
}

impl Default for Signal {
    fn default() -> Self {
        Self {
            schema: "signals.direction.v1".into(),
            horizon_ms: None,
            shadow: false,
        }
    }
}

impl Default for Sink {
    fn default() -> Self {
        Self {
            kind: SinkKind::Stdout,
            file: None,
            topic: None,
            dead_letters: None,
            alerts: None,
            alerts_state: None,
            fields: vec![],
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9464".into(),
        }
    }
}

/// The topic that holds what makes a row.
pub(super) fn topic(on: RowOn) -> &'static str {
    match on {
        RowOn::Application => "credit.applications.v1",
        RowOn::Statement => "credit.statements.v1",
        RowOn::News => "news.items.v1",
        RowOn::Bar => "md.bars.v1",
        RowOn::Trade | RowOn::Quote | RowOn::Book => "md.trades.v1",
    }
}

pub(super) fn one() -> u64 {
    1
}

pub(super) fn language() -> String {
    "en".into()
}

/// A day.
pub(super) fn fold_ms() -> i64 {
    86_400_000
}

pub(super) fn fold_similarity() -> f64 {
    0.6
}

pub(super) fn stale_after_ms() -> i64 {
    5_000
}

pub(super) fn yes() -> bool {
    true
}
