//! States of some of an engine's instruments, by their names: to be kept beside the engine, and handed to
//! another one.
//!
//! Ids of instruments hold for one table of names only, so the names go with the states. The format is
//! postcard's; it is read with the same features, the same model, and the same version of the engine.

use serde::{Deserialize, Serialize};

use super::row::Figures;
use super::state::InstrumentState;
use crate::model::slide::mismatch::StateMismatch;
use crate::news::saved::SavedItems;

/// States by name, read back.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct SavedStates {
    /// Each instrument's name and state.
    pub(super) instruments: Vec<(String, Box<InstrumentState>)>,
    /// Economic figures, where they were saved with these instruments.
    pub(super) figures: Option<Figures>,
    /// Of news: the items seen, which the engine does not know.
    pub(super) items: Option<SavedItems>,
}

/// The same, to be written: [`SavedStates`] has the same bytes.
#[derive(Serialize)]
pub(super) struct StatesToSave<'a> {
    pub(super) instruments: Vec<(&'a str, &'a InstrumentState)>,
    pub(super) figures: Option<&'a Figures>,
    pub(super) items: Option<SavedItems>,
}

/// Each instrument's name and state, the economic figures, and the items of news that were seen.
type SavedParts = (
    Vec<(String, Box<InstrumentState>)>,
    Option<Figures>,
    Option<SavedItems>,
);

/// Why states cannot be saved or read back.
#[derive(Debug, thiserror::Error)]
pub enum SavedStatesError {
    /// They cannot be written.
    #[error("while writing states of instruments: {0}")]
    Write(postcard::Error),
    /// The bytes are no states of this version.
    #[error(
        "while reading saved states of instruments: {0}; they are damaged, or of another version"
    )]
    Read(postcard::Error),
    /// They are of another model.
    #[error("while restoring an instrument: {0}")]
    Mismatch(#[from] StateMismatch),
}

impl SavedStates {
    /// Reads states.
    ///
    /// # Errors
    /// [`SavedStatesError::Read`], also where bytes are left over.
    pub fn read(bytes: &[u8]) -> Result<Self, SavedStatesError> {
        let (states, rest) = postcard::take_from_bytes(bytes).map_err(SavedStatesError::Read)?;
        match rest {
            [] => Ok(states),
            _ => Err(SavedStatesError::Read(
                postcard::Error::DeserializeBadEncoding,
            )),
        }
    }

    /// The names of the instruments.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.instruments.iter().map(|(name, _)| name.as_str())
    }

    /// The state of one instrument, as it is written; none where it has none.
    #[must_use]
    pub fn bytes_of(&self, name: &str) -> Option<Vec<u8>> {
        let (_, state) = self.instruments.iter().find(|(of, _)| of == name)?;
        postcard::to_stdvec(state).ok()
    }

    /// Takes the states apart.
    pub(crate) fn into_parts(self) -> SavedParts {
        (self.instruments, self.figures, self.items)
    }
}

impl StatesToSave<'_> {
    pub(super) fn write(&self) -> Result<Vec<u8>, SavedStatesError> {
        postcard::to_stdvec(self).map_err(SavedStatesError::Write)
    }
}
