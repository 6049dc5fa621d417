//! A replay with a thread for each shard, one that reads, and the calling one, which writes in the order of
//! the frames: what is written is what one thread would have written.
//!
//! The reader hands the frames on in parts. Each shard gives what came of its share of a part, with the
//! numbers of the frames, and the writer puts the shares of a part in order. Every queue has a bound.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::error::ReplayError;
use super::numbered_source::NumberedSource;
use super::pace::Pace;
use super::parts::{FrameOutput, FrameParts, NumberedFrame, PartOutputs, PartResult};
use super::router::FrameRouter;
use super::shard_thread::ShardThread;
use crate::run::progress_display::{FRAMES_BETWEEN_LOOKS, ProgressDisplay};
use crate::run::shard::Shard;
use crate::run::writer::Writer;
use crate::sink::SinkError;
use crate::source::file::FileError;

/// What the threads of a replay work on.
pub(super) struct OnShards {
    pub(super) shards: Vec<Shard>,
    pub(super) source: NumberedSource,
    pub(super) router: FrameRouter,
    pub(super) pace: Pace,
    /// The most frames in a batch.
    pub(super) batch: usize,
}

/// Parts that may wait for a shard, or for the writer.
const WAITING: usize = 2;

impl OnShards {
    /// Replays to the end. Gives the shards back, and the number of copies that the router made.
    pub(super) fn run(self, writer: &mut Writer) -> Result<(Vec<Shard>, u64), ReplayError> {
        let Self {
            shards,
            mut source,
            router,
            mut pace,
            batch,
        } = self;
        let is_paced = pace.is_paced();
        std::thread::scope(|scope| {
            let (mut senders, mut results, mut workers) = (vec![], vec![], vec![]);
            for (number, shard) in shards.into_iter().enumerate() {
                let (send_part, parts) = sync_channel::<Vec<NumberedFrame>>(WAITING);
                let (send_result, result) = sync_channel::<PartResult>(WAITING);
                senders.push(send_part);
                results.push(result);
                let worker = ShardThread::new(shard, batch);
                let thread = std::thread::Builder::new().name(format!("shard-{number}"));
                let spawned = thread.spawn_scoped(scope, move || worker.run(&parts, &send_result));
                workers.push(spawned.map_err(ReplayError::Thread)?);
            }
            let thread = std::thread::Builder::new().name("reader".into());
            let reader = thread.spawn_scoped(scope, move || {
                read(&mut source, router, &mut pace, &senders)
            });
            let reader = reader.map_err(ReplayError::Thread)?;
            let written = write_all(writer, &results, is_paced);
            // Whoever still works finds that nobody listens.
            drop(results);
            let read = reader.join().expect("reading does not panic");
            let joined = workers.into_iter();
            let joined = joined.map(|worker| worker.join().expect("an engine does not panic"));
            let shards: Vec<Shard> = joined.collect();
            written?;
            let copies = writer.end(read.map_err(ReplayError::from))?;
            Ok((shards, copies))
        })
    }
}

/// Reads to the end, or until a shard has ended; returns the number of copies: see [`FrameRouter::copies`].
fn read(
    source: &mut NumberedSource,
    mut router: FrameRouter,
    pace: &mut Pace,
    senders: &[SyncSender<Vec<NumberedFrame>>],
) -> Result<u64, FileError> {
    let mut progress = ProgressDisplay::new("frames");
    let mut parts = FrameParts::new(senders.len());
    let hand_on = |parts: &mut FrameParts| {
        let mut shares = senders.iter().zip(parts.take());
        shares.all(|(sender, share)| sender.send(share).is_ok())
    };
    let read = loop {
        let (origin, bytes) = match source.next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        if pace.is_early(&origin) {
            if !parts.is_empty() && !hand_on(&mut parts) {
                break Ok(());
            }
            pace.wait(&origin);
        }
        router.place(origin, bytes, &mut parts);
        if parts.is_full() && !hand_on(&mut parts) {
            break Ok(());
        }
        if source.frames().is_multiple_of(FRAMES_BETWEEN_LOOKS) {
            progress.show(source.frames(), || source.progress());
        }
    };
    // A capture that is cut off still gives what it held, and then its error.
    if !parts.is_empty() {
        hand_on(&mut parts);
    }
    read.map(|()| router.copies())
}

/// Writes the parts one after the other, until each shard has given what came of its share of the last.
fn write_all(
    writer: &mut Writer,
    results: &[Receiver<PartResult>],
    is_paced: bool,
) -> Result<(), ReplayError> {
    let mut order = NameOrder::default();
    loop {
        let mut all = vec![];
        for result in results {
            // The reader hands each part to all shards, so that all end behind the same part.
            match result.recv() {
                Ok(outcomes) => all.push(outcomes?),
                Err(_) => return Ok(()),
            }
        }
        for outcome in order.in_order(all) {
            write(writer, outcome)?;
        }
        if is_paced {
            writer.flush()?;
        }
    }
}

fn write(writer: &mut Writer, outcome: FrameOutput) -> Result<(), SinkError> {
    match outcome {
        FrameOutput::Signal(signal, name) => writer.signal(&signal, &name),
        FrameOutput::Gap(gap, name) => writer.gap(&gap, &name),
        FrameOutput::DeadLetter {
            error,
            origin,
            bytes,
        } => writer.dead_letter(error, origin, &bytes),
        FrameOutput::Command(command) => writer.delivered_command(&command),
    }
}

/// The order in which instruments came, which is theirs where one frame concerns several.
#[derive(Default)]
struct NameOrder {
    ranks: HashMap<Arc<str>, usize>,
}

impl NameOrder {
    /// What came of a part, of all shards, in the order of one thread. A frame that all shards got gives one
    /// dead letter, or one command.
    fn in_order(&mut self, shards: Vec<PartOutputs>) -> Vec<FrameOutput> {
        let (mut names, mut all) = (vec![], vec![]);
        for (shard, outcomes) in shards.into_iter().enumerate() {
            names.extend(outcomes.new_names);
            let of_shard = outcomes.all.into_iter();
            all.extend(of_shard.map(|(number, outcome)| (number, shard, outcome)));
        }
        // Stable: of one frame the shards' own order counts.
        names.sort_by_key(|(number, _)| *number);
        for (_, name) in names {
            let next = self.ranks.len();
            self.ranks.entry(name).or_insert(next);
        }
        let rank = |outcome: &FrameOutput| {
            let name = outcome.instrument();
            name.and_then(|name| self.ranks.get(name)).copied()
        };
        all.sort_by_key(|(number, _, _)| *number);
        for of_frame in all.chunk_by_mut(|left, right| left.0 == right.0) {
            if of_frame.iter().any(|one| one.1 != of_frame[0].1) {
                of_frame.sort_by_key(|(_, _, outcome)| rank(outcome));
            }
        }
        let mut told = None;
        all.retain(|(number, _, outcome)| {
            outcome.instrument().is_some() || told.replace(*number) != Some(*number)
        });
        all.into_iter().map(|(_, _, outcome)| outcome).collect()
    }
}
