//! Checks the files and topics that a command is to read: whether one of them is given twice.
//!
//! Opens none.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::source::input_paths::is_topic;

/// A file that is given twice.
#[derive(Debug, thiserror::Error)]
#[error(
    "while checking {named_by} {}: it is the {} {}, which would be read twice; name it once",
    again.display(), if is_topic(first) { "topic" } else { "file" }, first.display()
)]
pub struct RepeatedInput {
    named_by: &'static str,
    first: PathBuf,
    again: PathBuf,
}

/// Refuses a file that is given twice, by whatever path or link; `named_by` is the option, as `--input`.
/// Devices and pipes, and paths in `/dev`, may be named again: they go on where they were.
///
/// # Errors
/// [`RepeatedInput`] with both paths.
pub fn check_inputs(named_by: &'static str, inputs: &[PathBuf]) -> Result<(), RepeatedInput> {
    let mut known: HashMap<(u64, u64), &Path> = HashMap::new();
    for (at, path) in inputs.iter().enumerate() {
        if is_topic(path) && inputs[..at].contains(path) {
            return Err(RepeatedInput {
                named_by,
                first: path.clone(),
                again: path.clone(),
            });
        }
        let Ok(there) = fs::metadata(path) else {
            // Whoever opens it says why it cannot.
            continue;
        };
        if !there.is_file() || path.starts_with("/dev") {
            continue;
        }
        if let Some(first) = known.insert((there.dev(), there.ino()), path) {
            return Err(RepeatedInput {
                named_by,
                first: first.to_owned(),
                again: path.clone(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::scratch::Scratch;

    #[test]
    fn a_file_is_read_once_whatever_its_path() {
        let scratch = Scratch::new();
        let (input, other) = (
            scratch.write("in.jsonl", "{}"),
            scratch.write("other.jsonl", "{}"),
        );
        let (soft, hard) = (scratch.path().join("soft"), scratch.path().join("hard"));
        std::os::unix::fs::symlink(&input, &soft).unwrap();
        fs::hard_link(&input, &hard).unwrap();
        let dotted = scratch.path().join("./in.jsonl");
        for again in [&input, &soft, &hard, &dotted] {
            let inputs = [input.clone(), other.clone(), again.clone()];
            let error = check_inputs("--input", &inputs).unwrap_err().to_string();
            let said = format!(
                "--input {}: it is the file {}",
                again.display(),
                input.display()
            );
            assert!(error.contains(&said), "{error}");
        }
        assert!(check_inputs("--input", &[input, other]).is_ok());
        let topic = PathBuf::from("kafka://a:9092/md.trades.v1");
        let error = check_inputs("--input", &[topic.clone(), topic]).unwrap_err();
        assert!(error.to_string().contains("it is the topic"), "{error}");
        let nowhere = scratch.path().join("nowhere");
        for path in [nowhere, "/dev/null".into(), "/dev/stdin".into()] {
            let twice = [path.clone(), path];
            assert!(check_inputs("--input", &twice).is_ok(), "{twice:?}");
        }
    }
}
