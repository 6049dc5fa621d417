//! Gemm, MatMul and activations: the dense layers after the recurrent layers or the convolutions.
//!
//! A dense layer may run on all steps if the output takes the last one.

use super::error::{RecogniseError, refuse};
use super::origin::{CellOrigin, Origins};
use super::path::{GraphPath, StageKind};
use super::pooling;
use crate::model::proto::{NodeProto, TensorProto};
use crate::model::slide::recurrent::network::{Activation, DenseLayer};

/// Reads a matrix product with constant weights.
pub(super) fn product(
    path: &mut GraphPath<'_>,
    node: &NodeProto,
) -> Result<Origins, RecogniseError> {
    let (Some(origins), Some(matrix)) = (path.origins(node, 0), path.constant(node, 1)) else {
        return Err(path.unsupported(node));
    };
    let number = path.network.head.len() + 1;
    let subject = format!("dense layer {number}");
    let (newest, _) = path.newest();
    if newest.kind == StageKind::Rows {
        let kind = &node.op_type;
        return refuse(format!("operator {kind} is before the first layer"));
    }
    let gemm = node.op_type == "Gemm";
    let transposed = if gemm {
        transposed_arguments(node, origins, &subject)?
    } else {
        [false; 2]
    };
    let origins = if transposed[0] {
        origins.transpose(&[1, 0])
    } else {
        origins.clone()
    };
    let flat = pooling::flat(path, &subject, &origins)?;
    let (steps, inputs) = match &flat {
        Some(places) => (vec![path.network.steps - 1], places.len()),
        None => (steps_of(path, &subject, origins.rows())?, newest.width),
    };
    let (mut w, outputs) = weights(matrix, inputs, transposed[1], &subject)?;
    if let Some(places) = flat {
        w = reordered(&w, &places);
    }
    let b = if gemm {
        bias(path, node, outputs, &subject)?
    } else {
        None
    };
    let mut shape = origins.shape.clone();
    shape.pop();
    shape.push(outputs);
    path.network.head.push(DenseLayer {
        inputs,
        outputs,
        w,
        b: b.unwrap_or_else(|| vec![0.0; outputs]),
        activation: Activation::Identity,
    });
    let what = if gemm {
        StageKind::Dense(number)
    } else {
        StageKind::Product(number)
    };
    let stage = path.add_stage(what, outputs);
    let origin = |step| (0..outputs).map(move |unit| CellOrigin { stage, step, unit });
    let cells = steps.into_iter().flat_map(origin).collect();
    Ok(Origins { shape, cells })
}

/// Whether a Gemm transposes its first and its second argument.
fn transposed_arguments(
    node: &NodeProto,
    origins: &Origins,
    subject: &str,
) -> Result<[bool; 2], RecogniseError> {
    let one = |name: &str| node.setting(name).and_then(|one| one.f).unwrap_or(1.0) == 1.0;
    if !one("alpha") || !one("beta") {
        return refuse(format!("{subject} (Gemm) is scaled by alpha or beta"));
    }
    if origins.shape.len() != 2 {
        return refuse(format!(
            "{subject} (Gemm) takes a tensor of shape {:?}",
            origins.shape
        ));
    }
    Ok(["transA", "transB"].map(|name| node.integer(name).unwrap_or(0) != 0))
}

/// The weights as [O, I], of a matrix [I, O] or, where `transposed`, [O, I]; and O.
fn weights(
    matrix: &TensorProto,
    inputs: usize,
    transposed: bool,
    subject: &str,
) -> Result<(Vec<f32>, usize), RecogniseError> {
    let outputs = match matrix.shape()[..] {
        [rows, columns] if transposed && columns == inputs && rows > 0 => rows,
        [rows, columns] if !transposed && rows == inputs && columns > 0 => columns,
        _ => {
            return refuse(format!(
                "{subject} has weights of shape {:?} for {inputs} numbers",
                matrix.dims
            ));
        }
    };
    let w = matrix.floats()?;
    if transposed {
        return Ok((w, outputs));
    }
    let column = |at| w.iter().skip(at).step_by(outputs).copied();
    Ok(((0..outputs).flat_map(column).collect(), outputs))
}

/// Reorders the weights of each output: that of input i goes to `places[i]`.
fn reordered(w: &[f32], places: &[usize]) -> Vec<f32> {
    let mut ordered = vec![0.0; w.len()];
    let rows = w.chunks_exact(places.len());
    for (w, ordered) in rows.zip(ordered.chunks_exact_mut(places.len())) {
        for (&w, &place) in w.iter().zip(places) {
            ordered[place] = w;
        }
    }
    ordered
}

/// Reads Relu, Sigmoid or Tanh of the sums of a dense layer.
pub(super) fn activation(
    path: &mut GraphPath<'_>,
    node: &NodeProto,
    activation: Activation,
) -> Result<Origins, RecogniseError> {
    let Some(origins) = path.origins(node, 0).cloned() else {
        return Err(path.unsupported(node));
    };
    path.expect_newest(&format!("operator {}", node.op_type), &origins.cells)?;
    activated(path, node, origins, activation)
}

/// Reads Softmax over all sums of a dense layer at one step.
pub(super) fn softmax(
    path: &mut GraphPath<'_>,
    node: &NodeProto,
) -> Result<Origins, RecogniseError> {
    let Some(origins) = path.origins(node, 0).cloned() else {
        return Err(path.unsupported(node));
    };
    let (newest, _) = path.newest();
    if !matches!(newest.kind, StageKind::Product(_) | StageKind::Dense(_)) {
        return Err(path.unsupported(node));
    }
    // Before version 13 of the operators it runs over all dimensions from the axis on.
    let (default, flattens) = if path.opset < 13 {
        (1, true)
    } else {
        (-1, false)
    };
    let axis = node.integer("axis").unwrap_or(default);
    let rank = origins.shape.len();
    let axis = usize::try_from(if axis < 0 { axis + rank as i64 } else { axis });
    let over = axis
        .ok()
        .and_then(|axis| origins.shape.get(axis..))
        .unwrap_or_default();
    let length: usize = over.iter().product();
    if length != newest.width || !(flattens || over.first() == Some(&length)) {
        return refuse(
            "operator Softmax does not run over the outputs of the dense layer before it",
        );
    }
    steps_of(path, "operator Softmax", origins.cells.chunks_exact(length))?;
    activated(path, node, origins, Activation::Softmax)
}

fn activated(
    path: &mut GraphPath<'_>,
    node: &NodeProto,
    mut origins: Origins,
    activation: Activation,
) -> Result<Origins, RecogniseError> {
    let (newest, _) = path.newest();
    let (StageKind::Product(number) | StageKind::Dense(number)) = newest.kind else {
        return Err(path.unsupported(node));
    };
    if let Some(dense) = path.network.head.last_mut() {
        dense.activation = activation;
    }
    let stage = path.add_stage(StageKind::Activated(number), newest.width);
    origins.cells.iter_mut().for_each(|cell| cell.stage = stage);
    Ok(origins)
}

/// The step of each row of origins. A row must be all numbers of the newest stage at one step, in order.
fn steps_of<'l>(
    path: &GraphPath<'_>,
    subject: &str,
    rows: impl Iterator<Item = &'l [CellOrigin]>,
) -> Result<Vec<usize>, RecogniseError> {
    let mut steps = Vec::new();
    for row in rows {
        let step = row.first().map_or(0, |origin| origin.step);
        let one_step = row.iter().all(|origin| origin.step == step);
        // A row of several steps is compared with the last step, for the message of that error.
        let wanted = if one_step {
            step
        } else {
            path.network.steps - 1
        };
        path.expect(subject, row, wanted..wanted + 1)?;
        steps.push(step);
    }
    Ok(steps)
}

/// The third argument of a Gemm: one number, or one for each output.
fn bias(
    path: &GraphPath<'_>,
    node: &NodeProto,
    outputs: usize,
    subject: &str,
) -> Result<Option<Vec<f32>>, RecogniseError> {
    if node.argument(2).is_none() {
        return Ok(None);
    }
    let Some(constant) = path.constant(node, 2) else {
        return refuse(format!("{subject} adds what the graph computes"));
    };
    let numbers = constant.floats()?;
    match (numbers.len(), constant.shape().last()) {
        (1, _) => Ok(Some(vec![numbers[0]; outputs])),
        (count, Some(&last)) if count == outputs && last == outputs => Ok(Some(numbers)),
        _ => refuse(format!("{subject} has biases of shape {:?}", constant.dims)),
    }
}
