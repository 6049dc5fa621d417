//! Who wrote a message: a venue, or we ourselves for a topic.

use super::text::members;
use super::topic::is_likely_ours;
use super::venue::Venue;
use super::venues::Venues;

/// Who wrote a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    /// Foretick's own JSON topics, `schemas/*.json`.
    Topic,
    /// A venue's messages.
    Venue(&'static dyn Venue),
}

impl Format {
    /// Recognises a message by itself: one of a topic by the field `ts_event`, which every record of ours
    /// has and no venue's message does. What no venue recognises and has other fields of ours is a record
    /// that lacks `ts_event`.
    pub(super) fn of(message: &[u8], venues: &Venues) -> Option<Self> {
        if is_of_topic(message) {
            return Some(Self::Topic);
        }
        match venues.recognise(message) {
            Some(venue) => Some(Self::Venue(venue)),
            None => is_likely_ours(message).then_some(Self::Topic),
        }
    }
}

/// Whether a message has the field `ts_event` itself.
pub(super) fn is_of_topic(message: &[u8]) -> bool {
    // A search finds out faster than a walk that a message has not even the word.
    let may_be = memchr::memmem::find(message, b"ts_event").is_some()
        || memchr::memchr(b'\\', message).is_some();
    may_be && members(message).any(|(key, _)| key.is("ts_event"))
}
