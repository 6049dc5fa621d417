//! Follows the numbers of a connection's messages, at venues that count all of them.
//!
//! It stands before messages are spread over shards, because each shard sees a part of them: live in the
//! source, in a replay behind the file.

use super::control;
use super::venue::{BookProof, Venue};
use super::venues::Venues;
use crate::frame::packed::is_packed;

/// The numbers of one connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectionCheck {
    next: Option<u64>,
    /// How many messages in a row were behind, one number after the other, and the number after theirs.
    behind: (u64, u32),
}

/// What the number of a message shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionOrder {
    /// It follows the one before, or the venue does not count.
    Follows,
    /// So many messages before it are missing; 0 where the numbers have begun anew and nobody said so.
    Lost(u64),
    /// It is behind the one before: a copy, or too late. Applied again it would undo what came after it.
    Behind,
}

impl ConnectionCheck {
    /// Follows a connection from its first message on, whose number is 0.
    #[must_use]
    pub fn from_start() -> Self {
        Self {
            next: Some(0),
            ..Self::default()
        }
    }

    /// Takes the next message.
    pub fn take(&mut self, venue: &dyn Venue, message: &[u8]) -> ConnectionOrder {
        let Some(number) = venue.connection_number(message) else {
            return ConnectionOrder::Follows;
        };
        let expected = self.next.unwrap_or(number);
        let next = number.checked_add(1);
        if number < expected && number > 0 {
            let (after, run) = self.behind;
            let run = if after == number { run + 1 } else { 1 };
            self.behind = (next.unwrap_or_default(), run);
            if run < NEW_NUMBERS {
                return ConnectionOrder::Behind;
            }
        }
        (self.next, self.behind) = (next, (0, 0));
        match number.checked_sub(expected) {
            Some(0) => ConnectionOrder::Follows,
            Some(missing) => ConnectionOrder::Lost(missing),
            None => ConnectionOrder::Lost(0),
        }
    }
}

/// The numbers of several streams, in a capture of any venues.
#[derive(Debug, Default)]
pub struct ConnectionChecks {
    /// The venues that count their messages; none before the first message.
    counting: Option<Vec<&'static dyn Venue>>,
    streams: Vec<CheckedStream>,
    numbers: Option<ConnectionNumbers>,
}

/// What is remembered of a stream.
#[derive(Clone, Copy, Debug, Default)]
struct CheckedStream {
    /// The venue of the last message that had a number.
    venue: Option<&'static dyn Venue>,
    check: ConnectionCheck,
}

/// The numbers that the messages of all connections so far had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionNumbers {
    /// Of the first message that had one.
    pub first: u64,
    /// Of the last one that was no copy.
    pub last: u64,
    /// How many were missing.
    pub missing: u64,
}

impl ConnectionChecks {
    /// Takes the next message of a stream, which one of these venues sent. `is_checked` says that the source
    /// has held the frames to their numbers, and that its gaps stand among them: so it is in captures of our
    /// own sessions, whose frames may stand in another order.
    pub fn take(
        &mut self,
        stream: u16,
        venues: &Venues,
        message: &[u8],
        is_checked: bool,
    ) -> ConnectionOrder {
        if is_packed(message) {
            return ConnectionOrder::Follows;
        }
        let at = usize::from(stream);
        if at >= self.streams.len() {
            self.streams.resize(at + 1, CheckedStream::default());
        }
        let CheckedStream { venue: last, check } = &mut self.streams[at];
        if message.starts_with(control::PREFIX) {
            // A connection ends with a gap that says so, and a gap that was found is not found again.
            if control::is_of_connection(message) {
                *check = ConnectionCheck::default();
            }
            return ConnectionOrder::Follows;
        }
        let knows = |venue: &&'static dyn Venue| venue.connection_number(message).is_some();
        let venue = last.filter(|venue| knows(venue));
        let counting = self.counting.get_or_insert_with(|| {
            let counts =
                |venue: &&'static dyn Venue| venue.proof().book == BookProof::ConnectionNumbers;
            venues.all().filter(counts).collect()
        });
        let Some(venue) = venue.or_else(|| counting.iter().copied().find(knows)) else {
            return ConnectionOrder::Follows;
        };
        *last = Some(venue);
        let order = match is_checked {
            true => ConnectionOrder::Follows,
            false => check.take(venue, message),
        };
        self.note(order, venue.connection_number(message));
        order
    }

    /// The numbers so far; none where no message had one.
    #[must_use]
    pub fn numbers(&self) -> Option<ConnectionNumbers> {
        self.numbers
    }

    fn note(&mut self, order: ConnectionOrder, number: Option<u64>) {
        let (Some(number), false) = (number, order == ConnectionOrder::Behind) else {
            return;
        };
        let numbers = self.numbers.get_or_insert(ConnectionNumbers {
            first: number,
            last: number,
            missing: 0,
        });
        numbers.last = number;
        if let ConnectionOrder::Lost(missing) = order {
            numbers.missing = numbers.missing.saturating_add(missing);
        }
    }
}

/// So many messages behind, one number after the other, are no copies: the numbers are new ones, or the one
/// that they are behind was wrong. One that begins at 0 is new at once.
const NEW_NUMBERS: u32 = 3;

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::decode::venue::{
        Addresses, Proof, Reaction, SnapshotRequest, Subscription, VenueLimits, Wanted,
    };
    use crate::decode::venue_feed::{Hosts, VenueStream};
    use crate::decode::{DecodeError, Decoded, StreamState};
    use crate::event::Batch;
    use crate::instrument::Instruments;

    /// A venue whose messages are their numbers.
    #[derive(Debug)]
    struct Numbers;

    impl Venue for Numbers {
        fn name(&self) -> &'static str {
            "NUMBERS"
        }
        fn connection_number(&self, message: &[u8]) -> Option<u64> {
            std::str::from_utf8(message).ok()?.parse().ok()
        }
        fn spelling(&self, _: &str) -> String {
            unreachable!()
        }
        fn symbol_examples(&self) -> &'static str {
            unreachable!()
        }
        fn hosts(&self) -> Hosts {
            unreachable!()
        }
        fn path_fault(&self, _: &str, _: &[String]) -> Option<String> {
            unreachable!()
        }
        fn streams(&self) -> &'static [VenueStream] {
            unreachable!()
        }
        fn addresses(&self) -> Addresses {
            unreachable!()
        }
        fn usual_streams(&self) -> &'static [&'static str] {
            unreachable!()
        }
        fn limits(&self) -> VenueLimits {
            unreachable!()
        }
        fn proof(&self) -> Proof {
            Proof {
                book: BookProof::ConnectionNumbers,
                trades: None,
            }
        }
        fn subscription(&self, _: &Wanted<'_>) -> Subscription {
            unreachable!()
        }
        fn reaction(&self, _: &[u8]) -> Reaction {
            unreachable!()
        }
        fn recognises(&self, _: &[u8]) -> bool {
            unreachable!()
        }
        fn symbol_of<'m>(&self, _: &'m [u8]) -> Option<Cow<'m, str>> {
            unreachable!()
        }
        fn is_quote(&self, _: &[u8]) -> bool {
            unreachable!()
        }
        fn book_change_of<'m>(&self, _: &'m [u8]) -> Option<Cow<'m, str>> {
            unreachable!()
        }
        fn needs_snapshot(&self, _: &str) -> bool {
            unreachable!()
        }
        fn snapshot_request(&self, _: &str, _: &[String]) -> SnapshotRequest {
            unreachable!()
        }
        fn snapshot_message(&self, _: &str, _: &[u8]) -> Vec<u8> {
            unreachable!()
        }
        fn decode(
            &self,
            _: &[u8],
            _: &mut StreamState,
            _: &mut Instruments,
            _: &mut Batch,
        ) -> Result<Decoded, DecodeError> {
            unreachable!()
        }
    }

    #[test]
    fn lost_messages_are_counted_and_late_ones_dropped() {
        use ConnectionOrder::{Behind, Follows, Lost};
        let venues = Venues::default().with(&Numbers);
        let mut checks = ConnectionChecks::default();
        for (message, order) in [
            ("7", Follows),
            ("8", Follows),
            ("no number", Follows),
            ("11", Lost(2)),
            ("9", Behind),
            ("11", Behind),
            ("12", Follows),
            ("0", Lost(0)),
            ("1", Follows),
            (r#"{"foretick":"tick","ts":1}"#, Follows),
            ("3", Lost(1)),
            (r#"{"foretick":"gap","reason":"reconnect"}"#, Follows),
            ("0", Follows),
            (
                r#"{"foretick":"gap","reason":"sequence","missing":4}"#,
                Follows,
            ),
            ("5", Follows),
            (r#"{"foretick":"handover"}"#, Follows),
            ("0", Follows),
            ("900", Lost(899)),
            ("2", Behind),
            ("3", Behind),
            ("5", Behind),
            ("6", Behind),
            ("7", Lost(0)),
            ("8", Follows),
        ] {
            assert_eq!(
                checks.take(1, &venues, message.as_bytes(), false),
                order,
                "{message}"
            );
        }
        assert_eq!(
            checks.take(0, &venues, b"40", false),
            Follows,
            "another stream"
        );
        let numbers = ConnectionNumbers {
            first: 7,
            last: 40,
            missing: 902,
        };
        assert_eq!(checks.numbers(), Some(numbers));
        // The source has checked a session of ours, and that stream alone.
        assert_eq!(checks.take(0, &venues, b"50", true), Follows);
        assert_eq!(checks.take(1, &venues, b"50", false), Lost(41));
    }
}
