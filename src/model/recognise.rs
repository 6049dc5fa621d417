//! Recognises a recurrent or a convolution network in an ONNX file, or gives the reason why it is neither.
//!
//! [`normal_form`] lets ONNX Runtime fold the graph for one window. [`recognise`] then follows the path from
//! the rows to the first output, and keeps the origin of every number: which stage made it, at which step,
//! for which unit. Operators that only move numbers move origins, however an exporter combines them; a layer
//! is accepted if the origins of its input are those that the layer needs. Computes no score.

mod convolution;
mod dense;
pub mod error;
mod fold;
mod graph;
mod layer;
mod memory;
mod origin;
mod path;
mod pooling;
mod scale;
mod shape;

use std::collections::HashMap;

use self::error::{RecogniseError, refuse};
pub use self::fold::normal_form;
use self::graph::{graph, nodes_of_first_output, opset};
pub use self::memory::long_memory;
use self::origin::Origins;
use self::path::{GraphPath, is_own_operator};
use super::proto::{ModelProto, NodeProto};
use super::slide::RecognisedNetwork;
use super::slide::convolution::network::ConvolutionNetwork;
use super::slide::recurrent::network::{Activation, CellKind};

/// The network in a folded graph ([`normal_form`]) over windows of so many steps.
///
/// # Errors
/// [`RecogniseError::Graph`] with the first part of the graph that is not supported.
pub fn recognise(model: &ModelProto, steps: usize) -> Result<RecognisedNetwork, RecogniseError> {
    let graph = graph(model)?;
    let nodes = nodes_of_first_output(graph)?;
    check_layers(&nodes)?;
    let mut path = GraphPath::new(graph, opset(model), steps)?;
    for node in nodes {
        read_node(&mut path, node)?;
    }
    finish(path, &graph.output[0].name)
}

/// Reads the next node.
fn read_node<'g>(path: &mut GraphPath<'g>, node: &'g NodeProto) -> Result<(), RecogniseError> {
    path.check_arguments(node)?;
    let results = match node.op_type.as_str() {
        _ if !is_own_operator(&node.domain) => return Err(path.unsupported(node)),
        "LSTM" => layer::recurrent(path, node, CellKind::Lstm)?,
        "GRU" => {
            let reset_after = node.integer("linear_before_reset").unwrap_or(0) != 0;
            layer::recurrent(path, node, CellKind::Gru { reset_after })?
        }
        "Conv" => vec![convolution::convolution(path, node)?],
        "Add" if adds_two_tensors(path, node) => vec![convolution::sum(path, node)?],
        "Add" | "Sub" | "Mul" | "Div" => vec![scale::elementwise(path, node)?],
        "Gemm" | "MatMul" => vec![dense::product(path, node)?],
        "Relu" => vec![activate(path, node, Activation::Relu)?],
        "Sigmoid" => vec![activate(path, node, Activation::Sigmoid)?],
        "Tanh" => vec![activate(path, node, Activation::Tanh)?],
        "Softmax" => vec![dense::softmax(path, node)?],
        _ => match pooling::pool(path, node)? {
            Some(pooled) => vec![pooled],
            None => {
                let from = path
                    .origins(node, 0)
                    .ok_or_else(|| path.unsupported(node))?;
                shape::moved(node, from, path)?.ok_or_else(|| path.unsupported(node))?
            }
        },
    };
    path.store(node, results);
    Ok(())
}

/// The network of a path that has been read. The output must be the newest stage at the last step, in order.
fn finish(path: GraphPath<'_>, output: &str) -> Result<RecognisedNetwork, RecogniseError> {
    let Some(origins) = path.tensor(output) else {
        return refuse("the first output is not computed from the window");
    };
    let last = path.network.steps - 1;
    if path.filters.is_empty() {
        path.expect("the output", &origins.cells, last..last + 1)?;
        return Ok(RecognisedNetwork::Recurrent(path.network));
    }
    let head_input = match path.head_input {
        Some(head_input) => head_input,
        None => pooling::last(&path, output)?,
    };
    path.expect("the output", &origins.cells, last..last + 1)?;
    if !path.network.layers.is_empty() {
        return refuse("the network has both recurrent layers and convolutions");
    }
    Ok(RecognisedNetwork::Convolution(ConvolutionNetwork {
        features: path.network.features,
        steps: path.network.steps,
        scale: path.network.scale,
        filters: path.filters,
        head_input,
        head: path.network.head,
    }))
}

/// Whether the graph computes both arguments of a node.
fn adds_two_tensors(path: &GraphPath<'_>, node: &NodeProto) -> bool {
    !path.filters.is_empty() && (0..2).all(|at| path.origins(node, at).is_some())
}

/// Reads an activation, of a convolution or of a dense layer.
fn activate(
    path: &mut GraphPath<'_>,
    node: &NodeProto,
    activation: Activation,
) -> Result<Origins, RecogniseError> {
    let origins = path.origins(node, 0);
    match origins.and_then(|origins| convolution::filter_of(path, origins)) {
        Some(number) => convolution::activation(path, node, number, activation),
        None => dense::activation(path, node, activation),
    }
}

/// Refuses graphs without a supported layer, with a reason that a reader recognises: reading node by node
/// would stop at a detail.
fn check_layers(nodes: &[&NodeProto]) -> Result<(), RecogniseError> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for node in nodes {
        *counts.entry(&node.op_type).or_default() += 1;
    }
    let count = |kind: &str| counts.get(kind).copied().unwrap_or(0);
    if let Some(kind) = ["Loop", "Scan", "If"]
        .into_iter()
        .find(|kind| count(kind) > 0)
    {
        return Err(RecogniseError::Graph(format!(
            "operator {kind} holds a graph of its own, which is not followed; export the layers as LSTM \
             or GRU nodes"
        )));
    }
    if count("LSTM") + count("GRU") + count("Conv") > 0 {
        return Ok(());
    }
    let (products, gates) = (count("Gemm") + count("MatMul"), count("Sigmoid"));
    if gates >= UNROLLED && products >= UNROLLED {
        return Err(RecogniseError::Graph(format!(
            "the recurrence is unrolled ({products} matrix products and {gates} sigmoids, no LSTM or GRU \
             node); export it again through tf2onnx or onnx.helper, so that a layer is one node"
        )));
    }
    let mut kinds = nodes.iter().map(|node| node.op_type.as_str());
    let similar = kinds.find(|kind| ["RNN", "LSTM", "GRU"].iter().any(|end| kind.ends_with(end)));
    let only = similar.map_or(String::new(), |kind| format!(", only operator {kind}"));
    Err(RecogniseError::Graph(format!(
        "there is no LSTM or GRU layer and no convolution{only}"
    )))
}

/// With so many sigmoids and matrix products, a graph is an unrolled recurrence and not a dense network.
const UNROLLED: usize = 8;
