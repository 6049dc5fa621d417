//! A convolution network as plain data.
//!
//! Convolutions over the rows of a window, each with one column per row that depends on that row and earlier
//! ones; then dense layers on the last columns. Computes nothing: `recognise` reads it from a file, `packed`
//! packs and runs it.

use crate::model::slide::recurrent::network::{Activation, DenseLayer, ScaleStep};

/// Normalisation of a row, convolutions over the rows, dense layers on the columns of the last of them.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvolutionNetwork {
    /// Numbers in a row: F.
    pub features: usize,
    /// Rows in a window: T.
    pub steps: usize,
    /// The normalisation of each feature, step by step; F operands each.
    pub scale: Vec<(ScaleStep, Vec<f32>)>,
    /// At least one. Each takes the rows, or the columns of an earlier one.
    pub filters: Vec<ConvolutionFilter>,
    /// The columns of the last filter that the head takes.
    pub head_input: HeadInput,
    /// Dense layers with their activations. May be empty.
    pub head: Vec<DenseLayer>,
}

/// One convolution: y = then(activation(b + W·x) + plus), x being the columns 0, D, … (K − 1)·D rows back.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvolutionFilter {
    /// Its source: 0 for the rows, n for the columns of filter n.
    pub from: usize,
    /// Numbers in a column of the source: I.
    pub inputs: usize,
    /// Numbers in its own columns: C.
    pub channels: usize,
    /// Columns that it takes: K.
    pub kernel: usize,
    /// Rows from each of these to the next: D.
    pub dilation: usize,
    /// Weights, [C, I, K], row by row, the newest column last.
    pub w: Vec<f32>,
    /// Biases, C.
    pub b: Vec<f32>,
    /// The activation of the sums.
    pub activation: Activation,
    /// The source whose column at the same row is added then, numbered as in `from`.
    pub plus: Option<usize>,
    /// The activation of that result.
    pub then: Activation,
}

/// The columns of the last filter, at the end of a window, that the head takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadInput {
    /// The last column.
    Last,
    /// So many columns, concatenated, the oldest first.
    Flat(usize),
    /// Their mean, channel by channel.
    Mean(usize),
    /// The largest of them, channel by channel.
    Max(usize),
}

impl HeadInput {
    /// Number of columns.
    #[must_use]
    pub fn columns(self) -> usize {
        match self {
            Self::Last => 1,
            Self::Flat(columns) | Self::Mean(columns) | Self::Max(columns) => columns,
        }
    }
}

impl ConvolutionFilter {
    /// Rows from the newest column that it takes to the oldest.
    #[must_use]
    pub fn reach(&self) -> usize {
        (self.kernel - 1) * self.dilation
    }
}

impl ConvolutionNetwork {
    /// Numbers in a column of a source: 0 for the rows, n for filter n.
    #[must_use]
    pub fn width(&self, source: usize) -> usize {
        match source.checked_sub(1) {
            None => self.features,
            Some(filter) => self.filters[filter].channels,
        }
    }

    /// Inputs of the head.
    #[must_use]
    pub fn head_inputs(&self) -> usize {
        let channels = self.width(self.filters.len());
        match self.head_input {
            HeadInput::Flat(columns) => columns * channels,
            HeadInput::Last | HeadInput::Mean(_) | HeadInput::Max(_) => channels,
        }
    }

    /// Scores per window.
    #[must_use]
    pub fn outputs(&self) -> usize {
        let inputs = self.head_inputs();
        self.head.last().map_or(inputs, |dense| dense.outputs)
    }
}
