//! The text of a `pipeline.toml` with the overrides of the command line; finds the line of a key.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, ConfigFault};
use super::overrides;

/// A configuration file, read but not parsed.
#[derive(Clone, Debug)]
pub struct Document {
    path: PathBuf,
    text: String,
    /// `key=value`, applied to the parsed text in this order.
    overrides: Vec<String>,
}

impl Document {
    /// Reads `pipeline.toml` of this folder, or this file.
    ///
    /// # Errors
    /// [`ConfigError`] where it cannot be read.
    pub fn read(path: &Path, overrides: &[String]) -> Result<Self, ConfigError> {
        let path = if path.is_dir() {
            path.join("pipeline.toml")
        } else {
            path.to_owned()
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Self {
                path,
                text,
                overrides: overrides.to_vec(),
            }),
            Err(cause) => Err(ConfigError {
                path,
                line: None,
                what: format!(
                    "while reading the pipeline: {cause}; name its folder or its pipeline.toml"
                ),
            }),
        }
    }

    /// Parses the text, then applies the overrides and parses the result.
    ///
    /// # Errors
    /// [`ConfigError`] with the line of what cannot be parsed, or the override at fault.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        let written: T = toml::from_str(&self.text).map_err(|error| ConfigError {
            path: self.path.clone(),
            line: error.span().map(|span| line_at(&self.text, span.start)),
            what: with_advice(error.message()),
        })?;
        if self.overrides.is_empty() {
            return Ok(written);
        }
        let table = self.table().map_err(|what| self.without_line(what))?;
        // Without the values, which may be secrets.
        let keys = self.overrides.iter();
        let keys: Vec<&str> = keys.filter_map(|one| overrides::key_of(one)).collect();
        table.try_into().map_err(|error: toml::de::Error| {
            let (keys, message) = (keys.join(" --set "), with_advice(error.message()));
            self.without_line(format!("with --set {keys}: {message}"))
        })
    }

    /// Whether a key is written, in the file or by an override.
    #[must_use]
    pub fn is_written(&self, key: &str) -> bool {
        let Ok(table) = self.table() else {
            return false;
        };
        let (first, rest) = key.split_once('.').unwrap_or((key, ""));
        let parts = rest.split('.').filter(|part| !part.is_empty());
        let found = parts.fold(table.get(first), |value, part| value?.get(part));
        found.is_some()
    }

    /// The parsed text with the overrides.
    fn table(&self) -> Result<toml::Table, String> {
        let mut table = toml::from_str(&self.text)
            .map_err(|error: toml::de::Error| without_value(error.message()))?;
        for assignment in &self.overrides {
            overrides::set(&mut table, assignment)?;
        }
        Ok(table)
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The error for a refused value: with its line in the file, or with the override that set it.
    #[must_use]
    pub fn error(&self, fault: ConfigFault) -> ConfigError {
        let ConfigFault { key, what } = fault;
        let sets = |assignment: &str| {
            let set = overrides::key_of(assignment).and_then(overrides::parts_of);
            let rest = key.strip_prefix(&set.unwrap_or_default().join("."));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        if self.overrides.iter().any(|one| sets(one)) {
            // Without the value, which may be a secret.
            return self.without_line(format!("with --set {key}: {what}"));
        }
        ConfigError {
            path: self.path.clone(),
            line: self.line(&key),
            what,
        }
    }

    /// The line, from 1, on which a key stands. Where the key is not written, that of the table in which it
    /// would stand; none where that is not written either.
    #[must_use]
    pub fn line(&self, key: &str) -> Option<usize> {
        let root = DeTable::parse(&self.text).ok()?;
        let mut table = root.get_ref();
        let mut offset = None;
        for part in key.split('.') {
            let (name, index) = split_index(part);
            let Some((name, value)) = table.iter().find(|(known, _)| known.get_ref() == name)
            else {
                break;
            };
            offset = Some(name.span().start);
            let value = match index {
                None => value,
                Some(index) => match value.get_ref().as_array().and_then(|all| all.get(index)) {
                    Some(element) => {
                        offset = Some(element.span().start);
                        element
                    }
                    None => break,
                },
            };
            match table_in(value) {
                Some(next) => table = next,
                None => break,
            }
        }
        offset.map(|offset| line_at(&self.text, offset))
    }

    fn without_line(&self, what: String) -> ConfigError {
        ConfigError {
            path: self.path.clone(),
            line: None,
            what,
        }
    }
}

fn table_in<'t, 'i>(value: &'t Spanned<DeValue<'i>>) -> Option<&'t DeTable<'i>> {
    match value.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

/// `feature[2]` as `feature` and 2.
fn split_index(part: &str) -> (&str, Option<usize>) {
    let indexed = part.strip_suffix(']').and_then(|part| part.split_once('['));
    match indexed {
        Some((name, index)) => (name, index.parse().ok()),
        None => (part, None),
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    before.iter().filter(|&&byte| byte == b'\n').count() + 1
}

/// The parser's message, with what to do about it.
fn with_advice(message: &str) -> String {
    let advice = if message.contains("unknown field") {
        "; take the key out or correct its name (units stand in the names: window_ms, max_frame_bytes)"
    } else if message.contains("missing field") {
        "; add it (docs/src/reference/configuration.md says what each key means)"
    } else {
        ""
    };
    format!("{}{advice}", without_value(message.trim_end()))
}

/// A message of the parser without the value that has the wrong type, which may be a secret: `invalid type:
/// string "…", expected a map`.
fn without_value(message: &str) -> String {
    let begin = ["invalid type: ", "invalid value: ", "invalid length "].into_iter();
    let begin = begin.filter_map(|words| Some(message.find(words)? + words.len()));
    let (Some(begin), Some(end)) = (begin.min(), message.rfind(", expected ")) else {
        return message.to_owned();
    };
    if end < begin {
        return message.to_owned();
    }
    let kind = message[begin..end].split(['`', '"']).next();
    let kind = kind.unwrap_or_default().trim_end();
    format!("{}{kind}{}", &message[..begin], &message[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str, overrides: &[&str]) -> Document {
        Document {
            path: "pipeline.toml".into(),
            text: text.to_owned(),
            overrides: overrides.iter().map(|one| (*one).to_owned()).collect(),
        }
    }

    /// `shards`, `steps` and `every` also stand in a comment, in another table and in a name.
    const TEXT: &str = "\
# shards: one; every row
name = \"steps\"
[model]
kind = \"onnx\"
steps = 50
[label]
horizon_ms = 2_000
steps = 1
[[feature]]
name = \"every\"
kind = \"price\"
[[feature]]
name = \"every\"
kind = \"size\"
[row]
on = \"trade\"
every = 0
[engine]
shards = 0
[sink]
fields = [
  \"label\",
  \"mood\",
]
";

    #[test]
    fn a_key_is_found_where_it_stands_though_its_text_stands_elsewhere_too() {
        let document = document(TEXT, &[]);
        for (key, line) in [
            ("engine.shards", 19),
            ("row.every", 17),
            ("model.steps", 5),
            ("label.steps", 8),
            ("feature[0]", 9),
            ("feature[1]", 12),
            ("feature[1].kind", 14),
            ("sink.fields[1]", 23),
            ("row.on", 16),
        ] {
            assert_eq!(document.line(key), Some(line), "{key}");
        }
    }

    #[test]
    fn a_key_that_is_not_written_is_shown_at_its_table() {
        let document = document(TEXT, &[]);
        assert_eq!(document.line("engine.batch"), Some(18));
        assert_eq!(document.line("feature[7]"), Some(9));
        assert_eq!(document.line("news.half_life_ms"), None);
    }

    #[test]
    fn a_key_is_written_in_the_file_or_by_an_override() {
        let written = |overrides: &[&str], key| document(TEXT, overrides).is_written(key);
        assert!(written(&[], "engine.shards") && written(&[], "name"));
        assert!(!written(&[], "engine.batch") && !written(&[], "source.kind"));
        assert!(written(&["source.kind=kafka"], "source.kind"));
        assert!(written(&["source={kind=\"kafka\"}"], "source.kind"));
    }

    #[test]
    fn an_invalid_override_is_not_located_in_the_file() {
        let document = document(TEXT, &["engine.shards=0", "row={on=\"bar\"}"]);
        let refuse = |key: &str| document.error(ConfigFault::at(key, "no")).to_string();
        assert_eq!(
            refuse("engine.shards"),
            "pipeline.toml: with --set engine.shards: no"
        );
        assert_eq!(refuse("row.on"), "pipeline.toml: with --set row.on: no");
        assert_eq!(refuse("model.steps"), "pipeline.toml:5: no");
    }
}
