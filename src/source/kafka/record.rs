//! The times of a Kafka record.

use std::cell::Cell;

use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};

use crate::source::event_time;
use crate::units::Nanos;

/// Reads the headers of records.
#[derive(Debug, Default)]
pub(super) struct RecordHeaders {
    /// Whether a receive time in another unit has been reported.
    has_warned: Cell<bool>,
}

impl RecordHeaders {
    /// When the record was first received, where its producer says so: header `ts_recv`, nanoseconds. One in
    /// another unit is not used, and the first of them is reported.
    pub(super) fn ts_recv(&self, record: &BorrowedMessage<'_>) -> Option<Nanos> {
        let headers = record.headers()?;
        let header = headers.iter().find(|header| header.key == "ts_recv")?;
        let text = std::str::from_utf8(header.value?).ok()?;
        match Nanos::plausible(text.trim().parse().ok()?) {
            Ok(time) => Some(time),
            Err(error) => {
                if !self.has_warned.replace(true) {
                    let (topic, offset) = (record.topic(), record.offset());
                    let remedy =
                        "the header `ts_recv` is not used: let the producer write nanoseconds";
                    tracing::warn!(topic, offset, %error, "{remedy}");
                }
                None
            }
        }
    }
}

/// The time by which a record is merged with those of other topics, in nanoseconds: its `ts_event`, else
/// the time when it was received, else its timestamp.
pub(super) fn event_time(
    payload: &[u8],
    received: Option<Nanos>,
    record: &BorrowedMessage<'_>,
) -> i64 {
    // A timestamp in another unit than milliseconds says nothing: the record waits for no other.
    let written = || {
        let nanos = Nanos::from_millis(record.timestamp().to_millis().unwrap_or(0));
        Nanos::plausible(nanos.0).unwrap_or_default()
    };
    let told = event_time::event_time(payload).or(received);
    told.unwrap_or_else(written).0
}
