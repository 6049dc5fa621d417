//! A feed of JSON messages that a pipeline describes: where its events are, and where their fields.
//!
//! Slower than a venue that is written in code: each field is looked up by its own walk over the message. It
//! reads no checksums, and no snapshots by REST.

mod events;
mod hint;
mod mapping;
mod pointer;
mod subscription;

use std::borrow::Cow;

use serde::de::IgnoredAny;

pub use self::mapping::{
    BookFields, EventMapping, EventTime, Fields, LevelLists, Mapping, QuoteFields, TimeUnit,
    TradeFields, UpdateNumbers, Whole,
};
use self::pointer::EventPlace;
pub use self::pointer::{Condition, Pointer};
pub use self::subscription::unknown_word;
use super::decoded::{Decoded, Notice};
use super::error::DecodeError;
use super::json::parse;
use super::stream_state::StreamState;
use super::text::Raw;
use super::venue::{
    Addresses, BookProof, Keepalive, Proof, Reaction, SnapshotRequest, Subscription, Venue,
    VenueLimits, Wanted,
};
use super::venue_feed::{ALL_LEVELS, Brings, Hosts, VenueStream};
use crate::event::{Batch, TradeIds};
use crate::instrument::Instruments;

/// A described feed.
#[derive(Clone, Copy, Debug)]
struct JsonFeed {
    mapping: &'static Mapping,
    streams: &'static [VenueStream],
    names: &'static [&'static str],
}

/// The venue that this mapping describes. It lives as long as the process, as venues in code do: a venue
/// and the names of its fields are in sources, decoders and errors without a count of who has them. So it
/// is to be called once for each pipeline that was found acceptable.
#[must_use]
pub fn venue(mapping: Mapping) -> &'static dyn Venue {
    let mapping: &'static Mapping = Box::leak(Box::new(mapping));
    let streams: Vec<VenueStream> = mapping.kinds.iter().map(stream_of).collect();
    let names: Vec<&str> = match streams.as_slice() {
        // Messages that are recorded, and not read yet.
        [] => vec!["messages"],
        streams => streams.iter().map(|stream| stream.name).collect(),
    };
    Box::leak(Box::new(JsonFeed {
        mapping,
        streams: streams.leak(),
        names: names.leak(),
    }))
}

impl Venue for JsonFeed {
    fn name(&self) -> &'static str {
        &self.mapping.venue
    }

    fn spelling(&self, symbol: &str) -> String {
        symbol.to_owned()
    }

    fn symbol_examples(&self) -> &'static str {
        "as the feed writes them"
    }

    fn addresses(&self) -> Addresses {
        Addresses {
            websocket: "",
            rest: "",
        }
    }

    fn hosts(&self) -> Hosts {
        Hosts::default()
    }

    fn path_fault(&self, _: &str, _: &[String]) -> Option<String> {
        None
    }

    /// What is subscribed to stands in the messages; this says what kinds of event are read.
    fn streams(&self) -> &'static [VenueStream] {
        self.streams
    }

    fn usual_streams(&self) -> &'static [&'static str] {
        self.names
    }

    fn limits(&self) -> VenueLimits {
        subscription::LIMITS
    }

    fn proof(&self) -> Proof {
        let book = self.books().map(|book| match (&book.whole, &book.numbers) {
            (Whole::Always, _) | (_, UpdateNumbers::None) => BookProof::Nothing,
            (_, UpdateNumbers::Successive(..)) => BookProof::SymbolNumbers,
            (_, UpdateNumbers::Chained(..)) => BookProof::Chain,
        });
        Proof {
            book: book.last().unwrap_or(BookProof::Nothing),
            trades: self.trade_ids(),
        }
    }

    fn keepalive(&self) -> Keepalive {
        let send = self.mapping.keepalive.as_ref();
        Keepalive {
            send: send.map(|(text, every)| (&**text, *every)),
            silent_max: self.mapping.silent_max,
        }
    }

    fn subscription(&self, wanted: &Wanted<'_>) -> Subscription {
        subscription::subscription(self.mapping, wanted)
    }

    fn reaction(&self, message: &[u8]) -> Reaction {
        let mapping = self.mapping;
        let place = whole(message);
        let any = |conditions: &[Condition]| conditions.iter().any(|one| one.holds(place));
        let mut answers = mapping.answers.iter();
        if let Some((_, answer)) = answers.find(|(when, _)| when.holds(place)) {
            return Reaction::Answer(answer.clone());
        }
        if any(&mapping.reconnect) {
            return Reaction::Reconnect;
        }
        if any(&mapping.rejected) {
            return Reaction::Rejected(self.reason(place));
        }
        if any(&mapping.fatal) {
            return Reaction::Fatal(self.reason(place));
        }
        Reaction::None
    }

    fn recognises(&self, message: &[u8]) -> bool {
        let place = whole(message);
        self.notice(place).is_some() || self.mapping.visit(place.message, |_, _| Some(())).is_some()
    }

    /// None where the events of a message are about several symbols.
    fn symbol_of<'m>(&self, message: &'m [u8]) -> Option<Cow<'m, str>> {
        let place = whole(message);
        if self.is_ignored(place) {
            return None;
        }
        let mut symbol: Option<Cow<'m, str>> = None;
        let differs = self.mapping.visit(place.message, |place, kind| {
            let found = kind.symbol.find(place).and_then(pointer::scalar);
            let is_same = symbol.is_none() || symbol == found;
            symbol = found;
            (!is_same || symbol.is_none()).then_some(())
        });
        symbol.filter(|symbol| differs.is_none() && !symbol.is_empty())
    }

    fn names_several(&self, message: &[u8]) -> bool {
        let mut symbols = 0;
        let visited = self.mapping.visit(whole(message).message, |place, kind| {
            symbols += usize::from(kind.symbol.find(place).is_some());
            None::<()>
        });
        visited.is_none() && symbols > 1 && self.symbol_of(message).is_none()
    }

    fn is_quote(&self, message: &[u8]) -> bool {
        let mut quotes = 0;
        let is_other = self.mapping.visit(whole(message).message, |_, kind| {
            quotes += 1;
            (!matches!(kind.fields, Fields::Quote(_))).then_some(())
        });
        quotes > 0 && is_other.is_none()
    }

    /// Trades may have no number that would show a copy.
    fn counts_once(&self, message: &[u8]) -> bool {
        let mut events = 0;
        let book = self.mapping.visit(whole(message).message, |_, kind| {
            events += 1;
            matches!(kind.fields, Fields::Book(_)).then_some(())
        });
        events > 0 && book.is_none()
    }

    fn book_change_of<'m>(&self, message: &'m [u8]) -> Option<Cow<'m, str>> {
        let change = self.mapping.visit(whole(message).message, |place, kind| {
            matches!(&kind.fields, Fields::Book(book) if !book.is_whole(place)).then_some(())
        });
        change.and_then(|()| self.symbol_of(message))
    }

    /// Books come whole with the subscription.
    fn needs_snapshot(&self, _: &str) -> bool {
        false
    }

    fn has_book(&self, _: &[String]) -> bool {
        self.books().next().is_some() && !self.mapping.resubscribe.is_empty()
    }

    fn snapshot_request(&self, symbol: &str, _: &[String]) -> SnapshotRequest {
        let symbol = [symbol.to_owned()];
        let messages = self.mapping.resubscribe.iter();
        let messages = messages.flat_map(|text| subscription::written(text, &symbol));
        SnapshotRequest::Send(messages.collect())
    }

    fn snapshot_message(&self, _symbol: &str, body: &[u8]) -> Vec<u8> {
        body.to_vec()
    }

    fn why_unknown(&self, message: &[u8]) -> Option<String> {
        hint::why_unknown(self.mapping, whole(message))
    }

    fn decode(
        &self,
        message: &[u8],
        _stream: &mut StreamState,
        instruments: &mut Instruments,
        batch: &mut Batch,
    ) -> Result<Decoded, DecodeError> {
        let place = whole(message);
        // A walk checks nothing, so the whole message is parsed first. A text that is no JSON may be a pong.
        let is_json = parse::<IgnoredAny>(place.message.0);
        if is_json.is_err() || self.is_ignored(place) {
            return match self.notice(place) {
                Some(notice) => Ok(Decoded::Notice(notice)),
                None => is_json.and(Err(DecodeError::UnknownType)),
            };
        }
        let mut events = 0;
        let failed = self.mapping.visit(place.message, |place, kind| {
            events += 1;
            events::push(&self.mapping.venue, kind, place, instruments, batch).err()
        });
        match failed {
            Some(error) => Err(error),
            None if events > 0 => Ok(Decoded::Events),
            None => self
                .notice(place)
                .map(Decoded::Notice)
                .ok_or(DecodeError::UnknownType),
        }
    }
}

/// The kind of event as a stream.
fn stream_of(kind: &EventMapping) -> VenueStream {
    match &kind.fields {
        Fields::Trade(_) => VenueStream::new("trade", Brings::Trades),
        Fields::Quote(_) => VenueStream::new("quote", Brings::Quotes),
        Fields::Book(book) => {
            let levels = match book.keep {
                0 => ALL_LEVELS,
                levels => levels,
            };
            VenueStream::new("book", Brings::Book(levels))
        }
    }
}

impl JsonFeed {
    fn books(&self) -> impl Iterator<Item = &'static BookFields> + use<> {
        self.mapping
            .kinds
            .iter()
            .filter_map(|kind| match &kind.fields {
                Fields::Book(book) => Some(book),
                Fields::Trade(_) | Fields::Quote(_) => None,
            })
    }

    fn trade_ids(&self) -> Option<TradeIds> {
        self.mapping
            .kinds
            .iter()
            .find_map(|kind| match &kind.fields {
                Fields::Trade(trade) => trade.id.as_ref().map(|(_, ids)| *ids),
                Fields::Quote(_) | Fields::Book(_) => None,
            })
    }

    fn is_ignored(&self, place: EventPlace<'_>) -> bool {
        self.mapping.ignore.iter().any(|one| one.holds(place))
    }

    /// What a message about the connection is.
    fn notice(&self, place: EventPlace<'_>) -> Option<Notice> {
        let mapping = self.mapping;
        let any = |conditions: &[Condition]| conditions.iter().any(|one| one.holds(place));
        if self.is_ignored(place) {
            Some(Notice::Ack)
        } else if mapping.answers.iter().any(|(when, _)| when.holds(place)) {
            Some(Notice::Ping)
        } else if any(&mapping.reconnect) {
            Some(Notice::Shutdown)
        } else if any(&mapping.rejected) || any(&mapping.fatal) {
            Some(Notice::VenueError)
        } else {
            None
        }
    }

    /// The words of a refusal, or the whole message.
    fn reason(&self, place: EventPlace<'_>) -> String {
        let words = self.mapping.reason.as_ref();
        let words = words.and_then(|pointer| pointer.find(place));
        let words = words.and_then(pointer::scalar);
        words
            .unwrap_or_else(|| String::from_utf8_lossy(place.message.0))
            .into_owned()
    }
}

/// A message as the place of conditions about it.
fn whole(message: &[u8]) -> EventPlace<'_> {
    let message = Raw(message.trim_ascii());
    EventPlace {
        event: message,
        message,
    }
}
