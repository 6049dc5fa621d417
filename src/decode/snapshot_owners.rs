//! Names the instruments of book snapshots that name none, before messages are spread over shards.
//!
//! A decoder sees the instruments of its shard alone, and would take for one's own what may be
//! another's. So where there are several shards, the snapshot gets its name, or the mark that it has
//! none, while all messages still come one by one. With one shard the decoder does the same by itself.

use super::format::is_of_topic;
use super::last_updates::LastUpdates;
use super::venue::Venue;
use super::venues::Venues;
use crate::instrument::{InstrumentId, Instruments};

/// Follows the numbers of the book updates of all instruments, by stream.
#[derive(Debug)]
pub struct SnapshotOwners {
    venues: Venues,
    instruments: Instruments,
    streams: Vec<LastUpdates>,
}

impl SnapshotOwners {
    /// Follows the books of these venues, of the instruments that the table takes.
    pub(super) fn new(venues: Venues, instruments: Instruments) -> Self {
        Self {
            venues,
            instruments,
            streams: vec![],
        }
    }

    /// Notes the book updates of a message that names its instrument.
    pub fn note(&mut self, stream: u16, message: &[u8]) {
        let Some((venue, updates)) = self.venues.updates_of(message) else {
            return;
        };
        let (first, last) = (updates.first, updates.last);
        if let Ok(instrument) = self.instruments.intern(&updates.symbol, venue.name())
            && first <= last
        {
            self.of_stream(stream).note(instrument, first, last);
        }
    }

    /// A snapshot that names no instrument as one that names it, or says that it has none. None for every
    /// other message.
    pub fn named(&mut self, stream: u16, message: &[u8]) -> Option<Vec<u8>> {
        if is_of_topic(message) {
            return None;
        }
        let venue = self.venues.recognise(message)?;
        let number = venue.unnamed_snapshot(message)?;
        let updates = self.streams.get(usize::from(stream));
        let is_at = |id| self.instruments.is_at(id, venue.name());
        let owner = updates.and_then(|updates| updates.instrument_of(number, is_at));
        let symbol = owner.map(|owner| self.symbol(venue, owner));
        Some(venue.snapshot_message(symbol.unwrap_or_default(), message))
    }

    fn symbol(&self, venue: &dyn Venue, instrument: InstrumentId) -> &str {
        let name = self.instruments.name(instrument);
        let symbol = name.strip_suffix(venue.name());
        symbol
            .and_then(|symbol| symbol.strip_suffix('.'))
            .unwrap_or(name)
    }

    fn of_stream(&mut self, stream: u16) -> &mut LastUpdates {
        let at = usize::from(stream);
        if at >= self.streams.len() {
            self.streams.resize(at + 1, LastUpdates::default());
        }
        &mut self.streams[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(symbol: &str, first: u64) -> String {
        format!(
            r#"{{"e":"depthUpdate","E":1,"s":"{symbol}","U":{first},"u":{},"b":[],"a":[]}}"#,
            first + 2
        )
    }

    #[test]
    fn a_snapshot_gets_the_name_of_the_one_whose_updates_hold_its_number() {
        let listed = ["OAKUSDT", "ELMUSDT", "ASHUSDT"].map(|symbol| format!("{symbol}.BINANCE"));
        let mut owners = SnapshotOwners::new(Venues::default(), Instruments::new(&listed, 9));
        for (symbol, first) in [("OAKUSDT", 10), ("ELMUSDT", 20), ("FIRUSDT", 30)] {
            owners.note(0, diff(symbol, first).as_bytes());
        }
        let combined = format!(
            r#"{{"stream":"x@depth@100ms","data":{}}}"#,
            diff("ASHUSDT", 40)
        );
        owners.note(0, combined.as_bytes());
        let reordered = format!(r#" {{"data":{},"stream":"x"}}"#, diff("ASHUSDT", 43));
        owners.note(0, reordered.as_bytes());
        owners.note(1, diff("OAKUSDT", 20).as_bytes());
        let futures = diff("OAKUSDT", 60).replace("\"b\"", "\"pu\":59,\"b\"");
        owners.note(0, futures.as_bytes());
        for (number, stream, name) in [
            (11, 0, "oakusdt@depth_snapshot"),
            (21, 0, "elmusdt@depth_snapshot"),
            (45, 0, "ashusdt@depth_snapshot"),
            (21, 1, "oakusdt@depth_snapshot"),
            (31, 0, "@depth_snapshot"),
            (61, 0, "@depth_snapshot"),
            (21, 7, "@depth_snapshot"),
        ] {
            let message = format!(r#"{{"lastUpdateId":{number},"bids":[],"asks":[]}}"#);
            let named = owners
                .named(stream, message.as_bytes())
                .expect("a snapshot");
            let expected = format!(r#"{{"stream":"{name}","data":{message}}}"#);
            assert_eq!(String::from_utf8_lossy(&named), expected);
        }
        for message in [
            r#"{"result":null,"id":1}"#,
            r#"{"ts_event":5}"#,
            "{",
            "[]",
            "",
        ] {
            assert_eq!(owners.named(0, message.as_bytes()), None, "{message}");
        }
    }
}
