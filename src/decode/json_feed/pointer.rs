//! Pointers into a message, and conditions that it fulfils or not.

use std::borrow::Cow;

use crate::decode::text::{Raw, elements, members};

/// A JSON pointer (RFC 6901) into an event, or with a `^` before it into the whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    written: String,
    of_message: bool,
    steps: Vec<String>,
}

/// An event, and the message that it came in.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventPlace<'m> {
    pub(super) event: Raw<'m>,
    pub(super) message: Raw<'m>,
}

impl Pointer {
    /// Reads a pointer: `/a/b`, `^/a`, `/0`, or empty for the event itself.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(written: &str) -> Result<Self, String> {
        let (of_message, rest) = match written.strip_prefix('^') {
            Some(rest) => (true, rest),
            None => (false, written),
        };
        if !rest.is_empty() && !rest.starts_with('/') {
            return Err(format!(
                "`{written}` is no JSON pointer; write `/{rest}` for a field of an event, `^/{rest}` for one of \
                 the whole message"
            ));
        }
        let steps = rest.split('/').skip(1);
        let unescaped = steps.map(|step| step.replace("~1", "/").replace("~0", "~"));
        Ok(Self {
            written: written.to_owned(),
            of_message,
            steps: unescaped.collect(),
        })
    }

    /// As it is written.
    pub(super) fn written(&self) -> &str {
        &self.written
    }

    /// Whether a step stands for each element of a list.
    #[must_use]
    pub fn has_each(&self) -> bool {
        self.steps.iter().any(|step| step == EACH)
    }

    /// The value, where there is one.
    pub(super) fn find<'m>(&self, place: EventPlace<'m>) -> Option<Raw<'m>> {
        let root = match self.of_message {
            true => place.message,
            false => place.event,
        };
        let mut steps = self.steps.iter();
        steps.try_fold(root, |value, step| child(value, step))
    }

    /// Collects the events of a message: the elements of the list that it points to, or the one value.
    pub(super) fn collect<'m>(&self, message: Raw<'m>, events: &mut Vec<Raw<'m>>) {
        let mut values = vec![message];
        for step in &self.steps {
            values = match step == EACH {
                true => values
                    .into_iter()
                    .flat_map(|list| elements(list.0))
                    .collect(),
                false => values
                    .into_iter()
                    .filter_map(|value| child(value, step))
                    .collect(),
            };
        }
        for value in values {
            match value.0.starts_with(b"[") {
                true => events.extend(elements(value.0)),
                false => events.push(value),
            }
        }
    }
}

/// A step that stands for each element of a list.
const EACH: &str = "*";

/// The member or element of this name or index.
fn child<'m>(value: Raw<'m>, step: &str) -> Option<Raw<'m>> {
    match value.0.first()? {
        b'{' => members(value.0).find_map(|(key, value)| key.is(step).then_some(value)),
        b'[' => elements(value.0).nth(step.parse().ok()?),
        _ => None,
    }
}

/// A text, or a number or word as it is written; none of objects, lists and null.
pub(super) fn scalar(value: Raw<'_>) -> Option<Cow<'_, str>> {
    match value.0.first()? {
        b'{' | b'[' => None,
        b'"' => value.text(),
        _ if value.0 == b"null" => None,
        _ => std::str::from_utf8(value.0).ok().map(Cow::Borrowed),
    }
}

/// What must be true of a message: the values at some pointers, all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition(Vec<(Pointer, Pattern)>);

impl Condition {
    /// A condition of pointers and texts, in which `*` stands for any letters.
    ///
    /// # Errors
    /// What is wrong with a pointer.
    pub fn new<'w>(
        written: impl Iterator<Item = (&'w String, &'w String)>,
    ) -> Result<Self, String> {
        let part = |(pointer, text): (&String, &String)| {
            Ok((Pointer::parse(pointer)?, Pattern(text.clone())))
        };
        Ok(Self(written.map(part).collect::<Result<_, String>>()?))
    }

    /// Whether nothing is demanded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an event fulfils it. One that demands nothing is never fulfilled.
    pub(super) fn holds(&self, place: EventPlace<'_>) -> bool {
        let mut parts = self.0.iter();
        !self.0.is_empty()
            && parts.all(|(pointer, pattern)| {
                pointer
                    .find(place)
                    .is_some_and(|value| pattern.matches(value))
            })
    }
}

impl Condition {
    /// The first part that an event does not fulfil, in words; none where it fulfils all.
    pub(super) fn unmet(&self, place: EventPlace<'_>) -> Option<String> {
        let is_met = |(pointer, pattern): &&(Pointer, Pattern)| {
            let found = pointer.find(place);
            found.is_some_and(|value| pattern.matches(value))
        };
        let (pointer, pattern) = self.0.iter().find(|part| !is_met(part))?;
        let (written, Pattern(wanted)) = (&pointer.written, pattern);
        let elsewhere = || {
            let other = Pointer {
                of_message: !pointer.of_message,
                ..pointer.clone()
            };
            let found = other.find(place)?;
            let other = match pointer.of_message {
                true => &written[1..],
                false => &format!("^{written}"),
            };
            let is_other = pattern.matches(found);
            is_other.then(|| format!("; `{other}` has it: write that"))
        };
        let is = match pointer.find(place).map(scalar) {
            None => "there is nothing".to_owned(),
            Some(None) => "there is no text, number or word".to_owned(),
            Some(Some(text)) => format!(
                "there is `{}`",
                text.chars().take(SHOWN).collect::<String>()
            ),
        };
        Some(format!(
            "at `{written}` {is}, not `{wanted}`{}",
            elsewhere().unwrap_or_default()
        ))
    }
}

/// Letters of a value that are shown.
const SHOWN: usize = 40;

/// A text in which `*` stands for any letters; alone it stands for any value but null.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern(String);

impl Pattern {
    fn matches(&self, value: Raw<'_>) -> bool {
        if self.0 == "*" {
            return value.0 != b"null";
        }
        scalar(value).is_some_and(|text| is_like(&text, &self.0))
    }
}

fn is_like(text: &str, pattern: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else {
        return text == pattern;
    };
    let Some(mut text) = text.strip_prefix(begin) else {
        return false;
    };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        match text.split_once(part) {
            Some((_, behind)) => text = behind,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> EventPlace<'_> {
        let message = Raw(text.as_bytes());
        EventPlace {
            event: message,
            message,
        }
    }

    #[test]
    fn a_pointer_finds_members_and_elements() {
        let text = r#"{"a":{"b/c":[10, {"35":"X"}, [1,2]]},"~":true,"n":null}"#;
        for (pointer, found) in [
            ("/a/b~1c/0", Some("10")),
            ("/a/b~1c/1/35", Some(r#""X""#)),
            ("/a/b~1c/2/1", Some("2")),
            ("^/~0", Some("true")),
            ("/n", Some("null")),
            ("/a/b~1c/3", None),
            ("/a/b~1c/x", None),
            ("/a/b~1c/0/0", None),
            ("/b", None),
            ("", Some(text)),
        ] {
            let value = Pointer::parse(pointer).unwrap().find(place(text));
            let value = value.map(|value| std::str::from_utf8(value.0).unwrap());
            assert_eq!(value, found, "{pointer}");
        }
        for wrong in ["a", "$.a", "^a"] {
            let error = Pointer::parse(wrong).unwrap_err();
            assert!(error.contains("no JSON pointer"), "{error}");
        }
    }

    #[test]
    fn events_are_the_elements_of_a_list_or_one_value() {
        for (pointer, text, count) in [
            ("/data", r#"{"data":[{},{},{}]}"#, 3),
            ("/data", r#"{"data":{}}"#, 1),
            ("/data", r#"{"data":[]}"#, 0),
            ("/data", r#"{"x":1}"#, 0),
            ("", r"[{},{}]", 2),
            ("/e/*/t", r#"{"e":[{"t":[1,2]},{"t":[3]},{"x":0}]}"#, 3),
            ("/e/*", r#"{"e":{"t":[1]}}"#, 0),
        ] {
            let mut events = vec![];
            let pointer = Pointer::parse(pointer).unwrap();
            pointer.collect(Raw(text.as_bytes()), &mut events);
            assert_eq!(events.len(), count, "{text}");
        }
    }

    #[test]
    fn a_condition_compares_texts_numbers_and_words() {
        let text = r#"{"t":"book.50.A","n":64008,"b":true,"z":null,"l":[1]}"#;
        for (pointer, pattern, holds) in [
            ("/t", "book.50.A", true),
            ("/t", "book.*", true),
            ("/t", "*.A", true),
            ("/t", "b*.50.*", true),
            ("/t", "*.60.*", false),
            ("/t", "book.*.A.*", false),
            ("/t", "book", false),
            ("/n", "64008", true),
            ("/b", "true", true),
            ("/l", "*", true),
            ("/l", "[1]", false),
            ("/z", "*", false),
            ("/x", "*", false),
        ] {
            let parts = [(pointer.to_owned(), pattern.to_owned())];
            let condition = Condition::new(parts.iter().map(|(a, b)| (a, b))).unwrap();
            assert_eq!(condition.holds(place(text)), holds, "{pointer} {pattern}");
        }
        assert!(!Condition::default().holds(place(text)));
        let whole = [("^".to_owned(), "pong".to_owned())];
        let whole = Condition::new(whole.iter().map(|(a, b)| (a, b))).unwrap();
        assert!(whole.holds(place("pong")) && !whole.holds(place("ping")));
    }
}
