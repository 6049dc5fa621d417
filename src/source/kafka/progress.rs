//! The acknowledged positions of Kafka's partitions: what may be committed, and no more.
//!
//! The driver hands in what the sink has acknowledged, the source commits it. Knows nothing of Kafka's
//! client.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};

use super::commit_note::CommitNote;
use crate::frame::Position;

/// By topic and partition, the next offset to process; shared by the source and the driver.
///
/// A partition is in it from its first frame until it is revoked; positions of any other are ignored.
#[derive(Debug, Default)]
pub struct Progress {
    partitions: Mutex<FxHashMap<(u16, i32), Reached>>,
    /// The records that are read again, which are committed already.
    again: Mutex<FxHashMap<(u16, i32), ReadAgainTo>>,
    /// Partitions that were revoked, until they are assigned again.
    revoked: Mutex<FxHashSet<(u16, i32)>>,
    /// Where partitions begin that the group has not committed yet, until the sink takes them.
    begun: Mutex<Vec<Position>>,
    /// What is noted beside the committed offsets of each partition that was ever assigned.
    notes: Mutex<FxHashMap<(u16, i32), CommitNote>>,
    abandoned: AtomicBool,
    lost: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct Reached {
    /// Every record before this one is processed and its signals delivered.
    done: i64,
    /// The offset that the broker has committed.
    committed: i64,
    /// Every record before this one is in a ring.
    handed: i64,
}

/// How far records that are read again went into a ring, and were worked on.
#[derive(Clone, Copy, Debug, Default)]
struct ReadAgainTo {
    /// The first of them.
    begun: i64,
    handed: i64,
    done: i64,
}

impl Progress {
    /// Everything that came of the frames before the position has arrived at the sink.
    pub fn done(&self, position: Position) {
        let at = (position.stream, position.partition);
        if let Some(reached) = self.lock().get_mut(&at) {
            // Never back: a late acknowledgement of an earlier assignment must not undo a newer one.
            reached.done = reached.done.max(position.next);
        }
        self.done_again(position);
    }

    /// The frames before the position that are read again were worked on.
    pub fn done_again(&self, position: Position) {
        let at = (position.stream, position.partition);
        let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(again) = again.get_mut(&at) {
            again.done = again.done.max(position.next);
        }
    }

    /// The next offset to process of a partition that this source reads.
    #[must_use]
    pub fn next_offset(&self, stream: u16, partition: i32) -> Option<i64> {
        self.lock().get(&(stream, partition)).map(|at| at.done)
    }

    /// Whether everything that went into the rings is done, or will never be.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
            || self.lock().values().all(|at| at.done >= at.handed)
    }

    /// Frames in the rings will not be worked on any more: [`Progress::is_complete`] no longer waits for
    /// them. What is done is committed all the same.
    pub fn abandon(&self) {
        self.abandoned.store(true, Ordering::Release);
    }

    /// Whether partitions were taken away before everything that went into the rings was done. Another
    /// member of the group may read them now: what is in a transaction must not be committed any more, and
    /// the run begins again where the group has committed.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// Partitions were taken away before everything that went into the rings was done.
    pub(super) fn set_lost(&self) {
        self.lost.store(true, Ordering::Release);
    }

    /// Records that are to be read again and were not worked on, at most so many: `ahead` has the first new
    /// record of the partitions whose reading has not come to it, and how many were before it at the last
    /// look.
    #[must_use]
    pub fn left_to_read_again(&self, mut ahead: FxHashMap<(u16, i32), (i64, i64)>) -> u64 {
        let again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        let of_begun = again.iter().map(|(key, at)| {
            let end = ahead.remove(key).map_or(at.handed, |(end, _)| end);
            (end - at.done.max(at.begun)).max(0)
        });
        let begun: i64 = of_begun.sum();
        let others: i64 = ahead.values().map(|(_, left)| *left).sum();
        (begun + others).cast_unsigned()
    }

    /// Whether everything of these partitions that went into the rings is done, or will never be.
    pub(super) fn is_done(&self, partitions: &[(u16, i32)]) -> bool {
        let all = self.lock();
        let again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ours = partitions.iter().filter_map(|at| all.get(at));
        let mut old = partitions.iter().filter_map(|at| again.get(at));
        self.abandoned.load(Ordering::Acquire)
            || ours.all(|at| at.done >= at.handed) && old.all(|at| at.done >= at.handed)
    }

    /// A frame that is read again is about to go into a ring: it is not committed, but a partition is not
    /// given up with it on its way.
    pub(super) fn handed_again(&self, stream: u16, partition: i32, offset: i64) {
        let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        let first = || ReadAgainTo {
            begun: offset,
            ..ReadAgainTo::default()
        };
        let at = again.entry((stream, partition)).or_insert_with(first);
        at.handed = offset + 1;
    }

    /// It did not go into a ring after all.
    pub(super) fn withdrawn_again(&self, stream: u16, partition: i32, offset: i64) {
        let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(again) = again.get_mut(&(stream, partition)) {
            again.handed = again.handed.min(offset);
        }
    }

    /// The group begins to read the partition here, and the sink is to commit that with what it writes. A
    /// commit of the source, of which the answer was lost, could come after one of the sink, and undo it.
    pub(super) fn begins(&self, position: Position) {
        let Position {
            stream,
            partition,
            next,
        } = position;
        let reached = Reached {
            done: next - 1,
            committed: next - 1,
            handed: next,
        };
        self.lock().insert((stream, partition), reached);
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.push(position);
    }

    /// The positions at which partitions begin, for the sink: all that are not yet taken.
    pub(crate) fn take_begun(&self) -> Vec<Position> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *begun)
    }

    /// The partition was assigned; this is noted beside its offsets from now on.
    pub(super) fn assigned(&self, stream: u16, partition: i32, note: Option<CommitNote>) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        match note {
            Some(note) => notes.insert((stream, partition), note),
            None => notes.remove(&(stream, partition)),
        };
        drop(notes);
        let mut revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        revoked.remove(&(stream, partition));
    }

    /// What is noted beside the committed offsets of a partition.
    #[must_use]
    pub fn note(&self, stream: u16, partition: i32) -> Option<CommitNote> {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.get(&(stream, partition)).copied()
    }

    /// A frame is about to go into a ring. The first of a partition says where it begins.
    pub(super) fn handed(&self, stream: u16, partition: i32, offset: i64) {
        self.lock()
            .entry((stream, partition))
            .or_insert(Reached {
                done: offset,
                committed: offset,
                handed: offset,
            })
            .handed = offset + 1;
    }

    /// The frames from `offset` on did not go into a ring after all.
    pub(super) fn withdrawn(&self, stream: u16, partition: i32, offset: i64) {
        if let Some(reached) = self.lock().get_mut(&(stream, partition)) {
            reached.handed = reached.handed.min(offset);
        }
    }

    /// The partition was revoked.
    pub(super) fn forget(&self, stream: u16, partition: i32) {
        let mut revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        revoked.insert((stream, partition));
        self.lock().remove(&(stream, partition));
        // Where it begins is said by its next owner.
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.retain(|at| (at.stream, at.partition) != (stream, partition));
        drop(begun);
        let mut again = self.again.lock().unwrap_or_else(PoisonError::into_inner);
        again.remove(&(stream, partition));
    }

    /// Positions that are done and not yet committed.
    pub(crate) fn uncommitted(&self) -> Vec<(u16, i32, i64)> {
        self.lock()
            .iter()
            .filter(|(_, at)| at.done > at.committed)
            .map(|(&(stream, partition), at)| (stream, partition, at.done))
            .collect()
    }

    /// The broker has accepted `offset` as committed.
    pub(crate) fn committed(&self, stream: u16, partition: i32, offset: i64) {
        if let Some(reached) = self.lock().get_mut(&(stream, partition)) {
            reached.committed = reached.committed.max(offset);
        }
    }

    /// The sink has committed the position, together with what came of the frames before it.
    pub(crate) fn committed_elsewhere(&self, position: Position) {
        self.committed(position.stream, position.partition, position.next);
    }

    /// Whether a position of a partition that this source reads is committed. One of which nothing new has
    /// come is not behind what was committed when it was assigned. Of one that was revoked it is not known.
    pub(crate) fn is_committed(&self, position: Position) -> bool {
        let at = (position.stream, position.partition);
        let revoked = self.revoked.lock().unwrap_or_else(PoisonError::into_inner);
        if revoked.contains(&at) {
            return false;
        }
        drop(revoked);
        self.lock()
            .get(&at)
            .is_none_or(|at| at.committed >= position.next)
    }

    fn lock(&self) -> MutexGuard<'_, FxHashMap<(u16, i32), Reached>> {
        self.partitions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_to_read_again_goes_by_what_is_done_and_is_never_more_than_there_was() {
        let progress = Progress::default();
        let left = |ahead: &FxHashMap<_, _>| progress.left_to_read_again(ahead.clone());
        // Of partition 1 from 10 to 20, of partition 2 from 0 to 5; the last look is old.
        let ahead = FxHashMap::from_iter([((0, 1), (20, 10)), ((0, 2), (5, 5))]);
        assert_eq!(left(&ahead), 15);
        for offset in 10..14 {
            progress.handed_again(0, 1, offset);
        }
        assert_eq!(left(&ahead), 15);
        progress.done_again(Position {
            stream: 0,
            partition: 1,
            next: 12,
        });
        assert_eq!(left(&ahead), 13);
        // All of it went into a ring.
        assert_eq!(left(&FxHashMap::default()), 2);
    }

    #[test]
    fn only_what_is_done_is_committed_and_only_once() {
        let progress = Progress::default();
        let done = |next| {
            progress.done(Position {
                stream: 0,
                partition: 1,
                next,
            });
        };
        done(99);
        assert_eq!(progress.next_offset(0, 1), None);
        progress.handed(0, 1, 10);
        progress.handed(0, 1, 11);
        progress.handed(0, 1, 12);
        progress.withdrawn(0, 1, 12);
        assert!(progress.uncommitted().is_empty() && !progress.is_complete());
        done(12);
        done(11);
        assert_eq!(progress.uncommitted(), [(0, 1, 12)]);
        assert!(progress.is_complete());
        progress.committed(0, 1, 12);
        assert!(progress.uncommitted().is_empty());
        progress.handed_again(0, 1, 7);
        assert!(
            !progress.is_done(&[(0, 1)]),
            "one that is read again is on its way"
        );
        let read_again = Position {
            stream: 0,
            partition: 1,
            next: 8,
        };
        progress.done_again(read_again);
        assert!(progress.is_committed(read_again));
        progress.handed(0, 2, 5);
        assert!(progress.is_done(&[(0, 1), (0, 9)]) && !progress.is_done(&[(0, 1), (0, 2)]));
        progress.forget(0, 1);
        assert!(
            !progress.is_committed(read_again),
            "it is not known any more"
        );
        progress.assigned(0, 1, None);
        assert!(progress.is_committed(read_again));
        done(13);
        assert!(progress.uncommitted().is_empty());
    }

    #[test]
    fn a_partition_that_begins_is_not_given_up_before_the_sink_has_committed_where() {
        let progress = Progress::default();
        let begin = Position {
            stream: 0,
            partition: 1,
            next: 7,
        };
        progress.begins(begin);
        assert!(!progress.is_done(&[(0, 1)]) && !progress.is_complete());
        assert_eq!(progress.take_begun(), [begin]);
        assert!(progress.take_begun().is_empty(), "the sink has it");
        progress.handed(0, 1, 7);
        progress.done(begin);
        assert!(!progress.is_done(&[(0, 1)]), "a frame is on its way");
        progress.done(Position { next: 8, ..begin });
        assert!(progress.is_done(&[(0, 1)]));
        progress.begins(begin);
        progress.forget(0, 1);
        assert!(progress.take_begun().is_empty(), "it is ours no more");
    }
}
