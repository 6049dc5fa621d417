//! The figures of Kafka sources: partitions, lag, answers. A websocket has none of them.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::source::partition_figures::PartitionFigures;

/// A gauge: its name, its meaning, and how it is read.
type SourceGauge = (
    &'static str,
    &'static str,
    fn(&PartitionFigures) -> Option<f64>,
);

const GAUGES: [SourceGauge; 3] = [
    (
        "source_partitions",
        "Partitions of Kafka that the group has assigned to the source",
        |figures| Some(figures.partitions()? as f64),
    ),
    (
        "source_lag_records",
        "Records that the brokers have and the source has not read, once a second",
        |figures| Some(figures.lag()? as f64),
    ),
    (
        "source_last_answer_timestamp_seconds",
        "When the brokers answered last, seconds since the epoch",
        |figures| Some(figures.last_answer()?.0 as f64 * 1e-9),
    ),
];

/// Encodes the figures of each pipeline's source.
pub(super) fn encode_sources(
    out: &mut DescriptorEncoder<'_>,
    sources: &[(&str, &PartitionFigures)],
) -> Result<(), fmt::Error> {
    for (name, help, read) in GAUGES {
        let mut family = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (pipeline, figures) in sources {
            if let Some(value) = read(figures) {
                let labels = [("pipeline", *pipeline)];
                ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
            }
        }
    }
    Ok(())
}
