//! Lists the venues: what each proves, how a book is repaired, and what is subscribed to.

use std::fmt;

use serde::Serialize;

use crate::decode::Venues;
use crate::decode::venue::{BookProof, SnapshotRequest, Venue};
use crate::event::TradeIds;

/// All venues.
#[derive(Clone, Debug, Serialize)]
pub struct VenueList {
    /// Each, in the order of their names.
    pub venues: Vec<VenueReport>,
}

/// What is to be known of a venue.
#[derive(Clone, Debug, Serialize)]
pub struct VenueReport {
    /// The name behind the dot in an instrument's name.
    pub name: &'static str,
    /// What shows that a change of a book is missing.
    pub book: &'static str,
    /// What shows that a trade is missing, or came twice.
    pub trades: &'static str,
    /// How a broken book is repaired.
    pub repair: &'static str,
    /// How symbols are written.
    pub symbols: &'static str,
    /// The streams that a pipeline subscribes to where it names none, and where its features need no others.
    pub usual_streams: Vec<&'static str>,
    /// All streams that are read.
    pub streams: Vec<StreamReport>,
    /// The address of the websocket.
    pub websocket: &'static str,
    /// The address of the REST interface; empty where none is needed.
    pub rest: &'static str,
}

/// A stream of a venue.
#[derive(Clone, Debug, Serialize)]
pub struct StreamReport {
    /// Its name in `source.websocket.streams`.
    pub name: &'static str,
    /// What comes by it, in words.
    pub brings: String,
}

impl VenueList {
    /// The registered venues.
    #[must_use]
    pub fn registered() -> Self {
        let mut venues: Vec<VenueReport> = Venues::default().all().map(VenueReport::of).collect();
        venues.sort_by_key(|venue| venue.name);
        Self { venues }
    }
}

impl VenueReport {
    fn of(venue: &'static dyn Venue) -> Self {
        let (proof, addresses) = (venue.proof(), venue.addresses());
        let usual_streams = venue.usual_streams().to_vec();
        let names: Vec<String> = usual_streams.iter().map(ToString::to_string).collect();
        let streams = venue.streams().iter().map(|stream| StreamReport {
            name: stream.name,
            brings: stream.brings.to_string(),
        });
        Self {
            name: venue.name(),
            book: match proof.book {
                BookProof::Nothing => "nothing",
                BookProof::SymbolNumbers => "numbers of each symbol",
                BookProof::ConnectionNumbers => "numbers of the connection",
                BookProof::Chain => "chain of updates",
                BookProof::Checksum => "checksum after each change",
            },
            trades: match proof.trades {
                None => "nothing",
                Some(TradeIds::Successive) => "successive ids: losses and copies",
                Some(TradeIds::Rising) => "rising ids: copies",
                Some(TradeIds::Distinct) => "distinct ids: copies of recent trades",
            },
            repair: match (proof.book, venue.snapshot_request("SYMBOL", &names)) {
                (BookProof::Nothing, _) => "none",
                (_, SnapshotRequest::Get { .. }) => "fetch a snapshot and splice it",
                (_, SnapshotRequest::Send(_)) => "subscribe again, then connect again",
            },
            symbols: venue.symbol_examples(),
            usual_streams,
            streams: streams.collect(),
            websocket: addresses.websocket,
            rest: addresses.rest,
        }
    }
}

/// The names of the streams by what they bring, in their order.
#[must_use]
pub fn by_kind(streams: &[StreamReport]) -> Vec<(&str, Vec<&'static str>)> {
    let mut kinds: Vec<(&str, Vec<&'static str>)> = vec![];
    for stream in streams {
        match kinds
            .iter_mut()
            .find(|(brings, _)| *brings == stream.brings)
        {
            Some((_, names)) => names.push(stream.name),
            None => kinds.push((&stream.brings, vec![stream.name])),
        }
    }
    kinds
}

impl fmt::Display for VenueList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for venue in &self.venues {
            writeln!(f, "{}", venue.name)?;
            writeln!(f, "  book proven by      {}", venue.book)?;
            writeln!(f, "  trades proven by    {}", venue.trades)?;
            writeln!(f, "  repair              {}", venue.repair)?;
            writeln!(f, "  symbols             {}", venue.symbols)?;
            writeln!(f, "  usual streams       {}", venue.usual_streams.join(" "))?;
            for (brings, names) in by_kind(&venue.streams) {
                writeln!(f, "  {brings:<19} {}", names.join(" "))?;
            }
            writeln!(f, "  websocket           {}", venue.websocket)?;
            if !venue.rest.is_empty() {
                writeln!(f, "  rest                {}", venue.rest)?;
            }
        }
        writeln!(
            f,
            "other feeds of JSON messages: describe one by `[source.websocket.json]`"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_venue_says_what_it_proves() {
        let list = VenueList::registered();
        let found: Vec<(&str, &str)> = list
            .venues
            .iter()
            .map(|venue| (venue.name, venue.book))
            .collect();
        assert_eq!(
            found,
            [
                ("ALPACA", "nothing"),
                ("BINANCE", "numbers of each symbol"),
                ("BINANCE_USDM", "chain of updates"),
                ("BYBIT", "numbers of each symbol"),
                ("COINBASE", "numbers of the connection"),
                ("KRAKEN", "checksum after each change"),
                ("OKX", "chain of updates"),
            ]
        );
        assert!(
            list.to_string()
                .contains("KRAKEN\n  book proven by      checksum")
        );
    }
}
