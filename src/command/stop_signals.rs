//! SIGINT and SIGTERM: the first asks the process to end, and it ends within a stated time.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::run::stop::StopFlag;

/// A flag that the first SIGINT or SIGTERM sets. A second signal ends the process at once, and so does the
/// end of [`STOP_MAX`]: what had not been committed by then is worked on again at the next start.
///
/// # Errors
/// Where the system allows no handler or no thread.
pub fn stop_on_signal() -> io::Result<StopFlag> {
    let stop = StopFlag::default();
    let requested = stop.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    let listen = move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            requested.set();
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                () = tokio::time::sleep(STOP_MAX) => tracing::error!(
                    waited = ?STOP_MAX,
                    "the process does not end by itself, as when a broker does not answer: it is ended now; what was \
                     not committed is worked on again at the next start"
                ),
            }
            std::process::exit(1);
        });
    };
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(listen)?;
    Ok(stop)
}

/// The longest that a process goes on after the first signal.
pub const STOP_MAX: Duration = Duration::from_secs(40);
