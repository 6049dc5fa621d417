//! Trade records as encoders write them, read in one pass: known fields, each once, no escapes.
//!
//! Refuses nothing. A record of another shape, sound or not, is left to the general parser, which takes
//! several times as long. Where both read a record they read the same (tests of `topic`).

use crate::decode::amount::Written;

/// The fields of a trade record; numbers as text where they become fixed-point.
#[derive(Debug, Default, PartialEq)]
pub(super) struct FastTrade<'a> {
    pub(super) ts_event: i64,
    pub(super) ts_recv: Option<i64>,
    pub(super) symbol: &'a str,
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
        let key = rest.text()?;
        rest.take(b':')?;
        rest.skip_blank();
        match key {
            b"ts_event" => once(&mut ts_event, rest.integer()?)?,
            b"ts_recv" => once(&mut trade.ts_recv, rest.integer()?)?,
            b"symbol" | b"instrument" if trade.symbol.is_empty() => trade.symbol = rest.word()?,
            b"price" if trade.price.digits.is_empty() => trade.price = rest.decimal()?,
            b"size" if trade.size.digits.is_empty() => trade.size = rest.decimal()?,
            b"side" if trade.side.is_empty() => trade.side = rest.text()?,
            b"trade_id" => once(&mut trade.trade_id, rest.integer()?.unsigned_abs())?,
            _ => return None,
        }
        if rest.take(b',').is_none() {
            break;
        }
        rest.skip_blank();
    }
    rest.take(b'}')?;
    trade.ts_event = ts_event?;
    let whole = [
        trade.symbol.as_bytes(),
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

    /// Text between quotes, of ASCII without escapes.
    fn text(&mut self) -> Option<&'a [u8]> {
        self.take(b'"')?;
        let ends = |&byte: &u8| ENDS_TEXT[usize::from(byte)];
        let (text, rest) = self.0.split_at(self.0.iter().position(ends)?);
        self.0 = rest;
        self.take(b'"')?;
        Some(text)
    }

    fn word(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.text()?).ok()
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
        let (text, rest) = self.0.split_at(whole_digits(self.0)?);
        self.0 = rest;
        // Nineteen digits always fit 64 bits.
        let fits = text.len() <= 19;
        let digit =
            |value: u64, byte: &u8| value.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
        i64::try_from(text.iter().fold(0, digit))
            .ok()
            .filter(|_| fits)
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
