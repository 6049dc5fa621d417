//! Kafka topics as a source: one thread that polls, passes frames on, and never drops one.

mod assigned;
mod commit;
mod commit_note;
mod connection;
mod error;
mod gaps;
mod group;
pub(crate) mod intake;
mod links;
mod membership;
mod merge;
mod other_members;
mod overtaken;
pub(crate) mod partition;
pub mod placement;
mod positions;
mod progress;
pub(crate) mod queries;
mod reader;
pub(crate) mod rebalance;
mod record;
mod rings;
mod settings;
pub mod starts;
pub(crate) mod take_over;
mod topic_address;
mod topic_error;
pub(crate) mod topic_partitions;
mod topic_spans;
mod topics;
mod trouble;
mod watch;
pub mod whole_topic;

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;

use tracing::Span;

pub use self::commit_note::CommitNote;
pub use self::error::KafkaSourceError;
pub use self::group::Group;
pub use self::links::KafkaLinks;
pub use self::progress::Progress;
use self::reader::KafkaReader;
pub use self::settings::{CommitBy, KafkaSourceSettings};
use super::ring::Sender;

/// Starts the thread that reads. The frames of partition p go to ring `p % rings.len()`.
///
/// The thread ends within about 100 ms and the time of the drain after `stop` turns true, or at the end of
/// the topics if the settings say so. It then drops the rings, waits for the progress to be complete, and
/// commits it.
///
/// # Errors
/// Where the thread cannot be started; the thread itself returns [`KafkaSourceError`].
///
/// # Panics
/// Without a ring.
pub fn spawn(
    settings: KafkaSourceSettings,
    rings: Vec<Sender>,
    links: KafkaLinks,
    stop: Arc<AtomicBool>,
) -> io::Result<JoinHandle<Result<(), KafkaSourceError>>> {
    assert!(!rings.is_empty(), "a source needs a ring");
    let span = Span::current();
    std::thread::Builder::new()
        .name("kafka-source".into())
        .spawn(move || {
            let _inside = span.entered();
            match KafkaReader::connect(settings, rings, links, &stop)? {
                Some(reader) => reader.run(&stop),
                None => Ok(()),
            }
        })
}

#[cfg(test)]
mod tests;
