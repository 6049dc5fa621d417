//! MessagePack, as far as the venue uses it: values with their lengths, times, and nothing recursive.
//!
//! Source: the MessagePack specification, with its timestamp extension type -1.

use crate::decode::error::DecodeError;

/// A value. Lists and maps keep the bytes of what is in them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Packed<'a> {
    Nil,
    Flag(bool),
    Unsigned(u64),
    /// Below zero.
    Negative(i64),
    Float(f64),
    Single(f32),
    Text(&'a str),
    /// Since 1970.
    Time {
        seconds: i64,
        nanos: u32,
    },
    List {
        count: usize,
        items: Reader<'a>,
    },
    /// A map, bytes, or an extension that is not a time.
    Other,
}

/// Reads values from the start of some bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

/// The first bytes of a value: the value itself, or how many more values it is made of.
enum ValueHead<'a> {
    Value(Packed<'a>),
    List(usize),
    Map(usize),
}

impl<'a> Reader<'a> {
    /// The number of elements of a list, which begins here.
    pub(super) fn list(&mut self) -> Result<usize, DecodeError> {
        match self.head()? {
            ValueHead::List(count) => Ok(count),
            ValueHead::Value(_) | ValueHead::Map(_) => Err(DecodeError::WrongShape),
        }
    }

    /// The number of pairs of a map, which begins here.
    pub(super) fn map(&mut self) -> Result<usize, DecodeError> {
        match self.head()? {
            ValueHead::Map(count) => Ok(count),
            ValueHead::Value(_) | ValueHead::List(_) => Err(DecodeError::WrongShape),
        }
    }

    /// The key of a pair.
    pub(super) fn key(&mut self) -> Result<&'a str, DecodeError> {
        match self.value()? {
            Packed::Text(key) => Ok(key),
            _ => Err(DecodeError::WrongShape),
        }
    }

    /// The next value, whole.
    pub(super) fn value(&mut self) -> Result<Packed<'a>, DecodeError> {
        let items;
        match self.head()? {
            ValueHead::Value(value) => Ok(value),
            ValueHead::List(count) => {
                items = *self;
                self.skip(count)?;
                Ok(Packed::List { count, items })
            }
            ValueHead::Map(count) => {
                self.skip(count.saturating_mul(2))?;
                Ok(Packed::Other)
            }
        }
    }

    /// Skips values with all that is in them.
    pub(super) fn skip(&mut self, values: usize) -> Result<(), DecodeError> {
        let mut left = values;
        while left > 0 {
            // Each has a byte at least.
            if left > self.0.len() {
                return Err(DecodeError::Truncated);
            }
            let inside = match self.head()? {
                ValueHead::Value(_) => 0,
                ValueHead::List(count) => count,
                ValueHead::Map(count) => count.saturating_mul(2),
            };
            left = (left - 1).saturating_add(inside);
        }
        Ok(())
    }

    fn head(&mut self) -> Result<ValueHead<'a>, DecodeError> {
        let value = |value| Ok(ValueHead::Value(value));
        match self.byte()? {
            small @ 0x00..=0x7f => value(Packed::Unsigned(small.into())),
            map @ 0x80..=0x8f => Ok(ValueHead::Map((map & 0x0f).into())),
            list @ 0x90..=0x9f => Ok(ValueHead::List((list & 0x0f).into())),
            text @ 0xa0..=0xbf => self.text((text & 0x1f).into()),
            0xc0 => value(Packed::Nil),
            0xc1 => Err(DecodeError::Malformed),
            flag @ 0xc2..=0xc3 => value(Packed::Flag(flag == 0xc3)),
            bytes @ 0xc4..=0xc6 => {
                let length = self.number(1 << (bytes - 0xc4))?;
                self.take(length as usize)?;
                value(Packed::Other)
            }
            extension @ 0xc7..=0xc9 => {
                let length = self.number(1 << (extension - 0xc7))?;
                self.extension(length as usize)
            }
            0xca => {
                let bits = self.number(4)? as u32;
                value(Packed::Single(f32::from_bits(bits)))
            }
            0xcb => value(Packed::Float(f64::from_bits(self.number(8)?))),
            unsigned @ 0xcc..=0xcf => {
                let number = self.number(1 << (unsigned - 0xcc))?;
                value(Packed::Unsigned(number))
            }
            signed @ 0xd0..=0xd3 => {
                let bytes = 1 << (signed - 0xd0);
                // The sign is that of the first byte.
                let unused = 64 - 8 * bytes as u32;
                let number = (self.number(bytes)? << unused).cast_signed() >> unused;
                value(whole(number))
            }
            fixed @ 0xd4..=0xd8 => self.extension(1 << (fixed - 0xd4)),
            text @ 0xd9..=0xdb => {
                let length = self.number(1 << (text - 0xd9))?;
                self.text(length as usize)
            }
            list @ 0xdc..=0xdd => Ok(ValueHead::List(self.number(2 << (list - 0xdc))? as usize)),
            map @ 0xde..=0xdf => Ok(ValueHead::Map(self.number(2 << (map - 0xde))? as usize)),
            negative @ 0xe0..=0xff => value(Packed::Negative(i64::from(negative.cast_signed()))),
        }
    }

    fn text(&mut self, length: usize) -> Result<ValueHead<'a>, DecodeError> {
        let bytes = self.take(length)?;
        let text = std::str::from_utf8(bytes).map_err(|_| DecodeError::NotUtf8)?;
        Ok(ValueHead::Value(Packed::Text(text)))
    }

    /// Type and content of an extension. A time has 4, 8 or 12 bytes:
    ///
    /// ```text
    ///  4: seconds (u32)
    ///  8: nanoseconds (30 bits), seconds (34 bits)
    /// 12: nanoseconds (u32), seconds (i64)
    /// ```
    fn extension(&mut self, length: usize) -> Result<ValueHead<'a>, DecodeError> {
        let kind = self.byte()?.cast_signed();
        let mut content = Self(self.take(length)?);
        if kind != TIME {
            return Ok(ValueHead::Value(Packed::Other));
        }
        let (seconds, nanos) = match length {
            4 => (content.number(4)?.cast_signed(), 0),
            8 => {
                let both = content.number(8)?;
                ((both & ((1 << 34) - 1)).cast_signed(), (both >> 34) as u32)
            }
            12 => {
                let nanos = content.number(4)? as u32;
                (content.number(8)?.cast_signed(), nanos)
            }
            _ => return Err(DecodeError::Malformed),
        };
        Ok(ValueHead::Value(Packed::Time { seconds, nanos }))
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        Ok(self.take(1)?[0])
    }

    /// A number of so many bytes, the highest first.
    fn number(&mut self, bytes: usize) -> Result<u64, DecodeError> {
        let digits = self.take(bytes)?.iter();
        Ok(digits.fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    fn take(&mut self, bytes: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self
            .0
            .split_at_checked(bytes)
            .ok_or(DecodeError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }
}

fn whole(number: i64) -> Packed<'static> {
    match u64::try_from(number) {
        Ok(number) => Packed::Unsigned(number),
        Err(_) => Packed::Negative(number),
    }
}

/// The type of the extension that is a time.
const TIME: i8 = -1;

/// A map of texts to a text or a list of texts, as the venue takes it from a client.
pub(super) fn map(pairs: &[(&str, SentText<'_>)]) -> Vec<u8> {
    let mut out = vec![];
    head(&mut out, [0x80, 0xde, 0xdf], 16, pairs.len());
    for (key, value) in pairs {
        text(&mut out, key);
        match value {
            SentText::One(one) => text(&mut out, one),
            SentText::Many(many) => {
                head(&mut out, [0x90, 0xdc, 0xdd], 16, many.len());
                many.iter().for_each(|one| text(&mut out, one));
            }
        }
    }
    out
}

/// A text, or some.
pub(super) enum SentText<'t> {
    One(&'t str),
    Many(&'t [String]),
}

/// One message as a list of its own: the head of such a list, and the message.
pub(super) fn list_of_one(message: &[u8]) -> Vec<u8> {
    [&[0x91], message].concat()
}

fn text(out: &mut Vec<u8>, text: &str) {
    head(out, [0xa0, 0xda, 0xdb], 32, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// The head of a value of so many parts, by the shortest of three forms: the number within the first byte, in
/// two bytes, or in four.
fn head(out: &mut Vec<u8>, [within, two, four]: [u8; 3], below: usize, parts: usize) {
    match u16::try_from(parts) {
        Ok(parts) if usize::from(parts) < below => out.push(within | parts as u8),
        Ok(parts) => {
            out.push(two);
            out.extend_from_slice(&parts.to_be_bytes());
        }
        Err(_) => {
            out.push(four);
            out.extend_from_slice(&(parts as u32).to_be_bytes());
        }
    }
}
