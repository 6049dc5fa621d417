//! Messages as rows: trades, changes of the book, and halts.

use std::fs::File;
use std::io;

use chrono::{NaiveTime, TimeZone};
use chrono_tz::America::New_York;

use super::book_lines::BookLine;
use super::message::{LobsterMessage, MessageKind, PRICE_PLACES};
use super::name::LobsterName;
use super::text_lines::TextLines;
use crate::event::{Depth, Level, Splice, Trade, TradeIds};
use crate::source::compression::decompressed;
use crate::source::history::mapping::HistoryMapping;
use crate::source::history::mbo_book::MboBook;
use crate::source::history::naming::whole_name;
use crate::source::history::row::{HistoryRow, HistoryRows, RowBody, RowFault};
use crate::units::{Nanos, Price, Side, Size};

/// The rows of a message file.
pub(super) struct MessageRows {
    lines: TextLines,
    /// Lines so far that are not blank.
    messages: u64,
    instrument: String,
    midnight: Nanos,
    book: RebuiltBook,
    /// What the message read last says, and the levels that it changed.
    said: Vec<RowBody>,
    told: usize,
    levels: Vec<Level>,
    ts_event: Nanos,
    /// What happened before is not told.
    begin: Option<Nanos>,
}

/// The book of the messages so far.
#[derive(Default)]
pub(super) struct RebuiltBook {
    pub(super) book: MboBook,
    /// The book after the first message.
    first: Option<BookLine>,
}

impl RebuiltBook {
    /// The book, which is `first` after the first message, where that is known.
    pub(super) fn new(first: Option<BookLine>) -> Self {
        Self {
            book: MboBook::default(),
            first,
        }
    }

    /// Takes a message.
    pub(super) fn take(&mut self, message: &LobsterMessage) {
        let LobsterMessage {
            order,
            side,
            price,
            size,
            ..
        } = *message;
        if let Some(first) = self.first.take() {
            self.book.begin_with(&first.bids, &first.asks);
            if message.kind == MessageKind::Submission {
                self.book.name(order, side, price, size);
            }
            return;
        }
        match message.kind {
            MessageKind::Submission => self.book.add(order, side, price, size),
            MessageKind::Cancellation | MessageKind::Deletion | MessageKind::Execution => {
                self.book.reduce(order, side, price, size);
            }
            MessageKind::HiddenExecution | MessageKind::Cross | MessageKind::Halt(_) => {}
        }
    }
}

impl MessageRows {
    pub(super) fn open(
        file: File,
        name: &LobsterName,
        first: Option<BookLine>,
        mapping: &HistoryMapping,
    ) -> io::Result<Self> {
        let midnight = name.date.and_time(NaiveTime::MIN);
        let zone = mapping.zone.unwrap_or(New_York);
        let midnight = zone.from_local_datetime(&midnight).earliest();
        let midnight = midnight.and_then(|time| time.timestamp_nanos_opt());
        let year = || io::Error::other("its name has a year that cannot be");
        let venue = mapping.venue.as_deref().unwrap_or(VENUE);
        let own_name = || whole_name(&name.ticker, venue);
        Ok(Self {
            lines: TextLines::new(decompressed(file)?),
            messages: 0,
            instrument: mapping.instrument.clone().unwrap_or_else(own_name),
            midnight: Nanos(midnight.ok_or_else(year)?),
            book: RebuiltBook::new(first),
            said: vec![],
            told: 0,
            levels: vec![],
            ts_event: Nanos::UNDEFINED,
            begin: None,
        })
    }

    /// The same from this time on: messages of before change the book and are not told, and the first change
    /// after them is the whole book.
    pub(super) fn from(self, begin: Option<Nanos>) -> Self {
        Self { begin, ..self }
    }

    /// Reads the next line that is not blank; false at the end.
    fn next_line(&mut self) -> io::Result<bool> {
        let is_there = self.lines.advance()?;
        self.messages += u64::from(is_there);
        Ok(is_there)
    }

    fn take(&mut self, message: &LobsterMessage) {
        self.ts_event = Nanos(self.midnight.0.saturating_add(message.since_midnight));
        if self.begin.is_some_and(|begin| self.ts_event < begin) {
            self.book.take(message);
            self.book.book.tell_anew();
            return;
        }
        if let MessageKind::Halt(Some(status)) = message.kind {
            self.said.push(RowBody::Status(status));
        }
        if let Some(trade) = trade(message) {
            self.said.push(trade);
        }
        self.book.take(message);
        if let Some(changes) = self.book.book.take_changes(PRICE_PLACES, &mut self.levels) {
            self.said.push(RowBody::Depth(Depth {
                bids: changes.bids,
                asks: changes.asks,
                snapshot: changes.is_whole.then_some(Splice::InOrder),
                ..Depth::default()
            }));
        }
    }
}

/// The trade that a message tells; none where it tells none. An order that rested to be bought was hit by a
/// seller.
fn trade(message: &LobsterMessage) -> Option<RowBody> {
    let side = match (message.kind, message.side) {
        (MessageKind::Execution | MessageKind::HiddenExecution, Side::Buy) => Some(Side::Sell),
        (MessageKind::Execution | MessageKind::HiddenExecution, Side::Sell) => Some(Side::Buy),
        (MessageKind::Cross, _) => None,
        _ => return None,
    };
    let price = Price::from_scaled(message.price, PRICE_PLACES);
    let size = i64::try_from(message.size).ok();
    Some(
        match (price, size.and_then(|size| Size::from_scaled(size, 0))) {
            (Some(price), Some(size)) => RowBody::Trade(Trade {
                price,
                size,
                trade_id: 0,
                ids: TradeIds::Successive,
                side,
                aggregate: false,
            }),
            _ => RowBody::Unreadable(RowFault::OutOfRange("price")),
        },
    )
}

impl HistoryRows for MessageRows {
    fn next_row(&mut self, row: &mut HistoryRow) -> io::Result<bool> {
        row.instrument.clone_from(&self.instrument);
        row.ts_recv = Nanos::UNDEFINED;
        row.levels.clear();
        while self.told == self.said.len() {
            self.said.clear();
            self.told = 0;
            if !self.next_line()? {
                return Ok(false);
            }
            match LobsterMessage::read(self.lines.line()) {
                Ok(message) => self.take(&message),
                Err((fault, cell)) => {
                    row.ts_event = Nanos::UNDEFINED;
                    row.fail(fault, cell);
                    return Ok(true);
                }
            }
        }
        row.ts_event = self.ts_event;
        row.body = self.said[self.told];
        self.told += 1;
        match row.body {
            RowBody::Depth(_) => row.levels.extend_from_slice(&self.levels),
            RowBody::Unreadable(fault) => row.fail(fault, self.lines.line()),
            _ => {}
        }
        Ok(true)
    }

    fn position(&self) -> String {
        format!("line {}", self.lines.number())
    }

    fn records(&self) -> Option<u64> {
        Some(self.messages)
    }
}

/// LOBSTER has Nasdaq's book.
const VENUE: &str = "XNAS";
