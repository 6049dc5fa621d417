//! `--set a.b.c=value`: one key of the configuration, changed on the command line.
//!
//! No message shows a value: it may be a secret.

/// Sets `a.b.c=value` in a parsed document. The key is a key of TOML, so that a part with dots stands in
/// quotes. The value is TOML; what is no TOML is taken as text.
///
/// # Errors
/// What is wrong with the assignment, and what to write instead.
pub(super) fn set(root: &mut toml::Table, assignment: &str) -> Result<(), String> {
    let usage = "write key=value, such as engine.batch=7";
    let key =
        key_of(assignment).ok_or_else(|| format!("--set {}: {usage}", first_word(assignment)))?;
    let mut parts = parts_of(key).ok_or_else(|| {
        format!(
            "--set {key}: this is no key; {usage}, and quote a part that has dots, such as \
             'kafka.properties.\"sasl.username\"=env:NAME'"
        )
    })?;
    let value = &assignment[key.len() + 1..];
    let value = toml::from_str::<toml::Table>(&format!("v = {value}"))
        .ok()
        .filter(|parsed| parsed.len() == 1)
        .and_then(|mut parsed| parsed.remove("v"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));
    let last = parts.pop().expect("a key has a part");
    let mut table = root;
    for part in parts {
        let problem = format!("--set {key}: `{part}` is no table");
        let next = table
            .entry(part)
            .or_insert_with(|| toml::Value::Table(toml::Table::new()));
        table = next.as_table_mut().ok_or(problem)?;
    }
    table.insert(last, value);
    Ok(())
}

/// The key of an assignment: what stands before the first `=` outside of quotes.
pub(super) fn key_of(assignment: &str) -> Option<&str> {
    let mut quote = None;
    let end = assignment.char_indices().find(|(_, c)| match quote {
        Some(open) => {
            if *c == open {
                quote = None;
            }
            false
        }
        None => {
            if matches!(c, '"' | '\'') {
                quote = Some(*c);
            }
            *c == '='
        }
    });
    end.map(|(at, _)| &assignment[..at])
}

/// The parts of a key as TOML reads them: `kafka."a.b"` has two.
pub(super) fn parts_of(key: &str) -> Option<Vec<String>> {
    // A line break would begin another key.
    let is_line = !key.contains(['\n', '\r']);
    let parsed = is_line.then(|| toml::from_str::<toml::Table>(&format!("{key} = 0")));
    let mut table = parsed?.ok()?;
    let mut parts = vec![];
    loop {
        let mut entries = std::mem::take(&mut table).into_iter();
        let (Some((part, value)), None) = (entries.next(), entries.next()) else {
            return None;
        };
        parts.push(part);
        match value {
            toml::Value::Table(next) => table = next,
            toml::Value::Integer(_) => return Some(parts),
            _ => return None,
        }
    }
}

/// As much of a text without `=` as cannot be a value.
fn first_word(text: &str) -> &str {
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
    text.split(|c| !is_key(c)).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_in_quotes_may_have_dots() {
        for (key, parts) in [
            ("engine.batch", Some(&["engine", "batch"][..])),
            ("name", Some(&["name"])),
            (
                "kafka.properties.\"sasl.password\"",
                Some(&["kafka", "properties", "sasl.password"]),
            ),
            (" kafka . 'a=b' ", Some(&["kafka", "a=b"])),
            ("a.", None),
            ("", None),
            ("a\nb", None),
            ("\"a", None),
        ] {
            let expected = parts.map(|parts| parts.iter().map(ToString::to_string).collect());
            assert_eq!(parts_of(key), expected, "{key}");
        }
    }

    #[test]
    fn a_reference_to_a_secret_stays_text() {
        let mut root = toml::Table::new();
        for assignment in [
            "kafka.properties.\"sasl.password\"=env:PASSWORD",
            "kafka.properties.'a=b'=file:/run/secret",
            "engine.batch=7",
        ] {
            set(&mut root, assignment).unwrap();
        }
        let properties = &root["kafka"]["properties"];
        assert_eq!(properties["sasl.password"].as_str(), Some("env:PASSWORD"));
        assert_eq!(properties["a=b"].as_str(), Some("file:/run/secret"));
        assert_eq!(root["engine"]["batch"].as_integer(), Some(7));
    }

    #[test]
    fn no_message_shows_a_value() {
        let mut root = toml::Table::new();
        root.insert("name".into(), "x".into());
        for assignment in [
            "name.a=hunter2",
            "a..b=hunter2",
            "kafka.password hunter2",
            "\"kafka=hunter2",
        ] {
            let said = set(&mut root, assignment).unwrap_err();
            assert!(
                said.starts_with("--set") && !said.contains("hunter2"),
                "{said}"
            );
        }
    }
}
