//! The histogram of the skews of venues, whose bounds reach below zero.

use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;

use crate::run::skew::SkewReport;

/// Encodes the skews of each pipeline by venue.
pub(super) fn encode_skews(
    out: &mut DescriptorEncoder<'_>,
    pipelines: &[(&str, Vec<SkewReport>)],
) -> Result<(), fmt::Error> {
    let help = "Receive time less event time of trades, quotes and book changes; negative where the clock \
                of the venue is ahead";
    let kind = MetricType::Histogram;
    let mut family = out.encode_descriptor("source_skew_seconds", help, None, kind)?;
    for (name, reports) in pipelines {
        for report in reports {
            let at = |at: usize| report.buckets.get(at).copied().unwrap_or(0);
            let bounds = SkewReport::BOUNDS.iter().enumerate();
            let mut buckets: Vec<(f64, u64)> = bounds
                .map(|(n, bound)| (*bound as f64 * 1e-9, at(n)))
                .collect();
            let below: u64 = report.buckets.iter().sum();
            buckets.push((f64::MAX, report.count - below));
            let labels = [("venue", report.venue.as_str()), ("pipeline", *name)];
            let mut encoder = family.encode_family(&labels)?;
            let (sum, count) = (report.sum, report.count);
            encoder.encode_histogram::<[(&str, &str); 1]>(sum, count, &buckets, None)?;
        }
    }
    Ok(())
}
