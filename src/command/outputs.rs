//! Checks the files that a command is to write, before it reads or writes any: their formats, whether one is
//! an input, and whether one exists.
//!
//! Creates nothing.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file that a command is to write.
#[derive(Clone, Debug)]
pub struct PlannedOutput {
    /// The option or the key that names it, as `--output`.
    pub named_by: &'static str,
    /// Its path.
    pub path: PathBuf,
    /// What is written to it.
    pub content: OutputContent,
}

/// What is written to a file; its name must not promise another format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputContent {
    /// Signals: JSON lines or Parquet.
    Signals,
    /// Dead letters, alerts or gaps: JSON lines.
    JsonLines,
    /// Training rows: Parquet.
    Rows,
    /// A capture: text.
    Capture,
    /// Scores: numbers separated by commas.
    Scores,
}

/// A file that must not be written.
#[derive(Debug, thiserror::Error)]
#[error("while checking {named_by} {}: {what}", path.display())]
pub struct OutputError {
    named_by: &'static str,
    path: PathBuf,
    what: String,
}

/// Checks the outputs of a command against each other and against its inputs. Existing files are refused
/// unless `force` is given. Signals may go to standard output (`-`); devices and pipes take anything.
///
/// # Errors
/// [`OutputError`] with the option and what to do.
pub fn check_outputs(
    outputs: &[PlannedOutput],
    inputs: &[&Path],
    force: bool,
) -> Result<(), OutputError> {
    for (at, output) in outputs.iter().enumerate() {
        let PlannedOutput {
            named_by,
            path,
            content,
        } = output;
        let refuse = |what: String| OutputError {
            named_by,
            path: path.clone(),
            what,
        };
        if path.as_os_str() == "-" {
            if *content == OutputContent::Signals {
                continue;
            }
            let what = "only signals can go to standard output; name a file";
            return Err(refuse(what.into()));
        }
        if let Some(what) = content.wrong_ending(path) {
            return Err(refuse(what));
        }
        let there = fs::metadata(path);
        if there
            .as_ref()
            .is_ok_and(|there| !there.is_file() && !there.is_dir())
        {
            continue;
        }
        if let Some(input) = inputs.iter().find(|input| are_one_file(input, path)) {
            return Err(refuse(format!(
                "it is the input {}, which would be lost; name another file",
                input.display()
            )));
        }
        let mut before = outputs[..at].iter();
        if let Some(other) = before.find(|other| are_one_file(&other.path, path)) {
            return Err(refuse(format!(
                "{} writes the same file; name another",
                other.named_by
            )));
        }
        match there {
            Ok(there) if there.is_dir() => {
                return Err(refuse("it is a folder; name a file in it".into()));
            }
            Ok(_) if !force => {
                let what = "the file exists; add --force to replace it, or name another file";
                return Err(refuse(what.into()));
            }
            _ => {}
        }
    }
    Ok(())
}

impl OutputContent {
    /// Why a file of this name must not have this content.
    fn wrong_ending(self, path: &Path) -> Option<String> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let packed = [".gz", ".zst"]
            .iter()
            .find_map(|ending| name.strip_suffix(ending));
        let last = packed.unwrap_or(&name).rsplit_once('.');
        let ending = last.map_or("", |(_, ending)| ending);
        let is_parquet = matches!(ending, "parquet" | "pq");
        let advice = match self {
            Self::Signals if is_parquet && packed.is_none() => return None,
            Self::Rows if is_parquet && packed.is_none() => return None,
            Self::Rows => {
                return Some("rows are written as Parquet; end the name in .parquet".into());
            }
            _ if is_parquet && packed.is_some() => {
                return Some("Parquet is compressed within; end the name in .parquet".into());
            }
            Self::Scores if packed.is_some() => {
                return Some("scores are not compressed; end the name in .csv".into());
            }
            Self::Scores => return None,
            Self::Signals => {
                "signals are written as JSON lines or Parquet; end the name in .jsonl (also .jsonl.gz, \
                              .jsonl.zst) or .parquet"
            }
            Self::JsonLines => {
                "JSON lines are written; end the name in .jsonl (also .jsonl.gz, .jsonl.zst)"
            }
            Self::Capture => {
                "a capture is text, one message a line; end the name in .jsonl (also .jsonl.gz, \
                              .jsonl.zst)"
            }
        };
        let is_text = self == Self::Capture && ending == "log";
        (OTHER_FORMATS.contains(&ending) && !is_text).then(|| {
            format!("a file with the ending .{ending} would not hold what the name says: {advice}")
        })
    }
}

/// Endings of formats that are not written as JSON lines.
const OTHER_FORMATS: &[&str] = &[
    "csv", "tsv", "tab", "txt", "parquet", "pq", "xls", "xlsx", "ods", "arrow", "feather", "ipc",
    "orc", "avro", "h5", "hdf5", "db", "sqlite", "duckdb", "dbn", "npy", "npz", "pkl", "xml",
    "html", "pdf", "zip", "tar", "tgz", "7z", "xz", "bz2", "lz4", "br", "onnx", "toml",
];

/// Whether two paths lead to one file, by links too; of files that do not exist yet, whether they would.
fn are_one_file(left: &Path, right: &Path) -> bool {
    match (fs::metadata(left), fs::metadata(right)) {
        (Ok(left), Ok(right)) => (left.dev(), left.ino()) == (right.dev(), right.ino()),
        (Err(_), Err(_)) => {
            let place = |path: &Path| {
                let folder = path
                    .parent()
                    .filter(|folder| !folder.as_os_str().is_empty());
                let folder = fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()?;
                Some(folder.join(path.file_name()?))
            };
            left == right || place(left).is_some_and(|left| Some(left) == place(right))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::scratch::Scratch;

    fn check(
        path: &Path,
        content: OutputContent,
        inputs: &[&Path],
        force: bool,
    ) -> Result<(), String> {
        let output = PlannedOutput {
            named_by: "--output",
            path: path.to_owned(),
            content,
        };
        check_outputs(&[output], inputs, force).map_err(|error| error.to_string())
    }

    #[test]
    fn a_name_must_not_promise_another_format() {
        for (name, content, word) in [
            ("x.jsonl", OutputContent::Signals, None),
            ("x", OutputContent::Signals, None),
            ("x.JSONL.GZ", OutputContent::Signals, None),
            ("x.pq", OutputContent::Signals, None),
            ("x.Parquet", OutputContent::Rows, None),
            ("x.csv", OutputContent::Scores, None),
            ("x.zst", OutputContent::Capture, None),
            ("x.csv", OutputContent::Signals, Some(".csv")),
            ("x.CSV.gz", OutputContent::Signals, Some(".csv")),
            (
                "x.parquet.zst",
                OutputContent::Signals,
                Some("compressed within"),
            ),
            ("x.parquet", OutputContent::JsonLines, Some(".jsonl")),
            ("x.txt", OutputContent::Capture, Some(".txt")),
            ("x.jsonl", OutputContent::Rows, Some(".parquet")),
            ("x.parquet.gz", OutputContent::Rows, Some(".parquet")),
        ] {
            let checked = check(Path::new(name), content, &[], false);
            match word {
                None => assert_eq!(checked, Ok(()), "{name}"),
                Some(word) => assert!(checked.unwrap_err().contains(word), "{name}"),
            }
        }
    }

    #[test]
    fn an_input_is_never_replaced_whatever_its_path() {
        let scratch = Scratch::new();
        let input = scratch.write("in.jsonl", "{}");
        let (soft, hard) = (scratch.path().join("soft"), scratch.path().join("hard"));
        std::os::unix::fs::symlink(&input, &soft).unwrap();
        fs::hard_link(&input, &hard).unwrap();
        let dotted = scratch.path().join("./in.jsonl");
        for path in [&input, &soft, &hard, &dotted] {
            for force in [false, true] {
                let error = check(path, OutputContent::Signals, &[&input], force).unwrap_err();
                assert!(error.contains("it is the input"), "{error}");
            }
        }
    }

    #[test]
    fn an_existing_file_is_replaced_only_by_force() {
        let scratch = Scratch::new();
        let path = scratch.write("out.jsonl", "old");
        let error = check(&path, OutputContent::Signals, &[], false).unwrap_err();
        assert!(error.contains("--force"), "{error}");
        assert_eq!(check(&path, OutputContent::Signals, &[], true), Ok(()));
        assert!(
            check(scratch.path(), OutputContent::Signals, &[], true).is_err(),
            "a folder"
        );
        assert_eq!(
            check(Path::new("/dev/null"), OutputContent::Signals, &[], false),
            Ok(())
        );
    }

    #[test]
    fn only_signals_go_to_standard_output() {
        let to = |content| check(Path::new("-"), content, &[], true);
        assert_eq!(to(OutputContent::Signals), Ok(()));
        for content in [
            OutputContent::Rows,
            OutputContent::Capture,
            OutputContent::JsonLines,
            OutputContent::Scores,
        ] {
            let error = to(content).unwrap_err();
            assert!(error.contains("only signals"), "{error}");
        }
    }

    #[test]
    fn a_name_must_not_promise_what_is_not_written() {
        let scratch = Scratch::new();
        for (name, content) in [
            ("rows", OutputContent::Rows),
            ("rows.gz", OutputContent::Rows),
            ("scores.csv.gz", OutputContent::Scores),
        ] {
            let path = scratch.path().join(name);
            let error = check(&path, content, &[], false).unwrap_err();
            assert!(error.contains("end the name in"), "{name}: {error}");
        }
    }

    #[test]
    fn two_outputs_are_two_files() {
        let scratch = Scratch::new();
        let output = |named_by, name: &str| PlannedOutput {
            named_by,
            path: scratch.path().join(name),
            content: OutputContent::JsonLines,
        };
        let outputs = [
            output("--alerts", "x.jsonl"),
            output("--dead-letters", "./x.jsonl"),
        ];
        let error = check_outputs(&outputs, &[], false).unwrap_err().to_string();
        assert!(error.contains("--alerts writes the same file"), "{error}");
    }
}
