//! How a load or a run that takes too long is ended, from a thread outside of this wing.
//!
//! Reads no clock: a watchdog looks at a [`Watched`] again and again, and ends what it finds unfinished too
//! often.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// What runs one thing at a time: the runs of a session, or its load.
pub struct Watched {
    /// The number of what is running now; 0 while nothing is.
    running: AtomicU64,
    /// The number of what was ended last; 0 where that is forgotten.
    ended: AtomicU64,
    /// Ends what is running; locked while it does.
    end: Mutex<Box<dyn Fn() + Send>>,
}

/// Watches until the watched is dropped.
pub trait Watchdog: Send + Sync {
    /// Ends whatever runs longer than allowed.
    fn watch(&self, watched: Weak<Watched>, allowed: Allowed);
}

/// How long something may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// As long as a run of a model may.
    Run,
    /// As long as the load of a file of so many bytes may.
    Load(usize),
}

impl Watched {
    /// Nothing is running yet; `end` ends what is. Watched from now on.
    pub(super) fn start(
        watchdog: Option<&dyn Watchdog>,
        allowed: Allowed,
        end: impl Fn() + Send + 'static,
    ) -> Arc<Self> {
        let watched = Arc::new(Self {
            running: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            end: Mutex::new(Box::new(end)),
        });
        if let Some(watchdog) = watchdog {
            watchdog.watch(Arc::downgrade(&watched), allowed);
        }
        watched
    }

    /// The number of what is running; 0 while nothing is.
    #[must_use]
    pub fn running(&self) -> u64 {
        self.running.load(Ordering::Acquire)
    }

    /// Ends the thing of this number.
    pub fn end(&self, number: u64) {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if self.running() == number {
            self.ended.store(number, Ordering::Release);
            end();
        }
    }

    /// The thing of this number runs from now on.
    pub(super) fn begin(&self, number: u64) {
        self.running.store(number, Ordering::Release);
    }

    /// Nothing runs from now on. Returns the number of what was ended meanwhile, and forgets it; `restore`
    /// undoes what ending it has left behind.
    pub(super) fn finish(&self, restore: impl FnOnce()) -> Option<u64> {
        self.running.store(0, Ordering::Release);
        if self.ended.load(Ordering::Acquire) == 0 {
            return None;
        }
        let _end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        restore();
        Some(self.ended.swap(0, Ordering::AcqRel))
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched")
            .field("running", &self.running())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_run_that_was_too_long_is_ended() {
        let count = Arc::new(AtomicU64::new(0));
        let ends = Arc::clone(&count);
        let end = move || {
            ends.fetch_add(1, Ordering::Relaxed);
        };
        let watched = Watched::start(None, Allowed::Run, end);
        watched.begin(1);
        assert_eq!(watched.finish(|| panic!("nothing was ended")), None);
        watched.begin(2);
        watched.end(1);
        assert_eq!(count.load(Ordering::Relaxed), 0, "run 1 is over");
        watched.end(2);
        let mut restored = false;
        assert_eq!(watched.finish(|| restored = true), Some(2));
        assert!(restored && count.load(Ordering::Relaxed) == 1);
        assert_eq!(watched.running(), 0);
    }
}
