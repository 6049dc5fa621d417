//! One line of a message file.

use crate::event::TradingStatus;
use crate::source::history::row::RowFault;
use crate::units::Side;

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LobsterMessage {
    /// Nanoseconds since midnight.
    pub(super) since_midnight: i64,
    pub(super) kind: MessageKind,
    pub(super) order: u64,
    pub(super) size: u64,
    /// In 1/10000 USD.
    pub(super) price: i64,
    /// The side of the order that rests.
    pub(super) side: Side,
}

/// The kinds of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageKind {
    /// A new limit order.
    Submission,
    /// Part of an order is cancelled.
    Cancellation,
    /// The rest of an order is deleted.
    Deletion,
    /// An order that can be seen is executed, in part or whole.
    Execution,
    /// A hidden order is executed.
    HiddenExecution,
    /// A cross trade, as of an auction.
    Cross,
    /// Trading is halted or goes on; none where only quoting does.
    Halt(Option<TradingStatus>),
}

impl LobsterMessage {
    /// Reads a line.
    ///
    /// # Errors
    /// The field that cannot be read, and what stands in it.
    pub(super) fn read(line: &str) -> Result<Self, (RowFault, &str)> {
        let mut fields = line.split(',').map(str::trim);
        let mut next = |field| fields.next().ok_or((RowFault::Missing(field), line));
        let since_midnight = seconds(next("ts_event")?)?;
        let kind = next("action")?;
        let order = next("order_id")?;
        let size = next("size")?;
        let price = whole("price", next("price")?)?;
        let direction = next("side")?;
        let kind = match kind {
            "1" => MessageKind::Submission,
            "2" => MessageKind::Cancellation,
            "3" => MessageKind::Deletion,
            "4" => MessageKind::Execution,
            "5" => MessageKind::HiddenExecution,
            "6" => MessageKind::Cross,
            "7" => MessageKind::Halt(match price {
                -1 => Some(TradingStatus::Halted),
                0 => None,
                1 => Some(TradingStatus::Trading),
                _ => return Err((RowFault::OutOfRange("status"), line)),
            }),
            _ => return Err((RowFault::OutOfRange("action"), kind)),
        };
        let message = Self {
            since_midnight,
            kind,
            // A cross trade has no order, or -1.
            order: match order {
                "-1" => 0,
                order => natural("order_id", order)?,
            },
            size: natural("size", size)?,
            price,
            side: match direction {
                "1" => Side::Buy,
                "-1" => Side::Sell,
                _ => return Err((RowFault::OutOfRange("side"), direction)),
            },
        };
        match message.kind {
            MessageKind::Halt(_) => Ok(message),
            _ if message.price <= 0 => Err((RowFault::OutOfRange("price"), line)),
            _ => Ok(message),
        }
    }
}

/// Seconds with a fraction as nanoseconds; digits after the ninth are cut off.
fn seconds(text: &str) -> Result<i64, (RowFault, &str)> {
    let fault = || (RowFault::BadNumber("ts_event"), text);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return Err(fault());
    }
    let digits = &fraction[..fraction.len().min(9)];
    let scale = 10_i64.pow(9 - digits.len() as u32);
    let nanos = digits.parse::<i64>().map_err(|_| fault())? * scale;
    let seconds: i64 = whole.parse().map_err(|_| fault())?;
    match seconds {
        0..SECONDS_MAX => Ok(seconds * 1_000_000_000 + nanos),
        _ => Err((RowFault::OutOfRange("ts_event"), text)),
    }
}

fn whole<'a>(field: &'static str, text: &'a str) -> Result<i64, (RowFault, &'a str)> {
    text.parse().map_err(|_| (RowFault::BadNumber(field), text))
}

fn natural<'a>(field: &'static str, text: &'a str) -> Result<u64, (RowFault, &'a str)> {
    u64::try_from(whole(field, text)?).map_err(|_| (RowFault::OutOfRange(field), text))
}

/// Decimal places of prices: 1/10000 USD.
pub(super) const PRICE_PLACES: i32 = 4;
/// A day, and the hour by which the longest is longer.
const SECONDS_MAX: i64 = 25 * 3_600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_to_the_nanosecond() {
        let message = LobsterMessage::read("34200.004241176,1,16113575,18,5853300,1").unwrap();
        let expected = LobsterMessage {
            since_midnight: 34_200_004_241_176,
            kind: MessageKind::Submission,
            order: 16_113_575,
            size: 18,
            price: 5_853_300,
            side: Side::Buy,
        };
        assert_eq!(message, expected);
        let late = LobsterMessage::read("57599.1234567899,4,1,1,1,-1").unwrap();
        assert_eq!(late.since_midnight, 57_599_123_456_789);
        let halt = LobsterMessage::read("34201,7,0,0,-1,-1").unwrap();
        assert_eq!(halt.kind, MessageKind::Halt(Some(TradingStatus::Halted)));
        assert_eq!(halt.since_midnight, 34_201_000_000_000);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (line, fault) in [
            ("", RowFault::BadNumber("ts_event")),
            ("3.42e4,1,1,1,1,1", RowFault::BadNumber("ts_event")),
            ("-1.5,1,1,1,1,1", RowFault::BadNumber("ts_event")),
            ("99999,1,1,1,1,1", RowFault::OutOfRange("ts_event")),
            ("34200.5,1,1,1", RowFault::Missing("price")),
            ("34200.5,8,1,1,1,1", RowFault::OutOfRange("action")),
            ("34200.5,1,x,1,1,1", RowFault::BadNumber("order_id")),
            ("34200.5,1,1,-7,1,1", RowFault::OutOfRange("size")),
            ("34200.5,1,1,1,58.53,1", RowFault::BadNumber("price")),
            ("34200.5,1,1,1,0,1", RowFault::OutOfRange("price")),
            ("34200.5,1,1,1,1,0", RowFault::OutOfRange("side")),
            ("34200.5,7,0,0,2,-1", RowFault::OutOfRange("status")),
        ] {
            assert_eq!(LobsterMessage::read(line).unwrap_err().0, fault, "{line}");
        }
    }
}
