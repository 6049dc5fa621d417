//! Which dead letters a broker has refused, remembered over a rewind.
//!
//! In a transaction one refused record spoils all others: the transaction is aborted and the run goes back to
//! the committed offsets. Then the same letter comes again, and is sent smaller at once, or not at all.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::message::{Headers, OwnedHeaders};
use rustc_hash::FxHashMap;

use super::letters::LetterSize;
use crate::sink::dead_letter::DeadLetter;
use crate::sink::status::RefusalReason;

/// By the address of its record, how a letter is to be sent. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct LetterMemory {
    letters: Arc<Mutex<FxHashMap<LetterAddress, LetterFate>>>,
    /// Topics that take no letter at all, and why.
    topics: Arc<Mutex<FxHashMap<String, RefusalReason>>>,
}

/// Topic, partition and offset of the record.
type LetterAddress = (String, String, String);

/// How a letter that was refused is sent the next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LetterFate {
    /// At this size.
    At(LetterSize),
    /// Not at all.
    Refused,
}

/// More than can be refused between two commits that succeed; then the oldest knowledge is worth nothing.
const LETTERS_MAX: usize = 10_000;

impl LetterMemory {
    /// Notes what is to become of the letter with these headers.
    pub(super) fn note(&self, headers: Option<&OwnedHeaders>, fate: LetterFate) {
        let mut letters = self.lock();
        if letters.len() >= LETTERS_MAX {
            letters.clear();
        }
        letters.insert(address_of(headers), fate);
    }

    /// What is known of a letter.
    pub(super) fn fate(&self, letter: &DeadLetter<'_>) -> Option<LetterFate> {
        let letters = self.lock();
        if letters.is_empty() {
            return None;
        }
        let origin = letter.origin;
        let address = (
            letter.stream.to_owned(),
            origin.partition.to_string(),
            origin.offset.to_string(),
        );
        letters.get(&address).copied()
    }

    /// Notes that a topic takes no letter, because it is not there or may not be written.
    pub(super) fn note_topic(&self, topic: &str, reason: RefusalReason) {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        topics.insert(topic.to_owned(), reason);
    }

    /// Why a topic takes no letter; none where it may.
    pub(super) fn refusal_of(&self, topic: &str) -> Option<RefusalReason> {
        let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        topics.get(topic).copied()
    }

    fn lock(&self) -> MutexGuard<'_, FxHashMap<LetterAddress, LetterFate>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn address_of(headers: Option<&OwnedHeaders>) -> LetterAddress {
    let of = |key: &str| {
        let found = headers.into_iter().flat_map(|all| all.iter());
        let value = found
            .filter(|header| header.key == key)
            .find_map(|header| header.value);
        String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
    };
    (
        of("source_topic"),
        of("source_partition"),
        of("source_offset"),
    )
}
