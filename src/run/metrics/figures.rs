//! The figures of `/metrics`: each family once, with one series a pipeline and label value.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::{Board, Place, Wall};
use crate::run::latency::StageReport;
use crate::run::worker::Report;
use crate::signal::quality::Quality;

impl Collector for Wall {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let sheets: Vec<Sheet<'_>> = self.0.iter().map(|place| Sheet::of(place)).collect();
        for (name, help, labels, rows) in COUNTERS {
            let mut family = out.encode_descriptor(name, help, None, MetricType::Counter)?;
            for sheet in &sheets {
                for (first, second, value) in rows(sheet) {
                    let values = [first, second];
                    let mut set: Vec<(&str, &str)> = labels.iter().copied().zip(values).collect();
                    set.push(("pipeline", sheet.name));
                    ConstCounter::new(value).encode(family.encode_family(&set.as_slice())?)?;
                }
            }
        }
        for (name, help, value) in GAUGES {
            let mut family = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for sheet in &sheets {
                let Some(value) = value(sheet) else {
                    continue;
                };
                let labels = [("pipeline", sheet.name)];
                ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
            }
        }
        stages(&mut out, &sheets)?;
        info(&mut out, &sheets)
    }
}

/// What one pipeline shows at this moment.
struct Sheet<'a> {
    name: &'a str,
    place: &'a Place,
    board: Option<Board>,
    reports: Vec<Report>,
}

type Row = (&'static str, &'static str, u64);
type Rows = fn(&Sheet<'_>) -> Vec<Row>;
type Value = fn(&Sheet<'_>) -> Option<f64>;

const COUNTERS: [(&str, &str, &[&str], Rows); 5] = [
    (
        "frames",
        "Frames by what became of them",
        &["fate", "reason"],
        |sheet| sheet.frames(),
    ),
    (
        "events",
        "Events of the engine by kind",
        &["kind"],
        |sheet| sheet.events(),
    ),
    (
        "signals",
        "Signals made, by quality",
        &["quality"],
        |sheet| sheet.signals(),
    ),
    (
        "source_events",
        "What happened to the source",
        &["kind"],
        |sheet| sheet.source_events(),
    ),
    (
        "pipeline_restarts",
        "Times that the pipeline was started again after a failure",
        &[],
        |sheet| vec![("", "", sheet.place.restarts())],
    ),
];

const GAUGES: [(&str, &str, Value); 7] = [
    (
        "source_healthy",
        "Whether the source is connected and alive",
        |sheet| sheet.of_board(|board| f64::from(u8::from(board.feed.is_healthy()))),
    ),
    (
        "source_last_frame_timestamp_seconds",
        "When the last frame came, seconds since the epoch",
        |sheet| {
            sheet.of_board(|board| {
                let last = board.feed.last_data();
                last.map_or(0.0, |last| last.0 as f64 * 1e-9)
            })
        },
    ),
    ("instruments", "Instruments with state", |sheet| {
        Some(sheet.reports.iter().map(|r| r.instruments).sum::<usize>() as f64)
    }),
    (
        "deferred_instruments",
        "Instruments whose windows in flight have steps to make up for",
        |sheet| Some(sheet.reports.iter().map(|r| r.deferred).sum::<usize>() as f64),
    ),
    ("pipeline_up", "Whether the pipeline runs", |sheet| {
        Some(f64::from(u8::from(sheet.place.is_running())))
    }),
    (
        "planned_threads",
        "Threads that the pipeline may have",
        |sheet| Some(sheet.place.need.threads() as f64),
    ),
    (
        "planned_memory_bytes",
        "Bytes that may wait in the pipeline's queues, and those of its models",
        |sheet| Some(sheet.place.need.bytes() as f64),
    ),
];

impl<'a> Sheet<'a> {
    fn of(place: &'a Place) -> Self {
        let board = place.board();
        let windows = board.iter().flat_map(|board| &board.windows);
        Self {
            name: &place.name,
            place,
            reports: windows.map(|window| window.report()).collect(),
            board,
        }
    }

    fn sum(&self, of: Count) -> u64 {
        self.reports.iter().map(of).sum()
    }

    fn of_board(&self, value: impl Fn(&Board) -> f64) -> Option<f64> {
        self.board.as_ref().map(value)
    }

    fn frames(&self) -> Vec<Row> {
        let Some(Board { feed, .. }) = &self.board else {
            return vec![];
        };
        let mut frames = vec![
            ("used", "", self.sum(|r| r.account.used)),
            ("conflated", "", read(&feed.conflated)),
            ("dropped", "overflow", read(&feed.dropped.overflow)),
            ("dropped", "binary", read(&feed.dropped.binary)),
            ("dropped", "tombstone", read(&feed.dropped.tombstone)),
            ("dropped", "orphaned", read(&feed.dropped.orphaned)),
        ];
        for Report { account, .. } in &self.reports {
            let dropped = account.dropped_by_reason.iter();
            frames.extend(dropped.map(|(r, n)| ("dropped", *r, *n)));
            let buried = account.dead_lettered_by_reason.iter();
            frames.extend(buried.map(|(r, n)| ("dead_lettered", *r, *n)));
        }
        merge(&mut frames);
        frames
    }

    fn events(&self) -> Vec<Row> {
        EVENTS
            .iter()
            .map(|(kind, of)| (*kind, "", self.sum(*of)))
            .collect()
    }

    fn signals(&self) -> Vec<Row> {
        let of = |quality: &Quality| {
            let at = *quality as usize;
            let count = self.reports.iter().map(|report| report.qualities[at]);
            (quality.word(), "", count.sum())
        };
        Quality::ALL.iter().map(of).collect()
    }

    fn source_events(&self) -> Vec<Row> {
        let Some(Board { feed, .. }) = &self.board else {
            return vec![];
        };
        vec![
            ("connection", "", read(&feed.connections)),
            ("failure", "", read(&feed.failures)),
            ("snapshot", "", read(&feed.snapshots)),
            ("snapshot_failure", "", read(&feed.snapshot_failures)),
        ]
    }
}

type Count = fn(&Report) -> u64;

const EVENTS: [(&str, Count); 23] = [
    ("trade", |r| r.events.counts.trades),
    ("quote", |r| r.events.counts.quotes),
    ("depth", |r| r.events.counts.depths),
    ("bar", |r| r.events.counts.bars),
    ("figure", |r| r.events.counts.figures),
    ("sentiment", |r| r.events.counts.sentiments),
    ("row", |r| r.events.counts.rows),
    ("incomplete_row", |r| r.events.counts.incomplete_rows),
    ("gap", |r| r.events.counts.gaps),
    ("missing_message", |r| r.events.counts.missing),
    ("duplicate", |r| r.events.counts.duplicates),
    ("stale", |r| r.events.counts.stale),
    ("backwards", |r| r.events.counts.backwards),
    ("crossed_book", |r| r.events.counts.crossed),
    ("record", |r| r.events.counts.records),
    ("missing_field", |r| r.events.counts.missing_fields),
    ("unknown_field", |r| r.events.counts.unknown_fields),
    ("restated", |r| r.events.counts.restated),
    ("undefined_score", |r| r.events.undefined_scores),
    ("venue_error", |r| r.events.venue_errors),
    ("late_frame", |r| r.events.late_frames),
    ("known_frame", |r| r.events.known_frames),
    ("deferred_block", |r| r.events.deferred_blocks),
];

fn stages(out: &mut DescriptorEncoder<'_>, sheets: &[Sheet<'_>]) -> Result<(), fmt::Error> {
    let help = "Time by stage; queue and total are of the wall clock, total is tick to signal";
    let kind = MetricType::Histogram;
    let mut family = out.encode_descriptor("stage_duration_seconds", help, None, kind)?;
    for Sheet { name, reports, .. } in sheets {
        let names = reports.first().map_or(0, |report| report.stages.len());
        for stage in 0..names {
            let of_stage = |report: &Report| report.stages.get(stage).cloned();
            let all: Vec<StageReport> = reports.iter().filter_map(of_stage).collect();
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

fn info(out: &mut DescriptorEncoder<'_>, sheets: &[Sheet<'_>]) -> Result<(), fmt::Error> {
    let mut family =
        out.encode_descriptor("pipeline_info", "What runs", None, MetricType::Gauge)?;
    for Sheet { name, board, .. } in sheets {
        let Some(board) = board else {
            continue;
        };
        let labels = [
            ("pipeline", *name),
            ("model_sha256", board.model_sha256.as_str()),
            ("provider", board.provider.as_str()),
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
fn merge(rows: &mut Vec<Row>) {
    rows.sort_unstable();
    rows.dedup_by(|later, kept| {
        let same = (later.0, later.1) == (kept.0, kept.1);
        kept.2 += if same { later.2 } else { 0 };
        same
    });
}
