//! Databento's DBN files, versions 1 to 3, read with their own crate; plain, or within zstd.
//!
//! | schema | what its records become |
//! | --- | --- |
//! | `trades` | trades |
//! | `mbp-1`, `cmbp-1` | trades, and quotes |
//! | `tbbo`, `tcbbo` | the quote before each trade, and the trade |
//! | `bbo-1s`, `bbo-1m`, `cbbo-1s`, `cbbo-1m` | quotes, at the end of their interval |
//! | `mbp-10` | trades, and whole books |
//! | `mbo` | trades, and books by price level, made of the orders |
//! | `ohlcv-1s` to `ohlcv-1d` | bars, at their ends |
//! | `status` | halted and trading |
//!
//! A state of a book is told at the last record of an event alone (flag `LAST`), because those before show it
//! halfway. A record of a channel that lost messages (`MAYBE_BAD_BOOK`) comes behind a gap. The records of a
//! file may be of several schemas, as a live session has them; those that carry none of this are passed over.
//! Where reading begins at a time, orders of before are applied, and the first change after it is the whole
//! book. A file that is not compressed is searched for that time, where its records stand for themselves.

mod instruments;
mod market;
mod orders;
mod records;
mod seek;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufReader, Seek, SeekFrom};
use std::path::Path;

use dbn::{
    BboMsg, CbboMsg, Cmbp1Msg, FlagSet, HasRType, MboMsg, Mbp1Msg, Mbp10Msg, OhlcvMsg, RType,
    RecordHeader, RecordRef, Schema, StatusMsg, TradeMsg,
};

use self::instruments::DbnInstruments;
use self::records::DbnRecords;
use super::format::{FileHead, HistoryFormat, HistoryOptions};
use super::mapping::HistoryMapping;
use super::row::{HistoryRow, HistoryRows, RowBody};
use crate::event::{Depth, Gap, GapReason, Level, Splice};
use crate::source::compression::content_of;
use crate::units::Nanos;

/// Databento's DBN.
pub(super) struct Dbn;

impl HistoryFormat for Dbn {
    fn recognises(&self, _: &Path, head: &FileHead) -> bool {
        matches!(head.content[..], [b'D', b'B', b'N', 0..=b' ', ..])
    }

    fn open(
        &self,
        _: &Path,
        file: File,
        options: &HistoryOptions,
        begin: Option<Nanos>,
    ) -> io::Result<Box<dyn HistoryRows>> {
        Ok(Box::new(DbnRows::open(file, &options.mapping, begin)?))
    }
}

/// Databento's format before DBN, which is named.
pub(super) struct Dbz;

impl HistoryFormat for Dbz {
    fn recognises(&self, _: &Path, head: &FileHead) -> bool {
        // A frame that zstd skips holds the metadata.
        head.raw.get(1..4) == Some(&[0x2a, 0x4d, 0x18]) && head.raw.get(8..11) == Some(b"DBZ")
    }

    fn open(
        &self,
        _: &Path,
        _: File,
        _: &HistoryOptions,
        _: Option<Nanos>,
    ) -> io::Result<Box<dyn HistoryRows>> {
        Err(io::Error::other(
            "it is a DBZ file, Databento's format before DBN: convert it (`dbn old.dbz -o new.dbn`)",
        ))
    }
}

const BUFFER_BYTES: usize = 256 << 10;

/// What has the name of a DBN file and does not begin as one: a fragment, which Databento's tools write, or a
/// damaged file.
pub(super) struct DbnFragment;

impl HistoryFormat for DbnFragment {
    fn recognises(&self, path: &Path, _: &FileHead) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_ascii_lowercase();
        let inner = [".zst", ".gz"]
            .iter()
            .find_map(|end| name.strip_suffix(end));
        let inner = inner.unwrap_or(&name);
        inner.ends_with(".dbn.frag") || inner.ends_with(".dbn")
    }

    fn open(
        &self,
        path: &Path,
        _: File,
        _: &HistoryOptions,
        _: Option<Nanos>,
    ) -> io::Result<Box<dyn HistoryRows>> {
        let name = path.to_string_lossy().to_ascii_lowercase();
        Err(match name.contains(".dbn.frag") {
            true => io::Error::other(
                "it does not begin as a DBN file: a fragment (`.dbn.frag`) lacks the beginning that says its \
                 version, its schema and its symbols; give the whole file",
            ),
            false => io::Error::new(
                io::ErrorKind::InvalidData,
                "it has not the beginning of a DBN file, which says its version, its schema and its symbols",
            ),
        })
    }
}

/// The rows of a DBN file.
struct DbnRows {
    records: DbnRecords,
    instruments: DbnInstruments,
    /// What the record read last says.
    said: Said,
    /// How much of that has been told.
    told: usize,
    /// DbnRecords that carry nothing of a market.
    passed_over: u64,
}

/// What a record says.
#[derive(Default)]
struct Said {
    bodies: Vec<RowBody>,
    /// Of the book among them.
    levels: Vec<Level>,
    ts_event: Nanos,
    ts_recv: Nanos,
    /// The place of the instrument.
    instrument: usize,
    /// Whether each trade comes with the quote before it.
    is_quote_first: bool,
    /// What was received before is not told; without a receive time, what happened before.
    begin: Option<Nanos>,
}

impl DbnRows {
    fn open(file: File, mapping: &HistoryMapping, begin: Option<Nanos>) -> io::Result<Self> {
        let size = file.metadata()?.len();
        let same = file.try_clone()?;
        let (content, around) = content_of(file)?;
        let bytes_max = if around.is_empty() { size } else { u64::MAX };
        let (mut records, metadata) = DbnRecords::open(Box::new(content), bytes_max)?;
        if let Some(refusal) = metadata.schema.and_then(market::refusal) {
            return Err(io::Error::other(refusal));
        }
        let can_seek = around.is_empty() && metadata.schema.is_some_and(seek::stand_alone);
        if let Some(begin) = begin.filter(|_| can_seek)
            && let Some(place) = seek::place_of(&same, records.start(), begin)?
        {
            let mut same = same;
            same.seek(SeekFrom::Start(place.offset))?;
            let content = BufReader::with_capacity(BUFFER_BYTES, same);
            records.go_to(Box::new(content), place.records);
        }
        Ok(Self {
            records,
            instruments: DbnInstruments::new(&metadata, mapping),
            said: Said {
                begin,
                is_quote_first: metadata.schema == Some(Schema::Tbbo),
                ..Said::default()
            },
            told: 0,
            passed_over: 0,
        })
    }

    fn tell(&mut self, row: &mut HistoryRow) {
        let body = self.said.bodies[self.told];
        self.told += 1;
        row.ts_event = self.said.ts_event;
        row.ts_recv = self.said.ts_recv;
        row.instrument.clear();
        let instrument = self.instruments.at(self.said.instrument);
        row.instrument.push_str(&instrument.name);
        row.levels.clear();
        match body {
            RowBody::Unreadable(fault) => row.fail(fault, ""),
            RowBody::Depth(_) => row.levels.extend_from_slice(&self.said.levels),
            _ => {}
        }
        row.body = body;
    }
}

impl HistoryRows for DbnRows {
    fn next_row(&mut self, row: &mut HistoryRow) -> io::Result<bool> {
        while self.told == self.said.bodies.len() {
            self.said.bodies.clear();
            self.told = 0;
            let Some(record) = self.records.next()? else {
                if self.passed_over > 0 {
                    let records = self.passed_over;
                    tracing::warn!(
                        records,
                        "records that carry nothing of a market are passed over"
                    );
                }
                return Ok(false);
            };
            match self.said.take(record, &mut self.instruments) {
                Ok(true) => {}
                Ok(false) => self.passed_over += 1,
                Err(error) => {
                    let told = format!("{} cannot be read: {error}", self.position());
                    return Err(io::Error::new(io::ErrorKind::InvalidData, told));
                }
            }
        }
        self.tell(row);
        Ok(true)
    }

    fn position(&self) -> String {
        format!("record {}", self.records.number())
    }

    fn records(&self) -> Option<u64> {
        Some(self.records.number())
    }
}

impl Said {
    /// Takes a record; false where it carries nothing of a market.
    fn take(
        &mut self,
        record: RecordRef<'_>,
        instruments: &mut DbnInstruments,
    ) -> dbn::Result<bool> {
        let Ok(kind) = RType::try_from(record.header().rtype) else {
            return Ok(false);
        };
        match kind {
            RType::Mbp0 => self.trade(record.try_get::<TradeMsg>()?, instruments),
            RType::Mbp1 => self.best(record.try_get::<Mbp1Msg>()?, instruments),
            RType::Mbp10 => self.whole_book(record.try_get::<Mbp10Msg>()?, instruments),
            RType::Mbo => self.order(record.try_get::<MboMsg>()?, instruments),
            RType::Bbo1S | RType::Bbo1M => {
                let record = record.try_get::<BboMsg>()?;
                // The record's own time is that of the last trade.
                self.begin(&record.hd, record.ts_recv, record.ts_recv, instruments);
                self.flag(record.flags);
                self.bodies.push(market::quote(&record.levels[0]));
            }
            RType::Cbbo1S | RType::Cbbo1M => {
                let record = record.try_get::<CbboMsg>()?;
                self.begin(&record.hd, record.ts_recv, record.ts_recv, instruments);
                self.flag(record.flags);
                self.bodies
                    .push(market::consolidated_quote(&record.levels[0]));
            }
            RType::Cmbp1 | RType::Tcbbo => {
                let record = record.try_get::<Cmbp1Msg>()?;
                self.consolidated_best(record, kind == RType::Tcbbo, instruments);
            }
            RType::Status => self.status(record.try_get::<StatusMsg>()?, instruments),
            RType::SymbolMapping => instruments.take_mapping(record)?,
            _ if OhlcvMsg::has_rtype(record.header().rtype.into()) => {
                return Ok(self.bar(record.try_get::<OhlcvMsg>()?, instruments));
            }
            _ => return Ok(false),
        }
        if self.is_before_begin() {
            self.bodies.clear();
        }
        Ok(true)
    }

    fn is_before_begin(&self) -> bool {
        let time = match self.ts_recv {
            Nanos::UNDEFINED => self.ts_event,
            received => received,
        };
        self.begin.is_some_and(|begin| time < begin)
    }

    /// Notes times and instrument.
    fn begin(
        &mut self,
        header: &RecordHeader,
        ts_event: u64,
        ts_recv: u64,
        instruments: &mut DbnInstruments,
    ) {
        let received = market::time(ts_recv) != Nanos::UNDEFINED;
        let named_at = if received { ts_recv } else { header.ts_event };
        self.instrument = instruments.place(header, named_at);
        self.ts_event = market::time(ts_event);
        self.ts_recv = market::time(ts_recv);
    }

    /// Notes a gap where the record's channel lost messages.
    fn flag(&mut self, flags: FlagSet) {
        if flags.is_maybe_bad_book() {
            self.bodies.push(RowBody::Gap(Gap {
                reason: GapReason::Sequence,
                missing: 0,
            }));
        }
    }

    fn trade(&mut self, record: &TradeMsg, instruments: &mut DbnInstruments) {
        self.begin(&record.hd, record.hd.ts_event, record.ts_recv, instruments);
        self.flag(record.flags);
        let trade = market::trade(record.price, record.size, record.side);
        self.bodies.push(trade);
    }

    fn best(&mut self, record: &Mbp1Msg, instruments: &mut DbnInstruments) {
        self.begin(&record.hd, record.hd.ts_event, record.ts_recv, instruments);
        self.flag(record.flags);
        let trade =
            is_trade(record.action).then(|| market::trade(record.price, record.size, record.side));
        let is_told = self.is_quote_first || record.flags.is_last();
        let quote = is_told.then(|| market::quote(&record.levels[0]));
        self.push(trade, quote, self.is_quote_first);
    }

    fn consolidated_best(
        &mut self,
        record: &Cmbp1Msg,
        is_quote_first: bool,
        instruments: &mut DbnInstruments,
    ) {
        self.begin(&record.hd, record.hd.ts_event, record.ts_recv, instruments);
        self.flag(record.flags);
        let trade =
            is_trade(record.action).then(|| market::trade(record.price, record.size, record.side));
        let is_told = is_quote_first || record.flags.is_last();
        let quote = is_told.then(|| market::consolidated_quote(&record.levels[0]));
        self.push(trade, quote, is_quote_first);
    }

    fn push(&mut self, trade: Option<RowBody>, quote: Option<RowBody>, is_quote_first: bool) {
        match is_quote_first {
            true => self.bodies.extend(quote.into_iter().chain(trade)),
            false => self.bodies.extend(trade.into_iter().chain(quote)),
        }
    }

    fn whole_book(&mut self, record: &Mbp10Msg, instruments: &mut DbnInstruments) {
        self.begin(&record.hd, record.hd.ts_event, record.ts_recv, instruments);
        self.flag(record.flags);
        if is_trade(record.action) {
            let trade = market::trade(record.price, record.size, record.side);
            self.bodies.push(trade);
        }
        if record.flags.is_last() {
            let levels = market::levels(&record.levels, &mut self.levels);
            self.bodies.push(match levels {
                Ok((bids, asks)) => RowBody::Depth(Depth {
                    bids,
                    asks,
                    snapshot: Some(Splice::InOrder),
                    ..Depth::default()
                }),
                Err(fault) => RowBody::Unreadable(fault),
            });
        }
    }

    fn order(&mut self, record: &MboMsg, instruments: &mut DbnInstruments) {
        self.begin(&record.hd, record.hd.ts_event, record.ts_recv, instruments);
        self.flag(record.flags);
        if is_trade(record.action) {
            let trade = market::trade(record.price, record.size, record.side);
            self.bodies.push(trade);
        }
        let is_before = self.is_before_begin();
        let book = &mut instruments.at(self.instrument).book;
        if record.flags.is_maybe_bad_book() {
            book.distrust();
        }
        if let Err(fault) = orders::apply(record, book) {
            self.bodies.push(RowBody::Unreadable(fault));
        }
        if is_before {
            book.tell_anew();
        } else if record.flags.is_last()
            && let Some(changes) = book.take_changes(market::PRICE_PLACES, &mut self.levels)
        {
            self.bodies.push(RowBody::Depth(Depth {
                bids: changes.bids,
                asks: changes.asks,
                snapshot: changes.is_whole.then_some(Splice::InOrder),
                ..Depth::default()
            }));
        }
    }

    fn bar(&mut self, record: &OhlcvMsg, instruments: &mut DbnInstruments) -> bool {
        let Some((end, bar)) = market::bar(record) else {
            return false;
        };
        self.begin(&record.hd, end, dbn::UNDEF_TIMESTAMP, instruments);
        self.bodies.push(bar);
        true
    }

    fn status(&mut self, record: &StatusMsg, instruments: &mut DbnInstruments) {
        self.begin(&record.hd, record.hd.ts_event, record.ts_recv, instruments);
        if let Some(status) = market::status(record) {
            self.bodies.push(RowBody::Status(status));
        }
    }
}

fn is_trade(action: std::ffi::c_char) -> bool {
    action as u8 == b'T'
}
