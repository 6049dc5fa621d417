//! JSON as encoders write it, read in one pass and without copies: no escapes, no blanks but one behind a
//! colon or a comma, plain ASCII.
//!
//! Refuses nothing: what it does not read, sound or not, is left to the general parser.

use super::amount::Written;
use crate::decimal;

/// The text that is not read yet. Every method gives none where the text goes on otherwise.
#[derive(Clone, Copy)]
pub(super) struct Unread<'a>(pub(super) &'a [u8]);

impl<'a> Unread<'a> {
    /// Takes a byte.
    pub(super) fn take(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    /// Takes these bytes.
    pub(super) fn word(&mut self, word: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(word)?;
        Some(())
    }

    /// Skips a blank, if there is one.
    pub(super) fn skip_blank(&mut self) {
        self.0 = self.0.strip_prefix(b" ").unwrap_or(self.0);
    }

    /// Takes an object with at least one member; `read` takes the value of each by its key.
    pub(super) fn object(
        &mut self,
        mut read: impl FnMut(&'a [u8], &mut Self) -> Option<()>,
    ) -> Option<()> {
        self.take(b'{')?;
        loop {
            let key = self.text()?;
            self.take(b':')?;
            self.skip_blank();
            read(key, self)?;
            if self.take(b',').is_none() {
                return self.take(b'}');
            }
            self.skip_blank();
        }
    }

    /// Takes a list; `read` takes each element.
    pub(super) fn list(&mut self, mut read: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(b'[')?;
        if self.take(b']').is_some() {
            return Some(());
        }
        loop {
            read(self)?;
            if self.take(b',').is_none() {
                return self.take(b']');
            }
            self.skip_blank();
        }
    }

    /// Skips a value that is neither an object nor a list.
    pub(super) fn skip_scalar(&mut self) -> Option<()> {
        match self.0.first()? {
            b'"' => self.text().map(|_| ()),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.decimal().map(|_| ()),
        }
    }

    /// Takes text between quotes, of ASCII without escapes.
    pub(super) fn text(&mut self) -> Option<&'a [u8]> {
        self.take(b'"')?;
        let ends = |&byte: &u8| ENDS_TEXT[usize::from(byte)];
        let (text, rest) = self.0.split_at(self.0.iter().position(ends)?);
        self.0 = rest;
        self.take(b'"')?;
        Some(text)
    }

    /// Takes a number, bare or in quotes. A bare one with an exponent is not read.
    pub(super) fn decimal(&mut self) -> Option<Written<'a>> {
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

    /// Takes a bare whole number, zero or more.
    pub(super) fn integer(&mut self) -> Option<i64> {
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

    /// Whether all is read.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Sets a field, which may stand only once.
pub(super) fn once<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_without_escapes_and_exponents_is_read() {
        let read = |text: &str| {
            let mut rest = Unread(text.as_bytes());
            rest.list(|rest| rest.object(|_, rest| rest.skip_scalar()))
                .filter(|()| rest.is_empty())
                .is_some()
        };
        for text in [
            "[]",
            r#"[{"a":1}]"#,
            r#"[{"a":-0.50,"b":"x"}, {"a": true,"b":null, "c":false}]"#,
        ] {
            assert!(read(text), "{text}");
        }
        for text in [
            "",
            "[",
            "[{}]",
            r#"[{"a":1}"#,
            r#"[{"a":1}] "#,
            r#"[{"a":1},]"#,
            r#"[{"a":1,}]"#,
            r#"[{"a":01}]"#,
            r#"[{"a":1.}]"#,
            r#"[{"a":1e5}]"#,
            r#"[{"a":+1}]"#,
            r#"[{"a":tru}]"#,
            r#"[{"a":"\u0061"}]"#,
            r#"[{"a":"é"}]"#,
            r#"[{"a":[1]}]"#,
            r#"[{"a" :1}]"#,
        ] {
            assert!(!read(text), "{text}");
        }
    }
}
