//! Why a graph is not recognised.

use crate::model::ModelError;

/// Why a file is not recognised; a window of it is then computed whole.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// No ONNX file.
    #[error("while reading the graph: {0}; is it an ONNX file, and whole?")]
    Bytes(#[from] prost::DecodeError),
    /// ONNX Runtime is missing.
    #[error(transparent)]
    Runtime(#[from] ModelError),
    /// ONNX Runtime does not fold the graph.
    #[error("while folding the graph: {0}; does the model run on a window of this length?")]
    Fold(String),
    /// The folder for temporary files does not take the folded graph.
    #[error(
        "while keeping the folded graph in a temporary file: {0}; is there room, and may it be written?"
    )]
    File(#[from] std::io::Error),
    /// Another network than one that we compute ourselves: a sentence.
    #[error("{0}")]
    Graph(String),
}

pub(super) fn refuse<T>(what: impl Into<String>) -> Result<T, Why> {
    Err(Why::Graph(what.into()))
}
