//! A convolution network as plain data: what a recognised ONNX file says.
//!
//! Convolutions over the rows of a window, each with one column a row that depends on rows before it alone;
//! then dense layers on the last columns. Computes nothing: `recognise` reads it from a file, `filters`
//! packs and runs it.

use crate::model::slide::recurrent::network::{Activation, DenseLayer, ScaleStep};

/// Normalisation of a row, convolutions over the rows, dense layers on the columns of the last of them.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvolutionNetwork {
    /// Numbers in a row: F.
    pub features: usize,
    /// Rows in a window: T.
    pub steps: usize,
    /// What happens to each feature first, in this order; F operands each.
    pub scale: Vec<(ScaleStep, Vec<f32>)>,
    /// At least one. Each takes the rows or the columns of one before it.
    pub filters: Vec<ConvolutionFilter>,
    /// Which columns of the last filter the head takes.
    pub head_input: HeadInput,
    /// DenseLayer layers, and activations between and behind them. May be empty.
    pub head: Vec<DenseLayer>,
}

/// One convolution: y = then(activation(b + W·x) + plus), x being the columns 0, D, … (K − 1)·D rows back.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvolutionFilter {
    /// What it takes: 0 the rows, n the columns of filter n.
    pub from: usize,
    /// Numbers in such a column: I.
    pub inputs: usize,
    /// Numbers in its own columns: C.
    pub channels: usize,
    /// Columns that it takes: K.
    pub kernel: usize,
    /// Rows from each of them to the next: D.
    pub dilation: usize,
    /// Weights, [C, I, K], row by row, the newest column last.
    pub w: Vec<f32>,
    /// Biases, C.
    pub b: Vec<f32>,
    /// What happens to the sums.
    pub activation: Activation,
    /// Whose column at the same row is added then, counted as in `from`.
    pub plus: Option<usize>,
    /// What happens to that.
    pub then: Activation,
}

/// What the head takes of the last filter's columns at the end of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadInput {
    /// The last column.
    Last,
    /// So many columns, one behind the other, the oldest first.
    Flat(usize),
    /// Their mean, channel by channel.
    Mean(usize),
    /// The largest of them, channel by channel.
    Max(usize),
}

impl HeadInput {
    /// Columns that are taken.
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
    /// Numbers in a column of a source: 0 the rows, n filter n.
    #[must_use]
    pub fn width(&self, source: usize) -> usize {
        match source.checked_sub(1) {
            None => self.features,
            Some(filter) => self.filters[filter].channels,
        }
    }

    /// Numbers that the head takes.
    #[must_use]
    pub fn head_inputs(&self) -> usize {
        let channels = self.width(self.filters.len());
        match self.head_input {
            HeadInput::Flat(columns) => columns * channels,
            HeadInput::Last | HeadInput::Mean(_) | HeadInput::Max(_) => channels,
        }
    }

    /// Numbers that a window gives.
    #[must_use]
    pub fn outputs(&self) -> usize {
        let inputs = self.head_inputs();
        self.head.last().map_or(inputs, |dense| dense.outputs)
    }
}
