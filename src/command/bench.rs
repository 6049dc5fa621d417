//! What a model costs on this machine, and whether it is the same: our windows beside ONNX Runtime's.
//!
//! Needs no pipeline and no contract in the file. Pins no thread and touches no setting of the machine: the
//! figures are of the machine as it is, neighbours included.

mod measure;
mod report;
mod rows;

pub use self::report::{CpuPerRow, Report};

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::measure::Measured;
use self::rows::Tape;
use crate::model::ModelError;
use crate::model::kernel::Isa;
use crate::model::onnx::Onnx;
use crate::model::strategy::{Way, Windows};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// The ONNX file.
    pub model: PathBuf,
    /// Rows in a window: T.
    pub steps: usize,
    /// A window is scored at every so many rows: K.
    pub every: u64,
    /// Instruments that take the rows, in random order.
    pub instruments: usize,
    /// Rows to score; random ones otherwise.
    pub rows: Option<PathBuf>,
    /// Where the scores go.
    pub output: Option<PathBuf>,
    /// Whether to measure whole new windows by our kernels too.
    pub fresh: bool,
    /// How long to measure, once all windows are under way.
    pub time: Duration,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The model cannot be used.
    #[error("{0}")]
    Model(ModelError),
    /// A file cannot be read or written.
    #[error("while {doing} {}: {cause}", path.display())]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The rows are not what the model takes.
    #[error("while reading rows: {}:{line}: {what}", path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong, and what to do.
        what: String,
    },
    /// There are too few rows.
    #[error(
        "while reading rows: {} has {rows}, and the first window is complete at row {needed}; give at \
         least so many",
        path.display()
    )]
    Few {
        /// The file.
        path: PathBuf,
        /// Rows in it.
        rows: usize,
        /// Rows that are needed.
        needed: u64,
    },
}

impl BenchError {
    /// Whether other options would do.
    #[must_use]
    pub fn is_wrong_use(&self) -> bool {
        matches!(self, Self::Model(ModelError::Window { .. }))
    }
}

/// Measures.
///
/// # Errors
/// [`BenchError`] where the model or the rows cannot be used, or the scores cannot be written.
pub fn bench(options: &Options) -> Result<Report, BenchError> {
    let (path, steps) = (&options.model, options.steps);
    let named = |error| BenchError::Model(name(error, path));
    let bytes = fs::read(path).map_err(|cause| {
        named(ModelError::Read {
            path: path.clone(),
            cause,
        })
    })?;
    let onnx = Onnx::bare(&bytes, steps).map_err(named)?;
    let way = Way::choose(path, &bytes, steps, Windows::Auto, Isa::best()).map_err(named)?;
    let tape = match &options.rows {
        Some(rows) => Tape::read(rows, onnx.features(), steps, options.every)?,
        None => {
            let scaling = way.network.as_ref().map_or(&[][..], |of| of.scaling());
            Tape::random(scaling, onnx.features(), steps, options.every)
        }
    };
    // Before anything is measured: a folder that is not there should not cost the wait.
    let output = options.output.as_deref().map(create).transpose()?;
    let measured = measure::measure(&way, onnx, &tape, options).map_err(named)?;
    if let (Some(mut file), Some(path)) = (output, &options.output) {
        let failed = |cause| BenchError::File {
            doing: "writing scores to",
            path: path.clone(),
            cause,
        };
        write(&measured, &tape, &mut file).map_err(failed)?;
    }
    Ok(Report::of(&measured, &way, &tape, options))
}

/// Some errors do not know whose they are.
fn name(error: ModelError, path: &Path) -> ModelError {
    match error {
        ModelError::Load { what, .. } => ModelError::Load {
            path: path.to_owned(),
            what,
        },
        other => other,
    }
}

fn create(path: &Path) -> Result<BufWriter<File>, BenchError> {
    let file = File::create(path).map_err(|cause| BenchError::File {
        doing: "creating",
        path: path.to_owned(),
        cause,
    })?;
    Ok(BufWriter::new(file))
}

/// A line for each window that the tape completes, each number as short as it can be read back the same.
fn write(measured: &Measured, tape: &Tape, to: &mut impl Write) -> std::io::Result<()> {
    let mut text = ryu::Buffer::new();
    let windows = measured.scores.chunks_exact(measured.outputs);
    for scores in windows.take(tape.windows()) {
        for (at, &score) in scores.iter().enumerate() {
            if at > 0 {
                to.write_all(b",")?;
            }
            to.write_all(text.format(score as f32).as_bytes())?;
        }
        to.write_all(b"\n")?;
    }
    to.flush()
}
