//! Conv nodes, and what follows them: columns over the rows, one a row, that sliding windows share.
//!
//! The step of a column is that of the newest row it sees. Padding before the first row is followed here;
//! `taken` sees to it that the head takes no column that it reaches.

use std::ops::Range;

use super::error::{RecogniseError, refuse};
use super::label::{Label, Labels};
use super::path::{Known, MOST_CELLS, PADDING, Path, What};
use crate::model::proto::{NodeProto, TensorProto};
use crate::model::slide::convolution::network::Filter;
use crate::model::slide::recurrent::network::Activation;

/// A part of a source's columns, with zeros around it.
struct Columns {
    stage: usize,
    steps: Range<usize>,
    left: usize,
    right: usize,
}

/// Reads a convolution.
pub(super) fn convolution(path: &mut Path<'_>, node: &NodeProto) -> Result<Labels, RecogniseError> {
    let Some(labels) = path.labels(node, 0) else {
        return Err(path.unknown(node));
    };
    let who = format!("convolution {}", path.filters.len() + 1);
    let window = Window::of(path, node, labels, &who)?;
    let columns = columns(path, &who, labels, window.pads)?;
    let (from, clean) = source(path, &who, columns.stage)?;
    let Columns {
        steps, left, right, ..
    } = columns;
    let steps_of_all = path.network.steps;
    if steps.end > steps_of_all {
        return refuse(path.padded_behind(&who, columns.stage));
    }
    let reach = (window.kernel - 1).checked_mul(window.dilation);
    let length = reach.and_then(|reach| (left + steps.len() + right).checked_sub(reach));
    let (Some(reach), Some(length @ 1..)) = (reach, length) else {
        return refuse(format!("{who} reaches back over more than the window"));
    };
    if left > reach {
        return refuse(format!(
            "{who} is padded by {left} columns before the first, but reaches back over {reach} alone"
        ));
    }
    if length.saturating_mul(window.channels) > MOST_CELLS {
        return refuse(format!("{who} has {length} columns"));
    }
    let filter = window.filter(path, node, from, &who)?;
    let channels = filter.channels;
    path.filters.push(filter);
    let stage = path.add(What::Filter(path.filters.len()), channels);
    path.known.push(Known {
        stage,
        clean: clean.max(steps.start) + reach,
        used: false,
    });
    let first = steps.start + reach - left;
    let along = |unit| (first..first + length).map(move |step| Label { stage, step, unit });
    let mut shape = vec![1, channels];
    shape.extend(window.spread(length));
    Ok(Labels {
        shape,
        cells: (0..channels).flat_map(along).collect(),
    })
}

/// How a convolution looks over the steps.
struct Window {
    channels: usize,
    kernel: usize,
    dilation: usize,
    pads: [usize; 2],
    /// Dimensions that it is over, and which of them are the steps.
    rank: usize,
    axis: usize,
}

impl Window {
    fn of(
        path: &Path<'_>,
        node: &NodeProto,
        labels: &Labels,
        who: &str,
    ) -> Result<Self, RecogniseError> {
        let weights = path.constant(node, 1).map(TensorProto::shape);
        let ([1, _, over @ ..], Some([channels, _, kernel @ ..])) =
            (&labels.shape[..], weights.as_deref())
        else {
            return refuse(format!(
                "{who} takes a tensor of shape {:?}, or weights that the graph computes",
                labels.shape
            ));
        };
        // A second dimension of size one is what some exporters make of one.
        let long = (0..over.len()).filter(|&at| over[at] != 1 || kernel.get(at) != Some(&1));
        let long: Vec<usize> = long.collect();
        let axis = match long[..] {
            [] => 0,
            [axis] => axis,
            _ => {
                return refuse(format!(
                    "{who} is over two dimensions: one over the steps alone is computed here"
                ));
            }
        };
        let some = kernel.get(axis).is_some_and(|&size| size > 0) && *channels > 0;
        if !some || kernel.len() != over.len() {
            return refuse(format!("{who} has weights of another rank"));
        }
        settings(node, who)?;
        let along = |name: &str, at: usize, default: i64| {
            let list = node.setting(name).map_or(&[][..], |one| &one.ints[..]);
            usize::try_from(list.get(at).copied().unwrap_or(default)).unwrap_or(MOST_CELLS)
        };
        let rank = over.len();
        let pad = |at: usize| along("pads", at, 0).min(MOST_CELLS);
        let mut others = (0..rank).filter(|&at| at != axis);
        if others.any(|at| pad(at) + pad(at + rank) > 0) {
            return refuse(format!("{who} is padded beside the steps"));
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
        path: &Path<'_>,
        node: &NodeProto,
        from: usize,
        who: &str,
    ) -> Result<Filter, RecogniseError> {
        let inputs = match from.checked_sub(1) {
            None => path.network.features,
            Some(filter) => path.filters[filter].channels,
        };
        let fits = |weights: &&TensorProto| weights.shape().get(1) == Some(&inputs);
        let Some(weights) = path.constant(node, 1).filter(fits) else {
            return refuse(format!("{who} has weights for another number of channels"));
        };
        let w = weights.floats()?;
        let b = match (node.argument(2), path.constant(node, 2)) {
            (None, _) => vec![0.0; self.channels],
            (_, Some(b)) if b.shape() == [self.channels] => b.floats()?,
            _ => {
                return refuse(format!(
                    "{who} has biases of another shape than its channels"
                ));
            }
        };
        Ok(Filter {
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

    /// The sizes of the result beside batch and channels.
    fn spread(&self, length: usize) -> impl Iterator<Item = usize> {
        (0..self.rank).map(move |at| if at == self.axis { length } else { 1 })
    }
}

/// What would make columns of consecutive windows others.
fn settings(node: &NodeProto, who: &str) -> Result<(), RecogniseError> {
    let pad = node.setting("auto_pad").and_then(|one| one.s.as_deref());
    if !matches!(pad.unwrap_or(b"NOTSET"), b"NOTSET" | b"VALID") {
        return refuse(format!(
            "{who} is padded by `auto_pad`: export it with padding before the first row"
        ));
    }
    if node.integer("group").unwrap_or(1) != 1 {
        return refuse(format!("{who} is in groups of channels"));
    }
    let strides = node.setting("strides").map_or(&[][..], |one| &one.ints[..]);
    match strides.iter().find(|&&stride| stride != 1) {
        Some(stride) => refuse(format!(
            "{who} has stride {stride}: the windows that follow one another share no columns"
        )),
        None => Ok(()),
    }
}

/// Reads the columns in a tensor [1, channels, steps], whatever further dimensions of one it has.
fn columns(
    path: &Path<'_>,
    who: &str,
    labels: &Labels,
    pads: [usize; 2],
) -> Result<Columns, RecogniseError> {
    let channels = labels.shape[1];
    let length = labels.cells.len() / channels.max(1);
    let first = &labels.cells[..length];
    let padding = |label: &&Label| label.stage == PADDING;
    let left = first.iter().take_while(padding).count();
    let right = first[left..].iter().rev().take_while(padding).count();
    let Some(start) = first[left..length - right].first() else {
        return refuse(format!("{who} takes padding alone"));
    };
    let steps = start.step..start.step + length - right - left;
    let wanted = |unit: usize| {
        let steps = steps.clone();
        let inner = steps.map(move |step| Label {
            unit,
            step,
            ..*start
        });
        let zeros = |count| std::iter::repeat_n(Label::PADDING, count);
        zeros(left).chain(inner).chain(zeros(right))
    };
    let cells = labels.cells.iter().copied();
    if channels != path.width(start.stage) || !cells.eq((0..channels).flat_map(wanted)) {
        return refuse(format!(
            "{who} takes the numbers of {} in another order, or only some of them",
            path.name(start.stage)
        ));
    }
    Ok(Columns {
        stage: start.stage,
        steps,
        left: left + pads[0],
        right: right + pads[1],
    })
}

/// The source at a stage, which must be as it will stay, and its first step without padding.
fn source(path: &mut Path<'_>, who: &str, stage: usize) -> Result<(usize, usize), RecogniseError> {
    let (newest, name) = (path.newest_rows(), path.name(stage));
    match path.what(stage) {
        What::Rows if stage == newest => Ok((0, 0)),
        What::Filter(number) => {
            let known = &mut path.known[number - 1];
            if known.stage != stage {
                return refuse(format!(
                    "{who} takes {name} before an activation or a sum that follows elsewhere"
                ));
            }
            known.used = true;
            Ok((number, known.clean))
        }
        _ => refuse(format!("{who} stands behind {name}")),
    }
}

/// The filter that made all of a tensor's numbers, as it is up to here.
pub(super) fn filter_of(path: &Path<'_>, labels: &Labels) -> Option<usize> {
    let stage = labels.cells.first()?.stage;
    let What::Filter(number) = path.what(stage) else {
        return None;
    };
    let whole = labels.cells.iter().all(|label| label.stage == stage);
    (whole && path.known[number - 1].stage == stage).then_some(number)
}

/// Relu, Sigmoid or Tanh behind a filter.
pub(super) fn activation(
    path: &mut Path<'_>,
    node: &NodeProto,
    number: usize,
    activation: Activation,
) -> Result<Labels, RecogniseError> {
    let filter = &mut path.filters[number - 1];
    let place = match filter.plus {
        None => &mut filter.activation,
        Some(_) => &mut filter.then,
    };
    if *place != Activation::Identity || path.known[number - 1].used {
        return Err(path.unknown(node));
    }
    *place = activation;
    let labels = path.labels(node, 0).cloned();
    Ok(relabel(path, number, labels.unwrap_or_default()))
}

/// The sum of two sources at the same steps: a residual connection.
pub(super) fn sum(path: &mut Path<'_>, node: &NodeProto) -> Result<Labels, RecogniseError> {
    let (Some(a), Some(b)) = (path.labels(node, 0), path.labels(node, 1)) else {
        return Err(path.unknown(node));
    };
    let pairs = || a.cells.iter().zip(&b.cells);
    let beside = pairs().all(|(a, b)| (a.step, a.unit) == (b.step, b.unit));
    let uniform = |labels: &Labels| {
        let first = labels.cells.first()?;
        let same = labels.cells.iter().all(|label| label.stage == first.stage);
        same.then_some(first.stage)
    };
    let (Some(of_a), Some(of_b)) = (uniform(a), uniform(b)) else {
        return Err(path.unknown(node));
    };
    if !beside || a.shape != b.shape || of_a == of_b {
        return refuse("operator Add joins columns of different rows");
    }
    let labels = a.clone();
    let open = |path: &Path<'_>, stage| match path.what(stage) {
        What::Filter(number) => {
            let known = &path.known[number - 1];
            let free = known.stage == stage && !known.used;
            (free && path.filters[number - 1].plus.is_none()).then_some(number)
        }
        _ => None,
    };
    // The later filter takes the other's column, which is there by then.
    let Some((number, other)) = (match (open(path, of_a), open(path, of_b)) {
        (Some(x), Some(y)) if x > y => Some((x, of_b)),
        (_, Some(y)) => Some((y, of_a)),
        (Some(x), None) => Some((x, of_b)),
        (None, None) => None,
    }) else {
        return Err(path.unknown(node));
    };
    let (plus, clean) = source(path, "operator Add", other)?;
    if plus >= number {
        return Err(path.unknown(node));
    }
    path.filters[number - 1].plus = Some(plus);
    let known = &mut path.known[number - 1];
    known.clean = known.clean.max(clean);
    Ok(relabel(path, number, labels))
}

/// A filter's numbers at a new stage.
fn relabel(path: &mut Path<'_>, number: usize, mut labels: Labels) -> Labels {
    let stage = path.add(What::Filter(number), path.filters[number - 1].channels);
    path.known[number - 1].stage = stage;
    labels.cells.iter_mut().for_each(|cell| cell.stage = stage);
    labels
}
