//! The times of a Kafka record.

use std::cell::Cell;

use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};

use crate::source::event_time;
use crate::units::Nanos;

/// Reads the headers of records.
#[derive(Debug)]
pub(super) struct RecordHeaders {
    /// How far ahead of our clock the receive time may be, in nanoseconds.
    max_ahead_ns: i64,
    /// Whether a receive time that cannot be used has been reported.
    has_warned: Cell<bool>,
}

impl RecordHeaders {
    /// Reads receive times up to so far ahead of our clock.
    pub(super) fn new(max_ahead_ns: i64) -> Self {
        Self {
            max_ahead_ns,
            has_warned: Cell::new(false),
        }
    }

    /// When the record was first received, where its producer says so: header `ts_recv`, nanoseconds.
    /// One that cannot be read, is in another unit, or is far ahead of our clock at `now` is not used,
    /// and the first of them is reported.
    pub(super) fn ts_recv(&self, record: &BorrowedMessage<'_>, now: Nanos) -> Option<Nanos> {
        let headers = record.headers()?;
        let header = headers.iter().find(|header| header.key == "ts_recv")?;
        match received(header.value?, now, self.max_ahead_ns) {
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

    /// When the record was written, by its own timestamp: of its producer or of the broker. None where it has
    /// none, or one in another unit or far ahead of our clock at `now`.
    pub(super) fn written(&self, record: &BorrowedMessage<'_>, now: Nanos) -> Option<Nanos> {
        let millis = record.timestamp().to_millis()?;
        let time = Nanos::plausible(millis.checked_mul(1_000_000)?).ok()?;
        let is_ahead = time.since(now) > self.max_ahead_ns && Nanos::plausible(now.0).is_ok();
        (!is_ahead).then_some(time)
    }
}

/// The receive time in a header.
fn received(value: &[u8], now: Nanos, max_ahead_ns: i64) -> Result<Nanos, String> {
    let text = String::from_utf8_lossy(value);
    let nanos = text
        .trim()
        .parse()
        .map_err(|_| format!("`{text}` is no whole number"))?;
    let time = Nanos::plausible(nanos).map_err(|error| error.to_string())?;
    match time.since(now) > max_ahead_ns && Nanos::plausible(now.0).is_ok() {
        true => Err(format!("{nanos} is far ahead of the clock of this machine")),
        false => Ok(time),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receive_time_that_cannot_be_is_refused_with_the_reason() {
        let now = Nanos(1_790_000_000_000_000_000);
        let of = |text: &str| received(text.as_bytes(), now, 600_000_000_000);
        assert_eq!(of(" 1790000000000000005 "), Ok(Nanos(now.0 + 5)));
        assert_eq!(
            of("1790000600000000000"),
            Ok(Nanos(now.0 + 600_000_000_000))
        );
        for (text, word) in [
            ("1790000000000", "milliseconds"),
            ("2026-09-21T10:00:00Z", "no whole number"),
            ("1.79e18", "no whole number"),
            ("", "no whole number"),
            ("1821536000000000000", "far ahead"),
        ] {
            let error = of(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
        let unset = received(b"1790000000000000005", Nanos(7), 5);
        assert!(unset.is_ok(), "our own clock is not set");
    }
}
