//! What a run plans to take: threads, and memory for what waits and for models. Refuses more than is
//! allowed.
//!
//! The memory planned is a bound of the queues, each of which has one, and an estimate of models. What grows
//! with the instruments (books, windows, at most `max_instruments` of them), what ONNX Runtime takes
//! while it computes, and the program itself come on top.

use std::fmt;
use std::path::Path;

use super::worker::DELIVERIES;
use crate::config::{ModelKind, SinkKind, SourceKind};
use crate::pipeline::{Loaded, Pipeline};
use crate::signal::Signal;

/// What one pipeline needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResourceNeed {
    /// Engine threads, one a shard. ONNX Runtime computes on these and has none of its own.
    pub engines: usize,
    /// Threads of the source: the one that polls Kafka, or that of the sockets.
    pub sources: usize,
    /// The writer's thread.
    pub writers: usize,
    /// Threads of librdkafka's clients.
    pub clients: usize,
    /// ONNX Runtime's sessions, one a shard where windows are computed whole.
    pub sessions: usize,
    /// Bytes that may wait in rings, in deliveries and in Kafka's queues.
    pub queue_bytes: u64,
    /// Bytes of models: the file, and what each session makes of it.
    pub model_bytes: u64,
}

/// What may be taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResourceLimits {
    /// Threads of the process; none: any number.
    pub threads: Option<usize>,
    /// Bytes of the plan; none: any number.
    pub bytes: Option<u64>,
}

/// The needs of all pipelines of a process, by name.
#[derive(Clone, Debug, Default)]
pub struct ResourcePlan(pub Vec<(String, ResourceNeed)>);

/// More is planned than is allowed.
#[derive(Debug, thiserror::Error)]
#[error("while planning the run: {what}\n{plan}")]
pub struct BudgetError {
    what: String,
    plan: ResourcePlan,
}

impl ResourceNeed {
    /// What this pipeline needs.
    #[must_use]
    pub fn of(pipeline: &Pipeline, loaded: &Loaded) -> Self {
        let file = &pipeline.file;
        let shards = file.engine.shards;
        let from_kafka = file.source.kind == SourceKind::Kafka;
        let to_kafka = file.sink.kind == SinkKind::Kafka;
        let brokers = pipeline.bootstrap().split(',').count();
        let whole = file.model.kind == ModelKind::Onnx
            && loaded.strategy.sliding_windows(file.row.every).is_none();
        let sessions = if whole { shards } else { 0 };
        // What a batch holds has left the ring, and is at most what the ring held.
        let ring = file.engine.ring_bytes.max(file.source.max_frame_bytes) as u64;
        let deliveries = (DELIVERIES * file.engine.batch * size_of::<Signal>()) as u64;
        let fetched = if from_kafka { FETCHED_BYTES } else { 0 };
        let unsent = if to_kafka { UNSENT_BYTES } else { 0 };
        let model = model_size(pipeline);
        Self {
            engines: shards,
            sources: 1,
            writers: 1,
            clients: (usize::from(from_kafka) + usize::from(to_kafka)) * (CLIENT_THREADS + brokers),
            sessions,
            queue_bytes: 2 * ring * shards as u64 + deliveries + fetched + unsent,
            model_bytes: model + COPIES * model * sessions as u64,
        }
    }

    /// All threads.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.engines + self.sources + self.writers + self.clients
    }

    /// All bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.queue_bytes + self.model_bytes
    }
}

impl ResourcePlan {
    /// What these pipelines need.
    pub fn of<'a>(pipelines: impl IntoIterator<Item = (&'a Pipeline, &'a Loaded)>) -> Self {
        let need = |(pipeline, loaded): (&Pipeline, &Loaded)| {
            (
                pipeline.file.name.clone(),
                ResourceNeed::of(pipeline, loaded),
            )
        };
        Self(pipelines.into_iter().map(need).collect())
    }

    /// Writes it to the log.
    pub fn log(&self) {
        for line in self.to_string().lines() {
            tracing::info!("planned for {line}");
        }
    }

    /// All threads of the process.
    #[must_use]
    pub fn threads(&self) -> usize {
        PROCESS_THREADS + self.0.iter().map(|(_, need)| need.threads()).sum::<usize>()
    }

    /// All bytes of the plan.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.iter().map(|(_, need)| need.bytes()).sum()
    }

    /// Holds the plan against what is allowed.
    ///
    /// # Errors
    /// [`BudgetError`] with both numbers, and what to do.
    pub fn check(&self, limits: &ResourceLimits) -> Result<(), BudgetError> {
        let (threads, bytes) = (self.threads(), self.bytes());
        let what = match (limits.threads, limits.bytes) {
            (Some(most), _) if threads > most => format!(
                "{threads} threads, but --max-threads allows {most}; allow more, lower `engine.shards`, or \
                 run fewer pipelines"
            ),
            (_, Some(most)) if bytes > most => format!(
                "{} for queues and models, but --max-memory allows {}; allow more, lower \
                 `engine.ring_bytes` or `engine.shards`, or run fewer pipelines",
                Mebibytes(bytes),
                Mebibytes(most)
            ),
            _ => return Ok(()),
        };
        let plan = self.clone();
        Err(BudgetError { what, plan })
    }
}

impl fmt::Display for ResourcePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, need) in &self.0 {
            writeln!(
                f,
                "{name}: {} threads ({} engine, {} source, {} writer, {} of Kafka's clients), {} ONNX sessions \
                 on engine threads, {} in queues, {} of models",
                need.threads(),
                need.engines,
                need.sources,
                need.writers,
                need.clients,
                need.sessions,
                Mebibytes(need.queue_bytes),
                Mebibytes(need.model_bytes)
            )?;
        }
        write!(
            f,
            "in all: {} threads ({PROCESS_THREADS} of the process itself), {}",
            self.threads(),
            Mebibytes(self.bytes())
        )
    }
}

struct Mebibytes(u64);

impl fmt::Display for Mebibytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} MiB", self.0 as f64 / f64::from(1 << 20))
    }
}

fn model_size(pipeline: &Pipeline) -> u64 {
    let folder = pipeline.path().parent().unwrap_or(Path::new("."));
    let size = |file| std::fs::metadata(folder.join(file)).map_or(0, |found| found.len());
    pipeline.file.model.file.as_ref().map_or(0, size)
}

/// The main thread, the one that hears signals, and the metrics server.
const PROCESS_THREADS: usize = 3;
/// Threads of a client of librdkafka beside one a broker: its main thread, one for its own requests, one for
/// the group's coordinator or for what was delivered.
const CLIENT_THREADS: usize = 3;
/// What a consumer holds ready, and one answer of a broker on its way: see `source::kafka`.
const FETCHED_BYTES: u64 = (16 << 20) + (50 << 20);
/// What a producer keeps until it has arrived: see `sink::kafka`.
const UNSENT_BYTES: u64 = 64 << 20;
/// Times the size of its file that a session takes: the weights as they are, and as kernels want them.
const COPIES: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> ResourcePlan {
        let need = ResourceNeed {
            engines: 2,
            sources: 1,
            writers: 1,
            clients: 8,
            queue_bytes: 100 << 20,
            model_bytes: 1 << 20,
            ..ResourceNeed::default()
        };
        ResourcePlan(vec![("a".into(), need), ("b".into(), need)])
    }

    #[test]
    fn a_plan_within_its_limits_passes() {
        let (threads, bytes) = (Some(27), Some(202 << 20));
        assert!(plan().check(&ResourceLimits { threads, bytes }).is_ok());
        assert!(plan().check(&ResourceLimits::default()).is_ok());
    }

    #[test]
    fn a_plan_over_a_limit_is_refused_with_both_numbers() {
        let cases = [
            (
                (Some(26), None),
                "27 threads, but --max-threads allows 26; ",
            ),
            (
                (None, Some(201 << 20)),
                "202.0 MiB for queues and models, but --max-memory allows 201.0 MiB; ",
            ),
        ];
        for ((threads, bytes), words) in cases {
            let refused = plan()
                .check(&ResourceLimits { threads, bytes })
                .unwrap_err();
            let text = refused.to_string();
            assert!(text.contains(words), "{text}");
            assert!(text.contains("\na: 12 threads (2 engine"), "{text}");
        }
    }
}
