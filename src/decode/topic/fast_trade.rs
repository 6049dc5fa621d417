//! Trade records as encoders write them, read in one pass: known fields, each once, no escapes.
//!
//! Refuses nothing. A record of another shape, sound or not, is left to the general parser, which takes
//! several times as long. Where both read a record they read the same (tests of `topic`).

use crate::decimal;
use crate::decode::amount::Written;

/// The fields of a trade record; numbers as text where they become fixed-point.
#[derive(Debug, Default, PartialEq)]
pub(super) struct FastTrade<'a> {
    pub(super) ts_event: i64,
    pub(super) ts_recv: Option<i64>,
    /// Of ASCII.
    pub(super) symbol: &'a [u8],
    pub(super) price: Written<'a>,
    pub(super) size: Written<'a>,
    pub(super) side: &'a [u8],
    pub(super) trade_id: Option<u64>,
}

/// Reads a trade record; none where only the general parser can.
pub(super) fn read(bytes: &[u8]) -> Option<FastTrade<'_>> {
    let mut rest = Unread(bytes);
    let mut trade = FastTrade::default();
    let mut ts_event = None;
    rest.take(b'{')?;
    loop {
        let field = rest.field()?;
        rest.skip_blank();
        match field {
            TradeField::TsEvent => once(&mut ts_event, rest.integer()?)?,
            TradeField::TsRecv => once(&mut trade.ts_recv, rest.integer()?)?,
            TradeField::Symbol if trade.symbol.is_empty() => trade.symbol = rest.text()?,
            TradeField::Price if trade.price.digits.is_empty() => trade.price = rest.decimal()?,
            TradeField::Size if trade.size.digits.is_empty() => trade.size = rest.decimal()?,
            TradeField::Side if trade.side.is_empty() => trade.side = rest.text()?,
            TradeField::TradeId => once(&mut trade.trade_id, rest.integer()?.unsigned_abs())?,
            TradeField::Symbol | TradeField::Price | TradeField::Size | TradeField::Side => {
                return None;
            }
        }
        if rest.take(b',').is_none() {
            break;
        }
        rest.skip_blank();
    }
    rest.take(b'}')?;
    trade.ts_event = ts_event?;
    let whole = [
        trade.symbol,
        trade.price.digits,
        trade.size.digits,
        trade.side,
    ];
    (rest.0.is_empty() && whole.iter().all(|field| !field.is_empty())).then_some(trade)
}

/// Sets a field, which may stand only once.
fn once<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}

/// A field of a trade record.
#[derive(Clone, Copy)]
enum TradeField {
    TsEvent,
    TsRecv,
    Symbol,
    Price,
    Size,
    Side,
    TradeId,
}

/// The text that is not read yet.
struct Unread<'a>(&'a [u8]);

impl<'a> Unread<'a> {
    fn take(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    fn skip_blank(&mut self) {
        self.0 = self.0.strip_prefix(b" ").unwrap_or(self.0);
    }

    /// A key and the colon behind it.
    fn field(&mut self) -> Option<TradeField> {
        let behind = |name: &[u8]| self.0.strip_prefix(name);
        // Names are compared whole, few for each first letter.
        let (field, rest) = match self.0.get(1)? {
            b't' => {
                let event = behind(b"\"ts_event\":").map(|rest| (TradeField::TsEvent, rest));
                let recv = || behind(b"\"ts_recv\":").map(|rest| (TradeField::TsRecv, rest));
                let id = || behind(b"\"trade_id\":").map(|rest| (TradeField::TradeId, rest));
                event.or_else(recv).or_else(id)?
            }
            b's' => {
                let symbol = behind(b"\"symbol\":").map(|rest| (TradeField::Symbol, rest));
                let size = || behind(b"\"size\":").map(|rest| (TradeField::Size, rest));
                let side = || behind(b"\"side\":").map(|rest| (TradeField::Side, rest));
                symbol.or_else(size).or_else(side)?
            }
            b'p' => (TradeField::Price, behind(b"\"price\":")?),
            b'i' => (TradeField::Symbol, behind(b"\"instrument\":")?),
            _ => return None,
        };
        self.0 = rest;
        Some(field)
    }

    /// Text between quotes, of ASCII without escapes.
    fn text(&mut self) -> Option<&'a [u8]> {
        self.take(b'"')?;
        let ends = |&byte: &u8| ENDS_TEXT[usize::from(byte)];
        let (text, rest) = self.0.split_at(self.0.iter().position(ends)?);
        self.0 = rest;
        self.take(b'"')?;
        Some(text)
    }

    /// A number, bare or in quotes. An exponent is not read, and so the record is left to the general
    /// parser.
    fn decimal(&mut self) -> Option<Written<'a>> {
        if self.0.starts_with(b"\"") {
            return self.text().map(|digits| Written {
                digits,
                is_bare: false,
            });
        }
        let text = self.0;
        let mut length = usize::from(text.starts_with(b"-"));
        length += whole_digits(&text[length..])?;
        if text[length..].starts_with(b".") {
            let fraction = digits(&text[length + 1..]);
            length += 1 + Some(fraction).filter(|&digits| digits > 0)?;
        }
        self.0 = &text[length..];
        Some(Written {
            digits: &text[..length],
            is_bare: true,
        })
    }

    /// A whole number, zero or more.
    fn integer(&mut self) -> Option<i64> {
        let mut value = 0;
        let length = decimal::leading_digits(self.0, &mut value);
        let has_leading_zero = length > 1 && self.0.starts_with(b"0");
        // Nineteen digits always fit 64 bits.
        if !(1..=19).contains(&length) || has_leading_zero {
            return None;
        }
        self.0 = &self.0[length..];
        i64::try_from(value).ok()
    }
}

/// Whether a byte ends plain text: a quote, or what only the general parser reads.
const ENDS_TEXT: [bool; 256] = {
    let mut ends = [true; 256];
    let mut byte = 0x20;
    while byte < 0x80 {
        ends[byte] = byte == b'"' as usize || byte == b'\\' as usize;
        byte += 1;
    }
    ends
};

/// Length of the digits before the point; JSON has no leading zeros.
fn whole_digits(text: &[u8]) -> Option<usize> {
    match digits(text) {
        0 => None,
        1 => Some(1),
        _ if text[0] == b'0' => None,
        length => Some(length),
    }
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}
