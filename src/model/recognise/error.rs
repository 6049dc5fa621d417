//! The reasons for which a graph is not recognised.

use crate::model::ModelError;

/// The reason for which a file is not recognised. Its windows are then computed whole by ONNX Runtime.
#[derive(Debug, thiserror::Error)]
pub enum RecogniseError {
    /// The bytes are no ONNX file.
    #[error("while reading the graph: {0}; is it an ONNX file, and whole?")]
    Bytes(#[from] prost::DecodeError),
    /// ONNX Runtime is missing.
    #[error(transparent)]
    Runtime(#[from] ModelError),
    /// ONNX Runtime cannot fold the graph.
    #[error("while folding the graph: {0}; does the model run on a window of this length?")]
    Fold(String),
    /// The folded graph cannot be written to the folder for temporary files.
    #[error(
        "while writing the folded graph to a temporary file: {0}; free space there, or set TMPDIR to a folder \
         that can be written"
    )]
    File(#[from] std::io::Error),
    /// The network is not one that our kernels compute: a sentence that says why.
    #[error("{0}")]
    Graph(String),
}

/// An error with this sentence.
pub(super) fn refuse<T>(what: impl Into<String>) -> Result<T, RecogniseError> {
    Err(RecogniseError::Graph(what.into()))
}
