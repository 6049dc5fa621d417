//! The files that the parts of a pipeline read and write, for the checks of [`super::outputs`].

use std::path::{Path, PathBuf};

use super::outputs::{OutputContent, OutputError, check_outputs_of_run, outputs_of};
use crate::config::SinkKind;
use crate::pipeline::Pipeline;
use crate::source::capture::CaptureSettings;

/// The files that a command reads: its inputs and the pipeline's configuration.
#[must_use]
pub fn read_by<'a>(inputs: &'a [PathBuf], pipeline: &'a Pipeline) -> Vec<&'a Path> {
    let inputs = inputs.iter().map(PathBuf::as_path);
    inputs.chain([pipeline.path()]).collect()
}

/// Checks the files that a live run is to write.
///
/// # Errors
/// [`OutputError`] for one that must not be written.
pub fn check_sink(
    pipeline: &Pipeline,
    capture: Option<&CaptureSettings>,
    force: bool,
) -> Result<(), OutputError> {
    let sink = &pipeline.file.sink;
    let is_file = sink.kind == SinkKind::File;
    let side = |path: &Option<String>| {
        let path = path.as_ref().map(PathBuf::from);
        path.filter(|path| sink.kind != SinkKind::Kafka && !path.as_os_str().is_empty())
    };
    let outputs = outputs_of([
        (
            "[sink] file",
            is_file.then(|| pipeline.sink_file().to_owned()),
            OutputContent::Signals,
        ),
        (
            "[sink] dead_letters",
            side(&sink.dead_letters),
            OutputContent::JsonLines,
        ),
        (
            "[sink] alerts",
            side(&sink.alerts),
            OutputContent::JsonLines,
        ),
        ("[sink] gaps", side(&sink.gaps), OutputContent::JsonLines),
        (
            "--capture",
            capture.and_then(CaptureSettings::replaced),
            OutputContent::Capture,
        ),
    ]);
    let inputs = read_by(&[], pipeline);
    check_outputs_of_run(&outputs, &inputs, force)
}
