//! Turns of a writer: while one lasts, counters that belong together may disagree; between turns they agree.
//!
//! A sequence lock without data of its own. Writers never wait: a reader reads again where a writer had its
//! turn meanwhile. Turns of several threads, and turns within turns, may overlap.

use std::sync::atomic::{AtomicU64, Ordering, fence};

/// Whether a writer has its turn (the lower 16 bits count them), and how many turns have ended (the others).
#[derive(Debug, Default)]
pub struct WriterTurns(AtomicU64);

/// A turn; it ends when this is dropped.
#[must_use]
#[derive(Debug)]
pub struct Turn<'a>(&'a WriterTurns);

impl WriterTurns {
    /// Begins a turn.
    pub fn begin(&self) -> Turn<'_> {
        self.enter();
        Turn(self)
    }

    /// Waits within a turn of this thread as if it were over: what is counted must agree before.
    pub(super) fn wait_outside(&self, wait: impl FnOnce()) {
        self.leave();
        wait();
        self.enter();
    }

    /// Begins a turn that [`WriterTurns::leave`] ends.
    pub(super) fn enter(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        // No change of this turn is seen before its beginning.
        fence(Ordering::Release);
    }

    /// Ends a turn.
    pub(super) fn leave(&self) {
        self.0.fetch_add(TURN_ENDED - 1, Ordering::Release);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Reads what all of these writers have counted, as of one moment; none where one has its turn, or had it
/// meanwhile.
pub fn as_of_one_moment<T>(all: &[&WriterTurns], read: impl FnOnce() -> T) -> Option<T> {
    let before: Vec<u64> = all
        .iter()
        .map(|turns| turns.0.load(Ordering::Acquire))
        .collect();
    if before.iter().any(|turns| turns & WRITERS != 0) {
        return None;
    }
    let found = read();
    fence(Ordering::Acquire);
    let after = all.iter().map(|turns| turns.0.load(Ordering::Relaxed));
    before.into_iter().eq(after).then_some(found)
}

const WRITERS: u64 = (1 << 16) - 1;
const TURN_ENDED: u64 = 1 << 16;

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[test]
    fn nothing_is_read_within_a_turn_nor_across_one() {
        let turns = WriterTurns::default();
        assert_eq!(as_of_one_moment(&[&turns], || 1), Some(1));
        let (outer, inner) = (turns.begin(), turns.begin());
        drop(inner);
        assert_eq!(as_of_one_moment(&[&turns], || 1), None, "within a turn");
        drop(outer);
        let across = as_of_one_moment(&[&turns], || drop(turns.begin()));
        assert_eq!(across, None, "across a turn");
        assert_eq!(as_of_one_moment(&[&turns], || 2), Some(2));
        let turn = turns.begin();
        turns.wait_outside(|| assert_eq!(as_of_one_moment(&[&turns], || 3), Some(3)));
        assert_eq!(as_of_one_moment(&[&turns], || 4), None, "within it again");
        drop(turn);
        assert_eq!(as_of_one_moment(&[&turns], || 5), Some(5));
    }

    #[test]
    fn counters_that_move_together_are_read_together() {
        let counters =
            [(); 2].map(|()| (WriterTurns::default(), AtomicU64::new(0), AtomicU64::new(0)));
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for (turns, left, right) in &counters {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        let turn = turns.begin();
                        left.fetch_add(1, Ordering::Relaxed);
                        right.fetch_add(1, Ordering::Relaxed);
                        drop(turn);
                        std::hint::spin_loop();
                    }
                });
            }
            let [(first, ..), (second, ..)] = &counters;
            let mut found = 0;
            while found < 1_000 {
                let read = |one: &AtomicU64| one.load(Ordering::Relaxed);
                let pairs = as_of_one_moment(&[first, second], || {
                    counters
                        .each_ref()
                        .map(|(_, left, right)| (read(left), read(right)))
                });
                if let Some(pairs) = pairs {
                    found += 1;
                    assert!(pairs.iter().all(|(left, right)| left == right), "{pairs:?}");
                }
            }
            is_over.store(true, Ordering::Relaxed);
        });
    }
}
