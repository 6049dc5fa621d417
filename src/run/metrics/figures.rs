//! The figures of `/metrics`: each family once, with one series a pipeline and label value.

use std::fmt;
use std::sync::atomic::Ordering;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::frame_counts::STAGES;
use super::histograms::{encode_skews, encode_stages};
use super::pipelines::{PipelineStatus, ProcessStatus};
use super::running::RunningPipeline;
use super::source_figures::encode_sources;
use super::totals::Totals;
use crate::run::status::WorkerFigures;

impl Collector for ProcessStatus {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let pipelines: Vec<PipelineFigures<'_>> = self
            .0
            .iter()
            .map(|status| PipelineFigures::of(status))
            .collect();
        for (name, help, labels) in COUNTERS {
            let mut family = out.encode_descriptor(name, help, None, MetricType::Counter)?;
            for pipeline in &pipelines {
                for (values, value) in pipeline.totals.of_family(name) {
                    let mut set: Vec<(&str, &str)> = labels.iter().copied().zip(values).collect();
                    set.push(("pipeline", pipeline.name));
                    ConstCounter::new(value).encode(family.encode_family(&set.as_slice())?)?;
                }
            }
        }
        let help = "Times that the pipeline was started again: after a failure, or at the committed offsets";
        let kind = MetricType::Counter;
        let mut family = out.encode_descriptor("pipeline_restarts", help, None, kind)?;
        for PipelineFigures { name, status, .. } in &pipelines {
            let labels = [("pipeline", *name)];
            let restarts = ConstCounter::new(status.restarts());
            restarts.encode(family.encode_family(&labels)?)?;
        }
        for (name, help, value) in GAUGES {
            let mut family = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for pipeline in &pipelines {
                let Some(value) = value(pipeline) else {
                    continue;
                };
                let labels = [("pipeline", pipeline.name)];
                ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
            }
        }
        in_flight(&mut out, &pipelines)?;
        let totals = || pipelines.iter().map(|one| (one.name, &one.totals));
        encode_stages(&mut out, totals())?;
        encode_skews(&mut out, totals())?;
        let running = pipelines
            .iter()
            .filter_map(|p| Some((p.name, p.running.as_ref()?)));
        let sources = running.map(|(name, running)| (name, &running.feed.partitions));
        encode_sources(&mut out, &sources.collect::<Vec<_>>())?;
        info(&mut out, &pipelines)
    }
}

/// What one pipeline shows at this moment.
struct PipelineFigures<'a> {
    name: &'a str,
    status: &'a PipelineStatus,
    totals: Totals,
    running: Option<RunningPipeline>,
    workers: Vec<WorkerFigures>,
}

type ReadValue = fn(&PipelineFigures<'_>) -> Option<f64>;

/// Name, help and labels.
const COUNTERS: [(&str, &str, &[&str]); 13] = [
    (
        "frames_received",
        "Frames that came in, by what they are: together as many as have a fate and are in flight",
        &["kind"],
    ),
    (
        "frames",
        "Frames by fate; reason of drops and dead letters",
        &["fate", "reason"],
    ),
    ("events", "Events of the engine by kind", &["kind"]),
    ("signals", "Signals made, by quality", &["quality"]),
    (
        "source_events",
        "Reconnects, failures and other events of the source",
        &["kind"],
    ),
    (
        "connection_ends",
        "Connections that ended or could not be made, by reason",
        &["reason"],
    ),
    (
        "source_lost_records",
        "Records of Kafka that retention removed before they were read; at most so many",
        &[],
    ),
    (
        "sink_delivered",
        "Records that have arrived at Kafka, or lines handed to the system: signals, alerts, gaps, dead letters",
        &[],
    ),
    (
        "dead_letters_cut",
        "Dead letters that were cut, because they are larger than their topic takes",
        &[],
    ),
    (
        "dead_letters_refused",
        "Dead letters that their topic did not take even so, by reason; they are lost",
        &["reason"],
    ),
    (
        "states_saved",
        "Snapshots of a partition's state that were written to `[state] dir`",
        &[],
    ),
    ("states_saved_bytes", "Bytes of these snapshots", &[]),
    (
        "states_not_saved",
        "Snapshots that could not be written: a restart reads more of the topics again",
        &[],
    ),
];

const GAUGES: [(&str, &str, ReadValue); 15] = [
    (
        "source_healthy",
        "Whether the source is connected and alive",
        |pipeline| pipeline.if_running(|running| is(running.feed.is_healthy())),
    ),
    (
        "source_last_frame_timestamp_seconds",
        "When the last frame came, seconds since the epoch",
        |pipeline| {
            pipeline.if_running(|running| {
                let last = running.feed.last_data();
                last.map_or(0.0, |last| last.0 as f64 * 1e-9)
            })
        },
    ),
    (
        "watermark_timestamp_seconds",
        "Event time up to which all instruments that are not idle have come, less `source.lateness_ms`; \
         seconds since the epoch, 0 before the first",
        |pipeline| {
            let of_shards = pipeline.workers.iter().filter_map(|r| r.watermark);
            Some(of_shards.min().map_or(0.0, |mark| mark.0 as f64 * 1e-9))
        },
    ),
    ("instruments", "Instruments with state", |pipeline| {
        Some(
            pipeline
                .workers
                .iter()
                .map(|r| r.instruments)
                .sum::<usize>() as f64,
        )
    }),
    (
        "instruments_waiting",
        "Instruments that wait for a book or a quote, which their features need",
        |pipeline| pipeline.if_running(|running| running.waiting().0 as f64),
    ),
    (
        "source_reread_records",
        "Records of Kafka that are to be read again before state is back; 0 once it is",
        |pipeline| pipeline.if_running(|running| running.reread() as f64),
    ),
    (
        "capture_failed",
        "Whether the capture could not be written and has ended; 0 where none was asked for",
        |pipeline| {
            pipeline.if_running(|running| {
                let failed = running.capture_failed.as_ref();
                is(failed.is_some_and(|failed| failed.load(Ordering::Relaxed)))
            })
        },
    ),
    (
        "deferred_instruments",
        "Instruments with deferred steps of sliding windows",
        |pipeline| Some(pipeline.workers.iter().map(|r| r.deferred).sum::<usize>() as f64),
    ),
    (
        "sink_in_flight_records",
        "Records that the sink has taken and that have not arrived",
        |pipeline| pipeline.if_running(|running| running.sink.figures().in_flight as f64),
    ),
    (
        "sink_oldest_record_age_seconds",
        "How long the oldest of the records in flight has been on its way; 0 where there is none",
        |pipeline| {
            pipeline.if_running(|running| {
                let oldest = running.sink.figures().oldest;
                oldest.map_or(0.0, |oldest| oldest.elapsed().as_secs_f64())
            })
        },
    ),
    (
        "sink_commit_age_seconds",
        "How long the commit of a transaction has waited; 0 where none is on its way",
        |pipeline| {
            pipeline.if_running(|running| {
                let began = running.sink.figures().commit_began;
                began.map_or(0.0, |began| began.elapsed().as_secs_f64())
            })
        },
    ),
    ("pipeline_up", "Whether the pipeline runs", |pipeline| {
        Some(is(pipeline.status.is_running()))
    }),
    (
        "pipeline_ready",
        "Whether the pipeline is ready, as /readyz says",
        |pipeline| Some(is(pipeline.status.problem().is_none())),
    ),
    (
        "planned_threads",
        "Threads that the pipeline may have",
        |pipeline| Some(pipeline.status.need().threads() as f64),
    ),
    (
        "planned_memory_bytes",
        "Bytes that may wait in the pipeline's queues, and those of its models",
        |pipeline| Some(pipeline.status.need().bytes() as f64),
    ),
];

impl<'a> PipelineFigures<'a> {
    fn of(status: &'a PipelineStatus) -> Self {
        let running = status.running();
        let workers = running.iter().flat_map(|running| &running.workers);
        Self {
            name: &status.name,
            status,
            totals: status.totals(),
            workers: workers.map(|worker| worker.figures()).collect(),
            running,
        }
    }

    /// A value of a running pipeline, and 0 of any other.
    fn if_running(&self, value: impl Fn(&RunningPipeline) -> f64) -> Option<f64> {
        Some(self.running.as_ref().map_or(0.0, value))
    }
}

fn is(so: bool) -> f64 {
    f64::from(u8::from(so))
}

/// Frames in flight of each pipeline.
fn in_flight(
    out: &mut DescriptorEncoder<'_>,
    pipelines: &[PipelineFigures<'_>],
) -> Result<(), fmt::Error> {
    let help = "Frames that have no fate yet, by where they are";
    let mut family = out.encode_descriptor("frames_in_flight", help, None, MetricType::Gauge)?;
    for PipelineFigures { name, totals, .. } in pipelines {
        for (stage, count) in STAGES.into_iter().zip(totals.in_flight) {
            let labels = [("stage", stage), ("pipeline", *name)];
            ConstGauge::new(count as f64).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn info(
    out: &mut DescriptorEncoder<'_>,
    pipelines: &[PipelineFigures<'_>],
) -> Result<(), fmt::Error> {
    let mut family = out.encode_descriptor(
        "pipeline_info",
        "Model, provider and version of the running pipeline",
        None,
        MetricType::Gauge,
    )?;
    for PipelineFigures { name, running, .. } in pipelines {
        let Some(running) = running else {
            continue;
        };
        let labels = [
            ("pipeline", *name),
            ("model_sha256", running.model_sha256.as_str()),
            ("provider", running.provider.as_str()),
            ("version", env!("CARGO_PKG_VERSION")),
        ];
        ConstGauge::new(1_i64).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;
    use crate::run::budget::ResourceNeed;
    use crate::run::metrics::pipelines::PipelineState;

    fn status(name: &str, state: PipelineState) -> Arc<PipelineStatus> {
        let status = PipelineStatus::new(name, ResourceNeed::default());
        status.set_state(state);
        Arc::new(status)
    }

    #[test]
    fn every_series_has_the_label_of_its_pipeline() {
        let down = PipelineState::Failed {
            why: "no model".into(),
            retry_in: None,
        };
        let statuses = ProcessStatus(vec![
            status(
                "a",
                PipelineState::Running(Box::new(RunningPipeline::of_test())),
            ),
            status("b", down),
        ]);
        let mut registry = Registry::with_prefix("foretick");
        registry.register_collector(Box::new(statuses));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let series = |line: &&str| !line.starts_with('#');
        for line in text.lines().filter(series) {
            let of = ["a", "b"].map(|name| line.contains(&format!("pipeline=\"{name}\"")));
            assert_ne!(of[0], of[1], "{line}");
        }
        for line in [
            "foretick_pipeline_up{pipeline=\"a\"} 1.0",
            "foretick_pipeline_up{pipeline=\"b\"} 0.0",
            "foretick_events_total{kind=\"trade\",pipeline=\"a\"} 0",
        ] {
            assert!(text.lines().any(|other| other == line), "{text}");
        }
        let families = text.lines().filter(|line| line.starts_with("# TYPE"));
        let mut names: Vec<&str> = families.collect();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "each family once: {text}");
    }
}
