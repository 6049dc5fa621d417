//! `foretick bench`: what a model costs on this machine, and whether our windows score as ONNX Runtime's do.
//!
//! Needs no pipeline, and no contract in the model's file. Pins no thread and changes no setting of the
//! machine: the figures include whatever else runs on it.

mod error;
mod full_window_run;
mod measure;
mod measurement;
mod options;
mod report;
mod sliding_run;
mod tape;
mod timing;
mod turns;

pub use self::error::BenchError;
pub use self::options::BenchOptions;
pub use self::report::{BenchReport, ProcessorTimePerRow};

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

use self::measurement::Measurement;
use self::tape::Tape;
use crate::model::ModelError;
use crate::model::kernel::Isa;
use crate::model::onnx::Onnx;
use crate::model::strategy::{Strategy, WindowMode};
use crate::sink::output_file::OutputFile;

/// Measures a model.
///
/// # Errors
/// [`BenchError`] where the model or the rows cannot be used, or the scores cannot be written.
pub fn bench(options: &BenchOptions) -> Result<BenchReport, BenchError> {
    let (path, steps) = (&options.model, options.steps);
    let named = |error| BenchError::Model(with_path(error, path));
    let bytes = fs::read(path).map_err(|cause| {
        named(ModelError::Read {
            path: path.clone(),
            cause,
        })
    })?;
    let onnx = Onnx::bare(&bytes, steps).map_err(named)?;
    let strategy =
        Strategy::choose(path, &bytes, steps, WindowMode::Auto, Isa::best()).map_err(named)?;
    let tape = match &options.rows {
        Some(rows) => Tape::read(rows, onnx.features(), steps, options.stride)?,
        None => {
            let scaling = strategy
                .network
                .as_ref()
                .map_or(&[][..], |network| network.scaling());
            Tape::random(scaling, onnx.features(), steps, options.stride)
        }
    };
    // Created before the measurement, so that a missing folder is reported at once.
    let output = options.output.as_deref().map(create).transpose()?;
    let measured = measure::measure(&strategy, onnx, &tape, options).map_err(named)?;
    if let (Some(mut file), Some(path)) = (output, &options.output) {
        let failed = |cause| BenchError::File {
            doing: "writing scores to",
            path: path.clone(),
            cause,
        };
        write(&measured, &tape, &mut file).map_err(failed)?;
        let file = file
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        file.finish().map_err(failed)?;
    }
    Ok(BenchReport::new(&measured, &strategy, &tape, options))
}

/// An error with the model's path, where it names no file.
fn with_path(error: ModelError, path: &Path) -> ModelError {
    match error {
        ModelError::Load { what, .. } => ModelError::Load {
            path: path.to_owned(),
            what,
        },
        other => other,
    }
}

fn create(path: &Path) -> Result<BufWriter<OutputFile>, BenchError> {
    let file = OutputFile::create(path).map_err(|cause| BenchError::File {
        doing: "creating",
        path: path.to_owned(),
        cause,
    })?;
    Ok(BufWriter::new(file))
}

/// Writes a line for each window of the tape; each number as short as it can be read back the same.
fn write(measured: &Measurement, tape: &Tape, to: &mut impl Write) -> std::io::Result<()> {
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
