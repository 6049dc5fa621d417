//! How many files a process may hold open.

use std::io;

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the soft limit of open files to the hard one: archives that overlap in time are open at once, and
/// the usual 1,024 are few. Where that is not allowed, the limit stays.
pub fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!(%error, "the limit of open files stays");
    }
}

/// Whether an error says that the limit is reached.
pub(super) fn is_limit(error: &io::Error) -> bool {
    let codes = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE];
    codes
        .map(|code| Some(code.raw_os_error()))
        .contains(&error.raw_os_error())
}

/// Says how many files are open for their turn, and what to do.
pub(super) fn too_many(open: usize) -> io::Error {
    io::Error::other(format!(
        "too many open files: it and {open} others overlap in time, and are read at once; allow more (`ulimit -n {}`), \
         or merge the files in parts first (`foretick convert`) and give what comes of them",
        (open + 1).next_power_of_two().max(1024) * 2
    ))
}
