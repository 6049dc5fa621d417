//! Add, Sub, Mul and Div with a constant: the normalisation of rows, or the bias of a dense layer.
//!
//! Refused everywhere else.

use super::error::{RecogniseError, refuse};
use super::origin::{Origins, flat, places};
use super::path::{GraphPath, StageKind};
use crate::model::proto::{NodeProto, TensorProto};
use crate::model::slide::recurrent::network::ScaleStep;

/// Reads one elementwise operator with a constant operand.
pub(super) fn elementwise(
    path: &mut GraphPath<'_>,
    node: &NodeProto,
) -> Result<Origins, RecogniseError> {
    let (origins, operand, constant_first) = match (path.origins(node, 0), path.origins(node, 1)) {
        (Some(origins), None) => (origins, path.constant(node, 1), false),
        (None, Some(origins)) => (origins, path.constant(node, 0), true),
        _ => return Err(path.unsupported(node)),
    };
    let Some(operand) = operand else {
        return Err(path.unsupported(node));
    };
    let subject = format!("operator {}", node.op_type);
    path.expect_newest(&subject, &origins.cells)?;
    let (newest, _) = path.newest();
    let (mut moved, numbers) = by_unit(origins, operand, newest.width, &subject)?;
    let what = match (newest.kind, node.op_type.as_str()) {
        (StageKind::Rows, kind) => {
            let Some(scale) = scale(kind, constant_first, numbers) else {
                return Err(path.unsupported(node));
            };
            path.network.scale.extend(scale);
            StageKind::Rows
        }
        (StageKind::Product(number), "Add") => {
            if let Some(dense) = path.network.head.last_mut() {
                dense.b = numbers;
            }
            StageKind::Dense(number)
        }
        _ => return Err(path.unsupported(node)),
    };
    let stage = path.add_stage(what, newest.width);
    moved.cells.iter_mut().for_each(|cell| cell.stage = stage);
    Ok(moved)
}

/// The operator as steps whose first operand is the row; a − x equals x · −1 + a to the last bit.
fn scale(kind: &str, constant_first: bool, by: Vec<f32>) -> Option<Vec<(ScaleStep, Vec<f32>)>> {
    Some(match (kind, constant_first) {
        ("Add", _) => vec![(ScaleStep::Add, by)],
        ("Mul", _) => vec![(ScaleStep::Mul, by)],
        ("Sub", false) => vec![(ScaleStep::Sub, by)],
        ("Sub", true) => vec![(ScaleStep::Mul, vec![-1.0; by.len()]), (ScaleStep::Add, by)],
        ("Div", false) => vec![(ScaleStep::Div, by)],
        _ => return None,
    })
}

/// The origins in the shape of the result, and the operand of each unit, which must be equal at all steps.
fn by_unit(
    origins: &Origins,
    operand: &TensorProto,
    width: usize,
    subject: &str,
) -> Result<(Origins, Vec<f32>), RecogniseError> {
    let numbers = operand.floats()?;
    let shape = broadcast(&origins.shape, &operand.shape());
    let Some(moved) = shape.and_then(|shape| origins.reshape(shape)) else {
        return refuse(format!(
            "{subject} repeats a tensor of shape {:?} for a constant of shape {:?}",
            origins.shape, operand.dims
        ));
    };
    let mut by: Vec<Option<f32>> = vec![None; width];
    for (origin, place) in moved.cells.iter().zip(places(&moved.shape)) {
        let number = numbers[under(&place, &operand.shape())];
        if by[origin.unit]
            .replace(number)
            .is_some_and(|other| other != number)
        {
            return refuse(format!(
                "{subject} normalises a number differently at each step"
            ));
        }
    }
    match by.into_iter().collect() {
        Some(by) => Ok((moved, by)),
        None => refuse(format!(
            "{subject} changes only some of the {width} numbers of a step"
        )),
    }
}

/// The shape to which two tensors are broadcast, if they can be.
fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let size = |shape: &[usize], at: usize| {
        (at + shape.len())
            .checked_sub(rank)
            .map_or(1, |at| shape[at])
    };
    let pair = |at| match (size(a, at), size(b, at)) {
        (x, y) if x == y || y == 1 => Some(x),
        (1, y) => Some(y),
        _ => None,
    };
    (0..rank).map(pair).collect()
}

/// The index of the operand for a place of the result; dimensions of size one are repeated.
fn under(place: &[usize], shape: &[usize]) -> usize {
    let place = &place[place.len() - shape.len()..];
    let within = place.iter().zip(shape).map(|(&at, &size)| at.min(size - 1));
    flat(&within.collect::<Vec<_>>(), shape)
}
