//! Topics among the inputs: each partition is read like a file.

use std::io;

use super::file_error::FileError;
use super::file_options::FileOptions;
use super::file_session::FileChain;
use super::input_paths::topic_of;
use super::kafka::topic_partitions::TopicPartition;
use crate::units::Nanos;

/// The same chains, with one for each partition in the place of a topic.
pub(super) fn with_partitions(
    chains: Vec<FileChain>,
    options: &FileOptions,
) -> Result<Vec<FileChain>, FileError> {
    let mut all = vec![];
    for chain in chains {
        let path = chain.paths.front().cloned().unwrap_or_default();
        let failed = |cause| FileError {
            path: path.clone(),
            line: None,
            cause,
        };
        let address = topic_of(&path).map_err(|error| failed(io::Error::other(error)))?;
        let Some(address) = address else {
            all.push(chain);
            continue;
        };
        // Before that time nothing is looked for, if no record was written so long before its event.
        let since = options
            .begin
            .map(|begin| Nanos(begin.0.saturating_sub(WRITTEN_BEFORE_NS)));
        let partitions = TopicPartition::open_all(address, &options.kafka, since);
        let partitions = partitions.map_err(|error| failed(io::Error::other(error)))?;
        all.extend(partitions.into_iter().map(|partition| FileChain {
            partition: Some(partition),
            ..chain.clone()
        }));
    }
    Ok(all)
}

/// How long before its event a record may have been written, by clocks that differ.
const WRITTEN_BEFORE_NS: i64 = 10_000_000_000;
