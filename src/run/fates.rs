//! The fates of a shard's frames, as its worker publishes them after each batch.

use std::sync::atomic::{AtomicU64, Ordering};

use super::account::Account;
use crate::decode::DecodeError;

/// Counters that the worker writes, and a scrape reads between the worker's turns.
#[derive(Debug, Default)]
pub(super) struct FateCounters {
    used: AtomicU64,
    /// In the order of [`DROPPED`].
    dropped: [AtomicU64; DROPPED.len()],
    /// In the order of [`DecodeError::REASONS`].
    dead_lettered: [AtomicU64; DecodeError::REASONS.len()],
}

/// The reason under which frames with a repeated offset are dropped.
pub(super) const READ_BEFORE: &str = "read_before";
/// The reasons for which a shard drops frames.
pub(super) const DROPPED: [&str; DecodeError::REASONS.len() + 1] = {
    let mut all = [READ_BEFORE; DecodeError::REASONS.len() + 1];
    let mut at = 0;
    while at < DecodeError::REASONS.len() {
        all[at] = DecodeError::REASONS[at];
        at += 1;
    }
    all
};

impl FateCounters {
    /// Shows what the shard has counted.
    pub(super) fn publish(&self, account: &Account) {
        self.used.store(account.used, Ordering::Relaxed);
        for (reasons, counters, counted) in [
            (&DROPPED[..], &self.dropped[..], &account.dropped_by_reason),
            (
                &DecodeError::REASONS,
                &self.dead_lettered,
                &account.dead_lettered_by_reason,
            ),
        ] {
            for (reason, count) in counted {
                let at = reasons.iter().position(|one| one == reason);
                let at = at.expect("all reasons of a shard are listed");
                counters[at].store(*count, Ordering::Relaxed);
            }
        }
    }

    /// What was published last.
    pub(super) fn account(&self) -> Account {
        let mut account = Account {
            used: self.used.load(Ordering::Relaxed),
            ..Account::default()
        };
        for (reason, count) in DROPPED.iter().zip(&self.dropped) {
            account.drop_frames(reason, count.load(Ordering::Relaxed));
        }
        for (reason, count) in DecodeError::REASONS.iter().zip(&self.dead_lettered) {
            account.dead_letters(reason, count.load(Ordering::Relaxed));
        }
        account
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_published_is_read_by_reason() {
        let counters = FateCounters::default();
        let mut account = Account {
            used: 7,
            ..Account::default()
        };
        for _ in 0..2 {
            account.drop_frames(READ_BEFORE, 2);
            account.drop_frames(DecodeError::REASONS[3], 1);
            account.dead_letter(DecodeError::REASONS[0]);
            counters.publish(&account);
            assert_eq!(counters.account(), account);
        }
    }
}
