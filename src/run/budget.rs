//! The resources that a run plans to use: threads, and memory for queues and models. A plan over its limits
//! is refused.
//!
//! The planned memory is the sum of the bounds of all queues and an estimate for the models. It does not
//! include what grows with the instruments (books and windows of at most `max_instruments`), what ONNX
//! Runtime uses while it computes, and the program itself.

use std::fmt;
use std::path::Path;

use super::worker::DELIVERIES;
use crate::config::{ModelKind, SinkKind, SourceKind};
use crate::pipeline::{Loaded, Pipeline, Recovery};
use crate::signal::Signal;

/// What one pipeline needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResourceNeed {
    /// Engine threads, one for each shard. ONNX Runtime computes on them and has no threads of its own.
    pub engines: usize,
    /// Threads of the source: one that polls Kafka and one that watches its brokers, one for the sockets.
    pub sources: usize,
    /// The writer's thread, and the one that writes snapshots of state.
    pub writers: usize,
    /// Threads of librdkafka's clients.
    pub clients: usize,
    /// Sessions of ONNX Runtime: one for each shard where windows are computed whole, else none.
    pub sessions: usize,
    /// Whether a thread of the process watches the runs of its model, which is ONNX.
    pub watched: bool,
    /// The most bytes in rings, in deliveries and in the queues of Kafka's clients.
    pub queue_bytes: u64,
    /// Bytes of the model: its file, and the copies that each session makes.
    pub model_bytes: u64,
}

/// Limits of a plan.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResourceLimits {
    /// The most threads of the process; none: any number.
    pub threads: Option<usize>,
    /// The most bytes of the plan; none: any number.
    pub bytes: Option<u64>,
}

/// The needs of all pipelines of a process, by name.
#[derive(Clone, Debug, Default)]
pub struct ResourcePlan(pub Vec<(String, ResourceNeed)>);

/// A plan exceeds a limit.
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
        let has_sockets = !from_kafka || pipeline.book_snapshots.is_some();
        let saves_states = matches!(loaded.recovery(file), Recovery::Snapshots(_));
        let to_kafka = file.sink.kind == SinkKind::Kafka;
        let brokers = pipeline.bootstrap().split(',').count();
        let watched = file.model.kind == ModelKind::Onnx;
        let whole = watched && loaded.strategy.sliding_windows(file.row.every).is_none();
        let sessions = if whole { shards } else { 0 };
        // Frames of a batch have left the ring, so a shard holds at most the ring twice.
        let ring = file.engine.ring_bytes.max(file.source.max_frame_bytes) as u64;
        let deliveries = (DELIVERIES * file.engine.batch * size_of::<Signal>()) as u64;
        let fetched = if from_kafka { FETCHED_BYTES } else { 0 };
        let unsent = if to_kafka { UNSENT_BYTES } else { 0 };
        let model = model_size(pipeline);
        Self {
            engines: shards,
            sources: 2 * usize::from(from_kafka) + usize::from(has_sockets),
            writers: 1 + usize::from(saves_states),
            clients: (usize::from(from_kafka) + usize::from(to_kafka)) * (CLIENT_THREADS + brokers),
            sessions,
            watched,
            queue_bytes: 2 * ring * shards as u64 + deliveries + fetched + unsent,
            model_bytes: model + COPIES * model * sessions as u64,
        }
    }

    /// The sum of all threads.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.engines + self.sources + self.writers + self.clients
    }

    /// The sum of all bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.queue_bytes + self.model_bytes
    }
}

impl ResourcePlan {
    /// The plan of these pipelines.
    pub fn of<'a>(pipelines: impl IntoIterator<Item = (&'a Pipeline, &'a Loaded)>) -> Self {
        let need = |(pipeline, loaded): (&Pipeline, &Loaded)| {
            (
                pipeline.file.name.clone(),
                ResourceNeed::of(pipeline, loaded),
            )
        };
        Self(pipelines.into_iter().map(need).collect())
    }

    /// Writes the plan to the log.
    pub fn log(&self) {
        for line in self.to_string().lines() {
            tracing::info!("planned for {line}");
        }
    }

    /// All threads of the process.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.own_threads() + self.0.iter().map(|(_, need)| need.threads()).sum::<usize>()
    }

    /// Threads that belong to no pipeline. One thread watches the ONNX models of all.
    fn own_threads(&self) -> usize {
        PROCESS_THREADS + usize::from(self.0.iter().any(|(_, need)| need.watched))
    }

    /// All bytes of the plan.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.iter().map(|(_, need)| need.bytes()).sum()
    }

    /// Compares the plan with the limits.
    ///
    /// # Errors
    /// [`BudgetError`] where it exceeds one, with both numbers and what to do.
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
            "in all: {} threads ({} of the process itself), {}",
            self.threads(),
            self.own_threads(),
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

/// The main thread, the thread that handles process signals, and the metrics server.
const PROCESS_THREADS: usize = 3;
/// Threads of a client of librdkafka in addition to one for each broker: its main thread, one for internal
/// requests, and one for the group's coordinator (consumer) or for delivery reports (producer).
const CLIENT_THREADS: usize = 3;
/// Records that a consumer has fetched ahead (`queued.max.messages.kbytes` in `source::kafka`), and one fetch
/// response in transit (`fetch.max.bytes`, 50 MiB by default).
const FETCHED_BYTES: u64 = (16 << 20) + (50 << 20);
/// Records that a producer keeps until they are acknowledged: see `sink::kafka`.
const UNSENT_BYTES: u64 = 64 << 20;
/// Memory of a session, in sizes of the model file: the weights as stored, and as the kernels lay them out.
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
