//! What a configuration holds where a key is not written, read from the parsed configuration itself.
//!
//! The values come from the `Debug` text of a [`PipelineFile`] that writes only what it must.

use std::collections::HashMap;

use foretick::config::PipelineFile;

use crate::source::snake;

/// Every table once, each with nothing but the keys that it needs.
const LEAST: &str = r#"
name = "x"

[source.table]
key = "k"

[source.websocket.json]
venue = "V"

[[source.websocket.json.answer]]
when = { "/a" = "b" }
send = "c"

[source.websocket.json.trade]
when = { "/a" = "b" }
symbol = "/s"
price = "/p"
size = "/q"
side = "/d"

[source.websocket.json.quote]
when = { "/a" = "b" }
symbol = "/s"
bid_price = "/b"
bid_size = "/c"
ask_price = "/d"
ask_size = "/e"

[source.websocket.json.book]
when = { "/a" = "b" }
symbol = "/s"

[row]
on = "trade"

[[feature]]
name = "p"
kind = "price"

[model]
kind = "sum"

[[model.input]]
name = "a"
features = ["p"]

[label]

[split.folds]
kind = "walk_forward"
blocks = 2

[backtest]
enter = 0.1
hold_ms = 1
size = 1.0
latency_ms = 1.0
fee_bps = 1.0

[[alert]]
name = "level"
on.level = { enter = 0.2, exit = 0.1 }
severity = { warning = 0.2, critical = 0.3 }

[[alert]]
name = "change"
on.change = { enter_ratio = 2.0, exit_ratio = 1.0 }
severity = { warning = 0.2, critical = 0.3 }

[privacy]
key = "env:X"
key_id = "k1"

[news]
vocabulary = "v"
half_life_ms = 1
"#;

/// The value of each field by its path in the structs, such as `source.websocket.idle_ms`.
pub(crate) fn defaults() -> HashMap<String, String> {
    let file: PipelineFile = toml::from_str(LEAST).expect("these are all needed keys");
    read(&format!("{file:#?}"))
}

fn read(debug: &str) -> HashMap<String, String> {
    let mut found = HashMap::new();
    let mut path: Vec<String> = vec![];
    for line in debug.lines().skip(1) {
        let line = line.trim();
        if matches!(line.trim_end_matches(','), "}" | ")" | "]") {
            path.pop();
            continue;
        }
        let (field, value) = match line.split_once(": ") {
            Some((field, value)) if field.chars().all(|c| c.is_alphanumeric() || c == '_') => {
                (field, value)
            }
            _ => ("", line),
        };
        if value.ends_with(['{', '(', '[']) {
            path.push(field.to_owned());
        } else if !field.is_empty() {
            let mut full: Vec<&str> = path.iter().map(String::as_str).collect();
            full.push(field);
            full.retain(|part| !part.is_empty());
            let value = value.trim_end_matches(',').to_owned();
            found.entry(full.join(".")).or_insert(value);
        } else if let Some(list) = path.iter().rev().find(|part| !part.is_empty()) {
            // An entry of a list of plain values.
            let above = path
                .iter()
                .rev()
                .skip(1)
                .map(String::as_str)
                .filter(|part| !part.is_empty() && *part != list);
            let mut full: Vec<&str> = above.collect();
            full.reverse();
            full.push(list);
            let entry: &mut String = found.entry(full.join(".")).or_default();
            if !entry.is_empty() {
                entry.push_str(", ");
            }
            entry.push_str(line.trim_end_matches(','));
        }
    }
    found
}

/// A value of a `Debug` text as one would write it in the configuration; none where it is not set.
pub(crate) fn written(value: &str) -> Option<String> {
    match value {
        "None" => None,
        "[]" | "{}" => Some("empty".into()),
        _ => match value.chars().next() {
            Some('"') if value.contains(", ") => Some(format!("`[{value}]`")),
            Some(c) if c.is_uppercase() => Some(format!("`\"{}\"`", snake(value))),
            Some(c) if c.is_ascii_digit() => Some(format!("`{}`", grouped(value))),
            _ => Some(format!("`{value}`")),
        },
    }
}

/// Whole numbers from 10,000 on with an underscore before every three digits.
fn grouped(digits: &str) -> String {
    if digits.len() < 5 || digits.contains('.') {
        return digits.to_owned();
    }
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

#[test]
fn defaults_are_those_of_the_parsed_configuration() {
    let found = defaults();
    let has = |key: &str| written(&found[key]);
    assert_eq!(has("engine.shards").as_deref(), Some("`1`"));
    assert_eq!(has("engine.ring_bytes").as_deref(), Some("`33_554_432`"));
    assert_eq!(has("source.kind").as_deref(), Some("`\"kafka\"`"));
    assert_eq!(has("kafka.group"), None);
    let list = "A {\n    b: B {\n        c: [\n            \"x\",\n            \"y\",\n        ],\n    },\n}";
    let list = read(list);
    assert_eq!(written(&list["b.c"]).as_deref(), Some("`[\"x\", \"y\"]`"));
}
