//! Sliding windows of whichever network: recurrent or convolution.
//!
//! Hands on and decides nothing: `way` chooses, `slide` and `columns` do the work.

pub mod convolution;
mod head;
pub mod recurrent;

use std::sync::Arc;

use self::convolution::network::Convolution;
use self::convolution::packed::Filters;
use self::convolution::windows::Columns;
use self::recurrent::network::{Network, Scale};
use self::recurrent::packed::Recurrent;
use self::recurrent::windows::{Ask, Slide};
use super::kernel::Isa;

/// A network as a file describes it.
#[derive(Clone, Debug, PartialEq)]
pub enum Recognised {
    /// Recurrent layers.
    Recurrent(Network),
    /// Convolutions over the rows.
    Convolution(Convolution),
}

/// A network packed for this processor.
#[derive(Clone, Debug)]
pub enum Packed {
    /// Recurrent layers.
    Recurrent(Arc<Recurrent>),
    /// Convolutions over the rows.
    Convolution(Arc<Filters>),
}

/// The windows of all keys of a shard, which move by a row at a time.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one a shard")]
pub enum Sliding {
    /// As recurrent states in flight.
    Recurrent(Slide),
    /// As columns that windows share.
    Convolution(Columns),
}

impl Recognised {
    /// Numbers in a row.
    #[must_use]
    pub fn features(&self) -> usize {
        match self {
            Self::Recurrent(network) => network.features,
            Self::Convolution(network) => network.features,
        }
    }

    /// What happens to each feature first.
    #[must_use]
    pub fn scale(&self) -> &[(Scale, Vec<f32>)] {
        match self {
            Self::Recurrent(network) => &network.scale,
            Self::Convolution(network) => &network.scale,
        }
    }

    /// Packs it.
    #[must_use]
    pub fn pack(&self, isa: Isa) -> Packed {
        match self {
            Self::Recurrent(network) => Packed::Recurrent(Arc::new(Recurrent::new(network, isa))),
            Self::Convolution(network) => Packed::Convolution(Arc::new(Filters::new(network, isa))),
        }
    }
}

impl Packed {
    /// Windows that end at every `every`-th row of a key.
    #[must_use]
    pub fn slide(&self, every: u64) -> Sliding {
        match self {
            Self::Recurrent(network) => Sliding::Recurrent(Slide::new(Arc::clone(network), every)),
            Self::Convolution(network) => {
                Sliding::Convolution(Columns::new(Arc::clone(network), every))
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

    /// What happens to each feature first.
    #[must_use]
    pub fn scaling(&self) -> &[(Scale, Vec<f32>)] {
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

    /// Numbers that a window gives.
    #[must_use]
    pub fn outputs(&self) -> usize {
        match self {
            Self::Recurrent(network) => network.outputs(),
            Self::Convolution(network) => network.outputs(),
        }
    }

    /// Reads the weights that a row needs before its score: the floor under a step.
    #[must_use]
    pub fn read_weights(&self) -> f32 {
        match self {
            Self::Recurrent(network) => network.read_input_weights(),
            Self::Convolution(network) => network.read_weights(),
        }
    }
}

impl Sliding {
    /// Does what is asked, in turn: [`Slide::step`], [`Columns::step`].
    pub fn step(&mut self, asks: &[Ask], cells: &[f64], scores: &mut Vec<f64>) {
        match self {
            Self::Recurrent(slide) => slide.step(asks, cells, scores),
            Self::Convolution(columns) => columns.step(asks, cells, scores),
        }
    }

    /// Does deferred work until none is left or `wanted` says that there is other work. Returns whether
    /// all is done.
    pub fn settle(&mut self, wanted: impl FnMut() -> bool) -> bool {
        match self {
            Self::Recurrent(slide) => slide.settle(wanted),
            Self::Convolution(columns) => columns.settle(wanted),
        }
    }

    /// Keys with deferred work.
    #[must_use]
    pub fn waiting(&self) -> usize {
        match self {
            Self::Recurrent(slide) => slide.waiting(),
            Self::Convolution(columns) => columns.waiting(),
        }
    }

    /// Deferred work done so far, in blocks.
    #[must_use]
    pub fn deferred(&self) -> u64 {
        match self {
            Self::Recurrent(slide) => slide.deferred(),
            Self::Convolution(columns) => columns.deferred(),
        }
    }

    /// Bytes of state that a key takes.
    #[must_use]
    pub fn bytes_per_key(&self) -> usize {
        match self {
            Self::Recurrent(slide) => slide.bytes_per_key(),
            Self::Convolution(columns) => columns.bytes_per_key(),
        }
    }
}
