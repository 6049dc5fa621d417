//! Checks the files that a command is to write, before it reads or writes any: their formats, whether one is
//! an input, and whether one exists.
//!
//! Creates nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;

use crate::sink::open::is_parquet;
use crate::source::compression::is_compressed;

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
    /// A page: HTML.
    Page,
}

/// A file that must not be written.
#[derive(Debug, thiserror::Error)]
#[error("while checking {named_by} {}: {what}", path.display())]
pub struct OutputError {
    named_by: &'static str,
    path: PathBuf,
    what: String,
}

/// The outputs of a command, without options that were not given.
#[must_use]
pub fn outputs_of<const N: usize>(
    given: [(&'static str, Option<PathBuf>, OutputContent); N],
) -> Vec<PlannedOutput> {
    let output = |(named_by, path, content): (_, Option<PathBuf>, _)| {
        path.map(|path| PlannedOutput {
            named_by,
            path,
            content,
        })
    };
    given.into_iter().filter_map(output).collect()
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
    let refused = |_: &Path, _| {
        (!force).then(|| "the file exists; add --force to replace it, or name another file".into())
    };
    check(outputs, inputs, refused)
}

/// The same for a live run, which goes on with files of signals and of JSON lines. A plain file must hold
/// JSON lines; other files of signals get another name.
///
/// # Errors
/// [`OutputError`] with the option and what to do.
pub fn check_outputs_of_run(
    outputs: &[PlannedOutput],
    inputs: &[&Path],
    force: bool,
) -> Result<(), OutputError> {
    let refused = |path: &Path, content| {
        let what = match content {
            _ if force => return None,
            OutputContent::Signals | OutputContent::JsonLines if may_go_on(path) => return None,
            OutputContent::Signals | OutputContent::JsonLines => {
                "the file exists and does not hold JSON lines, so that nothing is appended to it; add \
                 --force to replace it, or name another file"
            }
            _ => "the file exists; add --force to replace it, or name another file",
        };
        Some(what.into())
    };
    check(outputs, inputs, refused)
}

/// Whether a run may go on with a file: it begins with a JSON object, is empty, or is set aside.
fn may_go_on(path: &Path) -> bool {
    if is_compressed(path) || is_parquet(path) {
        return true;
    }
    let mut first = vec![];
    let read = fs::File::open(path)
        .map(|file| BufReader::new(file.take(FIRST_LINE_BYTES)))
        .and_then(|mut file| file.read_until(b'\n', &mut first));
    let is_object = || serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(&first).is_ok();
    // A line that was never finished is cut off, and says nothing.
    let is_torn = first.first() == Some(&b'{') && !first.ends_with(b"\n");
    read.is_ok() && (first.is_empty() || is_torn || is_object())
}

/// Checks outputs; `refused` says why a file that is there must not be written.
fn check(
    outputs: &[PlannedOutput],
    inputs: &[&Path],
    refused: impl Fn(&Path, OutputContent) -> Option<String>,
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
            Ok(_) => {
                if let Some(what) = refused(path, *content) {
                    return Err(refuse(what));
                }
            }
            Err(_) => {}
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
            Self::Page if matches!(ending, "html" | "htm") && packed.is_none() => return None,
            Self::Page => return Some("a page is HTML; end the name in .html".into()),
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

/// How much is read of a first line.
const FIRST_LINE_BYTES: u64 = 1 << 20;

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

    fn checked(
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
            let checked = checked(Path::new(name), content, &[], false);
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
                let error = checked(path, OutputContent::Signals, &[&input], force).unwrap_err();
                assert!(error.contains("it is the input"), "{error}");
            }
        }
    }

    #[test]
    fn an_existing_file_is_replaced_only_by_force() {
        let scratch = Scratch::new();
        let path = scratch.write("out.jsonl", "old");
        let error = checked(&path, OutputContent::Signals, &[], false).unwrap_err();
        assert!(error.contains("--force"), "{error}");
        assert_eq!(checked(&path, OutputContent::Signals, &[], true), Ok(()));
        assert!(
            checked(scratch.path(), OutputContent::Signals, &[], true).is_err(),
            "a folder"
        );
        assert_eq!(
            checked(Path::new("/dev/null"), OutputContent::Signals, &[], false),
            Ok(())
        );
    }

    #[test]
    fn only_signals_go_to_standard_output() {
        let to = |content| checked(Path::new("-"), content, &[], true);
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
            let error = checked(&path, content, &[], false).unwrap_err();
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

    #[test]
    fn a_run_goes_on_with_its_own_files_and_with_no_other() {
        let scratch = Scratch::new();
        for (name, text, content, goes_on) in [
            (
                "a.jsonl",
                "{\"id\":1}\n{\"id\"",
                OutputContent::Signals,
                true,
            ),
            ("b.jsonl", "", OutputContent::JsonLines, true),
            ("c.jsonl", "{\"id\"", OutputContent::JsonLines, true),
            ("d.jsonl", "name = 1\n", OutputContent::Signals, false),
            ("e.jsonl", "[1]\n", OutputContent::JsonLines, false),
            ("f.jsonl", "{\n", OutputContent::JsonLines, false),
            ("g.jsonl.zst", "x", OutputContent::Signals, true),
            ("h.parquet", "x", OutputContent::Signals, true),
            ("i.jsonl", "{}\n", OutputContent::Capture, false),
        ] {
            let output = PlannedOutput {
                named_by: "[sink] file",
                path: scratch.write(name, text),
                content,
            };
            let outputs = [output];
            let said = check_outputs_of_run(&outputs, &[], false);
            assert_eq!(said.is_ok(), goes_on, "{name}: {said:?}");
            assert!(check_outputs_of_run(&outputs, &[], true).is_ok(), "{name}");
        }
    }
}
