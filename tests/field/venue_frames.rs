//! Decodes frames of a venue as a capture's are, without being told whose they are, and keeps their books.

use std::collections::BTreeMap;

use foretick::decode::{Decoded, Decoder};
use foretick::engine::book::{Applied, Book};
use foretick::event::{Batch, Body};
use foretick::frame::Origin;
use foretick::instrument::Instruments;
use foretick::units::Nanos;

/// What became of frames so far.
pub(crate) struct VenueRun {
    decoder: Decoder,
    outcomes: BTreeMap<String, u64>,
    /// Checksums that the books were held against.
    pub(crate) checksums: u64,
    /// By instrument.
    pub(crate) books: BTreeMap<String, Book>,
    /// Of the last frame that was decoded.
    pub(crate) batch: Batch,
}

impl Default for VenueRun {
    fn default() -> Self {
        Self {
            decoder: Decoder::new(Instruments::new(&[], 64), 1 << 22),
            outcomes: BTreeMap::new(),
            checksums: 0,
            books: BTreeMap::new(),
            batch: Batch::default(),
        }
    }
}

impl VenueRun {
    /// Decodes frames, and applies those of books.
    pub(crate) fn frames<'f>(&mut self, frames: impl Iterator<Item = &'f str>) {
        for frame in frames {
            self.batch.clear();
            let origin = Origin {
                ts_recv: Nanos::UNDEFINED,
                offset: 0,
                partition: 0,
                stream: 0,
                late: false,
                reprocessed: false,
            };
            match self
                .decoder
                .decode(origin, frame.as_bytes(), &mut self.batch)
            {
                Ok(Decoded::Events) => self.events(),
                Ok(Decoded::Notice(notice)) => self.count(format!("{notice:?}").to_lowercase()),
                Err(error) => self.count(format!("other {}", error.reason())),
            }
        }
    }

    /// How often what happened: `changed 3, trade 2`.
    pub(crate) fn counts(&self) -> String {
        let counts = self
            .outcomes
            .iter()
            .map(|(word, count)| format!("{word} {count}"));
        counts.collect::<Vec<_>>().join(", ")
    }

    fn events(&mut self) {
        for at in 0..self.batch.events.len() {
            let event = self.batch.events[at];
            let word = match event.body {
                Body::Trade(trade) if trade.aggregate => "agg_trade".into(),
                Body::Trade(_) => "trade".into(),
                Body::Quote(_) => "quote".into(),
                Body::Depth(depth) => {
                    self.checksums += u64::from(depth.checksum.is_some());
                    let name = self.decoder.instruments().name(event.instrument).to_owned();
                    let book = self.books.entry(name).or_default();
                    let (bids, asks) = self.batch.levels(&depth);
                    match book.apply(&depth, bids, asks, event.ts_event) {
                        Applied::Gap { reason, .. } => format!("gap {reason:?}"),
                        Applied::Spliced { .. } => "spliced".into(),
                        applied => format!("{applied:?}").to_lowercase(),
                    }
                }
                body => format!("{body:?}"),
            };
            self.count(word);
        }
    }

    fn count(&mut self, word: String) {
        *self.outcomes.entry(word).or_default() += 1;
    }
}
