//! Text values in JSON that is not parsed: found by their key.

use memchr::memmem;

/// The text behind `key` (given with its quotes); empty text counts as none.
///
/// Quotes inside JSON strings are escaped, so no text can pass for a key.
#[must_use]
pub fn text_of<'m>(message: &'m [u8], key: &[u8]) -> Option<&'m [u8]> {
    memmem::find_iter(message, key).find_map(|at| {
        let rest = message[at + key.len()..].trim_ascii_start();
        let value = rest.strip_prefix(b":")?.trim_ascii_start();
        let value = value.strip_prefix(b"\"")?;
        let end = memchr::memchr(b'"', value)?;
        (end > 0).then(|| &value[..end])
    })
}
