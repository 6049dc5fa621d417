//! A copy of a model that remembers the whole window, to test that sliding is exact.
//!
//! With ordinary weights a network forgets within a few steps, and a wrong start of the window would not
//! show. Runs no model.

use std::collections::HashSet;

use crate::model::proto::{GraphProto, ModelProto, NodeProto, TensorProto};

/// The model with a higher bias for every gate that keeps the state: the forget gate of an LSTM, the update
/// gate of a GRU. A bias that several layers share is raised once.
#[must_use]
pub fn long_memory(model: &ModelProto) -> ModelProto {
    let mut model = model.clone();
    if let Some(graph) = &mut model.graph {
        let mut raised = HashSet::new();
        for at in 0..graph.node.len() {
            let Some(raise) = raise(&graph.node[at].op_type) else {
                continue;
            };
            let Some(units) = units(graph, &graph.node[at]) else {
                continue;
            };
            let bias = bias(graph, at, 2 * raise.gates * units);
            if raised.insert(bias.clone()) {
                raise.apply(graph, &bias, units);
            }
        }
    }
    model
}

/// How the bias of the gate that keeps the state is raised.
struct BiasRaise {
    /// Gates of the layer: i, o, f, c or z, r, h.
    gates: usize,
    /// The one that keeps the state.
    keeping: usize,
    /// The highest sum of its two biases after raising.
    most: f32,
}

/// With it a gate is σ(4) = 0.98, and keeps a third of a number over 50 steps.
const RAISE: f32 = 4.0;

fn raise(kind: &str) -> Option<BiasRaise> {
    match kind {
        "LSTM" => Some(BiasRaise {
            gates: 4,
            keeping: 2,
            most: f32::INFINITY,
        }),
        // Its update gate also weighs the new value down: with a much higher bias no row would count.
        "GRU" => Some(BiasRaise {
            gates: 3,
            keeping: 0,
            most: RAISE,
        }),
        _ => None,
    }
}

impl BiasRaise {
    /// Raises the gate's input bias, for each direction.
    fn apply(&self, graph: &mut GraphProto, name: &str, units: usize) {
        let found = graph.initializer.iter_mut().find(|b| b.name == name);
        let Some((b, mut numbers)) = found.and_then(|b| b.floats().ok().map(|all| (b, all))) else {
            return;
        };
        for direction in numbers.chunks_exact_mut(2 * self.gates * units) {
            let (input, state) = direction.split_at_mut(self.gates * units);
            for at in self.keeping * units..(self.keeping + 1) * units {
                input[at] += (self.most - input[at] - state[at]).clamp(0.0, RAISE);
            }
        }
        *b = TensorProto::of(b.name.clone(), b.dims.clone(), &numbers);
    }
}

fn units(graph: &GraphProto, node: &NodeProto) -> Option<usize> {
    let name = node.argument(2)?;
    let r = graph.initializer.iter().find(|r| r.name == name)?;
    r.shape().last().copied().filter(|&units| units > 0)
}

/// The name of a layer's bias tensor; adds one of zeros to a layer that had none.
fn bias(graph: &mut GraphProto, at: usize, size: usize) -> String {
    let node = &mut graph.node[at];
    if let Some(name) = node.argument(3) {
        return name.to_owned();
    }
    let name = format!("foretick_bias_{at}");
    node.input.resize(node.input.len().max(4), String::new());
    node.input[3].clone_from(&name);
    let zeros = TensorProto::of(name.clone(), vec![1, size as i64], &vec![0.0; size]);
    graph.initializer.push(zeros);
    name
}
