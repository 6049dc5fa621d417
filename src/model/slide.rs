//! Sliding windows of either kind of network, recurrent or convolution.
//!
//! Only dispatches: `strategy` chooses, `recurrent` and `convolution` do the work.

mod cells;
pub mod convolution;
mod head;
pub mod mismatch;
mod queue;
pub mod recurrent;
pub mod request;
pub mod state;

use std::sync::Arc;

use self::convolution::network::ConvolutionNetwork;
use self::convolution::packed::PackedConvolution;
use self::convolution::windows::ConvolutionWindows;
use self::mismatch::StateMismatch;
use self::recurrent::network::{RecurrentNetwork, ScaleStep};
use self::recurrent::packed::PackedRecurrent;
use self::recurrent::windows::RecurrentWindows;
use self::request::WindowRequest;
use self::state::SlideStates;
use super::kernel::Isa;

/// A network as recognised in a file.
#[derive(Clone, Debug, PartialEq)]
pub enum RecognisedNetwork {
    /// Recurrent layers.
    Recurrent(RecurrentNetwork),
    /// Convolutions over the rows.
    Convolution(ConvolutionNetwork),
}

/// A network packed for this processor.
#[derive(Clone, Debug)]
pub enum PackedNetwork {
    /// Recurrent layers.
    Recurrent(Arc<PackedRecurrent>),
    /// Convolutions over the rows.
    Convolution(Arc<PackedConvolution>),
}

/// The windows of all keys of a shard, which move by a row at a time. The caller owns the state of each
/// key, and passes [`SlideStates`] to each call.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one per shard")]
pub enum SlidingWindows {
    /// Of a recurrent network.
    Recurrent(RecurrentWindows),
    /// Of a convolution network.
    Convolution(ConvolutionWindows),
}

impl RecognisedNetwork {
    /// Numbers in a row.
    #[must_use]
    pub fn features(&self) -> usize {
        match self {
            Self::Recurrent(network) => network.features,
            Self::Convolution(network) => network.features,
        }
    }

    /// The normalisation of each feature.
    #[must_use]
    pub fn scale(&self) -> &[(ScaleStep, Vec<f32>)] {
        match self {
            Self::Recurrent(network) => &network.scale,
            Self::Convolution(network) => &network.scale,
        }
    }

    /// Packs the network for these instructions.
    #[must_use]
    pub fn pack(&self, isa: Isa) -> PackedNetwork {
        match self {
            Self::Recurrent(network) => {
                PackedNetwork::Recurrent(Arc::new(PackedRecurrent::new(network, isa)))
            }
            Self::Convolution(network) => {
                PackedNetwork::Convolution(Arc::new(PackedConvolution::new(network, isa)))
            }
        }
    }
}

impl PackedNetwork {
    /// Windows that end at every `stride`-th row of a key.
    #[must_use]
    pub fn sliding_windows(&self, stride: u64) -> SlidingWindows {
        match self {
            Self::Recurrent(network) => {
                SlidingWindows::Recurrent(RecurrentWindows::new(Arc::clone(network), stride))
            }
            Self::Convolution(network) => {
                SlidingWindows::Convolution(ConvolutionWindows::new(Arc::clone(network), stride))
            }
        }
    }

    /// The instructions it was packed for.
    #[must_use]
    pub fn isa(&self) -> Isa {
        match self {
            Self::Recurrent(network) => network.isa(),
            Self::Convolution(network) => network.isa(),
        }
    }

    /// The normalisation of each feature.
    #[must_use]
    pub fn scaling(&self) -> &[(ScaleStep, Vec<f32>)] {
        match self {
            Self::Recurrent(network) => network.scaling(),
            Self::Convolution(network) => network.scaling(),
        }
    }

    /// Numbers in a row.
    #[must_use]
    pub fn features(&self) -> usize {
        match self {
            Self::Recurrent(network) => network.features(),
            Self::Convolution(network) => network.features(),
        }
    }

    /// Scores per window.
    #[must_use]
    pub fn outputs(&self) -> usize {
        match self {
            Self::Recurrent(network) => network.outputs(),
            Self::Convolution(network) => network.outputs(),
        }
    }

    /// Reads the weights that a row needs at least before its score. Returns their sum.
    #[must_use]
    pub fn read_weights(&self) -> f32 {
        match self {
            Self::Recurrent(network) => network.read_input_weights(),
            Self::Convolution(network) => network.read_weights(),
        }
    }
}

impl SlidingWindows {
    /// Serves the requests in order and appends the scores of due rows and of repeats:
    /// [`RecurrentWindows::step`], [`ConvolutionWindows::step`].
    pub fn step(
        &mut self,
        states: &mut impl SlideStates,
        requests: &[WindowRequest],
        cells: &[f64],
        scores: &mut Vec<f64>,
    ) {
        match self {
            Self::Recurrent(windows) => windows.step(states, requests, cells, scores),
            Self::Convolution(windows) => windows.step(states, requests, cells, scores),
        }
    }

    /// Does deferred work until none is left or `interrupted` returns true. Returns whether none is left.
    pub fn run_deferred_work(
        &mut self,
        states: &mut impl SlideStates,
        interrupted: impl FnMut() -> bool,
    ) -> bool {
        match self {
            Self::Recurrent(windows) => windows.run_deferred_work(states, interrupted),
            Self::Convolution(windows) => windows.run_deferred_work(states, interrupted),
        }
    }

    /// Makes the state of a key usable that was saved, by this processor or another, and queues its
    /// deferred work. A state that never left the caller needs no call.
    ///
    /// # Errors
    /// [`StateMismatch`] where the state is of another model, window length or stride. It must then be
    /// dropped.
    pub fn restore(
        &mut self,
        key: usize,
        states: &mut impl SlideStates,
    ) -> Result<(), StateMismatch> {
        match (self, states.find(key)) {
            (_, None) => Ok(()),
            (Self::Recurrent(windows), Some(state)) => windows.restore(key, state),
            (Self::Convolution(windows), Some(state)) => windows.restore(key, state),
        }
    }

    /// Keys with deferred work, evicted ones included until they are next in turn.
    #[must_use]
    pub fn waiting(&self) -> usize {
        match self {
            Self::Recurrent(windows) => windows.waiting(),
            Self::Convolution(windows) => windows.waiting(),
        }
    }

    /// Deferred work done so far, in blocks.
    #[must_use]
    pub fn deferred(&self) -> u64 {
        match self {
            Self::Recurrent(windows) => windows.deferred(),
            Self::Convolution(windows) => windows.deferred(),
        }
    }

    /// Bytes of state that a key takes.
    #[must_use]
    pub fn bytes_per_key(&self) -> usize {
        match self {
            Self::Recurrent(windows) => windows.bytes_per_key(),
            Self::Convolution(windows) => windows.bytes_per_key(),
        }
    }
}
