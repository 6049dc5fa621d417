//! Why nothing is converted.

use super::topics::TopicFault;
use crate::command::inputs::RepeatedInput;
use crate::command::outputs::OutputError;
use crate::config::ConfigError;
use crate::run::replay::ReplayError;
use crate::sink::event::PartitionFault;
use crate::source::file::FileError;
use crate::source::input_paths::InputPathError;
use crate::source::kafka::whole_topic::TopicError;

/// Why nothing is converted: the command is used wrongly.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum ConvertFault {
    /// An input names no files.
    Inputs(#[from] InputPathError),
    /// A file is given twice.
    Repeated(#[from] RepeatedInput),
    /// The folder must not be written to.
    Folder(#[from] PartitionFault),
    /// The file must not be written.
    Output(#[from] OutputError),
    /// The topic must not be written to.
    Topic(#[from] TopicFault),
    /// The pipeline is wrong.
    Config(#[from] ConfigError),
    /// Two things for standard output.
    #[error("--json and --output - both write to standard output; leave out one of them")]
    Stdout,
    /// Nothing is asked for.
    #[error("no event lies between --from and --to; write the earlier time under --from")]
    Span,
}

/// Why a conversion failed.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The command is used wrongly.
    #[error("{0}")]
    Fault(#[from] ConvertFault),
    /// An input cannot be read, or the output not be written.
    #[error("{0}")]
    Replay(#[from] ReplayError),
    /// The brokers do not say what the topics hold.
    #[error("{0}")]
    Topic(#[from] TopicError),
}

impl From<FileError> for ConvertError {
    fn from(error: FileError) -> Self {
        Self::Replay(error.into())
    }
}
