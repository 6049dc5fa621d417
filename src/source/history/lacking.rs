//! What the columns of an archive lack to be rows of a kind, as errors.

use std::io;

use super::mapping::{HistoryMapping, Role};
use super::row_kind::RowKind;

/// What the columns of a file lack.
pub(super) struct Lack<'a> {
    /// The names of all columns of the file.
    pub(super) names: &'a [String],
    pub(super) mapping: &'a HistoryMapping,
    /// What was told to be in a column that is not there.
    pub(super) missing: &'a [Role],
}

impl Lack<'_> {
    /// What was told to be in a column that is there.
    pub(super) fn found(&self) -> impl Iterator<Item = Role> {
        let told = self.mapping.columns.iter().map(|(role, _)| *role);
        told.filter(|role| !self.missing.contains(role))
    }

    /// Refuses a file of these kinds of row where it lacks a column that was named for one of them.
    pub(super) fn check(&self, kinds: &[RowKind]) -> io::Result<()> {
        let is_needed = |role: &&Role| kinds.iter().any(|kind| kind.has(**role));
        let Some(role) = self.missing.iter().find(is_needed) else {
            return Ok(());
        };
        let written = self.written(*role).unwrap_or_default();
        Err(no_column(*role, written, self.names))
    }

    /// No kind of row has all its columns: says what the nearest one lacks.
    pub(super) fn no_kind(&self, is_there: impl Fn(Role) -> bool) -> io::Error {
        let told: Vec<Role> = self.mapping.columns.iter().map(|(role, _)| *role).collect();
        let Some(kind) = RowKind::nearest(&is_there, &told) else {
            return refused(self.names);
        };
        let lacking = kind.needed().iter().filter(|role| !is_there(**role));
        let lacking = lacking.map(|role| match self.written(*role) {
            Some(written) => format!("`{written}` (named as `{}`)", role.field()),
            None => format!(
                "`{0}` (`{0}` of [source.history] names another)",
                role.field()
            ),
        });
        io::Error::other(format!(
            "it has all columns of no kind of row; for a {} it has no column {}; it has {}. Name in \
             [source.history] the columns of one kind at least: `price` and `size`, or `bid_px`, `bid_sz`, \
             `ask_px`, `ask_sz`, or `open`, `high`, `low`, `close`",
            kind.word(),
            lacking.collect::<Vec<_>>().join(", "),
            listed(self.names)
        ))
    }

    /// Several kinds of row have all their columns.
    pub(super) fn several_kinds(&self, kinds: &[RowKind]) -> io::Error {
        if kinds.is_empty() {
            return refused(self.names);
        }
        let words: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
        io::Error::other(format!(
            "it has the columns of several kinds of row ({}): name in [source.history] those of one kind alone, as \
             `price` and `size`, or `bid_px` and `ask_px`",
            words.join(", ")
        ))
    }

    fn written(&self, role: Role) -> Option<&str> {
        let mut told = self.mapping.columns.iter();
        let (_, written) = told.find(|(one, _)| *one == role)?;
        Some(written)
    }
}

pub(super) fn no_column(role: Role, written: &str, names: &[String]) -> io::Error {
    io::Error::other(format!(
        "it has no column `{written}`, which [source.history] names as `{}`; it has {}",
        role.field(),
        listed(names)
    ))
}

pub(super) fn refused(names: &[String]) -> io::Error {
    io::Error::other(format!(
        "nothing tells what its rows are: it has the columns {}. Say in [source.history] which of them is \
         the time (`ts`), and which `price` and `size`, or `bid_px`, `bid_sz`, `ask_px`, `ask_sz`, or \
         `open`, `high`, `low`, `close`; applications and statements need [source.table]",
        listed(names)
    ))
}

fn listed(names: &[String]) -> String {
    let shown = names.iter().take(COLUMNS_SHOWN);
    let shown: Vec<String> = shown.map(|name| format!("`{name}`")).collect();
    let more = match names.len().saturating_sub(COLUMNS_SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    shown.join(", ") + &more
}

/// Columns that an error names.
const COLUMNS_SHOWN: usize = 24;
