//! The bound on the memory that a model takes while it is loaded and tried out.
//!
//! Linux alone has it: address space is bounded there, so that an allocation beyond the bound fails, and with
//! it the load.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::model::ModelError;

/// Bounds what the process may take in addition until it is dropped. One at a time: another waits.
pub(super) struct MemoryBound {
    before: Option<Rlimit>,
    _one: MutexGuard<'static, ()>,
}

impl MemoryBound {
    /// Allows so many bytes more than the process has now; any number for none, as for a GPU, whose libraries
    /// reserve address space that they do not use.
    pub(super) fn more(bytes: Option<u64>) -> Self {
        static ONE: Mutex<()> = Mutex::new(());
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let before = getrlimit(Resource::As);
        let set = bytes.zip(taken()).is_some_and(|(bytes, taken)| {
            let wanted = taken.saturating_add(bytes);
            let current = before.current.map_or(wanted, |current| current.min(wanted));
            let bound = Rlimit {
                current: Some(current),
                maximum: before.maximum,
            };
            setrlimit(Resource::As, bound).is_ok()
        });
        if bytes.is_some() && !set {
            tracing::debug!("the memory of a model is not bounded on this system");
        }
        Self {
            before: set.then_some(before),
            _one: one,
        }
    }
}

impl Drop for MemoryBound {
    fn drop(&mut self) {
        if let Some(before) = self.before.take()
            && let Err(error) = setrlimit(Resource::As, before)
        {
            tracing::error!(%error, "the bound on memory for the load of a model stays");
        }
    }
}

/// Says of a failure for want of memory which bound it met.
pub(super) fn explain(error: ModelError, memory_bytes: u64) -> ModelError {
    let add = |what: String| {
        if ["allocate", "bad_alloc"]
            .iter()
            .any(|word| what.contains(word))
        {
            format!(
                "it takes more memory than `[model] memory_bytes` = {memory_bytes} allows ({what})"
            )
        } else {
            what
        }
    };
    match error {
        ModelError::Load { path, what } => ModelError::Load {
            path,
            what: add(what),
        },
        ModelError::Run(what) => ModelError::Run(add(what)),
        other @ (ModelError::Read { .. }
        | ModelError::Runtime(_)
        | ModelError::Cuda(_)
        | ModelError::Contract { .. }
        | ModelError::Window { .. }
        | ModelError::Deadline) => other,
    }
}

/// The address space that the process has, in bytes.
fn taken() -> Option<u64> {
    let figures = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = figures.split_whitespace().next()?.parse().ok()?;
    pages.checked_mul(rustix::param::page_size() as u64)
}
