//! Add, Sub, Mul and Div with a constant: the normalisation of rows, or the bias of a dense layer.
//!
//! Anywhere else they are refused.

use super::error::{RecogniseError, refuse};
use super::label::{Labels, flat, places};
use super::path::{Path, What};
use crate::model::proto::{NodeProto, TensorProto};
use crate::model::slide::recurrent::network::Scale;

/// Reads one elementwise operator with a constant operand.
pub(super) fn elementwise(path: &mut Path<'_>, node: &NodeProto) -> Result<Labels, RecogniseError> {
    let (labels, operand, constant_first) = match (path.labels(node, 0), path.labels(node, 1)) {
        (Some(labels), None) => (labels, path.constant(node, 1), false),
        (None, Some(labels)) => (labels, path.constant(node, 0), true),
        _ => return Err(path.unknown(node)),
    };
    let Some(operand) = operand else {
        return Err(path.unknown(node));
    };
    let who = format!("operator {}", node.op_type);
    path.expect_newest(&who, &labels.cells)?;
    let (newest, _) = path.newest();
    let (mut moved, numbers) = by_unit(labels, operand, newest.width, &who)?;
    let what = match (newest.what, node.op_type.as_str()) {
        (What::Rows, kind) => {
            let Some(scale) = scale(kind, constant_first, numbers) else {
                return Err(path.unknown(node));
            };
            path.network.scale.extend(scale);
            What::Rows
        }
        (What::Product(number), "Add") => {
            if let Some(dense) = path.network.head.last_mut() {
                dense.b = numbers;
            }
            What::Dense(number)
        }
        _ => return Err(path.unknown(node)),
    };
    let stage = path.add(what, newest.width);
    moved.cells.iter_mut().for_each(|cell| cell.stage = stage);
    Ok(moved)
}

/// The same in steps whose first operand is the row; a − x is x · −1 + a to the last bit.
fn scale(kind: &str, constant_first: bool, by: Vec<f32>) -> Option<Vec<(Scale, Vec<f32>)>> {
    Some(match (kind, constant_first) {
        ("Add", _) => vec![(Scale::Add, by)],
        ("Mul", _) => vec![(Scale::Mul, by)],
        ("Sub", false) => vec![(Scale::Sub, by)],
        ("Sub", true) => vec![(Scale::Mul, vec![-1.0; by.len()]), (Scale::Add, by)],
        ("Div", false) => vec![(Scale::Div, by)],
        _ => return None,
    })
}

/// The labels in the result's shape, and the operand of each unit, which must not differ by step.
fn by_unit(
    labels: &Labels,
    operand: &TensorProto,
    width: usize,
    who: &str,
) -> Result<(Labels, Vec<f32>), RecogniseError> {
    let numbers = operand.floats()?;
    let shape = broadcast(&labels.shape, &operand.shape());
    let Some(moved) = shape.and_then(|shape| labels.reshape(shape)) else {
        return refuse(format!(
            "{who} repeats a tensor of shape {:?} for a constant of shape {:?}",
            labels.shape, operand.dims
        ));
    };
    let mut by: Vec<Option<f32>> = vec![None; width];
    for (label, place) in moved.cells.iter().zip(places(&moved.shape)) {
        let number = numbers[under(&place, &operand.shape())];
        if by[label.unit]
            .replace(number)
            .is_some_and(|other| other != number)
        {
            return refuse(format!(
                "{who} normalises a number differently at each step"
            ));
        }
    }
    match by.into_iter().collect() {
        Some(by) => Ok((moved, by)),
        None => refuse(format!(
            "{who} changes only some of the {width} numbers of a step"
        )),
    }
}

/// The shape of two tensors taken together, where they fit.
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

/// Where the operand for a place of the result lies; its dimensions of 1 are repeated.
fn under(place: &[usize], shape: &[usize]) -> usize {
    let place = &place[place.len() - shape.len()..];
    let within = place.iter().zip(shape).map(|(&at, &size)| at.min(size - 1));
    flat(&within.collect::<Vec<_>>(), shape)
}
