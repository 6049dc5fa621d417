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
    /// The streams that a pipeline subscribes to where it names none.
    pub streams: Vec<&'static str>,
    /// The address of the websocket.
    pub websocket: &'static str,
    /// The address of the REST interface; empty where none is needed.
    pub rest: &'static str,
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
        let streams = venue.usual_streams().to_vec();
        let names: Vec<String> = streams.iter().map(ToString::to_string).collect();
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
            streams,
            websocket: addresses.websocket,
            rest: addresses.rest,
        }
    }
}

impl fmt::Display for VenueList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for venue in &self.venues {
            writeln!(f, "{}", venue.name)?;
            writeln!(f, "  book proven by    {}", venue.book)?;
            writeln!(f, "  trades proven by  {}", venue.trades)?;
            writeln!(f, "  repair            {}", venue.repair)?;
            writeln!(f, "  usual streams     {}", venue.streams.join(" "))?;
            writeln!(f, "  websocket         {}", venue.websocket)?;
            if !venue.rest.is_empty() {
                writeln!(f, "  rest              {}", venue.rest)?;
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
                .contains("KRAKEN\n  book proven by    checksum")
        );
    }
}
