//! The reference page of `pipeline.toml`: each key with type, unit, default and meaning.

use std::collections::HashMap;
use std::fmt::Write;

use crate::defaults::{defaults, written};
use crate::source::{Item, Member, find, items, paragraph, snake};
use crate::{heading, holds};

/// Where the types of a configuration are; a name that stands in several of them is that of the first.
const FOLDERS: [&str; 4] = ["src/config", "src/alert/rule", "src/engine/feature", ""];

const INTRODUCTION: &str = "\
A pipeline is a folder with a `pipeline.toml`. This page lists its tables and keys. Unknown keys are \
refused. `--set table.key=value` changes a key for one run; the value is TOML, or else text.

- **Unit** is the unit of the number; a key's name ends in it (`_ms`, `_us`, `_bytes`, `_bps`).
- **Default** is what holds where the key is not written. \"required\": the table cannot do without it. \"not set\": \
there is no value; the meaning says what happens then.
- Paths of files are relative to the working folder, unless the meaning says that they lie below the \
pipeline's folder.
- A secret is written as `env:NAME` (an environment variable) or `file:PATH` (a file's text), never as \
itself.
";

struct Page<'a> {
    items: &'a [Item],
    defaults: HashMap<String, String>,
    text: String,
    /// Keys without a meaning, and numbers without a unit.
    bare: Vec<String>,
    /// Tables written so far, so that each is written once.
    tables: Vec<String>,
}

#[test]
fn the_configuration_page_lists_every_key() {
    let all: Vec<Item> = FOLDERS.iter().flat_map(|folder| items_at(folder)).collect();
    let mut page = Page {
        items: &all,
        defaults: defaults(),
        text: heading(
            "Configuration",
            "the structs of src/config and what they hold",
        ),
        bare: vec![],
        tables: vec![],
    };
    page.text.push_str(INTRODUCTION);
    let root = find(&all, "PipelineFile", "Deserialize").expect("the configuration has a root");
    page.table(root, "", "", false);
    assert!(
        page.bare.is_empty(),
        "these keys have no meaning in their doc comments, or no unit in tests/docs/configuration.rs: {:?}",
        page.bare
    );
    for key in [
        "engine.ring_bytes",
        "source.websocket.url",
        "alert.on.level.enter",
        "model.input.name",
    ] {
        let (table, key) = key.rsplit_once('.').expect("a key in a table");
        let known = page.tables.iter().any(|one| one == table);
        assert!(
            known && page.text.contains(&format!("| `{key}` |")),
            "{table}.{key}"
        );
    }
    holds("configuration", &page.text);
}

/// The items of `src/name` and of `src/name.rs`; without a name all.
fn items_at(folder: &str) -> Vec<Item> {
    let inside = |item: &Item| {
        let rest = item.file.strip_prefix(folder);
        rest.is_some_and(|rest| folder.is_empty() || rest.starts_with(['/', '.']))
    };
    items("src").into_iter().filter(inside).collect()
}

impl Page<'_> {
    /// Writes a table, then those within it. `path` is what the user writes, `fields` that of the structs.
    fn table(&mut self, item: &Item, path: &str, fields: &str, repeated: bool) {
        self.tables.push(path.to_owned());
        match (path, repeated) {
            ("", _) => self.text.push_str("\n## Top level\n\n"),
            (_, true) => write!(self.text, "\n## `[[{path}]]`\n\n").expect("text takes text"),
            (_, false) => write!(self.text, "\n## `[{path}]`\n\n").expect("text takes text"),
        }
        let about = about(item, path);
        if !about.is_empty() {
            writeln!(self.text, "{about}\n").expect("text takes text");
        }
        let known: Vec<&Member> = item
            .members
            .iter()
            .filter(|one| !one.has_serde("skip"))
            .collect();
        let mut inner = vec![];
        let mut head = false;
        let whole_default = item
            .attributes
            .iter()
            .any(|text| text.starts_with("#[serde") && text.contains("default"));
        for member in known {
            let key = member
                .serde("rename")
                .unwrap_or_else(|| member.name.clone());
            let (core, list) = core(&member.holds);
            let target =
                find(self.items, &core, "Deserialize").filter(|item| !item.members.is_empty());
            let below = |part: &str, to: &str| {
                if to.is_empty() {
                    part.to_owned()
                } else {
                    format!("{to}.{part}")
                }
            };
            let (to_path, to_field) = (below(&key, path), below(&member.name, fields));
            match target {
                Some(target) if is_struct(target) => inner.push((target, to_path, to_field, list)),
                Some(target) if target.members.iter().any(|one| !one.holds.is_empty()) => {
                    for variant in &target.members {
                        let held = find(self.items, &variant.holds, "Deserialize")
                            .expect("a variant holds a table");
                        inner.push((
                            held,
                            format!("{to_path}.{}", snake(&variant.name)),
                            to_field.clone(),
                            false,
                        ));
                    }
                }
                target => {
                    if !head {
                        self.text.push_str("| key | type | unit | default | meaning |\n| --- | --- | --- | --- | --- |\n");
                        head = true;
                    }
                    self.key(member, &key, &to_field, target, whole_default);
                }
            }
        }
        for (target, path, fields, list) in inner {
            self.table(target, &path, &fields, list);
        }
    }

    fn key(
        &mut self,
        member: &Member,
        key: &str,
        field: &str,
        values: Option<&Item>,
        whole_default: bool,
    ) {
        let (mut meaning, clause) = parted(&member.text());
        if meaning.is_empty() {
            self.bare.push(field.to_owned());
        }
        if let Some(values) = values.filter(|_| key != "kind" || !field.starts_with("feature")) {
            for variant in &values.members {
                let (word, text) = (word(values, variant), variant.text());
                meaning.push_str(&format!(
                    "<br>`\"{word}\"`: {}.",
                    text.trim_end_matches('.')
                ));
            }
        }
        let optional = member.holds.starts_with("Option<");
        let required = !optional && !whole_default && !member.has_serde("default");
        let value = self
            .defaults
            .get(field)
            .map(String::as_str)
            .filter(|_| !required);
        let default = match (clause, value.and_then(written)) {
            (Some(clause), value) => {
                if let Some(value) = value.filter(|_| clause.starts_with('`')) {
                    let stated = clause.split('`').nth(1).unwrap_or_default();
                    let bare = |text: &str| text.replace(['_', '"', '`'], "");
                    assert!(
                        bare(stated) == bare(&value)
                            || (stated.starts_with(['[', '{']) && value == "empty"),
                        "`{field}` states the default `{stated}`, and the code has {value}"
                    );
                }
                clause
            }
            (None, Some(value)) => value,
            (None, None) if required => "required".into(),
            (None, None) => "not set".into(),
        };
        let kind = type_name(&member.holds, values);
        let unit = unit(field, key)
            .filter(|_| kind.ends_with("number"))
            .unwrap_or_default();
        if unit.is_empty() && kind.ends_with("number") {
            self.bare.push(format!("{field} (its unit)"));
        }
        let row = [kind, unit.to_owned(), default, meaning].map(|cell| cell.replace('|', "\\|"));
        writeln!(
            self.text,
            "| `{key}` | {} | {} | {} | {} |",
            row[0], row[1], row[2], row[3]
        )
        .expect("text takes text");
    }
}

/// What a table is, from the doc comment of its struct, which may begin with the table's name.
fn about(item: &Item, path: &str) -> String {
    let text = paragraph(&item.doc);
    let name = |head: &str| {
        head.contains('[') || head.trim_matches('`') == path.rsplit('.').next().unwrap_or(path)
    };
    let text = match text
        .split_once('`')
        .and_then(|(_, rest)| rest.split_once('`'))
    {
        Some((head, rest)) if text.starts_with('`') && (name(head) || path.ends_with(head)) => {
            rest.trim_start_matches([':', '.', ' ', ','])
        }
        _ => text.as_str(),
    };
    if path.is_empty() {
        return String::new();
    }
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// A key's meaning without its clause about the default, and that clause: `Default: …` or `Not given: …`.
fn parted(text: &str) -> (String, Option<String>) {
    for (mark, before) in [("Default: ", ""), ("Not given: ", "not set: ")] {
        let Some((head, rest)) = text.split_once(mark) else {
            continue;
        };
        let mut code = false;
        let end = rest.char_indices().find(|&(at, c)| {
            code ^= c == '`';
            c == '.' && !code && rest[at + 1..].chars().next().is_none_or(|next| next == ' ')
        });
        let end = end.map_or(rest.len(), |(at, _)| at);
        let after = rest[end..].trim_start_matches('.').trim();
        let meaning = format!("{} {after}", head.trim());
        return (
            meaning.trim().to_owned(),
            Some(format!("{before}{}", rest[..end].trim())),
        );
    }
    (text.to_owned(), None)
}

#[test]
fn a_clause_about_the_default_is_separated_from_the_meaning() {
    let text = "The limit. Default: `4194304` (4 MiB): 3.5 MB are usual. It holds for all.";
    let (meaning, clause) = parted(text);
    assert_eq!(meaning, "The limit. It holds for all.");
    assert_eq!(
        clause.as_deref(),
        Some("`4194304` (4 MiB): 3.5 MB are usual")
    );
    let (meaning, clause) = parted("A table. Not given: none is read.");
    assert_eq!(
        (meaning.as_str(), clause.as_deref()),
        ("A table.", Some("not set: none is read"))
    );
    assert_eq!(parted("Plain."), ("Plain.".to_owned(), None));
}

fn is_struct(item: &Item) -> bool {
    item.members
        .iter()
        .all(|one| one.name.starts_with(|c: char| c.is_lowercase()))
}

fn word(item: &Item, variant: &Member) -> String {
    variant
        .serde("rename")
        .unwrap_or_else(|| match item.serde("rename_all").as_deref() {
            Some("lowercase") => variant.name.to_lowercase(),
            Some("snake_case") => snake(&variant.name),
            _ => variant.name.clone(),
        })
}

/// The type without its containers, and whether it was a list.
fn core(holds: &str) -> (String, bool) {
    let (mut text, mut list) = (holds, false);
    loop {
        let inside = |name: &str| {
            text.strip_prefix(name)
                .and_then(|rest| rest.strip_suffix('>'))
        };
        if let Some(rest) = inside("Option<")
            .or_else(|| inside("Box<"))
            .or_else(|| inside("Arc<"))
        {
            text = rest;
        } else if let Some(rest) = inside("Vec<") {
            (text, list) = (rest, true);
        } else {
            let name = text.rsplit("::").next().unwrap_or(text);
            return (name.to_owned(), list);
        }
    }
}

fn type_name(holds: &str, values: Option<&Item>) -> String {
    let (core, list) = core(holds);
    let one = match core.as_str() {
        "String" | "str" => "text",
        "PathBuf" => "path",
        "bool" => "true or false",
        "f32" | "f64" => "number",
        "FeatureKind" => "[kind](features.md)",
        _ if core.starts_with("BTreeMap") => "table of texts",
        _ if core.starts_with(['u', 'i']) => "whole number",
        _ if values.is_some() => "one of",
        other => panic!("the configuration page has no name for the type `{other}`"),
    };
    if list {
        format!("list of {one}")
    } else {
        one.to_owned()
    }
}

/// The unit of a number: of what its name ends in, or by its whole name.
fn unit(field: &str, key: &str) -> Option<&'static str> {
    if field.starts_with("backtest.") && matches!(key, "enter" | "exit") {
        return Some("score");
    }
    let units = [
        ("_places", "decimal places"),
        ("_ms", "milliseconds"),
        ("_us", "microseconds"),
        ("_bytes", "bytes"),
        ("_bps", "basis points"),
        ("_frames", "frames"),
        ("_ratio", "ratio of PDs"),
        ("_tokens", "word pieces"),
        ("_instruments", "instruments"),
        ("_similarity", "share, 0 to 1"),
        ("_share", "share, 0 to 1"),
        ("_rows", "rows"),
        ("blocks", "blocks"),
        ("_levels", "levels a side"),
        ("_hours", "hours"),
        ("_ticks", "ticks"),
    ];
    let named = [
        ("shards", "threads"),
        ("batch", "frames"),
        ("batch_max", "windows"),
        ("every", "rows"),
        ("steps", "rows"),
        ("take_profit", "multiples of `of`"),
        ("stop_loss", "multiples of `of`"),
        ("window", "values"),
        ("periods", "values"),
        ("ddof", "values"),
        ("level", "counted from 1"),
        ("bucket", "base currency"),
        ("levels", "levels a side"),
        ("device", "the GPU's number"),
        ("values", "the score's"),
        ("alpha", "weight, 0 to 1"),
        ("min", "the field's unit"),
        ("max", "the field's unit"),
        ("enter", "probability"),
        ("exit", "probability"),
        ("floor", "probability"),
        ("warning", "probability"),
        ("critical", "probability"),
        ("size", "base currency"),
        ("max_position", "base currency"),
        ("lot_size", "base currency"),
        ("tick_size", "quote currency"),
    ];
    let by_end = units.iter().find(|(end, _)| key.ends_with(end));
    by_end
        .or_else(|| named.iter().find(|(name, _)| key == *name))
        .map(|(_, unit)| *unit)
}
