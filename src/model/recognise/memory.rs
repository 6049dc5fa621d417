//! A twin of a model that remembers the whole window, to test the exactness of sliding.
//!
//! Random weights mostly forget within a few steps: a wrong start of the window would not be seen.

use std::collections::HashSet;

use crate::model::proto::{GraphProto, ModelProto, NodeProto, TensorProto};

/// The model with a higher bias of every gate that keeps the state: the forget gate of an LSTM, the update
/// gate of a GRU. A bias that several layers share is raised once.
#[must_use]
pub fn long_memory(model: &ModelProto) -> ModelProto {
    let mut model = model.clone();
    if let Some(graph) = &mut model.graph {
        let mut raised = HashSet::new();
        for at in 0..graph.node.len() {
            let Some((gates, gate)) = keeping(&graph.node[at]) else {
                continue;
            };
            let Some(units) = units(graph, &graph.node[at]) else {
                continue;
            };
            let bias = bias(graph, at, 2 * gates * units);
            if raised.insert(bias.clone()) {
                raise(
                    graph,
                    &bias,
                    2 * gates * units,
                    gate * units..(gate + 1) * units,
                );
            }
        }
    }
    model
}

/// How many gates a layer has, and which of them keeps the state: i, o, f, c and z, r, h.
fn keeping(node: &NodeProto) -> Option<(usize, usize)> {
    match node.op_type.as_str() {
        "LSTM" => Some((4, 2)),
        "GRU" => Some((3, 0)),
        _ => None,
    }
}

fn units(graph: &GraphProto, node: &NodeProto) -> Option<usize> {
    let name = node.argument(2)?;
    let r = graph
        .initializer
        .iter()
        .find(|tensor| tensor.name == name)?;
    r.shape().last().copied().filter(|&units| units > 0)
}

/// The name of a layer's biases; zeros where it had none.
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

/// Adds to these places of each direction's biases.
fn raise(graph: &mut GraphProto, name: &str, size: usize, places: std::ops::Range<usize>) {
    let found = graph
        .initializer
        .iter_mut()
        .find(|tensor| tensor.name == name);
    let Some((bias, mut numbers)) = found.and_then(|bias| bias.floats().ok().map(|n| (bias, n)))
    else {
        return;
    };
    for direction in numbers.chunks_exact_mut(size) {
        direction[places.clone()]
            .iter_mut()
            .for_each(|number| *number += RAISE);
    }
    *bias = TensorProto::of(bias.name.clone(), bias.dims.clone(), &numbers);
}

/// A gate at σ(4) = 0.98 still keeps a third of a number after 50 steps.
const RAISE: f32 = 4.0;
