//! Reads the counts of a pipeline's frames as of one moment, so that they balance at every scrape.
//!
//! Nothing is derived: the source counts what it receives, the shards count what becomes of it, and what is
//! in flight is what queues and hands hold. So a frame that is lost between them shows.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::frame_counts::FrameCounts;
use super::running::RunningPipeline;
use crate::clock;
use crate::run::account::Account;
use crate::source::turn::{WriterTurns, as_of_one_moment};

/// The frames of a run at this moment; of one shortly before, where its threads are not seen between their
/// turns.
pub(super) fn frame_counts(running: &RunningPipeline) -> FrameCounts {
    let began = clock::instant();
    let mut all: Vec<&WriterTurns> = vec![&running.feed.turns];
    all.extend(running.rings.iter().map(|ring| ring.turns()));
    let mut last = running.frames.lock();
    loop {
        if let Some(counts) = as_of_one_moment(&all, || read(running)) {
            *last = counts;
        } else if began.elapsed() < PATIENCE {
            std::thread::sleep(STEP);
            continue;
        }
        return last.clone();
    }
}

fn read(running: &RunningPipeline) -> FrameCounts {
    let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
    let feed = &running.feed;
    let of_shards = running.workers.iter().map(|worker| read(&worker.ticks));
    let ticks = read(&running.ticks) + of_shards.sum::<u64>();
    let mut fates = Account::default();
    for worker in &running.workers {
        fates += &worker.fates.account();
    }
    fates.conflated += read(&feed.conflated);
    for (reason, count) in feed.dropped.by_reason() {
        fates.drop_frames(reason, count);
    }
    let rings = || running.rings.iter();
    FrameCounts {
        received: [
            read(&feed.received),
            read(&feed.copies),
            read(&feed.gaps),
            ticks,
        ],
        fates,
        in_flight: [
            read(&feed.held),
            rings().map(|ring| ring.waiting()).sum(),
            rings().map(|ring| ring.in_hand()).sum(),
        ],
    }
}

/// How long the threads of a run may go on without a moment between their turns.
const PATIENCE: Duration = Duration::from_millis(100);
const STEP: Duration = Duration::from_micros(20);
