//! Gemm, MatMul and activations: the dense layers behind the recurrence or the convolutions.
//!
//! A dense layer may run on all steps; the output then takes the last one.

use super::error::{RecogniseError, refuse};
use super::label::{Label, Labels};
use super::path::{Path, What};
use super::pooling;
use crate::model::proto::{NodeProto, TensorProto};
use crate::model::slide::recurrent::network::{Activation, Dense};

/// Reads a matrix product with constant weights.
pub(super) fn product(path: &mut Path<'_>, node: &NodeProto) -> Result<Labels, RecogniseError> {
    let (Some(labels), Some(matrix)) = (path.labels(node, 0), path.constant(node, 1)) else {
        return Err(path.unknown(node));
    };
    let number = path.network.head.len() + 1;
    let who = format!("dense layer {number}");
    let (newest, _) = path.newest();
    if newest.what == What::Rows {
        let kind = &node.op_type;
        return refuse(format!("operator {kind} stands before the first layer"));
    }
    let gemm = node.op_type == "Gemm";
    let turned = if gemm {
        turned_arguments(node, labels, &who)?
    } else {
        [false; 2]
    };
    let labels = if turned[0] {
        labels.transpose(&[1, 0])
    } else {
        labels.clone()
    };
    let flat = pooling::flat(path, &who, &labels)?;
    let (steps, inputs) = match &flat {
        Some(places) => (vec![path.network.steps - 1], places.len()),
        None => (steps_of(path, &who, labels.rows())?, newest.width),
    };
    let (mut w, outputs) = weights(matrix, inputs, turned[1], &who)?;
    if let Some(places) = flat {
        w = ordered(&w, &places);
    }
    let b = if gemm {
        bias(path, node, outputs, &who)?
    } else {
        None
    };
    let mut shape = labels.shape.clone();
    shape.pop();
    shape.push(outputs);
    path.network.head.push(Dense {
        inputs,
        outputs,
        w,
        b: b.unwrap_or_else(|| vec![0.0; outputs]),
        activation: Activation::Identity,
    });
    let what = if gemm {
        What::Dense(number)
    } else {
        What::Product(number)
    };
    let stage = path.add(what, outputs);
    let label = |step| (0..outputs).map(move |unit| Label { stage, step, unit });
    let cells = steps.into_iter().flat_map(label).collect();
    Ok(Labels { shape, cells })
}

/// Whether a Gemm transposes its first and its second argument.
fn turned_arguments(
    node: &NodeProto,
    labels: &Labels,
    who: &str,
) -> Result<[bool; 2], RecogniseError> {
    let one = |name: &str| node.setting(name).and_then(|one| one.f).unwrap_or(1.0) == 1.0;
    if !one("alpha") || !one("beta") {
        return refuse(format!("{who} (Gemm) is scaled by alpha or beta"));
    }
    if labels.shape.len() != 2 {
        return refuse(format!(
            "{who} (Gemm) takes a tensor of shape {:?}",
            labels.shape
        ));
    }
    Ok(["transA", "transB"].map(|name| node.integer(name).unwrap_or(0) != 0))
}

/// The weights [O, I] of a matrix that is [I, O], or already turned; and O.
fn weights(
    matrix: &TensorProto,
    inputs: usize,
    turned: bool,
    who: &str,
) -> Result<(Vec<f32>, usize), RecogniseError> {
    let outputs = match matrix.shape()[..] {
        [rows, columns] if turned && columns == inputs && rows > 0 => rows,
        [rows, columns] if !turned && rows == inputs && columns > 0 => columns,
        _ => {
            return refuse(format!(
                "{who} has weights of shape {:?} for {inputs} numbers",
                matrix.dims
            ));
        }
    };
    let w = matrix.floats()?;
    if turned {
        return Ok((w, outputs));
    }
    let column = |at| w.iter().skip(at).step_by(outputs).copied();
    Ok(((0..outputs).flat_map(column).collect(), outputs))
}

/// The weights of each output with each input in its place.
fn ordered(w: &[f32], places: &[usize]) -> Vec<f32> {
    let mut ordered = vec![0.0; w.len()];
    let rows = w.chunks_exact(places.len());
    for (w, ordered) in rows.zip(ordered.chunks_exact_mut(places.len())) {
        for (&w, &place) in w.iter().zip(places) {
            ordered[place] = w;
        }
    }
    ordered
}

/// Relu, Sigmoid, Tanh: on the sums of a dense layer.
pub(super) fn activation(
    path: &mut Path<'_>,
    node: &NodeProto,
    activation: Activation,
) -> Result<Labels, RecogniseError> {
    let Some(labels) = path.labels(node, 0).cloned() else {
        return Err(path.unknown(node));
    };
    path.expect_newest(&format!("operator {}", node.op_type), &labels.cells)?;
    activated(path, node, labels, activation)
}

/// Softmax: over all the sums of a dense layer at one step.
pub(super) fn softmax(path: &mut Path<'_>, node: &NodeProto) -> Result<Labels, RecogniseError> {
    let Some(labels) = path.labels(node, 0).cloned() else {
        return Err(path.unknown(node));
    };
    let (newest, _) = path.newest();
    if !matches!(newest.what, What::Product(_) | What::Dense(_)) {
        return Err(path.unknown(node));
    }
    // Before version 13 it runs over all dimensions from the axis on.
    let (default, flattens) = if path.opset < 13 {
        (1, true)
    } else {
        (-1, false)
    };
    let axis = node.integer("axis").unwrap_or(default);
    let rank = labels.shape.len();
    let axis = usize::try_from(if axis < 0 { axis + rank as i64 } else { axis });
    let over = axis
        .ok()
        .and_then(|axis| labels.shape.get(axis..))
        .unwrap_or_default();
    let length: usize = over.iter().product();
    if length != newest.width || !(flattens || over.first() == Some(&length)) {
        return refuse(
            "operator Softmax does not run over the outputs of the dense layer before it",
        );
    }
    steps_of(path, "operator Softmax", labels.cells.chunks_exact(length))?;
    activated(path, node, labels, Activation::Softmax)
}

fn activated(
    path: &mut Path<'_>,
    node: &NodeProto,
    mut labels: Labels,
    activation: Activation,
) -> Result<Labels, RecogniseError> {
    let (newest, _) = path.newest();
    let (What::Product(number) | What::Dense(number)) = newest.what else {
        return Err(path.unknown(node));
    };
    if let Some(dense) = path.network.head.last_mut() {
        dense.activation = activation;
    }
    let stage = path.add(What::Activated(number), newest.width);
    labels.cells.iter_mut().for_each(|cell| cell.stage = stage);
    Ok(labels)
}

/// The step of each row of labels; a row must be the whole newest stage in order.
fn steps_of<'l>(
    path: &Path<'_>,
    who: &str,
    rows: impl Iterator<Item = &'l [Label]>,
) -> Result<Vec<usize>, RecogniseError> {
    let mut steps = Vec::new();
    for row in rows {
        let step = row.first().map_or(0, |label| label.step);
        let together = row.iter().all(|label| label.step == step);
        // A row of several steps is held against the last one, which says what is wrong.
        let wanted = if together {
            step
        } else {
            path.network.steps - 1
        };
        path.expect(who, row, wanted..wanted + 1)?;
        steps.push(step);
    }
    Ok(steps)
}

/// The third argument of a Gemm: one number, or one for each output.
fn bias(
    path: &Path<'_>,
    node: &NodeProto,
    outputs: usize,
    who: &str,
) -> Result<Option<Vec<f32>>, RecogniseError> {
    if node.argument(2).is_none() {
        return Ok(None);
    }
    let Some(constant) = path.constant(node, 2) else {
        return refuse(format!("{who} adds what the graph computes"));
    };
    let numbers = constant.floats()?;
    match (numbers.len(), constant.shape().last()) {
        (1, _) => Ok(Some(vec![numbers[0]; outputs])),
        (count, Some(&last)) if count == outputs && last == outputs => Ok(Some(numbers)),
        _ => refuse(format!("{who} has biases of shape {:?}", constant.dims)),
    }
}
