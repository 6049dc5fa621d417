//! The thread that ends loads and runs of models which take too long.
//!
//! It counts how often it finds the same run unfinished, not the time: a process that was stopped for a while
//! has not run long.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use crate::model::deadline::{Allowed, Watchdog, Watched};

/// A pipeline's deadline for runs, watched by the thread of the process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    /// How long a run may take.
    pub(super) run: Duration,
}

impl Watchdog for Deadline {
    fn watch(&self, watched: Weak<Watched>, allowed: Allowed) {
        let allowed = match allowed {
            Allowed::Run => self.run,
            Allowed::Load(bytes) => LOAD + LOAD_PER_MB * u32::try_from(bytes >> 20).unwrap_or(0),
        };
        let looks = allowed.as_millis().div_ceil(LOOK.as_millis());
        let thread = thread();
        thread.all().push(Entry {
            watched,
            looks: u64::try_from(looks).unwrap_or(u64::MAX).max(2),
            number: 0,
            seen: 0,
        });
        thread.more.notify_one();
    }
}

/// What the thread watches.
#[derive(Default)]
struct WatchList {
    entries: Mutex<Vec<Entry>>,
    /// Told when there is one more.
    more: Condvar,
}

struct Entry {
    watched: Weak<Watched>,
    /// How often a thing may be found unfinished.
    looks: u64,
    /// The number of the thing that was found last.
    number: u64,
    /// How often it was found.
    seen: u64,
}

impl WatchList {
    fn all(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        loop {
            let mut entries = self.all();
            while entries.is_empty() {
                let waited = self.more.wait(entries);
                entries = waited.unwrap_or_else(PoisonError::into_inner);
            }
            entries.retain_mut(Entry::look);
            drop(entries);
            thread::sleep(LOOK);
        }
    }
}

impl Entry {
    /// Looks at it, and ends what it finds too often. Returns whether there is anything to look at later.
    fn look(&mut self) -> bool {
        let Some(watched) = self.watched.upgrade() else {
            return false;
        };
        let number = watched.running();
        if number == 0 || number != self.number {
            (self.number, self.seen) = (number, 0);
            return true;
        }
        self.seen += 1;
        if self.seen == self.looks {
            watched.end(number);
        }
        if self.seen > self.looks + LOOKS_AFTER {
            tracing::error!(
                "a model does not end, though it was stopped: one operator of its graph computes without a \
                 pause. The process ends with exit code 1; use another model, or raise `[model] deadline_ms`"
            );
            std::process::exit(1);
        }
        true
    }
}

/// The thread of this process, started when the first model is.
fn thread() -> &'static WatchList {
    static LIST: OnceLock<Arc<WatchList>> = OnceLock::new();
    LIST.get_or_init(|| {
        let list = Arc::new(WatchList::default());
        let watched = Arc::clone(&list);
        let started = thread::Builder::new()
            .name("watchdog".into())
            .spawn(move || watched.run());
        if let Err(error) = started {
            tracing::error!(%error, "no thread watches the runs of models, so that none has a deadline");
        }
        list
    })
}

/// The time between two looks.
const LOOK: Duration = Duration::from_millis(50);
/// Looks after which the process ends, if what was ended still runs: two seconds.
const LOOKS_AFTER: u64 = 40;
/// How long the load of a small model may take. A large one has a tenth of a second more for each MiB.
const LOAD: Duration = Duration::from_secs(5);
const LOAD_PER_MB: Duration = Duration::from_millis(100);
