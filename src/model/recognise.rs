//! Recognises a recurrent or a convolution network in an ONNX file, or says why it is none.
//!
//! [`normal_form`] lets ONNX Runtime fold the graph for one window; [`recognise`] then follows the path from
//! the rows to the first output with a label on every number: which stage made it, at which step, for which
//! unit. Operators that only move numbers move labels, whatever an exporter's mix of them, and a layer is
//! accepted where its input's labels are the ones it must have. Computes no score.

mod convolution;
mod dense;
mod fold;
mod label;
mod layer;
mod memory;
mod path;
mod pooling;
mod scale;
mod shape;
pub mod why;

use std::collections::{HashMap, HashSet};

pub use self::fold::normal_form;
pub use self::memory::long_memory;
use self::path::Path;
use self::why::Why;
use super::proto::{GraphProto, ModelProto, NodeProto, OperatorSetIdProto};
use super::slide::Recognised;

/// The network in a folded graph ([`normal_form`]) over windows of so many steps.
///
/// # Errors
/// [`Why::Graph`] with the first thing in it that is something else.
pub fn recognise(model: &ModelProto, steps: usize) -> Result<Recognised, Why> {
    let graph = graph(model)?;
    let nodes = nodes_of_first_output(graph)?;
    has_layers(&nodes)?;
    let mut path = Path::enter(graph, opset(model), steps)?;
    for node in nodes {
        path.follow(node)?;
    }
    path.leave(&graph.output[0].name)
}

fn graph(model: &ModelProto) -> Result<&GraphProto, Why> {
    let graph = model.graph.as_ref();
    graph.ok_or_else(|| Why::Graph("the file holds no graph".into()))
}

/// The version of ONNX's own operators.
fn opset(model: &ModelProto) -> i64 {
    let own = |set: &&OperatorSetIdProto| set.domain.is_empty() || set.domain == "ai.onnx";
    let set = model.opset_import.iter().find(own);
    set.map_or(1, |set| set.version)
}

/// The nodes that the first output needs, in order: only that output is read.
fn nodes_of_first_output(graph: &GraphProto) -> Result<Vec<&NodeProto>, Why> {
    let Some(output) = graph.output.first() else {
        return Err(Why::Graph("the graph has no output".into()));
    };
    let mut needed = HashSet::from([output.name.as_str()]);
    let mut nodes = Vec::new();
    for node in graph.node.iter().rev() {
        if node
            .output
            .iter()
            .any(|name| needed.contains(name.as_str()))
        {
            // An empty name is an argument left out, not the result that another node leaves out.
            let names = node.input.iter().map(String::as_str);
            needed.extend(names.filter(|name| !name.is_empty()));
            nodes.push(node);
        }
    }
    nodes.reverse();
    Ok(nodes)
}

/// The commonest reasons first, each in its own words: the walk would stop at a detail.
fn has_layers(nodes: &[&NodeProto]) -> Result<(), Why> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for node in nodes {
        *counts.entry(&node.op_type).or_default() += 1;
    }
    let count = |kind: &str| counts.get(kind).copied().unwrap_or(0);
    if let Some(kind) = ["Loop", "Scan", "If"]
        .into_iter()
        .find(|kind| count(kind) > 0)
    {
        return Err(Why::Graph(format!(
            "operator {kind} holds a graph of its own, which is not followed; export the layers as LSTM \
             or GRU nodes"
        )));
    }
    if count("LSTM") + count("GRU") + count("Conv") > 0 {
        return Ok(());
    }
    let (products, gates) = (count("Gemm") + count("MatMul"), count("Sigmoid"));
    if gates >= UNROLLED && products >= UNROLLED {
        return Err(Why::Graph(format!(
            "the recurrence is unrolled ({products} matrix products and {gates} sigmoids, no LSTM or GRU \
             node); export it again through tf2onnx or onnx.helper, so that a layer is one node"
        )));
    }
    let mut kinds = nodes.iter().map(|node| node.op_type.as_str());
    let kin = kinds.find(|kind| ["RNN", "LSTM", "GRU"].iter().any(|end| kind.ends_with(end)));
    let only = kin.map_or(String::new(), |kind| format!(", only operator {kind}"));
    Err(Why::Graph(format!(
        "there is no LSTM or GRU layer and no convolution{only}"
    )))
}

/// So many sigmoids and matrix products are an unrolled recurrence and not a dense network.
const UNROLLED: usize = 8;
