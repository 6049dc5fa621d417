//! The options of `bench`.

use std::path::PathBuf;
use std::time::Duration;

/// What to measure.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// The ONNX file.
    pub model: PathBuf,
    /// Rows in a window: T.
    pub steps: usize,
    /// A window is scored at every so many rows: K.
    pub stride: u64,
    /// Instruments that take the rows, in random order.
    pub instruments: usize,
    /// A file of rows to score; random rows otherwise.
    pub rows: Option<PathBuf>,
    /// The file that the scores are written to.
    pub output: Option<PathBuf>,
    /// Whether to also measure whole new windows by our kernels.
    pub fresh: bool,
    /// How long to measure, once every instrument has a complete window.
    pub time: Duration,
}
