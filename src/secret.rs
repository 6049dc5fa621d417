//! Secrets in a configuration: where they are, never what they are.

/// The secret behind `env:NAME` or `file:PATH`; nothing where the text is neither.
///
/// # Errors
/// Why it cannot be read.
pub fn resolve(reference: &str) -> Option<Result<String, String>> {
    if let Some(variable) = reference.strip_prefix("env:") {
        return Some(std::env::var(variable).map_err(|error| error.to_string()));
    }
    let path = reference.strip_prefix("file:")?;
    let text = std::fs::read_to_string(path);
    // Editors end a file with a line break; no password does.
    let text = text.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
    Some(text.map_err(|error| error.to_string()))
}
