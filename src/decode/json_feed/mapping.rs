//! What a feed's messages mean, as a pipeline describes them.

use std::time::Duration;

use super::pointer::{Condition, EventPlace, Pointer};
use crate::decode::text::Raw;
use crate::event::TradeIds;

/// What the messages of a feed mean, and how to talk to it.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The venue's name.
    pub venue: String,
    /// What follows the base address; `{symbols}` stands for the symbols.
    pub path: String,
    /// Messages to send on a new connection; `{symbol}` and `{symbols}` stand for symbols.
    pub subscribe: Vec<String>,
    /// Messages to send for a new whole book of `{symbol}`.
    pub resubscribe: Vec<String>,
    /// Whether a message lists its newest event first.
    pub newest_first: bool,
    /// Messages that say nothing about a market.
    pub ignore: Vec<Condition>,
    /// Messages that announce the end of the connection.
    pub reconnect: Vec<Condition>,
    /// Messages that refuse a part of the subscription.
    pub rejected: Vec<Condition>,
    /// Messages that refuse the connection.
    pub fatal: Vec<Condition>,
    /// Where the words of a refusal are.
    pub reason: Option<Pointer>,
    /// The text of a client that lives, and how often it is sent.
    pub keepalive: Option<(String, Duration)>,
    /// The longest that a connection that lives is silent.
    pub silent_max: Option<Duration>,
    /// Messages that are answered, with the answers.
    pub answers: Vec<(Condition, String)>,
    /// The kinds of event; of several that an event fulfils the first counts.
    pub kinds: Vec<EventMapping>,
}

/// One kind of event.
#[derive(Clone, Debug)]
pub struct EventMapping {
    /// The condition of such an event.
    pub when: Condition,
    /// Where such events are in their messages; none where the message is the event.
    pub events: Option<Pointer>,
    /// The symbol.
    pub symbol: Pointer,
    /// The time.
    pub time: EventTime,
    /// The fields that this kind has.
    pub fields: Fields,
}

/// Which time a kind of event has.
#[derive(Clone, Debug)]
pub enum EventTime {
    /// The time at this place, in this unit.
    At(Pointer, TimeUnit),
    /// That of the event before it: others of the feed have times.
    Before,
    /// When it was received: no event of the feed has a time.
    Received,
}

/// The fields of a kind of event.
#[derive(Clone, Debug)]
pub enum Fields {
    /// A trade.
    Trade(TradeFields),
    /// Best bid and offer.
    Quote(QuoteFields),
    /// A book or its change.
    Book(BookFields),
}

/// Where the fields of a trade are.
#[derive(Clone, Debug)]
pub struct TradeFields {
    /// Price paid.
    pub price: Pointer,
    /// Quantity.
    pub size: Pointer,
    /// Who started it.
    pub side: Pointer,
    /// The word for a buyer.
    pub buy: String,
    /// The word for a seller.
    pub sell: String,
    /// The number, and what it says.
    pub id: Option<(Pointer, TradeIds)>,
}

/// Where the fields of a quote are.
#[derive(Clone, Debug)]
pub struct QuoteFields {
    /// Price and quantity of the bid.
    pub bid: (Pointer, Pointer),
    /// Price and quantity of the ask.
    pub ask: (Pointer, Pointer),
    /// The number of the book's update.
    pub number: Option<Pointer>,
}

/// Where the fields of a book are.
#[derive(Clone, Debug)]
pub struct BookFields {
    /// The levels.
    pub levels: LevelLists,
    /// The price in a level.
    pub level_price: Pointer,
    /// The quantity in a level.
    pub level_size: Pointer,
    /// The condition of a level that is gone.
    pub level_gone: Condition,
    /// Which of them are whole books.
    pub whole: Whole,
    /// LevelLists a side that are kept up to date; 0 for all.
    pub keep: u16,
    /// The numbers of changes.
    pub numbers: UpdateNumbers,
}

/// Where the levels of a book are.
#[derive(Clone, Debug)]
pub enum LevelLists {
    /// In a list for each side.
    BySide {
        /// The bids.
        bids: Pointer,
        /// The asks.
        asks: Pointer,
    },
    /// In one list.
    Mixed {
        /// The list.
        list: Pointer,
        /// The side, in a level.
        side: Pointer,
        /// The word for bids.
        bid: String,
        /// The word for asks.
        ask: String,
    },
}

/// Which books are whole.
#[derive(Clone, Debug)]
pub enum Whole {
    /// All.
    Always,
    /// Those that fulfil this; the others are changes.
    When(Condition),
}

/// How changes of a book are numbered.
#[derive(Clone, Debug)]
pub enum UpdateNumbers {
    /// Not at all.
    None,
    /// One by one: the first, where it has a field of its own, and the last of a change.
    Successive(Option<Pointer>, Pointer),
    /// A change names the one before it, and itself.
    Chained(Pointer, Pointer),
}

/// The unit of a time since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// So many nanoseconds, as a power of ten.
    Scaled(u8),
    /// RFC 3339.
    Rfc3339,
}

impl Mapping {
    /// Visits the events of a message in their order, until one gives something.
    pub(super) fn visit<'s, 'm, T>(
        &'s self,
        message: Raw<'m>,
        mut visit: impl FnMut(EventPlace<'m>, &'s EventMapping) -> Option<T>,
    ) -> Option<T> {
        let mut events = vec![];
        for (at, kind) in self.kinds.iter().enumerate() {
            let mut before = self.kinds[..at].iter();
            if before.any(|other| other.events == kind.events) {
                continue;
            }
            events.clear();
            match &kind.events {
                Some(pointer) => pointer.collect(message, &mut events),
                None => events.push(message),
            }
            if self.newest_first {
                events.reverse();
            }
            for &event in &events {
                let place = EventPlace { event, message };
                let mut kinds = self.kinds[at..]
                    .iter()
                    .filter(|other| other.events == kind.events);
                if let Some(kind) = kinds.find(|kind| kind.when.holds(place))
                    && let Some(found) = visit(place, kind)
                {
                    return Some(found);
                }
            }
        }
        None
    }
}
