//! The folders of a conversion: `instrument=NAME/date=2024-08-08/part-0.parquet`, and nothing else.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Why a folder must not be written to.
#[derive(Debug, thiserror::Error)]
#[error("while checking --output {}: {what}", path.display())]
pub struct PartitionFault {
    path: PathBuf,
    what: String,
}

/// Checks a folder that is to be written: it must be empty or not be there. With `force` it may hold an
/// earlier conversion and nothing else, at any depth. Changes nothing.
///
/// # Errors
/// [`PartitionFault`] with what to do.
pub fn check_folder(path: &Path, inputs: &[PathBuf], force: bool) -> Result<(), PartitionFault> {
    let fault = |what: String| PartitionFault {
        path: path.to_owned(),
        what,
    };
    let of = |cause: io::Error| fault(cause.to_string());
    let mut names = match fs::read_dir(path) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(of(error)),
    };
    let folder = fs::canonicalize(path).map_err(of)?;
    let inside = |input: &&PathBuf| {
        let input = fs::canonicalize(input).unwrap_or_else(|_| input.to_path_buf());
        input.starts_with(&folder) || input.starts_with(path)
    };
    if let Some(input) = inputs.iter().find(inside) {
        let what = format!(
            "the input {} is in it, which would be lost; name another folder",
            input.display()
        );
        return Err(fault(what));
    }
    if is_mounted(&folder).map_err(of)? {
        let what = "a file system is mounted there, so that it cannot be replaced whole: name a folder in it";
        return Err(fault(what.into()));
    }
    if let Some(foreign) = find_foreign(path).map_err(of)? {
        let shown = foreign.strip_prefix(path).unwrap_or(&foreign).display();
        let what =
            format!("it holds `{shown}`, which no conversion has written: name another folder");
        return Err(fault(what));
    }
    if names.next().is_some() && !force {
        let what =
            "it holds an earlier conversion; add --force to replace it, or name another folder";
        return Err(fault(what.into()));
    }
    Ok(())
}

/// Whether a folder is on another device than the one that it is in.
fn is_mounted(folder: &Path) -> io::Result<bool> {
    let Some(above) = folder.parent() else {
        return Ok(true);
    };
    Ok(fs::metadata(folder)?.dev() != fs::metadata(above)?.dev())
}

/// The first path below a folder that no conversion has written.
pub(super) fn find_foreign(folder: &Path) -> io::Result<Option<PathBuf>> {
    find_below(folder, &["instrument=", "date="])
}

/// The same of a folder that holds folders whose names begin so, each with folders of the next; the last ones
/// hold parts.
fn find_below(folder: &Path, begins: &[&str]) -> io::Result<Option<PathBuf>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Not that of the target of a link, which no conversion makes.
        let kind = entry.file_type()?;
        let foreign = match begins {
            [begin, rest @ ..] if kind.is_dir() && name.starts_with(begin) => {
                find_below(&entry.path(), rest)?
            }
            [] if kind.is_file() && is_part(&name) => None,
            _ => Some(entry.path()),
        };
        if foreign.is_some() {
            return Ok(foreign);
        }
    }
    Ok(None)
}

/// Whether a name is that of a part: `part-0.parquet`, or with `.PROCESS-NUMBER.tmp` of one that was begun.
fn is_part(name: &str) -> bool {
    let Some((number, end)) = name
        .strip_prefix("part-")
        .and_then(|rest| rest.split_once(".parquet"))
    else {
        return false;
    };
    let is_begun = end.starts_with('.') && end.ends_with(".tmp");
    number.parse::<u32>().is_ok() && (end.is_empty() || is_begun)
}
