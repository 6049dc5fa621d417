//! What an operator watches: `/metrics` for Prometheus, `/healthz`, `/readyz`, on loopback by default.
//!
//! Reads figures that the shards and the source show; changes nothing. Names are in base units.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text::encode};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use tokio::runtime::Runtime;

use crate::latency::StageReport;
use crate::signal::Quality;
use crate::source::status::FeedStatus;
use crate::worker::Window;

/// Where the figures of a run can be read.
#[derive(Clone, Debug)]
pub struct Board {
    /// The pipeline's name.
    pub pipeline: String,
    /// SHA-256 of the model that runs.
    pub model_sha256: String,
    /// Where it computes.
    pub provider: String,
    /// One window a shard.
    pub windows: Vec<Arc<Window>>,
    /// The source.
    pub feed: Arc<FeedStatus>,
}

/// A running server; it ends with its runtime.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
}

/// Why metrics cannot be served.
#[derive(Debug, thiserror::Error)]
#[error(
    "while serving metrics at `{listen}`: {cause}; choose another address by `[metrics] listen` or \
     `--set metrics.listen=127.0.0.1:0`, or none by an empty one"
)]
pub struct MetricsError {
    listen: String,
    cause: String,
}

impl Server {
    /// Serves until the runtime ends; nothing where `listen` is empty.
    ///
    /// # Errors
    /// [`MetricsError`] where the address is none or is taken.
    pub fn start(
        listen: &str,
        board: Board,
        runtime: &Runtime,
    ) -> Result<Option<Self>, MetricsError> {
        if listen.is_empty() {
            return Ok(None);
        }
        let failed = |cause: String| MetricsError {
            listen: listen.to_owned(),
            cause,
        };
        let address: SocketAddr = listen.parse().map_err(|_| failed("no address".into()))?;
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind(address))
            .map_err(|cause| failed(cause.to_string()))?;
        let address = listener
            .local_addr()
            .map_err(|cause| failed(cause.to_string()))?;
        let router = router(board);
        runtime.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::warn!(%error, "the metrics server ended");
            }
        });
        tracing::info!(%address, "metrics at /metrics, health at /healthz and /readyz");
        Ok(Some(Self { address }))
    }
}

fn router(board: Board) -> Router {
    let ready = board.clone();
    let mut registry = Registry::with_prefix("foretick");
    registry.register_collector(Box::new(board));
    let registry = Arc::new(registry);
    Router::new()
        .route("/metrics", get(move || metrics(Arc::clone(&registry))))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(move || readiness(ready.clone())))
}

type Answer = (StatusCode, [(header::HeaderName, &'static str); 1], String);

async fn metrics(registry: Arc<Registry>) -> Answer {
    let mut text = String::new();
    let status = match encode(&mut text, &registry) {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    (status, [(header::CONTENT_TYPE, kind)], text)
}

/// Ready is who has a source that delivers.
async fn readiness(board: Board) -> (StatusCode, &'static str) {
    if board.feed.is_healthy() {
        (StatusCode::OK, "ready\n")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "the source is not connected\n",
        )
    }
}

impl Collector for Board {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let reports: Vec<_> = self.windows.iter().map(|window| window.report()).collect();
        let sum = |of: fn(&crate::worker::Report) -> u64| reports.iter().map(of).sum::<u64>();
        let feed = |count: &AtomicU64| count.load(Ordering::Relaxed);

        let mut frames = vec![
            ("used", "", sum(|r| r.account.used)),
            ("conflated", "", feed(&self.feed.conflated)),
            ("dropped", "overflow", feed(&self.feed.dropped.overflow)),
            ("dropped", "binary", feed(&self.feed.dropped.binary)),
            ("dropped", "tombstone", feed(&self.feed.dropped.tombstone)),
            ("dropped", "orphaned", feed(&self.feed.dropped.orphaned)),
        ];
        for report in &reports {
            let account = &report.account;
            frames.extend(
                account
                    .dropped_by_reason
                    .iter()
                    .map(|(r, n)| ("dropped", *r, *n)),
            );
            let buried = account.dead_lettered_by_reason.iter();
            frames.extend(buried.map(|(r, n)| ("dead_lettered", *r, *n)));
        }
        merge(&mut frames);
        counters(
            &mut out,
            "frames",
            "Frames by what became of them",
            &["fate", "reason"],
            &frames,
        )?;

        let events = [
            ("trade", "", sum(|r| r.events.counts.trades)),
            ("quote", "", sum(|r| r.events.counts.quotes)),
            ("depth", "", sum(|r| r.events.counts.depths)),
            ("row", "", sum(|r| r.events.counts.rows)),
            (
                "incomplete_row",
                "",
                sum(|r| r.events.counts.incomplete_rows),
            ),
            ("gap", "", sum(|r| r.events.counts.gaps)),
            ("missing_message", "", sum(|r| r.events.counts.missing)),
            ("duplicate", "", sum(|r| r.events.counts.duplicates)),
            ("stale", "", sum(|r| r.events.counts.stale)),
            ("backwards", "", sum(|r| r.events.counts.backwards)),
            ("crossed_book", "", sum(|r| r.events.counts.crossed)),
            ("record", "", sum(|r| r.events.counts.records)),
            ("missing_field", "", sum(|r| r.events.counts.missing_fields)),
            ("unknown_field", "", sum(|r| r.events.counts.unknown_fields)),
            ("restated", "", sum(|r| r.events.counts.restated)),
            ("undefined_score", "", sum(|r| r.events.undefined_scores)),
            ("venue_error", "", sum(|r| r.events.venue_errors)),
            ("late_frame", "", sum(|r| r.events.late_frames)),
            ("deferred_block", "", sum(|r| r.events.deferred_blocks)),
        ];
        counters(
            &mut out,
            "events",
            "Events of the engine by kind",
            &["kind"],
            &events,
        )?;

        let quality = |at: usize| {
            reports
                .iter()
                .map(|report| report.qualities[at])
                .sum::<u64>()
        };
        let signals: Vec<_> = Quality::ALL
            .iter()
            .map(|q| (q.word(), "", quality(*q as usize)))
            .collect();
        counters(
            &mut out,
            "signals",
            "Signals made, by quality",
            &["quality"],
            &signals,
        )?;

        let feeds = [
            ("connection", "", feed(&self.feed.connections)),
            ("failure", "", feed(&self.feed.failures)),
            ("snapshot", "", feed(&self.feed.snapshots)),
            ("snapshot_failure", "", feed(&self.feed.snapshot_failures)),
        ];
        counters(
            &mut out,
            "source_events",
            "What happened to the source",
            &["kind"],
            &feeds,
        )?;

        let healthy = f64::from(u8::from(self.feed.is_healthy()));
        gauge(
            &mut out,
            "source_healthy",
            "Whether the source is connected and alive",
            healthy,
        )?;
        let last = self
            .feed
            .last_data()
            .map_or(0.0, |last| last.0 as f64 * 1e-9);
        let help = "When the last frame came, seconds since the epoch";
        gauge(&mut out, "source_last_frame_timestamp_seconds", help, last)?;
        let instruments: usize = reports.iter().map(|report| report.instruments).sum();
        gauge(
            &mut out,
            "instruments",
            "Instruments with state",
            instruments as f64,
        )?;
        let deferred: usize = reports.iter().map(|report| report.deferred).sum();
        let help = "Instruments whose windows in flight have steps to make up for";
        gauge(&mut out, "deferred_instruments", help, deferred as f64)?;
        self.stages(&mut out, &reports)?;
        self.info(&mut out)
    }
}

impl Board {
    fn stages(
        &self,
        out: &mut DescriptorEncoder<'_>,
        reports: &[crate::worker::Report],
    ) -> Result<(), fmt::Error> {
        let kind = prometheus_client::metrics::MetricType::Histogram;
        let help = "Time by stage; queue and total are of the wall clock, total is tick to signal";
        let mut family = out.encode_descriptor("stage_duration_seconds", help, None, kind)?;
        let names = reports
            .first()
            .map(|report| report.stages.len())
            .unwrap_or(0);
        for stage in 0..names {
            let of_stage = |report: &crate::worker::Report| report.stages.get(stage).cloned();
            let all: Vec<StageReport> = reports.iter().filter_map(of_stage).collect();
            let Some(name) = all.first().map(|stage| stage.name) else {
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
            let labels = [("stage", name)];
            let mut encoder = family.encode_family(&labels)?;
            encoder.encode_histogram::<[(&str, &str); 1]>(sum, count, &buckets, None)?;
        }
        Ok(())
    }

    fn info(&self, out: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let one = ConstGauge::new(1_i64);
        let help = "What runs";
        let mut family = out.encode_descriptor("pipeline_info", help, None, one.metric_type())?;
        let labels = [
            ("pipeline", self.pipeline.as_str()),
            ("model_sha256", self.model_sha256.as_str()),
            ("provider", self.provider.as_str()),
            ("version", env!("CARGO_PKG_VERSION")),
        ];
        one.encode(family.encode_family(&labels)?)
    }
}

type Row<'a> = (&'a str, &'a str, u64);

/// Adds up rows of the same labels, which several shards may have.
fn merge(rows: &mut Vec<Row<'_>>) {
    rows.sort_unstable();
    rows.dedup_by(|later, kept| {
        let same = (later.0, later.1) == (kept.0, kept.1);
        kept.2 += if same { later.2 } else { 0 };
        same
    });
}

fn counters(
    out: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    labels: &[&str],
    rows: &[Row<'_>],
) -> Result<(), fmt::Error> {
    let kind = prometheus_client::metrics::MetricType::Counter;
    let mut family = out.encode_descriptor(name, help, None, kind)?;
    for &(first, second, value) in rows {
        let values = [first, second];
        let set: Vec<(&str, &str)> = labels.iter().copied().zip(values).collect();
        ConstCounter::new(value).encode(family.encode_family(&set.as_slice())?)?;
    }
    Ok(())
}

fn gauge(
    out: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    value: f64,
) -> Result<(), fmt::Error> {
    let gauge = ConstGauge::new(value);
    gauge.encode(out.encode_descriptor(name, help, None, gauge.metric_type())?)
}
