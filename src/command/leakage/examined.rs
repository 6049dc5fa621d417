//! The summary of a set that was written, with the leaks that were found in it.

use std::fmt;

use serde::Serialize;

use super::finding::{CheckedKind, Leak};
use super::report::{LeakageReport, write_leaks};

/// A set that was written and looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExaminedSet<T> {
    /// What was written.
    #[serde(flatten)]
    pub summary: T,
    /// The leaks in it.
    pub leakage: Vec<Leak>,
    /// What was compared, and what could not be.
    pub checked: Vec<CheckedKind>,
}

impl<T> ExaminedSet<T> {
    pub(super) fn new(summary: T, report: LeakageReport) -> Self {
        Self {
            summary,
            leakage: report.leakage,
            checked: report.checked,
        }
    }
}

impl<T: fmt::Display> fmt::Display for ExaminedSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.summary)?;
        write_leaks(f, &self.leakage, &self.checked)?;
        let unchecked = self.checked.iter().filter(|kind| !kind.checked);
        let unchecked: Vec<&str> = unchecked.map(|kind| kind.kind.word()).collect();
        match unchecked.is_empty() {
            true => Ok(()),
            false => writeln!(
                f,
                "not checked  {} (`foretick check --leakage` says why)",
                unchecked.join(", ")
            ),
        }
    }
}
