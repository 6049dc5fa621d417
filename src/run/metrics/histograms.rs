//! The histograms of `/metrics`: how long each stage takes, and how far behind their venues events come.

use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

use super::totals::Totals;
use crate::run::latency::StageReport;
use crate::run::skew::SkewReport;

/// Encodes the duration of each stage.
pub(super) fn encode_stages<'a>(
    out: &mut DescriptorEncoder<'_>,
    pipelines: impl Iterator<Item = (&'a str, &'a Totals)>,
) -> Result<(), fmt::Error> {
    let help = "Time by stage; total is from tick to signal, and is taken from the wall clock, as queue is";
    let kind = MetricType::Histogram;
    let mut family = out.encode_descriptor("stage_duration_seconds", help, None, kind)?;
    for (name, totals) in pipelines {
        for stage in &totals.stages {
            let labels = [("stage", stage.name), ("pipeline", name)];
            let bounds = StageReport::BOUNDS.map(|nanos| nanos as f64 * 1e-9);
            let buckets = buckets(&bounds, &stage.buckets, stage.count);
            let mut encoder = family.encode_family(&labels)?;
            let (sum, count) = (stage.sum, stage.count);
            encoder.encode_histogram::<[(&str, &str); 1]>(sum, count, &buckets, None)?;
        }
    }
    Ok(())
}

/// Encodes the skews of each pipeline by venue; their bounds reach below zero.
pub(super) fn encode_skews<'a>(
    out: &mut DescriptorEncoder<'_>,
    pipelines: impl Iterator<Item = (&'a str, &'a Totals)>,
) -> Result<(), fmt::Error> {
    let help = "Receive time less event time of trades, quotes and book changes; negative where the clock \
                of the venue is ahead";
    let kind = MetricType::Histogram;
    let mut family = out.encode_descriptor("source_skew_seconds", help, None, kind)?;
    for (name, totals) in pipelines {
        for skew in &totals.skews {
            let labels = [("venue", skew.venue.as_str()), ("pipeline", name)];
            let bounds = SkewReport::BOUNDS.map(|nanos| nanos as f64 * 1e-9);
            let buckets = buckets(&bounds, &skew.buckets, skew.count);
            let mut encoder = family.encode_family(&labels)?;
            let (sum, count) = (skew.sum, skew.count);
            encoder.encode_histogram::<[(&str, &str); 1]>(sum, count, &buckets, None)?;
        }
    }
    Ok(())
}

/// Each bound with the values up to it and above the bound before; the last bound is infinite.
fn buckets(bounds: &[f64], counts: &[u64], count: u64) -> Vec<(f64, u64)> {
    let of = |at: usize| counts.get(at).copied().unwrap_or(0);
    let bounded = bounds.iter().enumerate();
    let mut all: Vec<(f64, u64)> = bounded.map(|(at, &bound)| (bound, of(at))).collect();
    let below: u64 = all.iter().map(|(_, count)| count).sum();
    all.push((f64::INFINITY, count.saturating_sub(below)));
    all
}
