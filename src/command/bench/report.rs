//! The report of a measurement: a table, or one JSON object.

use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::measurement::Measurement;
use super::options::BenchOptions;
use super::tape::Tape;
use crate::model::strategy::Strategy;
use crate::run::latency::Quantiles;

/// The report of `bench`. Times are in nanoseconds.
#[derive(Clone, Debug, Serialize)]
pub struct BenchReport {
    /// The file.
    pub model: String,
    /// How windows are computed: `slide` (sliding) or `plain` (whole).
    pub path: String,
    /// The reason for that.
    pub why: String,
    /// The instructions of our kernels: `avx512`, `avx2`, `scalar`; `onnxruntime` for whole windows.
    pub kernels: &'static str,
    /// Rows in a window.
    pub window: usize,
    /// A window is scored at every so many rows.
    pub stride: u64,
    /// Numbers in a row.
    pub features: usize,
    /// Instruments that took the rows.
    pub instruments: usize,
    /// Windows whose scores were compared.
    pub windows: usize,
    /// Largest difference from ONNX Runtime's scores, relative to the largest of those.
    pub max_rel_diff: f64,
    /// From a row to the score of its window.
    pub critical_ns: Quantiles,
    /// The deferred steps of other windows, after the score.
    pub deferred_ns: Quantiles,
    /// A whole window by ONNX Runtime.
    pub ort_window_ns: Quantiles,
    /// A whole window by our kernels, where requested.
    pub fresh_window_ns: Option<Quantiles>,
    /// Median time to read the weights that a step reads at least: a lower bound of a step.
    pub floor_ns: Option<u64>,
    /// Median time of two readings of the clock, which each latency above includes.
    pub clock_ns: u64,
    /// Processor time per row, deferred steps included.
    pub cpu_ns_per_row: ProcessorTimePerRow,
    /// Bytes of state per instrument.
    pub bytes_per_instrument: usize,
}

/// Processor time per row, in nanoseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ProcessorTimePerRow {
    /// By the chosen strategy.
    pub ours: f64,
    /// By whole windows of ONNX Runtime.
    pub ort: f64,
}

impl BenchReport {
    pub(super) fn new(
        measured: &Measurement,
        strategy: &Strategy,
        tape: &Tape,
        options: &BenchOptions,
    ) -> Self {
        let median = |of: &Histogram<u64>| of.value_at_quantile(0.5);
        let some = |of: &Histogram<u64>| (!of.is_empty()).then(|| Quantiles::of(of));
        let [ours, ort] = measured.cpu.map(f64::round);
        let isa = strategy
            .network
            .as_ref()
            .map(|network| network.isa().name());
        Self {
            model: options.model.display().to_string(),
            path: strategy.name().to_owned(),
            why: strategy.reason.clone(),
            kernels: isa.unwrap_or("onnxruntime"),
            window: options.steps,
            stride: options.stride,
            features: tape.features(),
            instruments: options.instruments,
            windows: measured.compared,
            max_rel_diff: measured.max_rel_diff,
            critical_ns: Quantiles::of(&measured.critical),
            deferred_ns: Quantiles::of(&measured.deferred),
            ort_window_ns: Quantiles::of(&measured.ort),
            fresh_window_ns: some(&measured.fresh),
            floor_ns: some(&measured.floor).map(|floor| floor.p50),
            clock_ns: median(&measured.clock),
            cpu_ns_per_row: ProcessorTimePerRow { ours, ort },
            bytes_per_instrument: measured.bytes_per_instrument,
        }
    }

    fn remarks(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(floor) = self.floor_ns {
            let times = self.critical_ns.p50 as f64 / floor.max(1) as f64;
            let floor = time(floor as f64);
            writeln!(
                f,
                "{:<22}{floor:>10}   to read the input weights; the critical path takes {times:.2} times that",
                "floor"
            )?;
        }
        let clock = time(self.clock_ns as f64);
        writeln!(
            f,
            "{:<22}{clock:>10}   to read the clock twice, which is in each figure above\n",
            "clock"
        )?;
        let ProcessorTimePerRow { ours, ort } = self.cpu_ns_per_row;
        writeln!(
            f,
            "a row takes {} of processor time, {} by ONNX Runtime's windows: {:.2} times less",
            time(ours),
            time(ort),
            ort / ours
        )?;
        writeln!(
            f,
            "one core sustains {:.0} rows a second; an instrument takes {:.1} KiB",
            1e9 / ours,
            self.bytes_per_instrument as f64 / 1024.0
        )
    }
}

impl fmt::Display for BenchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "model        {}", self.model)?;
        let [window, features, instruments] = [self.window, self.features, self.instruments];
        let every = match self.stride {
            1 => "row".into(),
            stride => format!("{stride} rows"),
        };
        writeln!(
            f,
            "windows      of {window} rows of {features} numbers, scored at every {every}; instruments: \
             {instruments}"
        )?;
        writeln!(f, "path         {}: {}", self.path, self.why)?;
        if self.floor_ns.is_some() {
            let (apart, windows) = (self.max_rel_diff, self.windows);
            writeln!(
                f,
                "difference   {apart:.1e} of ONNX Runtime's largest score, over {windows} windows"
            )?;
        }
        writeln!(f)?;
        writeln!(f, "{:<22}{:>10}{:>10}{:>10}", "", "p50", "p99", "max")?;
        for (name, figures) in [
            ("critical path", Some(&self.critical_ns)),
            ("deferred", Some(&self.deferred_ns)),
            ("ONNX Runtime's window", Some(&self.ort_window_ns)),
            ("fresh window", self.fresh_window_ns.as_ref()),
        ] {
            if let Some(of) = figures {
                let [p50, p99, max] = [of.p50, of.p99, of.max].map(|ns| time(ns as f64));
                writeln!(f, "{name:<22}{p50:>10}{p99:>10}{max:>10}")?;
            }
        }
        self.remarks(f)
    }
}

/// Nanoseconds with three digits and a unit.
fn time(ns: f64) -> String {
    let (scaled, unit) = match ns {
        ns if ns < 1e3 => return format!("{ns:.0} ns"),
        ns if ns < 1e6 => (ns / 1e3, "µs"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns => (ns / 1e9, "s"),
    };
    let digits = match scaled {
        scaled if scaled < 10.0 => 2,
        scaled if scaled < 100.0 => 1,
        _ => 0,
    };
    format!("{scaled:.digits$} {unit}")
}
