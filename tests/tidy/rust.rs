//! Rust source as text: its code without comments and literals, and without its tests.
//!
//! Parses no further than the rules need.

/// The text before a file's `mod tests`, which stands last.
pub(crate) fn before_tests(text: &str) -> &str {
    let mut tests_begin = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if let Some(begin) = tests_begin
            && line.trim_start().starts_with("mod ")
        {
            return &text[..begin];
        }
        tests_begin = (line.trim() == "#[cfg(test)]").then_some(at);
        at += line.len();
    }
    text
}

/// Whether a file below `src` holds only tests.
pub(crate) fn is_of_tests(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

/// Identifiers and keywords of a line.
pub(crate) fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !is_of_word(c))
        .filter(|word| !word.is_empty())
}

pub(crate) fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Rust text without its comments and literals; every line keeps its number.
pub(crate) fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = literal_or_comment(rest);
        if skipped == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
            rest = &rest[skipped..];
        }
    }
    code
}

/// Bytes of the comment or literal that `text` begins with; 0 where it begins with code.
fn literal_or_comment(text: &str) -> usize {
    let bytes = text.as_bytes();
    let through = |end: &str, from: usize| {
        text[from..]
            .find(end)
            .map_or(text.len(), |at| from + at + end.len())
    };
    match bytes {
        [b'/', b'/', ..] => text.find('\n').unwrap_or(text.len()),
        [b'/', b'*', ..] => through("*/", 2),
        [b'r', b'"' | b'#', ..] => {
            let hashes = bytes[1..].iter().take_while(|byte| **byte == b'#').count();
            match bytes.get(1 + hashes) {
                Some(b'"') => through(&format!("\"{}", "#".repeat(hashes)), 2 + hashes),
                _ => 0, // r#type
            }
        }
        [b'"', ..] => 1 + quoted(&bytes[1..]),
        [b'\'', b'\\', ..] => 3 + text[3..].find('\'').map_or(0, |at| at + 1),
        // A character, not a lifetime: the closing quote follows after one character.
        [b'\'', ..] => match text[1..].chars().next() {
            Some(c) if text[1 + c.len_utf8()..].starts_with('\'') => 2 + c.len_utf8(),
            _ => 0,
        },
        _ => 0,
    }
}

/// Bytes of a string up to and with its closing quote, which no backslash escapes.
fn quoted(bytes: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    bytes.len()
}
