//! The fields of a JSON object that is not parsed, found by a walk over its own members, and the objects of a
//! list.
//!
//! Checks nothing: of a text that is no object it finds some members or none. Where a message is read, a
//! parser checks it.

use std::borrow::Cow;

/// The text of a field of the message itself, not of an object inside it. Keys and texts mean what they
/// mean with their escapes resolved. None where the field is absent, empty or no text.
#[must_use]
pub fn text_of<'m>(message: &'m [u8], key: &str) -> Option<Cow<'m, str>> {
    value_of(message, key)?
        .text()
        .filter(|text| !text.is_empty())
}

/// The value of a field of the message itself.
pub(super) fn value_of<'m>(message: &'m [u8], key: &str) -> Option<Raw<'m>> {
    let mut members = members(message);
    members.find_map(|(name, value)| name.is(key).then_some(value))
}

/// A text as part of an address (RFC 3986): some symbols have Chinese letters.
pub(super) fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// The members of the outermost object, as far as they can be told apart.
pub(crate) fn members(message: &[u8]) -> Members<'_> {
    let rest = message.trim_ascii_start().strip_prefix(b"{");
    Members(rest.unwrap_or_default())
}

/// A value as it is written, quotes included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw<'m>(pub(crate) &'m [u8]);

impl<'m> Raw<'m> {
    /// What a text means; none of other values.
    pub(crate) fn text(self) -> Option<Cow<'m, str>> {
        let inner = self.0.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        if memchr::memchr(b'\\', inner).is_some() {
            let text = std::str::from_utf8(self.0).ok()?;
            return sonic_rs::from_str(text).ok().map(Cow::Owned);
        }
        std::str::from_utf8(inner).ok().map(Cow::Borrowed)
    }

    /// A number as it is written, bare or as text; other values are no number, whatever they are.
    pub(crate) fn number(self) -> Option<Cow<'m, str>> {
        match self.0.starts_with(b"\"") {
            true => self.text(),
            false => std::str::from_utf8(self.0).ok().map(Cow::Borrowed),
        }
    }

    /// Whether it is a text with this meaning.
    pub(crate) fn is(self, text: &str) -> bool {
        let length = text.len() + 2;
        if self.0.len() == length {
            return &self.0[1..length - 1] == text.as_bytes();
        }
        // Escapes make a text longer.
        self.0.len() > length && self.text().is_some_and(|own| own == text)
    }
}

/// See [`members`]: what is not read yet.
pub(crate) struct Members<'m>(&'m [u8]);

impl<'m> Iterator for Members<'m> {
    type Item = (Raw<'m>, Raw<'m>);

    fn next(&mut self) -> Option<Self::Item> {
        self.skip(b',');
        let key = self.take(string_length(self.0)?);
        self.skip(b':');
        let length = value_length(self.0)?;
        Some((key, self.take(length)))
    }
}

impl<'m> Members<'m> {
    /// Skips blanks, and this byte among them.
    fn skip(&mut self, byte: u8) {
        let rest = self.0.trim_ascii_start();
        self.0 = match rest.strip_prefix(&[byte]) {
            Some(rest) => rest.trim_ascii_start(),
            None => rest,
        };
    }

    fn take(&mut self, length: usize) -> Raw<'m> {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        Raw(taken)
    }
}

/// The elements of a list, as far as they can be told apart.
pub(crate) fn elements(list: &[u8]) -> Elements<'_> {
    let rest = list.trim_ascii_start().strip_prefix(b"[");
    Elements(Members(rest.unwrap_or_default()))
}

/// See [`elements`]: what is not read yet.
pub(crate) struct Elements<'m>(Members<'m>);

impl<'m> Iterator for Elements<'m> {
    type Item = Raw<'m>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &mut self.0;
        rest.skip(b',');
        let length = value_length(rest.0)?;
        (length > 0).then(|| rest.take(length))
    }
}

/// Bytes of the value at the start of a text.
fn value_length(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'"' => string_length(text),
        b'{' | b'[' => nested_length(text),
        _ => Some(scalar_length(text)),
    }
}

/// The first object of a list, and what stands behind it, without blanks; none where the text is no list, or
/// its first element no object.
pub(crate) fn first_object(list: &[u8]) -> Option<(&[u8], &[u8])> {
    next_object(list.trim_ascii_start().strip_prefix(b"[")?)
}

/// The elements of a list of objects; none where the text is anything else, or does not end with the list.
pub(crate) fn objects(list: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = list.trim_ascii().strip_prefix(b"[")?.strip_suffix(b"]")?;
    let mut objects = vec![];
    loop {
        let (object, behind) = next_object(rest)?;
        objects.push(object);
        rest = match behind.split_first() {
            None => return Some(objects),
            Some((b',', more)) => more,
            Some(_) => return None,
        };
    }
}

fn next_object(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_start();
    if !text.starts_with(b"{") {
        return None;
    }
    let (object, behind) = text.split_at(nested_length(text)?);
    Some((object, behind.trim_ascii_start())).filter(|_| object.ends_with(b"}"))
}

/// Bytes of the string at the start of a text, quotes included.
fn string_length(text: &[u8]) -> Option<usize> {
    let mut at = text.starts_with(b"\"").then_some(1)?;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Bytes of the object or list at the start of a text.
fn nested_length(text: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        match text.get(at)? {
            b'"' => at += string_length(&text[at..])? - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Bytes of the number or word at the start of a text.
fn scalar_length(text: &[u8]) -> usize {
    let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b'{') || byte.is_ascii_whitespace();
    text.iter().position(ends).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_a_list_are_told_apart() {
        for (list, expected) in [
            ("[]", vec![]),
            (
                r#" [ 1 , {"a":[2,3]},"],"] "#,
                vec!["1", r#"{"a":[2,3]}"#, r#""],""#],
            ),
            (r#"[[1],{"a":"#, vec!["[1]"]),
            (r#"{"a":1}"#, vec![]),
            ("[,,]", vec![]),
            ("", vec![]),
        ] {
            let found: Vec<&[u8]> = elements(list.as_bytes()).map(|raw| raw.0).collect();
            let expected: Vec<&[u8]> = expected.iter().map(|text| text.as_bytes()).collect();
            assert_eq!(found, expected, "{list}");
        }
    }

    #[test]
    fn objects_of_a_list_are_found_as_they_are_written() {
        let of = |list: &'static str| {
            let objects = objects(list.as_bytes())?;
            let texts = objects
                .into_iter()
                .map(|object| std::str::from_utf8(object).unwrap());
            Some(texts.collect::<Vec<_>>())
        };
        assert_eq!(
            of(r#" [ {"a":"}]"} , {"b":[{}]},{}] "#),
            Some(vec![r#"{"a":"}]"}"#, r#"{"b":[{}]}"#, "{}"])
        );
        assert_eq!(
            first_object(br#"[{"a":1} ,{"b":"#),
            Some((&br#"{"a":1}"#[..], &br#",{"b":"#[..]))
        );
        for other in [
            "", "[]", "[1]", "{}", "[{}", "[{},]", "[{}{}]", "[{}]]", "[{]}]", r#"[{"a"#,
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn a_field_is_found_by_its_meaning_and_at_its_own_level() {
        for (message, text) in [
            (r#"{"s":"A"}"#, Some("A")),
            (r#" { "x" : {"s":"B"} , "s" : "A" } "#, Some("A")),
            (
                r#"{"x":"\"s\":\"B\"","y":[{"s":"B"},"]"],"s":"A"}"#,
                Some("A"),
            ),
            (r#"{"\u0073":"\u0041\/"}"#, Some("A/")),
            (r#"{"s":"\u6d4b\u8bd5"}"#, Some("测试")),
            (r#"{"n":-1.5e3,"t":true,"s":"A"#, None),
            (r#"{"x":{"s":"B"}}"#, None),
            (r#"{"s":""}"#, None),
            (r#"{"s":7}"#, None),
            (r#"{"s":"\"#, None),
            (r#"{"s":"#, None),
            (r#"{"s"#, None),
            (r#"[{"s":"A"}]"#, None),
            ("", None),
            ("}{", None),
        ] {
            assert_eq!(
                text_of(message.as_bytes(), "s").as_deref(),
                text,
                "{message}"
            );
        }
    }
}
