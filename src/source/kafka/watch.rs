//! Asks the brokers once a second, on a thread of its own, where the assigned partitions end.
//!
//! A broker that is stopped closes no connection, so that the client notices nothing for a minute. The
//! answers also say how far behind the source is. Never holds up the poll.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::Offset;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaResult;
use tracing::{Span, info, warn};

use super::membership::Membership;
use super::positions::Positions;
use super::queries::OffsetQueries;
use crate::clock;
use crate::source::status::FeedStatus;

/// The thread, which ends when this is dropped.
pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts to watch the brokers of a consumer.
    ///
    /// # Panics
    /// Where no thread can be had.
    pub(super) fn start(consumer: &Arc<BaseConsumer<Membership>>, status: Arc<FeedStatus>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (consumer, stopped) = (Arc::downgrade(consumer), Arc::clone(&stop));
        let span = Span::current();
        let thread = std::thread::Builder::new()
            .name("kafka-watch".into())
            .spawn(move || {
                let _inside = span.entered();
                watch(&consumer, &status, &stopped);
            })
            .expect("a thread can be had");
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

/// Waits for the answer that is due, or for its time-out: the consumer must not be closed by that thread.
impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            drop(thread.join());
        }
    }
}

fn watch(consumer: &Weak<BaseConsumer<Membership>>, status: &FeedStatus, stop: &AtomicBool) {
    let mut failed_before = false;
    while !stop.load(Ordering::Acquire)
        && let Some(consumer) = consumer.upgrade()
    {
        match lag(&consumer, status) {
            Ok(lag) => {
                status.partitions.answered(clock::now(), lag);
                if status.set_silent(false) {
                    info!("the brokers answer again");
                }
                failed_before = false;
            }
            // Once: a leader may have moved.
            Err(_) if !failed_before => failed_before = true,
            Err(error) => {
                if !status.set_silent(true) && status.is_connected() {
                    warn!(%error, "the brokers do not answer");
                }
            }
        }
        drop(consumer);
        let pause = match failed_before {
            true => AGAIN,
            false => EVERY,
        };
        std::thread::park_timeout(pause);
    }
}

/// Records that the brokers have of the assigned partitions and that were not read. Also notes how far those
/// are that are read again.
fn lag(consumer: &BaseConsumer<Membership>, status: &FeedStatus) -> KafkaResult<i64> {
    let membership = consumer.context();
    let topics = membership.topics();
    let begins = membership.rebalance.begins();
    let keys: Vec<_> = begins.keys().copied().collect();
    let positions = Positions { consumer, topics };
    if keys.is_empty() {
        return positions.ask().map(|()| 0);
    }
    let ends = positions.spans(&keys)?;
    let read = consumer.position()?;
    let next = |(stream, partition): (u16, i32)| {
        let element = read.find_partition(topics.of(stream)?, partition)?;
        match element.offset() {
            Offset::Offset(next) => Some(next),
            _ => begins.get(&(stream, partition)).copied(),
        }
    };
    status.partitions.read_to(next);
    let lags = keys.iter().zip(ends).map(|(key, (low, high))| {
        let next = next(*key).unwrap_or(high);
        (high - next.max(low)).max(0)
    });
    Ok(lags.sum())
}

const EVERY: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_millis(200);
