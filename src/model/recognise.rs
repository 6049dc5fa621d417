//! Recognises a recurrent or a convolution network in an ONNX file, or says why it is none.
//!
//! [`normal_form`] lets ONNX Runtime fold the graph for one window; [`recognise`] then follows the path from
//! the rows to the first output with a label on every number: which stage made it, at which step, for which
//! unit. Operators that only move numbers move labels, whatever an exporter's mix of them, and a layer is
//! accepted where its input's labels are the ones it must have. Computes no score.

mod convolution;
mod dense;
pub mod error;
mod fold;
mod graph;
mod label;
mod layer;
mod memory;
mod path;
mod pooling;
mod scale;
mod shape;

use std::collections::HashMap;

use self::error::{RecogniseError, refuse};
pub use self::fold::normal_form;
use self::graph::{graph, nodes_of_first_output, opset};
use self::label::Labels;
pub use self::memory::long_memory;
use self::path::{Path, own};
use super::proto::{ModelProto, NodeProto};
use super::slide::Recognised;
use super::slide::convolution::network::Convolution;
use super::slide::recurrent::network::{Activation, Cell};

/// The network in a folded graph ([`normal_form`]) over windows of so many steps.
///
/// # Errors
/// [`RecogniseError::Graph`] with the first thing in it that is something else.
pub fn recognise(model: &ModelProto, steps: usize) -> Result<Recognised, RecogniseError> {
    let graph = graph(model)?;
    let nodes = nodes_of_first_output(graph)?;
    has_layers(&nodes)?;
    let mut path = Path::enter(graph, opset(model), steps)?;
    for node in nodes {
        follow(&mut path, node)?;
    }
    leave(path, &graph.output[0].name)
}

/// Reads the next node.
fn follow<'g>(path: &mut Path<'g>, node: &'g NodeProto) -> Result<(), RecogniseError> {
    path.knows_arguments(node)?;
    let results = match node.op_type.as_str() {
        _ if !own(&node.domain) => return Err(path.unknown(node)),
        "LSTM" => layer::recurrent(path, node, Cell::Lstm)?,
        "GRU" => {
            let reset_after = node.integer("linear_before_reset").unwrap_or(0) != 0;
            layer::recurrent(path, node, Cell::Gru { reset_after })?
        }
        "Conv" => vec![convolution::convolution(path, node)?],
        "Add" if joins(path, node) => vec![convolution::sum(path, node)?],
        "Add" | "Sub" | "Mul" | "Div" => vec![scale::elementwise(path, node)?],
        "Gemm" | "MatMul" => vec![dense::product(path, node)?],
        "Relu" => vec![activate(path, node, Activation::Relu)?],
        "Sigmoid" => vec![activate(path, node, Activation::Sigmoid)?],
        "Tanh" => vec![activate(path, node, Activation::Tanh)?],
        "Softmax" => vec![dense::softmax(path, node)?],
        _ => match pooling::pool(path, node)? {
            Some(pooled) => vec![pooled],
            None => {
                let from = path.labels(node, 0).ok_or_else(|| path.unknown(node))?;
                shape::moved(node, from, path)?.ok_or_else(|| path.unknown(node))?
            }
        },
    };
    path.note(node, results);
    Ok(())
}

/// Ends at the output, which must be the newest stage at the last step, in order.
fn leave(path: Path<'_>, output: &str) -> Result<Recognised, RecogniseError> {
    let Some(labels) = path.tensor(output) else {
        return refuse("the first output is not computed from the window");
    };
    let last = path.network.steps - 1;
    if path.filters.is_empty() {
        path.expect("the output", &labels.cells, last..last + 1)?;
        return Ok(Recognised::Recurrent(path.network));
    }
    let taken = match path.taken {
        Some(taken) => taken,
        None => pooling::last(&path, output)?,
    };
    path.expect("the output", &labels.cells, last..last + 1)?;
    if !path.network.layers.is_empty() {
        return refuse("recurrent layers and convolutions stand beside one another");
    }
    Ok(Recognised::Convolution(Convolution {
        features: path.network.features,
        steps: path.network.steps,
        scale: path.network.scale,
        filters: path.filters,
        taken,
        head: path.network.head,
    }))
}

/// Whether both arguments of a node are computed by the graph.
fn joins(path: &Path<'_>, node: &NodeProto) -> bool {
    !path.filters.is_empty() && (0..2).all(|at| path.labels(node, at).is_some())
}

fn activate(
    path: &mut Path<'_>,
    node: &NodeProto,
    activation: Activation,
) -> Result<Labels, RecogniseError> {
    let labels = path.labels(node, 0);
    match labels.and_then(|labels| convolution::filter_of(path, labels)) {
        Some(number) => convolution::activation(path, node, number, activation),
        None => dense::activation(path, node, activation),
    }
}

/// The commonest reasons first, each in its own words: the walk would stop at a detail.
fn has_layers(nodes: &[&NodeProto]) -> Result<(), RecogniseError> {
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
    let kin = kinds.find(|kind| ["RNN", "LSTM", "GRU"].iter().any(|end| kind.ends_with(end)));
    let only = kin.map_or(String::new(), |kind| format!(", only operator {kind}"));
    Err(RecogniseError::Graph(format!(
        "there is no LSTM or GRU layer and no convolution{only}"
    )))
}

/// So many sigmoids and matrix products are an unrolled recurrence and not a dense network.
const UNROLLED: usize = 8;
