//! Kafka topics as a source: one thread that polls, passes frames on, and never drops one.

mod assigned;
mod connection;
mod ends;
mod error;
mod membership;
mod merge;
mod partition;
mod progress;
mod reader;
mod record;
mod rings;
mod settings;
mod trouble;

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;

use tracing::Span;

pub use self::error::KafkaSourceError;
pub use self::progress::Progress;
use self::reader::KafkaReader;
pub use self::settings::KafkaSourceSettings;
use super::ring::Sender;
use crate::source::status::FeedStatus;

/// Starts the thread that reads. The frames of partition p go to ring `p % rings.len()`.
///
/// The thread ends within about 100 ms and the time of the drain after `stop` turns true, or at the end of
/// the topics if the settings say so. It then drops the rings, waits for `progress` to be complete, and
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
    progress: Arc<Progress>,
    status: Arc<FeedStatus>,
    stop: Arc<AtomicBool>,
) -> io::Result<JoinHandle<Result<(), KafkaSourceError>>> {
    assert!(!rings.is_empty(), "a source needs a ring");
    let span = Span::current();
    std::thread::Builder::new()
        .name("kafka-source".into())
        .spawn(move || {
            let _inside = span.entered();
            KafkaReader::connect(settings, rings, progress, status)?.run(&stop)
        })
}

#[cfg(test)]
mod tests;
