//! A naive forward pass: networks by their definition, in f64 and plain loops, to compare the kernels with.
//!
//! ONNX's formulas, gate by gate, one unit after another; a convolution has zeros before the first row.
//! Shares no code with the kernels.

use foretick::model::slide::RecognisedNetwork;
use foretick::model::slide::convolution::network::{
    ConvolutionFilter, ConvolutionNetwork, HeadInput,
};
use foretick::model::slide::recurrent::network::{
    Activation, CellKind, DenseLayer, RecurrentLayer, RecurrentNetwork, ScaleStep,
};

/// The outputs for one window of T rows of F numbers, oldest first.
pub(crate) fn forward(network: &RecognisedNetwork, window: &[f32]) -> Vec<f64> {
    let scale = |row| scaled(network.scale(), row);
    let rows: Vec<Vec<f64>> = window.chunks_exact(network.features()).map(scale).collect();
    match network {
        RecognisedNetwork::Recurrent(network) => recurrent(network, rows),
        RecognisedNetwork::Convolution(network) => convolution(network, rows),
    }
}

fn recurrent(network: &RecurrentNetwork, mut rows: Vec<Vec<f64>>) -> Vec<f64> {
    assert_eq!(rows.len(), network.steps);
    for layer in &network.layers {
        rows = outputs(layer, &rows);
    }
    let last = rows.pop().expect("a window has a row");
    network.head.iter().fold(last, |x, layer| dense(layer, &x))
}

fn convolution(network: &ConvolutionNetwork, rows: Vec<Vec<f64>>) -> Vec<f64> {
    assert_eq!(rows.len(), network.steps);
    let mut sources = vec![rows];
    for filter in &network.filters {
        let column = |step| column(filter, &sources, step);
        let columns = (0..network.steps).map(column).collect();
        sources.push(columns);
    }
    let columns = sources.pop().expect("there is a filter");
    let taken = &columns[columns.len() - network.head_input.columns()..];
    let channel = |at: usize| taken.iter().map(move |column| column[at]);
    let channels = 0..taken[0].len();
    let given: Vec<f64> = match network.head_input {
        HeadInput::Last | HeadInput::Flat(_) => taken.concat(),
        HeadInput::Mean(count) => channels
            .map(|at| channel(at).sum::<f64>() / count as f64)
            .collect(),
        HeadInput::Max(_) => channels
            .map(|at| channel(at).fold(f64::NEG_INFINITY, f64::max))
            .collect(),
    };
    network.head.iter().fold(given, |x, layer| dense(layer, &x))
}

fn column(filter: &ConvolutionFilter, sources: &[Vec<Vec<f64>>], step: usize) -> Vec<f64> {
    let mut sums: Vec<f64> = filter.b.iter().copied().map(f64::from).collect();
    for tap in 0..filter.kernel {
        let back = (filter.kernel - 1 - tap) * filter.dilation;
        let Some(step) = step.checked_sub(back) else {
            continue;
        };
        for (channel, sum) in sums.iter_mut().enumerate() {
            for (at, x) in sources[filter.from][step].iter().enumerate() {
                let w = filter.w[(channel * filter.inputs + at) * filter.kernel + tap];
                *sum += f64::from(w) * x;
            }
        }
    }
    let mut column = activated(filter.activation, sums);
    if let Some(plus) = filter.plus {
        let other = &sources[plus][step];
        column.iter_mut().zip(other).for_each(|(y, x)| *y += x);
    }
    activated(filter.then, column)
}

fn scaled(scale: &[(ScaleStep, Vec<f32>)], row: &[f32]) -> Vec<f64> {
    let mut row: Vec<f64> = row.iter().copied().map(f64::from).collect();
    for (scale, by) in scale {
        for (x, by) in row.iter_mut().zip(by) {
            let by = f64::from(*by);
            *x = match scale {
                ScaleStep::Sub => *x - by,
                ScaleStep::Add => *x + by,
                ScaleStep::Mul => *x * by,
                ScaleStep::Div => *x / by,
            };
        }
    }
    row
}

/// A layer's output after each row.
fn outputs(layer: &RecurrentLayer, rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let zeros = || vec![0.0; layer.units];
    let wide = |numbers: &[f32]| numbers.iter().copied().map(f64::from).collect();
    let (mut h, mut c): (Vec<f64>, Vec<f64>) = match &layer.start {
        Some((h, c)) => (wide(h), wide(c)),
        None => (zeros(), zeros()),
    };
    let mut outputs = Vec::new();
    for x in rows {
        h = match layer.cell {
            CellKind::Lstm => lstm(layer, x, &h, &mut c),
            CellKind::Gru { reset_after } => gru(layer, x, &h, reset_after),
        };
        outputs.push(h.clone());
    }
    outputs
}

fn lstm(layer: &RecurrentLayer, x: &[f64], h: &[f64], c: &mut [f64]) -> Vec<f64> {
    let sum = |gate, unit| from_input(layer, gate, unit, x) + from_state(layer, gate, unit, h);
    let next = |unit| {
        let (i, o, f) = (sum(0, unit), sum(1, unit), sum(2, unit));
        c[unit] = sigmoid(f) * c[unit] + sigmoid(i) * libm::tanh(sum(3, unit));
        sigmoid(o) * libm::tanh(c[unit])
    };
    (0..layer.units).map(next).collect()
}

fn gru(layer: &RecurrentLayer, x: &[f64], h: &[f64], reset_after: bool) -> Vec<f64> {
    let gate =
        |gate, unit| sigmoid(from_input(layer, gate, unit, x) + from_state(layer, gate, unit, h));
    let r: Vec<f64> = (0..layer.units).map(|unit| gate(1, unit)).collect();
    let kept: Vec<f64> = r.iter().zip(h).map(|(r, h)| r * h).collect();
    let next = |unit| {
        let state = if reset_after {
            r[unit] * from_state(layer, 2, unit, h)
        } else {
            from_state(layer, 2, unit, &kept)
        };
        let new = libm::tanh(from_input(layer, 2, unit, x) + state);
        let z = gate(0, unit);
        (1.0 - z) * new + z * h[unit]
    };
    (0..layer.units).map(next).collect()
}

/// W·x + b of one gate of one unit.
fn from_input(layer: &RecurrentLayer, gate: usize, unit: usize, x: &[f64]) -> f64 {
    let row = gate * layer.units + unit;
    f64::from(layer.b[row]) + dot(&layer.w[row * layer.inputs..][..layer.inputs], x)
}

/// R·h + b of one gate of one unit.
fn from_state(layer: &RecurrentLayer, gate: usize, unit: usize, h: &[f64]) -> f64 {
    let row = gate * layer.units + unit;
    let b = layer.b[layer.cell.gates() * layer.units + row];
    f64::from(b) + dot(&layer.r[row * layer.units..][..layer.units], h)
}

fn dense(layer: &DenseLayer, x: &[f64]) -> Vec<f64> {
    let rows = layer.w.chunks_exact(layer.inputs).zip(&layer.b);
    let sums = rows.map(|(w, &b)| f64::from(b) + dot(w, x));
    activated(layer.activation, sums.collect())
}

fn activated(activation: Activation, sums: Vec<f64>) -> Vec<f64> {
    match activation {
        Activation::Identity => sums,
        Activation::Relu => sums.iter().map(|x| x.max(0.0)).collect(),
        Activation::Sigmoid => sums.iter().copied().map(sigmoid).collect(),
        Activation::Tanh => sums.iter().copied().map(libm::tanh).collect(),
        Activation::Softmax => {
            let powers: Vec<f64> = sums.iter().copied().map(libm::exp).collect();
            let all: f64 = powers.iter().sum();
            powers.iter().map(|power| power / all).collect()
        }
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

fn dot(weights: &[f32], x: &[f64]) -> f64 {
    assert_eq!(weights.len(), x.len());
    weights.iter().zip(x).map(|(w, x)| f64::from(*w) * x).sum()
}
