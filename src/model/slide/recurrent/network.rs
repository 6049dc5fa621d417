//! A recurrent network as plain data, in ONNX's own order of gates and weights.
//!
//! A stack of LSTM or GRU layers over a window of rows, then dense layers on the last output. Computes
//! nothing: `recognise` reads it from a file, `packed` packs and runs it.

/// Normalisation of a row, a stack of recurrent layers, dense layers on the last output of the last.
#[derive(Clone, Debug, PartialEq)]
pub struct RecurrentNetwork {
    /// Numbers in a row: F.
    pub features: usize,
    /// Rows in a window: T.
    pub steps: usize,
    /// The normalisation of each feature, step by step; F operands each.
    pub scale: Vec<(ScaleStep, Vec<f32>)>,
    /// At least one. The first takes the rows, each other one the outputs of the one before.
    pub layers: Vec<RecurrentLayer>,
    /// Dense layers with their activations. May be empty.
    pub head: Vec<DenseLayer>,
}

/// An elementwise step on the row with a constant operand: x − a, x + a, x · a, x / a.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScaleStep {
    /// x − a
    Sub,
    /// x + a
    Add,
    /// x · a
    Mul,
    /// x / a
    Div,
}

/// The kind of a recurrent layer, with ONNX's default activations (sigmoid, tanh) and direction forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// Gates in the order i, o, f, c.
    Lstm,
    /// Gates in the order z, r, h.
    Gru {
        /// The reset gate acts on R·h + b (`linear_before_reset` = 1: PyTorch, Keras) and not on h.
        reset_after: bool,
    },
}

/// One recurrent layer, as the ONNX operator has it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecurrentLayer {
    /// Its kind.
    pub cell: CellKind,
    /// Inputs per step: I.
    pub inputs: usize,
    /// Its units: H.
    pub units: usize,
    /// Input weights, [gates · H, I], row by row.
    pub w: Vec<f32>,
    /// Recurrent weights, [gates · H, H], row by row.
    pub r: Vec<f32>,
    /// Biases, [2 · gates · H]: input biases, then recurrent biases.
    pub b: Vec<f32>,
    /// The state before the first step, if it is not zero: h with H numbers, and for an LSTM c with H.
    pub start: Option<(Vec<f32>, Vec<f32>)>,
}

/// y = activation(b + W·x).
#[derive(Clone, Debug, PartialEq)]
pub struct DenseLayer {
    /// Inputs: I.
    pub inputs: usize,
    /// Outputs: O.
    pub outputs: usize,
    /// Weights, [O, I], row by row.
    pub w: Vec<f32>,
    /// Biases, O.
    pub b: Vec<f32>,
    /// The activation of the sums.
    pub activation: Activation,
}

/// The activation of a dense layer or a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// None.
    Identity,
    /// max(x, 0)
    Relu,
    /// 1 / (1 + e^−x)
    Sigmoid,
    /// tanh x
    Tanh,
    /// e^x / Σ e^x over the layer's outputs
    Softmax,
}

impl CellKind {
    /// Gates of a unit: 4 or 3.
    #[must_use]
    pub fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru { .. } => 3,
        }
    }
}

impl RecurrentNetwork {
    /// Scores per window.
    #[must_use]
    pub fn outputs(&self) -> usize {
        let units = self.layers.last().map_or(0, |layer| layer.units);
        self.head.last().map_or(units, |dense| dense.outputs)
    }

    /// Units of all recurrent layers: ΣH.
    #[must_use]
    pub fn units(&self) -> usize {
        self.layers.iter().map(|layer| layer.units).sum()
    }

    /// Bytes of the input weights of all recurrent layers, which each step reads at least.
    #[must_use]
    pub fn input_weight_bytes(&self) -> usize {
        self.layers
            .iter()
            .map(|layer| size_of_val(&layer.w[..]))
            .sum()
    }
}
