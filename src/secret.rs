//! Secrets in a configuration: read from the environment or a file, never written in the configuration
//! itself.

use std::env::VarError;

/// Reads the secret that `env:NAME` or `file:PATH` refers to; none where the text is neither.
///
/// # Errors
/// Inside the option: why the variable or the file cannot be read.
pub fn resolve(reference: &str) -> Option<Result<String, String>> {
    if let Some(variable) = reference.strip_prefix("env:") {
        return Some(std::env::var(variable).map_err(|error| match error {
            VarError::NotPresent => "there is no such environment variable".to_owned(),
            // The library's message shows the value.
            VarError::NotUnicode(_) => "the environment variable is not valid Unicode".to_owned(),
        }));
    }
    let path = reference.strip_prefix("file:")?;
    let text = std::fs::read_to_string(path);
    // Editors end a file with a line break, which is not part of the secret.
    let text = text.map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
    Some(text.map_err(|error| error.to_string()))
}
