//! The operators that only move numbers, applied to origins.
//!
//! Computes no number. Accepts every node that is well-formed.

use super::error::RecogniseError;
use super::origin::Origins;
use super::path::{GraphPath, MOST_CELLS};
use crate::model::proto::NodeProto;
use crate::model::proto::tensor::FLOAT;

/// The results of a node that only moves numbers; `None` where it is another operator.
pub(super) fn moved(
    node: &NodeProto,
    from: &Origins,
    path: &GraphPath<'_>,
) -> Result<Option<Vec<Origins>>, RecogniseError> {
    let one = match node.op_type.as_str() {
        "Identity" => Some(from.clone()),
        // With a third argument it may be in training mode, which is random.
        "Dropout" => node.argument(2).is_none().then(|| from.clone()),
        "Cast" => (node.integer("to") == Some(i64::from(FLOAT))).then(|| from.clone()),
        "Transpose" => transpose(node, from),
        "Reshape" => reshape(node, from, &constant(node, 1, path)?),
        "Flatten" => flatten(node, from),
        "Squeeze" => squeeze(from, axes(node, 1, path)?),
        "Unsqueeze" => unsqueeze(from, axes(node, 1, path)?),
        "Gather" => gather(node, from, path)?,
        "Slice" => slice(node, from, path)?,
        "Concat" => concat(node, path)?,
        "Pad" => pad(node, from, path)?,
        "Split" => return split(node, from, path).and_then(|parts| well_formed(node, parts)),
        _ => return Ok(None),
    };
    well_formed(node, one.map(|origins| vec![origins]))
}

fn well_formed(
    node: &NodeProto,
    moved: Option<Vec<Origins>>,
) -> Result<Option<Vec<Origins>>, RecogniseError> {
    let refused = || {
        RecogniseError::Graph(format!(
            "operator {} has attributes or arguments that are not supported",
            node.op_type
        ))
    };
    moved.map(Some).ok_or_else(refused)
}

fn transpose(node: &NodeProto, from: &Origins) -> Option<Origins> {
    let rank = from.shape.len();
    let order: Vec<usize> = match node.setting("perm") {
        Some(order) => places(&order.ints, rank)?,
        None => (0..rank).rev().collect(),
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    sorted
        .iter()
        .copied()
        .eq(0..rank)
        .then(|| from.transpose(&order))
}

fn reshape(node: &NodeProto, from: &Origins, wanted: &[i64]) -> Option<Origins> {
    let copies_zero = node.integer("allowzero") != Some(1);
    let mut shape = Vec::new();
    for (at, &size) in wanted.iter().enumerate() {
        shape.push(match size {
            0 if copies_zero => *from.shape.get(at)?,
            -1 => 1,
            size => usize::try_from(size).ok()?,
        });
    }
    if let Some(at) = wanted.iter().position(|&size| size == -1) {
        shape[at] = from.cells.len().checked_div(shape.iter().product())?;
    }
    from.reshape(shape)
}

fn flatten(node: &NodeProto, from: &Origins) -> Option<Origins> {
    let rank = from.shape.len();
    let axis = match node.integer("axis").unwrap_or(1) {
        whole if whole == rank as i64 => rank,
        axis => place(axis, rank)?,
    };
    let (outer, inner) = from.shape.split_at(axis);
    from.reshape(vec![outer.iter().product(), inner.iter().product()])
}

fn squeeze(from: &Origins, axes: Option<Vec<i64>>) -> Option<Origins> {
    let gone: Vec<usize> = match axes {
        Some(axes) => places(&axes, from.shape.len())?,
        None => (0..from.shape.len())
            .filter(|&at| from.shape[at] == 1)
            .collect(),
    };
    let kept = (0..from.shape.len()).filter(|at| !gone.contains(at));
    from.reshape(kept.map(|at| from.shape[at]).collect())
}

fn unsqueeze(from: &Origins, axes: Option<Vec<i64>>) -> Option<Origins> {
    let axes = axes?;
    let rank = from.shape.len() + axes.len();
    let new = places(&axes, rank)?;
    let mut old = from.shape.iter().copied();
    let shape = (0..rank).map(|at| {
        if new.contains(&at) {
            Some(1)
        } else {
            old.next()
        }
    });
    from.reshape(shape.collect::<Option<_>>()?)
}

/// An index of rank 0 removes the axis; one of rank 1 selects along it.
fn gather(
    node: &NodeProto,
    from: &Origins,
    path: &GraphPath<'_>,
) -> Result<Option<Origins>, RecogniseError> {
    let indices = constant(node, 1, path)?;
    let rank = path.constant(node, 1).map_or(0, |tensor| tensor.dims.len());
    let picked = || {
        let axis = place(node.integer("axis").unwrap_or(0), from.shape.len())?;
        let taken = from.take(axis, &places(&indices, from.shape[axis])?);
        match rank {
            0 => squeeze(&taken, Some(vec![axis as i64])),
            1 => Some(taken),
            _ => None,
        }
    };
    Ok(picked())
}

fn slice(
    node: &NodeProto,
    from: &Origins,
    path: &GraphPath<'_>,
) -> Result<Option<Origins>, RecogniseError> {
    let setting = |name: &str| node.setting(name).map(|one| one.ints.clone());
    // Before version 10 of the operators the bounds were attributes.
    let (starts, ends, axes, strides) = match setting("starts") {
        Some(starts) => (
            starts,
            setting("ends").unwrap_or_default(),
            setting("axes"),
            None,
        ),
        None => (
            constant(node, 1, path)?,
            constant(node, 2, path)?,
            optional(node, 3, path)?,
            optional(node, 4, path)?,
        ),
    };
    let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let strides = strides.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), strides.len()] != [starts.len(); 3] {
        return Ok(None);
    }
    let mut taken = from.clone();
    for (at, &axis) in axes.iter().enumerate() {
        let Some(axis) = place(axis, taken.shape.len()).filter(|_| strides[at] != 0) else {
            return Ok(None);
        };
        let places = strided(starts[at], ends[at], strides[at], taken.shape[axis]);
        taken = taken.take(axis, &places);
    }
    Ok(Some(taken))
}

/// The places from `start` up to but without `end`; negative bounds count from the end.
fn strided(start: i64, end: i64, stride: i64, size: usize) -> Vec<usize> {
    let size = size as i64;
    let (lowest, highest) = if stride > 0 {
        (0, size)
    } else {
        (-1, size - 1)
    };
    let bound = |at: i64| {
        let at = if at < 0 { at.saturating_add(size) } else { at };
        at.clamp(lowest, highest)
    };
    let (start, end) = (bound(start), bound(end));
    let mut places = Vec::new();
    let mut at = start;
    while (stride > 0 && at < end) || (stride < 0 && at > end) {
        places.push(at as usize);
        at = at.saturating_add(stride);
    }
    places
}

fn concat(node: &NodeProto, path: &GraphPath<'_>) -> Result<Option<Origins>, RecogniseError> {
    let parts = (0..node.input.len()).map(|at| path.origins(node, at));
    let Some(parts) = parts.collect::<Option<Vec<&Origins>>>() else {
        return Err(RecogniseError::Graph(
            "operator Concat joins constants and computed tensors".into(),
        ));
    };
    let rank = parts[0].shape.len();
    let Some(axis) = node.integer("axis").and_then(|axis| place(axis, rank)) else {
        return Ok(None);
    };
    let fits = |part: &&Origins| {
        let pairs = part.shape.iter().zip(&parts[0].shape).enumerate();
        part.shape.len() == rank && pairs.into_iter().all(|(at, (a, b))| a == b || at == axis)
    };
    Ok(parts
        .iter()
        .all(fits)
        .then(|| Origins::concat(&parts, axis)))
}

fn split(
    node: &NodeProto,
    from: &Origins,
    path: &GraphPath<'_>,
) -> Result<Option<Vec<Origins>>, RecogniseError> {
    let sizes = match node.setting("split") {
        Some(sizes) => Some(sizes.ints.clone()),
        None => optional(node, 1, path)?,
    };
    let parts = || {
        let axis = place(node.integer("axis").unwrap_or(0), from.shape.len())?;
        let sizes = part_sizes(sizes, from.shape[axis], node.output.len())?;
        let mut start = 0;
        let part = sizes.iter().map(|&size| {
            start += size;
            from.take(axis, &(start - size..start).collect::<Vec<_>>())
        });
        Some(part.collect())
    };
    Ok(parts())
}

/// Explicit sizes must add up to the whole; otherwise the parts are equal, and the last may be smaller.
fn part_sizes(sizes: Option<Vec<i64>>, whole: usize, parts: usize) -> Option<Vec<usize>> {
    let even = whole.div_ceil(parts.max(1));
    let sizes: Vec<usize> = match sizes {
        Some(sizes) => {
            let size = |&size| usize::try_from(size).ok();
            sizes.iter().map(size).collect::<Option<_>>()?
        }
        None => {
            let left = |at| whole.saturating_sub(at * even).min(even);
            (0..parts).map(left).collect()
        }
    };
    (sizes.iter().sum::<usize>() == whole).then_some(sizes)
}

/// Zeros around a tensor; other padding is not supported.
fn pad(
    node: &NodeProto,
    from: &Origins,
    path: &GraphPath<'_>,
) -> Result<Option<Origins>, RecogniseError> {
    let mode = node.setting("mode").and_then(|one| one.s.as_deref());
    let value = match path.constant(node, 2) {
        Some(value) => value.floats()?,
        None => vec![0.0],
    };
    let by_zeros = mode.unwrap_or(b"constant") == b"constant" && value == [0.0];
    // Before version 11 of the operators the sizes were an attribute.
    let pads = match node.setting("pads") {
        Some(pads) => pads.ints.clone(),
        None => constant(node, 1, path)?,
    };
    let rank = from.shape.len();
    if !by_zeros || pads.len() != 2 * rank || node.argument(3).is_some() {
        return Ok(None);
    }
    let padded = || {
        let pads = pads.iter().map(|&pad| usize::try_from(pad).ok());
        let pads = pads.collect::<Option<Vec<usize>>>()?;
        let sides = pads[..rank].iter().zip(&pads[rank..]).zip(&from.shape);
        let size = |((before, after), size): ((&usize, &usize), &usize)| {
            size.checked_add(*before)?.checked_add(*after)
        };
        let shape = sides.map(size).collect::<Option<Vec<usize>>>()?;
        let mut sizes = shape.iter();
        let cells = sizes.try_fold(1_usize, |all, &size| all.checked_mul(size))?;
        (cells <= MOST_CELLS).then(|| from.pad(&pads[..rank], shape))
    };
    Ok(padded())
}

/// The axes: an argument, or an attribute in older versions of the operators.
fn axes(
    node: &NodeProto,
    at: usize,
    path: &GraphPath<'_>,
) -> Result<Option<Vec<i64>>, RecogniseError> {
    match node.setting("axes") {
        Some(axes) => Ok(Some(axes.ints.clone())),
        None => optional(node, at, path),
    }
}

fn optional(
    node: &NodeProto,
    at: usize,
    path: &GraphPath<'_>,
) -> Result<Option<Vec<i64>>, RecogniseError> {
    match node.argument(at) {
        Some(_) => Ok(Some(constant(node, at, path)?)),
        None => Ok(None),
    }
}

/// An argument that must be constant.
fn constant(node: &NodeProto, at: usize, path: &GraphPath<'_>) -> Result<Vec<i64>, RecogniseError> {
    match path.constant(node, at) {
        Some(tensor) => tensor.integers(),
        None => Err(RecogniseError::Graph(format!(
            "operator {} moves numbers to places that the graph computes",
            node.op_type
        ))),
    }
}

/// An index; a negative one counts from the end.
fn place(at: i64, size: usize) -> Option<usize> {
    let at = if at < 0 {
        at.checked_add(size as i64)?
    } else {
        at
    };
    usize::try_from(at).ok().filter(|&at| at < size)
}

fn places(all: &[i64], size: usize) -> Option<Vec<usize>> {
    all.iter().map(|&at| place(at, size)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_a_slice_follow_onnx() {
        assert_eq!(strided(-1, i64::MAX, 1, 4), [3]);
        assert_eq!(strided(0, -1, 1, 4), [0, 1, 2]);
        assert_eq!(strided(1, 9, 2, 4), [1, 3]);
        assert_eq!(strided(-1, i64::MIN, -1, 3), [2, 1, 0]);
        assert_eq!(strided(3, 1, 1, 4), [0_usize; 0]);
    }
}
