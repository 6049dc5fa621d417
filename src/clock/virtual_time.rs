//! Time of a simulation: it stands still but for sleeps, in which the simulation does what else happens.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::units::Nanos;

/// What happens while a thread of the simulation sleeps for so long; it moves the time on.
pub(crate) type OnSleep = Rc<dyn Fn(Duration)>;

thread_local! {
    static SINCE_START: Cell<Option<Duration>> = const { Cell::new(None) };
    static ON_SLEEP: RefCell<Option<OnSleep>> = const { RefCell::new(None) };
}

/// The time of this thread is virtual from now on, until the guard is dropped.
pub(crate) fn begin(on_sleep: OnSleep) -> VirtualTime {
    SINCE_START.set(Some(Duration::ZERO));
    ON_SLEEP.replace(Some(on_sleep));
    VirtualTime(())
}

/// Virtual time goes on for as long as this lives.
pub(crate) struct VirtualTime(());

impl Drop for VirtualTime {
    fn drop(&mut self) {
        SINCE_START.set(None);
        ON_SLEEP.replace(None);
    }
}

/// Moves the time on.
pub(crate) fn pass(time: Duration) {
    SINCE_START.set(SINCE_START.get().map(|since| since + time));
}

/// The time since the start of the simulation.
pub(crate) fn since_start() -> Duration {
    SINCE_START.get().unwrap_or_default()
}

#[expect(
    clippy::disallowed_methods,
    reason = "virtual instants count from a real one"
)]
pub(super) fn instant() -> Option<Instant> {
    static START: OnceLock<Instant> = OnceLock::new();
    Some(*START.get_or_init(Instant::now) + SINCE_START.get()?)
}

pub(super) fn now() -> Option<Nanos> {
    let since = SINCE_START.get()?.as_nanos() as i64;
    Some(Nanos(START_NANOS + since))
}

pub(super) fn sleep(time: Duration) -> bool {
    let on_sleep = ON_SLEEP.with_borrow(Clone::clone);
    on_sleep.is_some_and(|on_sleep| {
        on_sleep(time);
        true
    })
}

/// 2026-01-05, 0:00 UTC.
const START_NANOS: i64 = 1_767_571_200_000_000_000;
