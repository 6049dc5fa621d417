//! Books of Tardis: `incremental_book_L2`, a level a row, and `book_snapshot_5` and `_25`, a book a row.
//!
//! Source: Tardis' documentation of downloadable CSV files. Rows of one `local_timestamp` are one message.
//! Where a row is the first of a snapshot, what was known of the book is discarded.

use std::io;

use super::csv_records::CsvRecords;
use super::mapping::{HistoryMapping, HistoryPreset, HistoryUnit};
use super::naming::whole_name;
use super::row::{HistoryRow, HistoryRows};
use super::text_cell::{absent_as_none, decimal_of_text};
use super::time_form::TimeForm;
use crate::event::{Depth, Level, Splice};
use crate::frame::packed::{RowBody, RowFault};
use crate::units::{Nanos, Price, Size};

/// Which column is what.
pub(super) struct TardisBooks {
    /// Of all columns.
    names: Vec<String>,
    exchange: usize,
    symbol: usize,
    timestamp: usize,
    local_timestamp: usize,
    kind: BookColumns,
    venue: Option<String>,
    instrument: Option<String>,
}

enum BookColumns {
    Levels {
        is_snapshot: usize,
        side: usize,
        price: usize,
        amount: usize,
    },
    /// Price and amount of each level, best first: bids, asks.
    Whole(Vec<(usize, usize)>, Vec<(usize, usize)>),
}

impl TardisBooks {
    /// The columns of a header of books; none where it is another one.
    pub(super) fn new(names: &[String], mapping: &HistoryMapping) -> Option<Self> {
        let is_wanted = mapping
            .preset
            .is_none_or(|preset| preset == HistoryPreset::Tardis);
        let at = |name: &str| names.iter().position(|one| one == name);
        let levels = || {
            Some(BookColumns::Levels {
                is_snapshot: at("is_snapshot")?,
                side: at("side")?,
                price: at("price")?,
                amount: at("amount")?,
            })
        };
        let side = |side: &str| {
            let pair = |level: usize| {
                let price = at(&format!("{side}[{level}].price"))?;
                Some((price, at(&format!("{side}[{level}].amount"))?))
            };
            (0..).map_while(pair).collect::<Vec<(usize, usize)>>()
        };
        let whole = || {
            let (bids, asks) = (side("bids"), side("asks"));
            (!bids.is_empty() && !asks.is_empty()).then_some(BookColumns::Whole(bids, asks))
        };
        is_wanted.then_some(())?;
        Some(Self {
            names: names.to_vec(),
            exchange: at("exchange")?,
            symbol: at("symbol")?,
            timestamp: at("timestamp")?,
            local_timestamp: at("local_timestamp")?,
            kind: levels().or_else(whole)?,
            venue: mapping.venue.clone(),
            instrument: mapping.instrument.clone(),
        })
    }

    /// The books of these records.
    pub(super) fn over(self, records: CsvRecords) -> TardisRows {
        TardisRows {
            columns: self,
            records,
            has_next: None,
            position: String::new(),
            message: vec![],
        }
    }
}

/// Books, a message a row.
pub(super) struct TardisRows {
    columns: TardisBooks,
    records: CsvRecords,
    /// Whether the record that the file is at has not been used yet; none before the first.
    has_next: Option<bool>,
    /// Of the first line of the message.
    position: String,
    /// What the lines of a message have in common.
    message: Vec<u8>,
}

impl TardisRows {
    fn cell(&self, at: usize) -> &str {
        let cell = self.records.row.get(at).unwrap_or_default();
        std::str::from_utf8(cell).unwrap_or("\u{fffd}").trim()
    }

    fn begin(&self, row: &mut HistoryRow) {
        let columns = &self.columns;
        row.levels.clear();
        row.instrument.clear();
        match &columns.instrument {
            Some(instrument) => row.instrument.push_str(instrument),
            None => {
                let exchange = || self.cell(columns.exchange).to_uppercase();
                let venue = columns.venue.clone().unwrap_or_else(exchange);
                let name = whole_name(self.cell(columns.symbol), &venue);
                row.instrument.push_str(&name);
            }
        }
        let micros = TimeForm {
            unit: Some(HistoryUnit::Microseconds),
            ..TimeForm::default()
        };
        let time = |at: usize| micros.of_text(self.cell(at));
        row.ts_recv = time(columns.local_timestamp).unwrap_or(Nanos::UNDEFINED);
        row.body = RowBody::Depth(Depth::default());
        match time(columns.timestamp) {
            Ok(time) => row.ts_event = time,
            Err(fault) => {
                row.ts_event = Nanos::UNDEFINED;
                self.refuse(row, fault.of("ts_event"), columns.timestamp);
            }
        }
    }

    /// A level, from the cells of price and amount; none where both are empty.
    fn level(&self, price: usize, amount: usize) -> Result<Option<Level>, (RowFault, usize)> {
        let code = |at: usize, field: &'static str| match absent_as_none(self.cell(at)) {
            None => Ok(None),
            Some(text) => decimal_of_text(text, None)
                .map(Some)
                .map_err(|fault| (fault.of(field), at)),
        };
        match (code(price, "price")?, code(amount, "size")?) {
            (Some(px), Some(sz)) => {
                let px = Price::from_code(px).ok_or((RowFault::BadNumber("price"), price))?;
                let sz = Size::from_code(sz).ok_or((RowFault::BadNumber("size"), amount))?;
                Ok(Some(Level {
                    price: px,
                    size: sz,
                }))
            }
            (None, None) => Ok(None),
            (None, _) => Err((RowFault::Missing("price"), price)),
            (_, None) => Err((RowFault::Missing("size"), amount)),
        }
    }

    /// Makes the row a dead letter, because of the cell of a column.
    fn refuse(&self, row: &mut HistoryRow, fault: RowFault, at: usize) {
        let advice = match fault {
            RowFault::Missing(_) => "it is empty",
            RowFault::TooPrecise(_) => "it has more digits than are kept exactly",
            RowFault::OutOfRange("side") => "a side is `bid` or `ask`",
            RowFault::OutOfRange("snapshot") => "it is neither `true` nor `false`",
            RowFault::BadNumber("ts_event") => "it is no time",
            RowFault::BadNumber(_) => "it is no decimal number",
            _ => "it is out of range",
        };
        row.fail_in(&self.columns.names[at], fault, self.cell(at), advice);
    }

    /// A book of the row that the file is at.
    fn whole(&self, row: &mut HistoryRow) -> Result<(), (RowFault, usize)> {
        let BookColumns::Whole(bids, asks) = &self.columns.kind else {
            return Ok(());
        };
        let mut counts = [0, 0];
        for (count, side) in counts.iter_mut().zip([bids, asks]) {
            for &(price, amount) in side {
                if let Some(level) = self.level(price, amount)? {
                    row.levels.push(level);
                    *count += 1;
                }
            }
        }
        row.body = RowBody::Depth(Depth {
            bids: counts[0],
            asks: counts[1],
            snapshot: Some(Splice::InOrder),
            ..Depth::default()
        });
        Ok(())
    }

    /// Adds the level of the line that the file is at: bids before asks.
    fn add(&self, row: &mut HistoryRow) -> Result<(), (RowFault, usize)> {
        let BookColumns::Levels {
            is_snapshot,
            side,
            price,
            amount,
        } = self.columns.kind
        else {
            return Ok(());
        };
        let Some(level) = self.level(price, amount)? else {
            return Err((RowFault::Missing("price"), price));
        };
        let RowBody::Depth(depth) = &mut row.body else {
            return Ok(());
        };
        depth.snapshot = match self.cell(is_snapshot) {
            "true" => Some(Splice::InOrder),
            "false" => None,
            _ => return Err((RowFault::OutOfRange("snapshot"), is_snapshot)),
        };
        match self.cell(side) {
            "bid" => {
                row.levels.insert(depth.bids as usize, level);
                depth.bids += 1;
            }
            "ask" => {
                row.levels.push(level);
                depth.asks += 1;
            }
            _ => return Err((RowFault::OutOfRange("side"), side)),
        }
        Ok(())
    }

    /// What tells the message of the line that the file is at.
    fn note_message(&self, out: &mut Vec<u8>) {
        out.clear();
        let columns = &self.columns;
        let BookColumns::Levels { is_snapshot, .. } = columns.kind else {
            return;
        };
        for at in [
            columns.symbol,
            columns.local_timestamp,
            columns.timestamp,
            is_snapshot,
        ] {
            out.extend_from_slice(self.records.row.get(at).unwrap_or_default());
            out.push(b',');
        }
    }
}

impl HistoryRows for TardisRows {
    fn next_row(&mut self, row: &mut HistoryRow) -> io::Result<bool> {
        let has_next = match self.has_next {
            Some(has_next) => has_next,
            None => self.records.advance()?,
        };
        if !has_next {
            return Ok(false);
        }
        self.position = self.records.position();
        self.begin(row);
        if matches!(self.columns.kind, BookColumns::Whole(..)) {
            if let Err((fault, at)) = self.whole(row) {
                self.refuse(row, fault, at);
            }
            self.has_next = None;
            return Ok(true);
        }
        let mut message = std::mem::take(&mut self.message);
        let mut next = vec![];
        self.note_message(&mut message);
        loop {
            if let Err((fault, at)) = self.add(row) {
                self.refuse(row, fault, at);
            }
            self.has_next = Some(self.records.advance()?);
            if self.has_next != Some(true) {
                break;
            }
            self.note_message(&mut next);
            if next != message {
                break;
            }
        }
        self.message = message;
        Ok(true)
    }

    fn position(&self) -> String {
        self.position.clone()
    }
}
