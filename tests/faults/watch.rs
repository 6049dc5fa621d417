//! A reader of the signals while they come: how soon the first new one is there after an engine was started.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use foretick::clock;
use foretick::kafka::{Properties, client_config};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};

use crate::given::PATIENCE;

/// Stops the watch also where the run panics.
pub(crate) struct WatchEnd<'a>(pub(crate) &'a Watch);

impl Drop for WatchEnd<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

/// When signals became readable, and when they were sent.
#[derive(Default)]
pub(crate) struct Watch {
    stop: AtomicBool,
    /// In nanoseconds since the epoch: readable, and in milliseconds: sent.
    seen: Mutex<Vec<(i64, i64)>>,
}

impl Watch {
    /// Reads until it is stopped.
    pub(crate) fn run(&self, bootstrap: &str, topic: &str, partitions: i32) {
        let settings = [
            ("group.id", "foretick-test-watch"),
            ("isolation.level", "read_committed"),
            ("fetch.wait.max.ms", "20"),
        ];
        let config = client_config(bootstrap, &settings, &Properties::new());
        let client: BaseConsumer = config
            .expect("no property is refused")
            .create()
            .expect("a consumer can be made");
        let mut assignment = TopicPartitionList::new();
        for partition in 0..partitions {
            let added = assignment.add_partition_offset(topic, partition, Offset::Beginning);
            added.expect("an offset is valid");
        }
        client
            .assign(&assignment)
            .expect("the partitions are there");
        while !self.stop.load(Ordering::Relaxed) {
            if let Some(Ok(record)) = client.poll(Duration::from_millis(50)) {
                let sent = record.timestamp().to_millis().unwrap_or_default();
                self.seen
                    .lock()
                    .expect("no holder panics")
                    .push((clock::now().0, sent));
            }
        }
    }

    /// Waits for the first signal.
    pub(crate) fn wait(&self) {
        let began = clock::instant();
        while self.seen.lock().expect("no holder panics").is_empty() {
            assert!(began.elapsed() < PATIENCE, "no signal comes");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// How long after each of these moments the first signal was readable that was sent after it; those of
    /// which none came before the next moment are left out.
    pub(crate) fn waits(&self, starts: &[i64]) -> Vec<Duration> {
        let seen = self.seen.lock().expect("no holder panics");
        let wait = |at: usize| {
            let (from, to) = (starts[at], starts.get(at + 1).copied().unwrap_or(i64::MAX));
            let first = seen.iter().find(|(readable, sent)| {
                *readable > from && *readable < to && sent * 1_000_000 > from
            })?;
            Some(Duration::from_nanos((first.0 - from).unsigned_abs()))
        };
        (0..starts.len()).filter_map(wait).collect()
    }
}
