//! Publishes the records of a feed to Kafka, keyed by instrument.

use std::time::Duration;

use super::records::MarketRecord;
use crate::config::SourceKind;
use crate::pipeline::Pipeline;
use crate::run::error::RunError;
use crate::sink::SinkError;
use crate::sink::kafka::KafkaSink;
use crate::sink::kafka::error::KafkaSinkError;
use crate::sink::kafka::patience::ConnectPatience;
use crate::sink::kafka::settings::KafkaSinkSettings;

/// A producer to the topics `md.trades.v1`, `md.quotes.v1` and `md.book.v1`.
pub(super) struct Publisher {
    sink: KafkaSink,
    patience: Duration,
}

impl Publisher {
    /// Connects to the pipeline's Kafka.
    pub(super) fn connect(
        pipeline: &Pipeline,
        patience: ConnectPatience,
    ) -> Result<Self, RunError> {
        if pipeline.file.source.kind != SourceKind::Websocket {
            let what =
                "records are published from a websocket; what a topic holds is there already";
            return Err(pipeline.error("source.kind", what).into());
        }
        let settings = KafkaSinkSettings {
            bootstrap: pipeline.bootstrap(),
            topic: "md.trades.v1".into(),
            linger_ms: LINGER_MS,
            compression: "lz4".into(),
            properties: pipeline.file.kafka.properties.clone(),
            patience,
            ..KafkaSinkSettings::default()
        };
        let patience = settings.delivery_timeout;
        let sink = KafkaSink::connect(settings).map_err(failed)?;
        Ok(Self { sink, patience })
    }

    /// Queues records; waits where the queue is full.
    pub(super) fn publish(&mut self, records: &[MarketRecord]) -> Result<(), RunError> {
        for record in records {
            let (key, payload) = (record.key.as_bytes(), record.payload.as_bytes());
            let sent = self.sink.send_to(record.topic, key, payload);
            sent.map_err(failed)?;
        }
        Ok(())
    }

    /// Waits until all have arrived; gives their number.
    pub(super) fn close(self) -> Result<u64, RunError> {
        self.sink.flush(self.patience).map_err(failed)?;
        Ok(self.sink.sent())
    }
}

fn failed(error: KafkaSinkError) -> RunError {
    SinkError::Kafka(Box::new(error)).into()
}

/// How long a record waits for others to be sent with it: bulk counts more than latency.
const LINGER_MS: u32 = 5;
