//! The reference page of topics: each schema with its fields, from `schemas/`.

use std::fmt::Write;
use std::fs;

use serde_json::{Map, Value};

use crate::{given, heading, holds};

const INTRODUCTION: &str = "\
Messages are JSON objects in UTF-8. A topic is named after its schema unless the configuration names \
another. Times are nanoseconds since 1970-01-01, UTC. Inputs may have more fields than these; they are \
ignored. Outputs have these fields and no others. Each schema is a JSON Schema (2020-12) in \
[`schemas/`](../../../schemas), with an example.
";

/// The topics, inputs first. `dead_letter.v1` describes headers, not values.
const TOPICS: [(&str, &[&str]); 2] = [
    (
        "Inputs",
        &[
            "md.trades.v1",
            "md.quotes.v1",
            "md.book.v1",
            "md.bars.v1",
            "md.binance.v1",
            "macro.figures.v1",
            "news.items.v1",
            "credit.statements.v1",
            "credit.applications.v1",
            "alerts.control.v1",
        ],
    ),
    (
        "Outputs",
        &[
            "signals.direction.v1",
            "signals.sentiment.v1",
            "signals.default.v1",
            "grades.loan.v1",
            "alerts.default.v1",
            "md.gaps.v1",
            "dead_letter.v1",
        ],
    ),
];

#[test]
fn the_topic_page_lists_every_field() {
    let mut text = heading("Topics and fields", "the JSON Schemas of schemas/");
    text.push_str(INTRODUCTION);
    let (mut named, mut bare) = (vec![], vec![]);
    for (title, topics) in TOPICS {
        writeln!(text, "\n## {title}").expect("text takes text");
        for topic in topics {
            named.push(format!("{topic}.json"));
            let path = given::repository(&format!("schemas/{topic}.json"));
            let schema = fs::read_to_string(path).expect("the schema is there");
            let schema: Value = serde_json::from_str(&schema).expect("a schema is JSON");
            let schema = resolved(&schema, &schema["$defs"]);
            describe(topic, &schema, &mut text, &mut bare);
        }
    }
    let files = fs::read_dir(given::repository("schemas")).expect("schemas/ can be read");
    for file in files.flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        assert!(named.contains(&name), "list {name} in tests/docs/topics.rs");
    }
    assert!(
        bare.is_empty(),
        "these fields have no description: {bare:?}"
    );
    holds("topics", &text);
}

fn describe(topic: &str, schema: &Value, text: &mut String, bare: &mut Vec<String>) {
    let (title, about) = (&schema["title"], &schema["description"]);
    let (title, about) = (
        title.as_str().unwrap_or(topic),
        about.as_str().unwrap_or_default(),
    );
    write!(
        text,
        "\n### `{topic}`\n\n{title}. {about}\n\n| field | type | required | meaning |\n| --- | --- | --- | --- |\n"
    )
    .expect("text takes text");
    fields(schema, "", topic, text, bare);
    if let Some(example) = schema["examples"].get(0) {
        let example = serde_json::to_string_pretty(example).expect("an example is JSON");
        write!(text, "\n```json\n{example}\n```\n").expect("text takes text");
    }
}

/// The schema with each `$ref` replaced by its definition; what stands beside the `$ref` comes first.
fn resolved(part: &Value, definitions: &Value) -> Value {
    match part {
        Value::Object(part) => {
            let mut whole = Map::new();
            if let Some(name) = part.get("$ref").and_then(Value::as_str) {
                let name = name.trim_start_matches("#/$defs/");
                let definition = resolved(&definitions[name], definitions);
                whole.extend(definition.as_object().cloned().unwrap_or_default());
            }
            let own = part.iter().filter(|(key, _)| *key != "$ref");
            whole.extend(own.map(|(key, value)| (key.clone(), resolved(value, definitions))));
            Value::Object(whole)
        }
        Value::Array(parts) => parts
            .iter()
            .map(|part| resolved(part, definitions))
            .collect(),
        other => other.clone(),
    }
}

fn fields(schema: &Value, path: &str, topic: &str, text: &mut String, bare: &mut Vec<String>) {
    let Some(properties) = schema["properties"].as_object() else {
        return;
    };
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    // Required fields first, in the order of that list; then the others.
    let mut names: Vec<&str> = required.iter().filter_map(Value::as_str).collect();
    names.extend(
        properties
            .keys()
            .map(String::as_str)
            .filter(|name| !required.contains(&Value::from(*name))),
    );
    for name in names {
        let Some(field) = properties.get(name) else {
            continue;
        };
        let full = if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        };
        let meaning = field["description"].as_str().unwrap_or_default();
        if meaning.is_empty() {
            bare.push(format!("{topic}: {full}"));
        }
        let needed = if required.contains(&Value::from(name)) {
            "yes"
        } else {
            "no"
        };
        let (kind, meaning) = (kind(field).replace('|', "\\|"), meaning.replace('|', "\\|"));
        writeln!(text, "| `{full}` | {kind} | {needed} | {meaning} |").expect("text takes text");
        fields(field, &full, topic, text, bare);
        fields(&field["items"], &format!("{full}[]"), topic, text, bare);
    }
}

/// The type in words: `text`, `whole number or null`, `one of …`.
fn kind(field: &Value) -> String {
    if let Some(value) = field["const"].as_str() {
        return format!("`\"{value}\"`");
    }
    if let Some(values) = field["enum"].as_array() {
        let words: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
        return words.join(", ");
    }
    let name = |kind: &str| match kind {
        "string" => "text".to_owned(),
        "integer" => "whole number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" if field["items"]["type"].is_string() => {
            format!("list of {}", self::kind(&field["items"]))
        }
        "array" => "list".to_owned(),
        other => other.to_owned(),
    };
    let mut text = match &field["type"] {
        Value::String(kind) => name(kind),
        Value::Array(kinds) => kinds
            .iter()
            .filter_map(Value::as_str)
            .map(name)
            .collect::<Vec<_>>()
            .join(" or "),
        _ => match ["anyOf", "oneOf"]
            .iter()
            .find_map(|key| field[key].as_array())
        {
            Some(choices) => choices
                .iter()
                .map(self::kind)
                .collect::<Vec<_>>()
                .join(" or "),
            None => "any".to_owned(),
        },
    };
    let bound = |key: &str| field[key].as_number().map(ToString::to_string);
    match (bound("minimum"), bound("maximum")) {
        (Some(low), Some(high)) if high.len() < 10 => {
            text.push_str(&format!(" from {low} to {high}"))
        }
        (Some(low), _) => text.push_str(&format!(" from {low}")),
        _ => {}
    }
    if let Some(low) = bound("exclusiveMinimum") {
        text.push_str(&format!(" above {low}"));
    }
    text
}
