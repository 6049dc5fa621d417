//! What sliding windows hold of one key. The caller owns it, beside all else that it holds of that key, so
//! that it is made, saved, restored and evicted in one place.

use serde::{Deserialize, Serialize};

use super::convolution::state::ConvolutionState;
use super::recurrent::state::RecurrentState;

/// The sliding windows of one key. A state that was saved continues with the same bits on any processor,
/// once [`super::SlidingWindows::restore`] has accepted it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlideState {
    /// Windows in flight as recurrent states.
    Recurrent(RecurrentState),
    /// Columns that windows share.
    Convolution(ConvolutionState),
}

/// Where the caller keeps the states of its keys.
pub trait SlideStates {
    /// The place for the state of a key whose row is requested; `None` in it where the key has no state yet.
    fn slot(&mut self, key: usize) -> &mut Option<Box<SlideState>>;

    /// The state of a key; `None` where it has had no row, or was evicted.
    fn find(&mut self, key: usize) -> Option<&mut SlideState>;
}

/// States by the number of their key, for callers that hold nothing else of a key.
pub type SlideStateTable = Vec<Option<Box<SlideState>>>;

/// Grows as keys come.
impl SlideStates for SlideStateTable {
    fn slot(&mut self, key: usize) -> &mut Option<Box<SlideState>> {
        if key >= self.len() {
            self.resize_with(key + 1, || None);
        }
        &mut self[key]
    }

    fn find(&mut self, key: usize) -> Option<&mut SlideState> {
        self.as_mut_slice().get_mut(key)?.as_deref_mut()
    }
}

impl SlideState {
    /// The recurrent state.
    ///
    /// # Panics
    /// For the state of a convolution: [`super::SlidingWindows::restore`] refuses it.
    pub(super) fn recurrent_mut(&mut self) -> &mut RecurrentState {
        match self {
            Self::Recurrent(state) => state,
            Self::Convolution(_) => panic!("the state of a convolution beside a recurrent network"),
        }
    }

    /// The state of a convolution.
    ///
    /// # Panics
    /// For a recurrent state: [`super::SlidingWindows::restore`] refuses it.
    pub(super) fn convolution_mut(&mut self) -> &mut ConvolutionState {
        match self {
            Self::Convolution(state) => state,
            Self::Recurrent(_) => panic!("a recurrent state beside a convolution"),
        }
    }
}
