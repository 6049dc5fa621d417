//! Conv nodes, and the activations and sums after them: columns that sliding windows share, one per row.
//!
//! The step of a column is that of the newest row it sees. Padding before the first row is accepted here;
//! `pooling` refuses a head that takes a column which sees it.

use std::ops::Range;

use super::error::{RecogniseError, refuse};
use super::origin::{CellOrigin, Origins};
use super::path::{FilterProgress, GraphPath, MOST_CELLS, PADDING, StageKind};
use crate::model::proto::{NodeProto, TensorProto};
use crate::model::slide::convolution::network::ConvolutionFilter;
use crate::model::slide::recurrent::network::Activation;

/// A range of a source's columns, with zeros before and after it.
struct PaddedColumns {
    stage: usize,
    steps: Range<usize>,
    left: usize,
    right: usize,
}

/// Reads a convolution.
pub(super) fn convolution(
    path: &mut GraphPath<'_>,
    node: &NodeProto,
) -> Result<Origins, RecogniseError> {
    let Some(origins) = path.origins(node, 0) else {
        return Err(path.unsupported(node));
    };
    let subject = format!("convolution {}", path.filters.len() + 1);
    let attributes = ConvAttributes::of(path, node, origins, &subject)?;
    let columns = columns(path, &subject, origins, attributes.pads)?;
    let (from, first_unpadded) = source(path, &subject, columns.stage)?;
    let PaddedColumns {
        steps, left, right, ..
    } = columns;
    let steps_of_all = path.network.steps;
    if steps.end > steps_of_all {
        return refuse(path.padded_after(&subject, columns.stage));
    }
    let reach = (attributes.kernel - 1).checked_mul(attributes.dilation);
    let length = reach.and_then(|reach| (left + steps.len() + right).checked_sub(reach));
    let (Some(reach), Some(length @ 1..)) = (reach, length) else {
        return refuse(format!("{subject} reaches back over more than the window"));
    };
    if left > reach {
        return refuse(format!(
            "{subject} is padded by {left} columns before the first, but reaches back over {reach} alone"
        ));
    }
    if length.saturating_mul(attributes.channels) > MOST_CELLS {
        return refuse(format!("{subject} has {length} columns"));
    }
    let filter = attributes.filter(path, node, from, &subject)?;
    let channels = filter.channels;
    path.filters.push(filter);
    let stage = path.add_stage(StageKind::Filter(path.filters.len()), channels);
    path.filter_progress.push(FilterProgress {
        stage,
        first_unpadded: first_unpadded.max(steps.start) + reach,
        used: false,
    });
    let first = steps.start + reach - left;
    let along = |unit| (first..first + length).map(move |step| CellOrigin { stage, step, unit });
    let mut shape = vec![1, channels];
    shape.extend(attributes.spread(length));
    Ok(Origins {
        shape,
        cells: (0..channels).flat_map(along).collect(),
    })
}

/// The attributes of a Conv node along the steps.
struct ConvAttributes {
    channels: usize,
    kernel: usize,
    dilation: usize,
    pads: [usize; 2],
    /// The number of dimensions that it slides over, and which of them are the steps.
    rank: usize,
    axis: usize,
}

impl ConvAttributes {
    fn of(
        path: &GraphPath<'_>,
        node: &NodeProto,
        origins: &Origins,
        subject: &str,
    ) -> Result<Self, RecogniseError> {
        let weights = path.constant(node, 1).map(TensorProto::shape);
        let ([1, _, over @ ..], Some([channels, _, kernel @ ..])) =
            (&origins.shape[..], weights.as_deref())
        else {
            return refuse(format!(
                "{subject} takes a tensor of shape {:?}, or weights that the graph computes",
                origins.shape
            ));
        };
        // Some exporters write a one-dimensional convolution with a second dimension of size one.
        let long = (0..over.len()).filter(|&at| over[at] != 1 || kernel.get(at) != Some(&1));
        let long: Vec<usize> = long.collect();
        let axis = match long[..] {
            [] => 0,
            [axis] => axis,
            _ => {
                return refuse(format!(
                    "{subject} is over two dimensions: one over the steps alone is computed here"
                ));
            }
        };
        let some = kernel.get(axis).is_some_and(|&size| size > 0) && *channels > 0;
        if !some || kernel.len() != over.len() {
            return refuse(format!("{subject} has weights of another rank"));
        }
        settings(node, subject)?;
        let along = |name: &str, at: usize, default: i64| {
            let list = node.setting(name).map_or(&[][..], |one| &one.ints[..]);
            usize::try_from(list.get(at).copied().unwrap_or(default)).unwrap_or(MOST_CELLS)
        };
        let rank = over.len();
        let pad = |at: usize| along("pads", at, 0).min(MOST_CELLS);
        let mut others = (0..rank).filter(|&at| at != axis);
        if others.any(|at| pad(at) + pad(at + rank) > 0) {
            return refuse(format!("{subject} is padded beside the steps"));
        }
        Ok(Self {
            channels: *channels,
            kernel: kernel[axis],
            dilation: along("dilations", axis, 1),
            pads: [pad(axis), pad(axis + rank)],
            rank,
            axis,
        })
    }

    fn filter(
        &self,
        path: &GraphPath<'_>,
        node: &NodeProto,
        from: usize,
        subject: &str,
    ) -> Result<ConvolutionFilter, RecogniseError> {
        let inputs = match from.checked_sub(1) {
            None => path.network.features,
            Some(filter) => path.filters[filter].channels,
        };
        let fits = |weights: &&TensorProto| weights.shape().get(1) == Some(&inputs);
        let Some(weights) = path.constant(node, 1).filter(fits) else {
            return refuse(format!(
                "{subject} has weights for another number of channels"
            ));
        };
        let w = weights.floats()?;
        let b = match (node.argument(2), path.constant(node, 2)) {
            (None, _) => vec![0.0; self.channels],
            (_, Some(b)) if b.shape() == [self.channels] => b.floats()?,
            _ => {
                return refuse(format!(
                    "{subject} has biases of another shape than its channels"
                ));
            }
        };
        Ok(ConvolutionFilter {
            from,
            inputs,
            channels: self.channels,
            kernel: self.kernel,
            dilation: self.dilation,
            w,
            b,
            activation: Activation::Identity,
            plus: None,
            then: Activation::Identity,
        })
    }

    /// The sizes of the result after batch and channels.
    fn spread(&self, length: usize) -> impl Iterator<Item = usize> {
        (0..self.rank).map(move |at| if at == self.axis { length } else { 1 })
    }
}

/// Refuses attributes with which consecutive windows would not share their columns.
fn settings(node: &NodeProto, subject: &str) -> Result<(), RecogniseError> {
    let pad = node.setting("auto_pad").and_then(|one| one.s.as_deref());
    if !matches!(pad.unwrap_or(b"NOTSET"), b"NOTSET" | b"VALID") {
        return refuse(format!(
            "{subject} is padded by `auto_pad`: export it with padding before the first row"
        ));
    }
    if node.integer("group").unwrap_or(1) != 1 {
        return refuse(format!("{subject} is in groups of channels"));
    }
    let strides = node.setting("strides").map_or(&[][..], |one| &one.ints[..]);
    match strides.iter().find(|&&stride| stride != 1) {
        Some(stride) => refuse(format!(
            "{subject} has stride {stride}: the windows that follow one another share no columns"
        )),
        None => Ok(()),
    }
}

/// Reads the columns in a tensor [1, channels, steps], which may have further dimensions of size one.
fn columns(
    path: &GraphPath<'_>,
    subject: &str,
    origins: &Origins,
    pads: [usize; 2],
) -> Result<PaddedColumns, RecogniseError> {
    let channels = origins.shape[1];
    let length = origins.cells.len() / channels.max(1);
    let first = &origins.cells[..length];
    let padding = |origin: &&CellOrigin| origin.stage == PADDING;
    let left = first.iter().take_while(padding).count();
    let right = first[left..].iter().rev().take_while(padding).count();
    let Some(start) = first[left..length - right].first() else {
        return refuse(format!("{subject} takes padding alone"));
    };
    let steps = start.step..start.step + length - right - left;
    let wanted = |unit: usize| {
        let steps = steps.clone();
        let inner = steps.map(move |step| CellOrigin {
            unit,
            step,
            ..*start
        });
        let zeros = |count| std::iter::repeat_n(CellOrigin::PADDING, count);
        zeros(left).chain(inner).chain(zeros(right))
    };
    let cells = origins.cells.iter().copied();
    if channels != path.width(start.stage) || !cells.eq((0..channels).flat_map(wanted)) {
        return refuse(format!(
            "{subject} takes the numbers of {} in another order, or only some of them",
            path.name(start.stage)
        ));
    }
    Ok(PaddedColumns {
        stage: start.stage,
        steps,
        left: left + pads[0],
        right: right + pads[1],
    })
}

/// The source at a stage, which nothing may change later, and its first step that sees no padding.
fn source(
    path: &mut GraphPath<'_>,
    subject: &str,
    stage: usize,
) -> Result<(usize, usize), RecogniseError> {
    let (newest, name) = (path.newest_rows(), path.name(stage));
    match path.kind(stage) {
        StageKind::Rows if stage == newest => Ok((0, 0)),
        StageKind::Filter(number) => {
            let known = &mut path.filter_progress[number - 1];
            if known.stage != stage {
                return refuse(format!(
                    "{subject} takes {name} before an activation or a sum of it elsewhere in the graph"
                ));
            }
            known.used = true;
            Ok((number, known.first_unpadded))
        }
        _ => refuse(format!("{subject} follows {name}")),
    }
}

/// The convolution that made all numbers of a tensor, at its newest stage.
pub(super) fn filter_of(path: &GraphPath<'_>, origins: &Origins) -> Option<usize> {
    let stage = origins.cells.first()?.stage;
    let StageKind::Filter(number) = path.kind(stage) else {
        return None;
    };
    let whole = origins.cells.iter().all(|origin| origin.stage == stage);
    (whole && path.filter_progress[number - 1].stage == stage).then_some(number)
}

/// Reads Relu, Sigmoid or Tanh after a convolution.
pub(super) fn activation(
    path: &mut GraphPath<'_>,
    node: &NodeProto,
    number: usize,
    activation: Activation,
) -> Result<Origins, RecogniseError> {
    let filter = &mut path.filters[number - 1];
    let place = match filter.plus {
        None => &mut filter.activation,
        Some(_) => &mut filter.then,
    };
    if *place != Activation::Identity || path.filter_progress[number - 1].used {
        return Err(path.unsupported(node));
    }
    *place = activation;
    let origins = path.origins(node, 0).cloned();
    Ok(move_to_new_stage(path, number, origins.unwrap_or_default()))
}

/// Reads the sum of two sources at the same steps: a residual connection.
pub(super) fn sum(path: &mut GraphPath<'_>, node: &NodeProto) -> Result<Origins, RecogniseError> {
    let (Some(a), Some(b)) = (path.origins(node, 0), path.origins(node, 1)) else {
        return Err(path.unsupported(node));
    };
    let pairs = || a.cells.iter().zip(&b.cells);
    let beside = pairs().all(|(a, b)| (a.step, a.unit) == (b.step, b.unit));
    let uniform = |origins: &Origins| {
        let first = origins.cells.first()?;
        let same = origins
            .cells
            .iter()
            .all(|origin| origin.stage == first.stage);
        same.then_some(first.stage)
    };
    let (Some(of_a), Some(of_b)) = (uniform(a), uniform(b)) else {
        return Err(path.unsupported(node));
    };
    if !beside || a.shape != b.shape || of_a == of_b {
        return refuse("operator Add joins columns of different rows");
    }
    let origins = a.clone();
    let open = |path: &GraphPath<'_>, stage| match path.kind(stage) {
        StageKind::Filter(number) => {
            let known = &path.filter_progress[number - 1];
            let free = known.stage == stage && !known.used;
            (free && path.filters[number - 1].plus.is_none()).then_some(number)
        }
        _ => None,
    };
    // The later convolution adds the column of the earlier one, which is computed before it.
    let Some((number, other)) = (match (open(path, of_a), open(path, of_b)) {
        (Some(x), Some(y)) if x > y => Some((x, of_b)),
        (_, Some(y)) => Some((y, of_a)),
        (Some(x), None) => Some((x, of_b)),
        (None, None) => None,
    }) else {
        return Err(path.unsupported(node));
    };
    let (plus, first_unpadded) = source(path, "operator Add", other)?;
    if plus >= number {
        return Err(path.unsupported(node));
    }
    path.filters[number - 1].plus = Some(plus);
    let known = &mut path.filter_progress[number - 1];
    known.first_unpadded = known.first_unpadded.max(first_unpadded);
    Ok(move_to_new_stage(path, number, origins))
}

/// Adds a stage to a convolution, and gives its numbers that origin.
fn move_to_new_stage(path: &mut GraphPath<'_>, number: usize, mut origins: Origins) -> Origins {
    let stage = path.add_stage(StageKind::Filter(number), path.filters[number - 1].channels);
    path.filter_progress[number - 1].stage = stage;
    origins.cells.iter_mut().for_each(|cell| cell.stage = stage);
    origins
}
