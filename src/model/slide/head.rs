//! The two ends of a recognised network: the normalisation of a row before the layers, and the dense layers
//! after them, packed for the kernels.

use super::recurrent::network;
use super::recurrent::network::{Activation, ScaleStep};
use crate::model::kernel::{DenseStep, Isa, PackedWeights};

/// Writes a row as the first layer takes it: rounded to f32 and scaled.
pub(super) fn scale(by: &[(ScaleStep, Vec<f32>)], row: &[f64], scaled: &mut [f32]) {
    for (scaled, value) in scaled.iter_mut().zip(row) {
        *scaled = *value as f32;
    }
    for (scale, operands) in by {
        for (x, a) in scaled.iter_mut().zip(operands) {
            match scale {
                ScaleStep::Sub => *x -= a,
                ScaleStep::Add => *x += a,
                ScaleStep::Mul => *x *= a,
                ScaleStep::Div => *x /= a,
            }
        }
    }
}

/// The dense layers after the recurrent layers or convolutions, packed.
#[derive(Debug)]
pub(super) struct Head {
    isa: Isa,
    layers: Vec<(PackedWeights, Activation)>,
}

impl Head {
    pub(super) fn new(layers: &[network::DenseLayer], isa: Isa) -> Self {
        let layers = layers.iter().map(|dense| {
            let panels = PackedWeights::pack(
                isa,
                [1, dense.outputs, dense.inputs],
                |_, output, input| dense.w[output * dense.inputs + input],
                |_, output| dense.b[output],
            );
            (panels, dense.activation)
        });
        Self {
            isa,
            layers: layers.collect(),
        }
    }

    /// Appends the outputs of the last layer.
    pub(super) fn score(&self, input: &[f32], [a, b]: &mut [Vec<f32>; 2], scores: &mut Vec<f64>) {
        a.clear();
        a.extend_from_slice(input);
        for (weights, activation) in &self.layers {
            b.clear();
            b.resize(self.isa.padded(weights.units()), 0.0);
            self.isa.dense(DenseStep {
                weights,
                input: a,
                out: b,
            });
            b.truncate(weights.units());
            activate(self.isa, *activation, b);
            std::mem::swap(a, b);
        }
        scores.extend(a.iter().map(|&score| f64::from(score)));
    }
}

/// Applies an activation in place. Softmax runs over all values.
pub(super) fn activate(isa: Isa, activation: Activation, values: &mut [f32]) {
    match activation {
        Activation::Identity => {}
        // Not `max`, so that NaN stays NaN.
        Activation::Relu => values
            .iter_mut()
            .for_each(|x| *x = if *x < 0.0 { 0.0 } else { *x }),
        Activation::Sigmoid => isa.sigmoid(values),
        Activation::Tanh => isa.tanh(values),
        Activation::Softmax => isa.softmax(values),
    }
}
