//! Readers of other people's formats that panic on damaged files: the panic becomes an error.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether a reader runs whose panic is an error.
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

static QUIET: Once = Once::new();

/// Reads something. What was being read must not be used any more after an error.
///
/// # Errors
/// Those of reading, and where the reader panics.
pub(super) fn guarded<T>(read: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    QUIET.call_once(|| {
        let told = take_hook();
        // The error says what there is to say.
        set_hook(Box::new(move |panic| {
            if !IS_GUARDED.get() {
                told(panic);
            }
        }));
    });
    let before = IS_GUARDED.replace(true);
    let read = catch_unwind(AssertUnwindSafe(read));
    IS_GUARDED.set(before);
    read.unwrap_or_else(|_| {
        let what = "its content contradicts itself";
        Err(io::Error::new(io::ErrorKind::InvalidData, what))
    })
}
