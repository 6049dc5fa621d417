//! A row: what it is about, and how far it can be trusted.

use crate::event::Record;
use crate::instrument::InstrumentId;
use crate::signal::quality::Quality;
use crate::units::{Nanos, Price};

/// What a row is about; its numbers lie in the buffer handed in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// The instrument, company or applicant.
    pub instrument: InstrumentId,
    /// Its event's time.
    pub ts_event: Nanos,
    /// How far its inputs can be trusted.
    pub quality: Quality,
    /// Whether its features are warm, whatever its quality.
    pub warm: bool,
    /// The middle of bid and ask then, where both are known.
    pub mid: Option<f64>,
    /// The last price traded, where one is known.
    pub price: Price,
    /// The period that a statement describes.
    pub period: Option<i64>,
    /// The item that a headline belongs to.
    pub item: Option<u64>,
}

impl Row {
    /// A row without a market, a period or an item.
    #[must_use]
    pub fn bare(instrument: InstrumentId, ts_event: Nanos, quality: Quality) -> Self {
        Self {
            instrument,
            ts_event,
            quality,
            warm: true,
            mid: None,
            price: Price::UNDEFINED,
            period: None,
            item: None,
        }
    }

    /// The row of a record, whose values are the row as they are.
    #[must_use]
    pub fn of_record(instrument: InstrumentId, ts_event: Nanos, record: &Record) -> Self {
        let quality = if record.degraded {
            Quality::Degraded
        } else {
            Quality::Ok
        };
        Self {
            period: record.period,
            item: record.item,
            ..Self::bare(instrument, ts_event, quality)
        }
    }
}
