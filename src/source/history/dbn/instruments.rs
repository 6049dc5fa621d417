//! The instruments of a DBN file: their names, and their books where these are told order by order.

use dbn::{Metadata, Publisher, RecordHeader, RecordRef, TsSymbolMap};
use rustc_hash::FxHashMap;

use crate::source::history::mapping::HistoryMapping;
use crate::source::history::mbo_book::MboBook;
use crate::source::history::naming::whole_name;

/// The instruments of a file, by publisher and number.
pub(super) struct DbnInstruments {
    symbols: TsSymbolMap,
    dataset: String,
    /// The name of all instruments, and the venue, where the configuration says them.
    told_name: Option<String>,
    told_venue: Option<String>,
    places: FxHashMap<InstrumentKey, usize>,
    all: Vec<DbnInstrument>,
    last: Option<(InstrumentKey, usize)>,
}

/// Publisher and number of an instrument.
type InstrumentKey = (u16, u32);

/// An instrument of a file.
pub(super) struct DbnInstrument {
    /// Its whole name on the day of its last record.
    pub(super) name: String,
    /// Its orders, where the file tells them.
    pub(super) book: MboBook,
    /// The days since 1970 for which the name holds.
    day: u64,
}

impl DbnInstruments {
    /// The instruments that the beginning of a file names.
    pub(super) fn new(metadata: &Metadata, mapping: &HistoryMapping) -> Self {
        let symbols = metadata.symbol_map().unwrap_or_else(|error| {
            tracing::warn!(%error, "the file maps no symbols to its instruments: they are named by number");
            TsSymbolMap::new()
        });
        Self {
            symbols,
            dataset: metadata.dataset.clone(),
            told_name: mapping.instrument.clone(),
            told_venue: mapping.venue.clone(),
            places: FxHashMap::default(),
            all: vec![],
            last: None,
        }
    }

    /// The place of a record's instrument, whose name holds at `ts`.
    pub(super) fn place(&mut self, header: &RecordHeader, ts: u64) -> usize {
        let key = (header.publisher_id, header.instrument_id);
        let day = ts / DAY_NS;
        if let Some((last, at)) = self.last
            && last == key
            && self.all[at].day == day
        {
            return at;
        }
        let at = *self.places.entry(key).or_insert_with(|| {
            self.all.push(DbnInstrument {
                name: String::new(),
                book: MboBook::default(),
                day: NO_DAY,
            });
            self.all.len() - 1
        });
        if self.all[at].day != day {
            self.all[at].name = self.name(key, ts);
            self.all[at].day = day;
        }
        self.last = Some((key, at));
        at
    }

    /// The instrument at a place.
    pub(super) fn at(&mut self, place: usize) -> &mut DbnInstrument {
        &mut self.all[place]
    }

    /// Takes what a record of a live session says of symbols.
    pub(super) fn take_mapping(&mut self, record: RecordRef<'_>) -> dbn::Result<()> {
        self.symbols.on_record(record)?;
        self.last = None;
        self.all.iter_mut().for_each(|one| one.day = NO_DAY);
        Ok(())
    }

    /// The symbol that the file maps the number to at that time, else the number; and behind it the venue.
    fn name(&self, (publisher, id): InstrumentKey, ts: u64) -> String {
        let known = Publisher::try_from(publisher);
        let of_dataset = || self.dataset.split('.').next().unwrap_or_default();
        let of_record = || known.map_or_else(|_| of_dataset(), |known| known.venue().as_str());
        if let Some(name) = &self.told_name {
            return name.clone();
        }
        let venue = self.told_venue.as_deref().unwrap_or_else(of_record);
        match self.symbols.get_for_ts(ts, id) {
            Some(symbol) => whole_name(symbol, venue),
            None => format!("{id}.{venue}"),
        }
    }
}

/// Nanoseconds of a day.
const DAY_NS: u64 = 86_400_000_000_000;
/// The day of no time.
const NO_DAY: u64 = u64::MAX;
