//! The figures of `/metrics`: each family once, with one series a pipeline and label value.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::encode_skews::encode_skews;
use super::pipelines::{PipelineStatus, ProcessStatus, RunningPipeline};
use super::source_figures::encode_sources;
use crate::run::latency::StageReport;
use crate::run::skew::SkewReport;
use crate::run::status::WorkerFigures;
use crate::signal::quality::Quality;
use crate::source::status::EndReason;

impl Collector for ProcessStatus {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let pipelines: Vec<PipelineFigures<'_>> = self
            .0
            .iter()
            .map(|status| PipelineFigures::of(status))
            .collect();
        for (name, help, labels, rows) in COUNTERS {
            let mut family = out.encode_descriptor(name, help, None, MetricType::Counter)?;
            for pipeline in &pipelines {
                for (first, second, value) in rows(pipeline) {
                    let values = [first, second];
                    let mut set: Vec<(&str, &str)> = labels.iter().copied().zip(values).collect();
                    set.push(("pipeline", pipeline.name));
                    ConstCounter::new(value).encode(family.encode_family(&set.as_slice())?)?;
                }
            }
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
        stages(&mut out, &pipelines)?;
        let skews: Vec<_> = pipelines.iter().map(|p| (p.name, p.skews())).collect();
        encode_skews(&mut out, &skews)?;
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
    running: Option<RunningPipeline>,
    workers: Vec<WorkerFigures>,
}

type Series = (&'static str, &'static str, u64);
type ReadSeries = fn(&PipelineFigures<'_>) -> Vec<Series>;
type ReadValue = fn(&PipelineFigures<'_>) -> Option<f64>;

const COUNTERS: [(&str, &str, &[&str], ReadSeries); 6] = [
    (
        "frames",
        "Frames by fate; reason of drops and dead letters",
        &["fate", "reason"],
        |pipeline| pipeline.frames(),
    ),
    (
        "events",
        "Events of the engine by kind",
        &["kind"],
        |pipeline| pipeline.events(),
    ),
    (
        "signals",
        "Signals made, by quality",
        &["quality"],
        |pipeline| pipeline.signals(),
    ),
    (
        "source_events",
        "Reconnects, failures and other events of the source",
        &["kind"],
        |pipeline| pipeline.source_events(),
    ),
    (
        "connection_ends",
        "Connections that ended or could not be made, by reason",
        &["reason"],
        |pipeline| pipeline.connection_ends(),
    ),
    (
        "pipeline_restarts",
        "Times that the pipeline was started again after a failure",
        &[],
        |pipeline| vec![("", "", pipeline.status.restarts())],
    ),
];

const GAUGES: [(&str, &str, ReadValue); 10] = [
    (
        "source_healthy",
        "Whether the source is connected and alive",
        |pipeline| pipeline.if_running(|running| f64::from(u8::from(running.feed.is_healthy()))),
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
        "capture_failed",
        "Whether the capture could not be written and has ended, where one was asked for",
        |pipeline| {
            let failed = pipeline.running.as_ref()?.capture_failed.as_ref()?;
            Some(f64::from(u8::from(failed.load(Ordering::Relaxed))))
        },
    ),
    (
        "deferred_instruments",
        "Instruments with deferred steps of sliding windows",
        |pipeline| Some(pipeline.workers.iter().map(|r| r.deferred).sum::<usize>() as f64),
    ),
    ("pipeline_up", "Whether the pipeline runs", |pipeline| {
        Some(f64::from(u8::from(pipeline.status.is_running())))
    }),
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
            workers: workers.map(|worker| worker.figures()).collect(),
            running,
        }
    }

    fn sum(&self, of: Count) -> u64 {
        self.workers.iter().map(of).sum()
    }

    fn if_running(&self, value: impl Fn(&RunningPipeline) -> f64) -> Option<f64> {
        self.running.as_ref().map(value)
    }

    fn frames(&self) -> Vec<Series> {
        let Some(RunningPipeline { feed, .. }) = &self.running else {
            return vec![];
        };
        let mut frames = vec![
            ("used", "", self.sum(|r| r.account.used)),
            ("conflated", "", read(&feed.conflated)),
            ("dropped", "overflow", read(&feed.dropped.overflow)),
            ("dropped", "binary", read(&feed.dropped.binary)),
            ("dropped", "tombstone", read(&feed.dropped.tombstone)),
            ("dropped", "orphaned", read(&feed.dropped.orphaned)),
            ("dropped", "repeated", read(&feed.dropped.repeated)),
        ];
        for WorkerFigures { account, .. } in &self.workers {
            let dropped = account.dropped_by_reason.iter();
            frames.extend(dropped.map(|(r, n)| ("dropped", *r, *n)));
            let buried = account.dead_lettered_by_reason.iter();
            frames.extend(buried.map(|(r, n)| ("dead_lettered", *r, *n)));
        }
        merge(&mut frames);
        frames
    }

    fn events(&self) -> Vec<Series> {
        EVENTS
            .iter()
            .map(|(kind, of)| (*kind, "", self.sum(*of)))
            .collect()
    }

    /// The skew of each venue, of those listed too where none has come.
    fn skews(&self) -> Vec<SkewReport> {
        let mut venues: BTreeMap<&str, SkewReport> = BTreeMap::new();
        for venue in self.running.iter().flat_map(|running| &running.venues) {
            venues.entry(venue).or_default();
        }
        for report in self.workers.iter().flat_map(|worker| &worker.skews) {
            venues.entry(&report.venue).or_default().merge(report);
        }
        let named = venues.into_iter().map(|(venue, report)| SkewReport {
            venue: venue.to_owned(),
            ..report
        });
        named.collect()
    }

    fn signals(&self) -> Vec<Series> {
        let of = |quality: &Quality| {
            let at = *quality as usize;
            let count = self.workers.iter().map(|worker| worker.qualities[at]);
            (quality.word(), "", count.sum())
        };
        Quality::ALL.iter().map(of).collect()
    }

    fn source_events(&self) -> Vec<Series> {
        let Some(RunningPipeline { feed, .. }) = &self.running else {
            return vec![];
        };
        vec![
            ("connection", "", read(&feed.connections)),
            ("failure", "", read(&feed.failures)),
            ("snapshot", "", read(&feed.snapshots)),
            ("snapshot_failure", "", read(&feed.snapshot_failures)),
            ("rejection", "", read(&feed.rejections)),
            ("notice", "", read(&feed.notices)),
        ]
    }

    fn connection_ends(&self) -> Vec<Series> {
        let Some(RunningPipeline { feed, .. }) = &self.running else {
            return vec![];
        };
        let of = |reason: EndReason| (reason.word(), "", feed.ends.of(reason));
        EndReason::ALL.map(of).into()
    }
}

type Count = fn(&WorkerFigures) -> u64;

const EVENTS: [(&str, Count); 38] = [
    ("trade", |r| r.counts.engine.trades),
    ("quote", |r| r.counts.engine.quotes),
    ("depth", |r| r.counts.engine.depths),
    ("bar", |r| r.counts.engine.bars),
    ("figure", |r| r.counts.engine.figures),
    ("sentiment", |r| r.counts.engine.sentiments),
    ("row", |r| r.counts.engine.rows),
    ("incomplete_row", |r| r.counts.engine.incomplete_rows),
    ("gap", |r| r.counts.engine.gaps),
    ("renumbered", |r| r.counts.engine.renumbered),
    ("silence", |r| r.counts.engine.silences),
    ("old_snapshot", |r| r.counts.engine.old_snapshots),
    ("crowded_out", |r| r.counts.engine.crowded_out),
    ("missing_message", |r| r.counts.engine.missing),
    ("unreported_gap", |r| r.counts.engine.unreported_gaps),
    ("duplicate", |r| r.counts.engine.duplicates),
    ("stale", |r| r.counts.engine.stale),
    ("correction", |r| r.counts.engine.corrections),
    ("cancel", |r| r.counts.engine.cancels),
    ("halt", |r| r.counts.engine.halts),
    ("backwards", |r| r.counts.engine.backwards),
    ("ahead", |r| r.counts.engine.ahead),
    ("late_update", |r| r.counts.engine.late_updates),
    ("late_drop", |r| r.counts.engine.late_drops),
    ("late_correct", |r| r.counts.engine.late_corrections),
    ("late_unplaced", |r| r.counts.engine.late_unplaced),
    ("corrected_signal", |r| r.counts.engine.corrected_signals),
    ("crossed_book", |r| r.counts.engine.crossed),
    ("record", |r| r.counts.engine.records),
    ("missing_field", |r| r.counts.engine.missing_fields),
    ("unknown_field", |r| r.counts.engine.unknown_fields),
    ("restated", |r| r.counts.engine.restated),
    ("undefined_score", |r| r.counts.undefined_scores),
    ("invalid_probability", |r| r.counts.invalid_probabilities),
    ("venue_error", |r| r.counts.venue_errors),
    ("late_frame", |r| r.counts.late_frames),
    ("reprocessed_frame", |r| r.counts.reprocessed_frames),
    ("deferred_block", |r| r.counts.deferred_blocks),
];

fn stages(
    out: &mut DescriptorEncoder<'_>,
    pipelines: &[PipelineFigures<'_>],
) -> Result<(), fmt::Error> {
    let help = "Time by stage; total is from tick to signal, and is taken from the wall clock, as queue is";
    let kind = MetricType::Histogram;
    let mut family = out.encode_descriptor("stage_duration_seconds", help, None, kind)?;
    for PipelineFigures { name, workers, .. } in pipelines {
        let names = workers.first().map_or(0, |worker| worker.stages.len());
        for stage in 0..names {
            let of_stage = |worker: &WorkerFigures| worker.stages.get(stage).cloned();
            let all: Vec<StageReport> = workers.iter().filter_map(of_stage).collect();
            let Some(stage) = all.first().map(|stage| stage.name) else {
                continue;
            };
            let bound = |at: usize| match StageReport::BOUNDS.get(at) {
                Some(nanos) => *nanos as f64 * 1e-9,
                None => f64::MAX,
            };
            let at = |at: usize| {
                all.iter()
                    .map(|s| s.buckets.get(at).copied().unwrap_or(0))
                    .sum()
            };
            let mut buckets: Vec<(f64, u64)> = (0..StageReport::BOUNDS.len())
                .map(|n| (bound(n), at(n)))
                .collect();
            let count: u64 = all.iter().map(|stage| stage.count).sum();
            let below: u64 = buckets.iter().map(|bucket| bucket.1).sum();
            buckets.push((f64::MAX, count - below));
            let sum = all.iter().map(|stage| stage.sum).sum();
            let labels = [("stage", stage), ("pipeline", *name)];
            let mut encoder = family.encode_family(&labels)?;
            encoder.encode_histogram::<[(&str, &str); 1]>(sum, count, &buckets, None)?;
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

fn read(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

/// Adds up rows of the same labels, which several shards may have.
fn merge(rows: &mut Vec<Series>) {
    rows.sort_unstable();
    rows.dedup_by(|later, kept| {
        let same = (later.0, later.1) == (kept.0, kept.1);
        kept.2 += if same { later.2 } else { 0 };
        same
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;
    use crate::run::budget::ResourceNeed;
    use crate::run::metrics::pipelines::PipelineState;

    fn running() -> RunningPipeline {
        RunningPipeline {
            model_sha256: "00".into(),
            provider: "cpu".into(),
            workers: vec![Arc::default()],
            feed: Arc::default(),
            listed: vec![],
            hours: None,
            venues: vec![],
            needs_quotes: true,
            began: crate::clock::instant(),
            waiting_max: std::time::Duration::ZERO,
            capture_failed: None,
        }
    }

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
            status("a", PipelineState::Running(Box::new(running()))),
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
