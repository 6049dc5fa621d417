//! Who wrote the messages of a stream: a venue, or we ourselves for a topic.

use super::venue::Venue;
use super::venues::Venues;

/// Who wrote the messages of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    /// Foretick's own JSON topics, `schemas/*.json`.
    Topic,
    /// A venue's messages.
    Venue(&'static dyn Venue),
}

impl Format {
    /// Recognises a message: one of a topic by the field `ts_event`, which every record of ours has and no
    /// venue's message does.
    pub(super) fn of(message: &[u8], venues: &Venues) -> Option<Self> {
        match memchr::memmem::find(message, b"\"ts_event\"") {
            Some(_) => Some(Self::Topic),
            None => venues.recognise(message).map(Self::Venue),
        }
    }
}
