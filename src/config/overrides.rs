//! `--set a.b.c=value`: one key of the configuration, changed on the command line.

/// Sets `a.b.c=value` in a parsed document. The value is TOML; what is no TOML is taken as text.
///
/// # Errors
/// What is wrong with the assignment, and what to write instead.
pub(super) fn set(root: &mut toml::Table, assignment: &str) -> Result<(), String> {
    let usage = || format!("--set {assignment}: write key=value, such as engine.batch=7");
    let (key, value) = assignment.split_once('=').ok_or_else(usage)?;
    let value = toml::from_str::<toml::Table>(&format!("v = {value}"))
        .ok()
        .and_then(|mut parsed| parsed.remove("v"))
        .unwrap_or_else(|| toml::Value::String(value.to_owned()));
    let mut parts: Vec<&str> = key.trim().split('.').collect();
    let last = parts
        .pop()
        .filter(|part| !part.is_empty())
        .ok_or_else(usage)?;
    let mut table = root;
    for part in parts {
        let next = table
            .entry(part)
            .or_insert_with(|| toml::Value::Table(toml::Table::new()));
        table = next
            .as_table_mut()
            .ok_or_else(|| format!("--set {key}: `{part}` is no table"))?;
    }
    table.insert(last.to_owned(), value);
    Ok(())
}
