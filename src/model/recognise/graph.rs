//! The parts of a file's graph that are read: its one input, its first output, and the nodes between.

use std::collections::HashSet;

use super::error::{RecogniseError, refuse};
use crate::model::proto::tensor::{FLOAT, type_name};
use crate::model::proto::{
    DimensionSize, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, ValueInfoProto,
};

/// The graph of a file.
pub(super) fn graph(model: &ModelProto) -> Result<&GraphProto, RecogniseError> {
    let graph = model.graph.as_ref();
    graph.ok_or_else(|| RecogniseError::Graph("the file holds no graph".into()))
}

/// The version of ONNX's own operators.
pub(super) fn opset(model: &ModelProto) -> i64 {
    let own = |set: &&OperatorSetIdProto| set.domain.is_empty() || set.domain == "ai.onnx";
    let set = model.opset_import.iter().find(own);
    set.map_or(1, |set| set.version)
}

/// The nodes on which the first output depends, in order. Other outputs are not read.
pub(super) fn nodes_of_first_output(graph: &GraphProto) -> Result<Vec<&NodeProto>, RecogniseError> {
    let Some(output) = graph.output.first() else {
        return Err(RecogniseError::Graph("the graph has no output".into()));
    };
    let mut needed = HashSet::from([output.name.as_str()]);
    let mut nodes = Vec::new();
    for node in graph.node.iter().rev() {
        if node
            .output
            .iter()
            .any(|name| needed.contains(name.as_str()))
        {
            // An empty name is an argument that is left out, not a tensor.
            let names = node.input.iter().map(String::as_str);
            needed.extend(names.filter(|name| !name.is_empty()));
            nodes.push(node);
        }
    }
    nodes.reverse();
    Ok(nodes)
}

/// The one input that is not a constant.
pub(super) fn window_input(graph: &GraphProto) -> Result<&ValueInfoProto, RecogniseError> {
    let constant = |name: &str| graph.initializer.iter().any(|tensor| tensor.name == name);
    let inputs: Vec<_> = graph
        .input
        .iter()
        .filter(|input| !constant(&input.name))
        .collect();
    match inputs[..] {
        [one] => Ok(one),
        _ => refuse(format!(
            "the graph has {} inputs; one window is expected",
            inputs.len()
        )),
    }
}

/// The sizes of a window `[1, T, F]` of float32, where they are fixed.
pub(super) fn window_shape(input: &ValueInfoProto) -> Result<Vec<Option<usize>>, RecogniseError> {
    let tensor = input
        .r#type
        .as_ref()
        .and_then(|kind| kind.tensor_type.as_ref());
    let kind = tensor.map_or(0, |tensor| tensor.elem_type());
    if kind != FLOAT {
        return refuse(format!(
            "the input is of type {}, not float32",
            type_name(kind)
        ));
    }
    let dims = tensor
        .and_then(|tensor| tensor.shape.as_ref())
        .map_or(&[][..], |shape| &shape.dim);
    if dims.len() != 3 {
        return refuse(format!(
            "the input has {} dimensions; [1, T, F] is expected",
            dims.len()
        ));
    }
    let size = |size: &Option<DimensionSize>| match size {
        Some(DimensionSize::Value(size)) => usize::try_from(*size).ok(),
        Some(DimensionSize::Param(_)) | None => None,
    };
    Ok(dims.iter().map(|dim| size(&dim.size)).collect())
}
