//! What the name of a file says of its content.

use std::path::Path;

/// What the name of a file says of its content.
#[derive(Clone, Debug, Default)]
pub(super) struct ArchiveName {
    /// The name without its endings: `BTCUSDT-trades-2024-08-08`.
    pub(super) stem: String,
    /// The folders that have values in their names, as `date=2024-08-08`, outermost first.
    folders: Vec<(String, String)>,
}

/// Endings that say how a file is written, and nothing of its content.
const ENDINGS: [&str; 12] = [
    ".gz", ".zst", ".zip", ".csv", ".tsv", ".txt", ".tab", ".parquet", ".pq", ".feather", ".arrow",
    ".ipc",
];

impl ArchiveName {
    pub(super) fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut stem = &*name;
        while let Some(shorter) = ENDINGS.iter().find_map(|ending| without(stem, ending)) {
            stem = shorter;
        }
        let folders = path.components().filter_map(|part| {
            let part = part.as_os_str().to_str()?;
            let (key, value) = part.split_once('=')?;
            Some((key.to_owned(), value.to_owned()))
        });
        Self {
            stem: stem.to_owned(),
            folders: folders.collect(),
        }
    }

    /// The stem up to its first hyphen: the symbol, in the names of some archives.
    pub(super) fn up_to_hyphen(&self) -> String {
        let end = self.stem.find('-').unwrap_or(self.stem.len());
        self.stem[..end].to_owned()
    }

    /// The value that a folder's name gives this key.
    pub(super) fn folder_value(&self, key: &str) -> Option<String> {
        let mut folders = self.folders.iter().rev();
        let (_, value) = folders.find(|(name, _)| name == key)?;
        Some(decoded(value))
    }
}

/// A value as it was before a writer of folders encoded it: `%2F` is a slash.
fn decoded(value: &str) -> String {
    let mut bytes = vec![];
    let mut rest = value.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind
            .get(..2)
            .and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        match code.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A name without an ending, in upper or lower case.
fn without<'n>(name: &'n str, ending: &str) -> Option<&'n str> {
    let at = name.len().checked_sub(ending.len()).filter(|at| *at > 0)?;
    let (shorter, end) = name.split_at_checked(at)?;
    end.eq_ignore_ascii_case(ending).then_some(shorter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_without_its_endings() {
        let name = ArchiveName::of(Path::new("x/instrument=A.B/BTCUSDT-trades-2024.CSV.gz"));
        assert_eq!(name.stem, "BTCUSDT-trades-2024");
        assert_eq!(name.up_to_hyphen(), "BTCUSDT");
        assert_eq!(name.folder_value("instrument").as_deref(), Some("A.B"));
        assert_eq!(name.folder_value("date"), None);
        assert_eq!(ArchiveName::of(Path::new(".csv")).stem, ".csv");
    }
}
