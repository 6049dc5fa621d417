//! Doc comments of the structs and enums in `src/`, read line by line.
//!
//! Relies on rustfmt: an item begins at the left edge or inside a module, its members stand four blanks
//! further in, and its closing brace stands alone. Reads no macro and no tuple struct.

use std::fs;
use std::path::Path;

use crate::given;

/// A struct or an enum.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Its file, from the repository's root.
    pub(crate) file: String,
    /// Its name.
    pub(crate) name: String,
    /// Its doc comment, line by line.
    pub(crate) doc: Vec<String>,
    /// Its attributes, one text each.
    pub(crate) attributes: Vec<String>,
    /// Fields or variants.
    pub(crate) members: Vec<Member>,
}

/// A field or a variant.
#[derive(Clone, Debug, Default)]
pub(crate) struct Member {
    /// Its name.
    pub(crate) name: String,
    /// A field's type, or what a variant holds in parentheses; empty for a plain variant.
    pub(crate) holds: String,
    /// Its doc comment, line by line.
    pub(crate) doc: Vec<String>,
    /// Its attributes, one text each.
    pub(crate) attributes: Vec<String>,
}

/// All structs and enums below a folder of the repository.
pub(crate) fn items(folder: &str) -> Vec<Item> {
    let mut files = vec![];
    walk(&given::repository(folder), &mut files);
    files.sort();
    files.iter().flat_map(|file| items_of(file)).collect()
}

/// The item of this name; of several the one with an attribute that contains `attribute`.
pub(crate) fn find<'a>(items: &'a [Item], name: &str, attribute: &str) -> Option<&'a Item> {
    let mut named = items.iter().filter(|item| item.name == name);
    let has = |item: &&Item| item.attributes.iter().any(|text| text.contains(attribute));
    named.clone().find(has).or_else(|| named.next())
}

impl Member {
    /// The value of `key = "value"` in a serde attribute.
    pub(crate) fn serde(&self, key: &str) -> Option<String> {
        self.attributes
            .iter()
            .filter(|text| text.starts_with("#[serde"))
            .find_map(|text| quoted(text, key))
    }

    /// Whether a serde attribute has this word.
    pub(crate) fn has_serde(&self, word: &str) -> bool {
        let words = |c: char| !(c.is_alphanumeric() || c == '_');
        self.attributes
            .iter()
            .filter(|text| text.starts_with("#[serde"))
            .any(|text| text.split(words).any(|found| found == word))
    }

    /// The doc comment as one paragraph.
    pub(crate) fn text(&self) -> String {
        paragraph(&self.doc)
    }
}

impl Item {
    /// The value of `key = "value"` in a serde attribute.
    pub(crate) fn serde(&self, key: &str) -> Option<String> {
        self.attributes.iter().find_map(|text| quoted(text, key))
    }
}

/// Lines of a doc comment as one paragraph of Markdown: links to code become plain code.
pub(crate) fn paragraph(lines: &[String]) -> String {
    let text = lines.join(" ");
    let mut plain = String::new();
    let mut rest = text.as_str();
    // [`name`] and [`name`](path) become `name`.
    while let Some((before, after)) = rest.split_once("[`") {
        let Some((code, after)) = after.split_once("`]") else {
            break;
        };
        plain.push_str(before);
        plain.push_str(&format!("`{}`", code.trim_start_matches("crate::")));
        rest = match after.strip_prefix('(') {
            Some(path) => path.split_once(')').map_or("", |(_, after)| after),
            None => after,
        };
    }
    plain.push_str(rest);
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The lines of a doc comment split into its prose and its labelled lines (`Unit: …`), which may go on.
pub(crate) fn labelled(doc: &[String], labels: &[&str]) -> (Vec<String>, Vec<(String, String)>) {
    let (mut prose, mut found): (Vec<String>, Vec<(String, String)>) = (vec![], vec![]);
    let mut open = false;
    for line in doc {
        let label = labels
            .iter()
            .find_map(|label| Some((*label, line.strip_prefix(label)?.strip_prefix(':')?)));
        match label {
            Some((label, text)) => {
                found.push((label.to_owned(), text.trim().to_owned()));
                open = true;
            }
            None if line.is_empty() => open = false,
            None if open => {
                let last = found.last_mut().expect("a label was found before");
                last.1.push(' ');
                last.1.push_str(line);
            }
            None => prose.push(line.clone()),
        }
    }
    (prose, found)
}

/// `SomeName` as `some_name`.
pub(crate) fn snake(name: &str) -> String {
    let mut text = String::new();
    for (at, c) in name.char_indices() {
        if c.is_uppercase() && at > 0 {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text
}

fn quoted(text: &str, key: &str) -> Option<String> {
    let (_, after) = text.split_once(&format!("{key} = \""))?;
    Some(after.split_once('"')?.0.to_owned())
}

fn walk(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).expect("src/ can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

fn items_of(path: &Path) -> Vec<Item> {
    let text = fs::read_to_string(path).expect("a source file can be read");
    let root = given::repository("");
    let file = path
        .strip_prefix(&root)
        .unwrap_or(path)
        .display()
        .to_string();
    let lines: Vec<&str> = text.lines().collect();
    let mut items = vec![];
    let (mut doc, mut attributes) = (vec![], vec![]);
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        let start = line.trim_start();
        if let Some(text) = start.strip_prefix("///") {
            doc.push(text.strip_prefix(' ').unwrap_or(text).to_owned());
        } else if start.starts_with("#[") {
            attributes.push(balanced(&lines, &mut at));
        } else {
            if let Some(name) = opened(start) {
                let indent = line.len() - start.len();
                let members = members(&lines, &mut at, indent);
                items.push(Item {
                    file: file.clone(),
                    name,
                    doc: std::mem::take(&mut doc),
                    attributes: std::mem::take(&mut attributes),
                    members,
                });
            }
            doc.clear();
            attributes.clear();
        }
        at += 1;
    }
    items
}

/// The name of the struct or enum that this line opens.
fn opened(line: &str) -> Option<String> {
    let line = line.strip_suffix('{')?;
    let mut words = line.split_whitespace();
    let mut word = words.next()?;
    if word.starts_with("pub") {
        word = words.next()?;
    }
    if !["struct", "enum"].contains(&word) {
        return None;
    }
    let name = words.next()?;
    Some(name.split('<').next()?.to_owned())
}

/// Members up to the closing brace; leaves `at` on it.
fn members(lines: &[&str], at: &mut usize, indent: usize) -> Vec<Member> {
    let close = format!("{}}}", " ".repeat(indent));
    let inner = indent + 4;
    let mut members = vec![];
    let mut next = Member::default();
    *at += 1;
    while *at < lines.len() && lines[*at] != close {
        let line = lines[*at];
        let start = line.trim_start();
        let depth = line.len() - start.len();
        if depth != inner || start.starts_with("//") && !start.starts_with("///") {
            *at += 1;
            continue;
        }
        if let Some(text) = start.strip_prefix("///") {
            next.doc
                .push(text.strip_prefix(' ').unwrap_or(text).to_owned());
        } else if start.starts_with("#[") {
            next.attributes.push(balanced(lines, at));
        } else if start.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            let mut text = start.to_owned();
            while !text.ends_with(',') && !text.ends_with('{') && *at + 1 < lines.len() {
                *at += 1;
                text.push_str(lines[*at].trim());
            }
            let text = text.trim_end_matches(',').trim_end_matches('{').trim();
            let text = text.rsplit_once("pub ").map_or(text, |(_, rest)| rest);
            let text = text
                .strip_prefix("pub(super) ")
                .or_else(|| text.strip_prefix("pub(crate) "))
                .unwrap_or(text);
            let (name, holds) = match text.split_once(':').filter(|(name, _)| !name.contains('(')) {
                Some((name, kind)) => (name, kind.trim()),
                None => match text.split_once('(') {
                    Some((name, held)) => (name, held.trim_end_matches(')')),
                    None => (text, ""),
                },
            };
            next.name = name.trim().to_owned();
            next.holds = holds.to_owned();
            members.push(std::mem::take(&mut next));
        }
        *at += 1;
    }
    members
}

/// An attribute that may span lines; leaves `at` on its last.
fn balanced(lines: &[&str], at: &mut usize) -> String {
    let count = |text: &str, c: char| text.matches(c).count();
    let mut text = lines[*at].trim().to_owned();
    while count(&text, '[') > count(&text, ']') && *at + 1 < lines.len() {
        *at += 1;
        text.push_str(lines[*at].trim());
    }
    text
}

#[test]
fn the_reader_sees_items_members_and_their_comments() {
    let items = items("src");
    let errors = find(&items, "DecodeError", "derive").expect("the decoder has an error type");
    assert!(errors.members.len() > 15, "{errors:?}");
    let number = errors.members.iter().find(|one| one.name == "BadNumber");
    let number = number.expect("a number may be bad");
    assert_eq!(number.holds, "&'static str");
    assert!(!number.text().is_empty());
    assert_eq!(snake("TimeOfDay"), "time_of_day");
    let text = paragraph(&[
        "See [`Kind`] and".into(),
        "[`crate::event::Gap`](x), both.".into(),
    ]);
    assert_eq!(text, "See `Kind` and `event::Gap`, both.");
    let doc = ["What it is.", "Unit: a,", "or b.", "", "More."].map(str::to_owned);
    let (prose, found) = labelled(&doc, &["Unit"]);
    assert_eq!(prose, ["What it is.", "More."]);
    assert_eq!(found, [("Unit".to_owned(), "a, or b.".to_owned())]);
}
