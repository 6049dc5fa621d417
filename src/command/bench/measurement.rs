//! The result of a measurement.

use hdrhistogram::Histogram;

/// What was measured.
pub(super) struct Measurement {
    /// From a row to the score of its window.
    pub(super) critical: Histogram<u64>,
    /// The deferred steps after it.
    pub(super) deferred: Histogram<u64>,
    /// A whole window by ONNX Runtime.
    pub(super) ort: Histogram<u64>,
    /// A whole window by our kernels.
    pub(super) fresh: Histogram<u64>,
    /// Reading the input weights.
    pub(super) floor: Histogram<u64>,
    /// Two readings of the clock, one right after the other.
    pub(super) clock: Histogram<u64>,
    /// Processor time per row, in nanoseconds: ours, ONNX Runtime's.
    pub(super) cpu: [f64; 2],
    /// The scores of each window in turn.
    pub(super) scores: Vec<f64>,
    /// Scores per window.
    pub(super) outputs: usize,
    /// Windows whose scores were compared.
    pub(super) compared: usize,
    /// Largest difference from ONNX Runtime's scores, relative to the largest of them.
    pub(super) max_rel_diff: f64,
    /// Bytes of state per instrument.
    pub(super) bytes_per_instrument: usize,
}
