//! The times of a Kafka record.

use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};

use crate::units::Nanos;

/// When the record was first received, where its producer says so: header `ts_recv`, nanoseconds.
pub(super) fn ts_recv_header(record: &BorrowedMessage<'_>) -> Option<Nanos> {
    let headers = record.headers()?;
    let header = headers.iter().find(|header| header.key == "ts_recv")?;
    let text = std::str::from_utf8(header.value?).ok()?;
    text.parse().ok().map(Nanos)
}

/// The time by which a record is merged with those of other topics, in nanoseconds: its `ts_event`, else
/// the time when it was received, else its timestamp.
pub(super) fn event_time(
    payload: &[u8],
    received: Option<Nanos>,
    record: &BorrowedMessage<'_>,
) -> i64 {
    let written = || Nanos::from_millis(record.timestamp().to_millis().unwrap_or(0));
    ts_event(payload).unwrap_or_else(|| received.unwrap_or_else(written).0)
}

/// The `ts_event` of a payload in nanoseconds, if it has one as those of Foretick's topics do.
fn ts_event(bytes: &[u8]) -> Option<i64> {
    const KEY: &[u8] = b"\"ts_event\"";
    let rest = &bytes[memchr::memmem::find(bytes, KEY)? + KEY.len()..];
    let rest = rest
        .trim_ascii_start()
        .strip_prefix(b":")?
        .trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_an_event_is_found() {
        assert_eq!(ts_event(br#"{"ts_event": 12,"x":1}"#), Some(12));
        assert_eq!(ts_event(br#"{"x":1,"ts_event":7}"#), Some(7));
        assert_eq!(ts_event(br#"{"ts_event":"7"}"#), None);
        assert_eq!(ts_event(br#"{"E":7}"#), None);
    }
}
