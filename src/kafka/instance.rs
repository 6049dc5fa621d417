//! The slot of an instance among those of its consumer group: a name that a process has for itself, and has
//! again after it was killed.
//!
//! The group knows its static members by it, and brokers the transactions of an instance.

use std::env;
use std::fs::{File, OpenOptions, TryLockError, read_to_string};
use std::io;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::hex::hex;

/// A slot, which is free again once the last copy of this is dropped, or the process ends in whatever way.
#[derive(Clone, Debug)]
pub struct InstanceSlot {
    name: Arc<str>,
    /// Holds the lock; none where the name was given.
    _lock: Option<Arc<File>>,
}

impl InstanceSlot {
    /// The name: letters, digits, `.`, `_` and `-`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The slot of this process in a consumer group: as written, or else the name of the host and the lowest
/// number that no other process on it has.
///
/// # Errors
/// Where no file can be locked in the folder of temporary files.
pub fn instance_slot(
    bootstrap: &str,
    group: &str,
    written: Option<&str>,
) -> io::Result<InstanceSlot> {
    if let Some(name) = written {
        return Ok(InstanceSlot {
            name: name.into(),
            _lock: None,
        });
    }
    let mut hash = Sha256::new();
    hash.update(bootstrap);
    hash.update([0]);
    hash.update(group);
    let hash = hex(&hash.finalize()[..8]);
    let mut last = io::Error::from(io::ErrorKind::QuotaExceeded);
    for number in 0..NUMBERS {
        let path = env::temp_dir().join(format!("foretick-{hash}-{number}.lock"));
        // The file stays: it is the lock on it that counts.
        let mut options = OpenOptions::new();
        let file = match options.create(true).truncate(false).write(true).open(path) {
            Ok(file) => file,
            // It is another user's.
            Err(error) => {
                last = error;
                continue;
            }
        };
        match file.try_lock() {
            Ok(()) => {
                return Ok(InstanceSlot {
                    name: format!("{}-{number}", host()).into(),
                    _lock: Some(Arc::new(file)),
                });
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => last = error,
        }
    }
    Err(last)
}

/// The name of the host, of the characters that a slot may have.
fn host() -> String {
    let told = read_to_string("/proc/sys/kernel/hostname").ok();
    let told = told
        .or_else(|| env::var("HOSTNAME").ok())
        .unwrap_or_default();
    let name: String = told
        .trim()
        .chars()
        .map(|c| if may_stand_in_name(c) { c } else { '-' })
        .collect();
    match name.is_empty() {
        true => "host".into(),
        false => name,
    }
}

/// Whether a character may stand in the name of a slot.
#[must_use]
pub fn may_stand_in_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-".contains(c)
}

/// The most instances of one group on one host.
const NUMBERS: u32 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_has_the_lowest_number_that_is_free() {
        let group = format!("test-{}", std::process::id());
        let take = || instance_slot("nowhere:1", &group, None).unwrap();
        let (first, second) = (take(), take());
        assert!(first.name().ends_with("-0") && second.name().ends_with("-1"));
        assert!(first.name().chars().all(may_stand_in_name));
        let copy = first.clone();
        drop(first);
        assert!(take().name().ends_with("-2"), "a copy holds it");
        drop(copy);
        assert!(take().name().ends_with("-0"));
        let other = instance_slot("nowhere:2", &group, None).unwrap();
        assert!(other.name().ends_with("-0"), "another broker");
        let written = instance_slot("nowhere:1", &group, Some("blue")).unwrap();
        assert_eq!(written.name(), "blue");
    }
}
