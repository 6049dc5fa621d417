//! A dense layer over several columns, summed column by column, so that the sums over the first columns can
//! be kept for the window that later columns complete.
//!
//! `b + Σ W₀·c₀ + Σ W₁·c₁ + …`: one sum per column, added to the others in order. Keeps no sums itself.

use crate::model::kernel::{InputRows, Isa, PackedWeights};
use crate::model::slide::recurrent::network::{Activation, DenseLayer};

/// The layer, its weights packed by column.
#[derive(Debug)]
pub(super) struct FlattenedDense {
    columns: Vec<PackedWeights>,
    start: Vec<f32>,
    outputs: usize,
    activation: Activation,
}

impl FlattenedDense {
    /// Packs a layer over so many columns, the oldest first.
    pub(super) fn new(layer: &DenseLayer, columns: usize, isa: Isa) -> Self {
        let width = layer.inputs / columns;
        let panels = (0..columns).map(|column| {
            let weight =
                |_, output: usize, at: usize| layer.w[output * layer.inputs + column * width + at];
            PackedWeights::pack(isa, [1, layer.outputs, width], weight, |_, _| 0.0)
        });
        let mut start = vec![0.0; isa.padded(layer.outputs)];
        start[..layer.outputs].copy_from_slice(&layer.b);
        Self {
            columns: panels.collect(),
            start,
            outputs: layer.outputs,
            activation: layer.activation,
        }
    }

    /// Number of outputs.
    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// The activation of its sums.
    pub(super) fn activation(&self) -> Activation {
        self.activation
    }

    /// Number of columns that it takes.
    pub(super) fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Numbers in the sums of a window, padded to whole registers.
    pub(super) fn width(&self) -> usize {
        self.start.len()
    }

    /// Writes the sums of a window without columns.
    pub(super) fn start(&self, sums: &mut Vec<f32>) {
        sums.clone_from(&self.start);
    }

    /// Resets the sums of a window, in place.
    pub(super) fn restart(&self, sums: &mut [f32]) {
        sums.copy_from_slice(&self.start);
    }

    /// Adds the share of column number `at`.
    pub(super) fn add(&self, at: usize, column: &[f32], sums: &mut [f32], room: &mut Vec<f32>) {
        let rows = InputRows {
            cells: column,
            at: &[0],
        };
        room.resize(self.width(), 0.0);
        self.columns[at].sums(rows, room);
        sums.iter_mut().zip(room).for_each(|(sum, x)| *sum += *x);
    }

    /// Reads the weights of the last column. Returns their sum.
    pub(super) fn read_last(&self) -> f32 {
        self.columns.last().map_or(0.0, PackedWeights::read)
    }
}
