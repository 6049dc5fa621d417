//! What the check for leaks found, for people and for programs.

use std::fmt;

use serde::Serialize;

use super::finding::{CheckedKind, Leak};

/// The result of looking for leaks in a set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LeakageReport {
    /// The file.
    pub dataset: String,
    /// Whether no leak was found. What could not be checked may leak all the same: see `checked`.
    pub ok: bool,
    /// Rows of the set.
    pub rows: u64,
    /// Rows of the first split that are trained on.
    pub train: u64,
    /// Rows of it by which a model is chosen.
    pub validation: u64,
    /// Rows of it by which a model is judged.
    pub test: u64,
    /// The columns that are taken for features.
    pub features: Vec<String>,
    /// Columns of numbers that the set's description does not name: they are looked at as features are.
    pub added: Vec<String>,
    /// The leaks.
    pub leakage: Vec<Leak>,
    /// All kinds, each with what was compared, or why it could not be checked.
    pub checked: Vec<CheckedKind>,
}

impl LeakageReport {
    /// Whether no leak was found.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.leakage.is_empty()
    }

    /// The kinds that could be checked.
    #[must_use]
    pub fn kinds_checked(&self) -> usize {
        self.checked.iter().filter(|kind| kind.checked).count()
    }
}

impl fmt::Display for LeakageReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            dataset,
            rows,
            train,
            validation,
            test,
            features,
            added,
            ..
        } = self;
        writeln!(
            f,
            "set          {dataset}: {rows} rows ({train} train, {validation} validation, {test} test)"
        )?;
        writeln!(
            f,
            "features     {} ({})",
            features.len(),
            features.join(", ")
        )?;
        if !added.is_empty() {
            let (number, names) = (added.len(), added.join(", "));
            writeln!(
                f,
                "added        {number} ({names}): the set's description does not name them"
            )?;
        }
        for kind in &self.checked {
            let word = if kind.checked {
                "checked"
            } else {
                "not checked"
            };
            writeln!(f, "{word:<12} {}: {}", kind.kind.word(), kind.how)?;
            if kind.checked {
                for part in &kind.not_covered {
                    writeln!(f, "  except     {part}")?;
                }
            }
        }
        write_leaks(f, &self.leakage, &self.checked)
    }
}

/// Writes the leaks, and how many of the checks could be made.
pub(super) fn write_leaks(
    f: &mut fmt::Formatter<'_>,
    leaks: &[Leak],
    checked: &[CheckedKind],
) -> fmt::Result {
    for leak in leaks {
        let (word, rows, what) = (leak.kind.word(), leak.rows, &leak.what);
        writeln!(f, "leak         {word}, {rows} rows: {what}")?;
        if let Some(example) = &leak.example {
            writeln!(f, "  example    {example}")?;
        }
        writeln!(f, "  to do      {}", leak.advice)?;
    }
    let found = match leaks.len() {
        0 => "no leak".to_owned(),
        1 => "1 leak".to_owned(),
        leaks => format!("{leaks} leaks"),
    };
    let (all, made) = (checked.len(), checked.iter().filter(|kind| kind.checked));
    let made = made.count();
    write!(f, "{found} found by {made} of {all} checks")?;
    match all - made {
        0 => writeln!(f),
        rest => writeln!(f, "; {rest} could not be checked, and may leak"),
    }
}
