//! LOBSTER's messages against their order book files.

use std::path::PathBuf;

use super::report::Comparison;
use crate::source::file::FileError;
use crate::source::history::{books_beside_messages, compare_books};

/// Compares the best levels after each message, where both files are among the inputs.
pub(super) fn compare_files(inputs: &[PathBuf]) -> Result<Comparison, FileError> {
    let mut all = Comparison::default();
    for (messages, book) in books_beside_messages(inputs) {
        let one = compare_books(&messages, &book).map_err(|cause| FileError {
            path: book,
            line: None,
            cause,
        })?;
        all.compared += one.compared;
        all.equal += one.equal;
    }
    Ok(all)
}
