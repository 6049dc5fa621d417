//! What the head takes of the last convolution: some columns up to the last, as they are or pooled.
//!
//! Only columns of any window count: those that see padding before the first row are others in the next
//! window, and those that see padding after the last row would see later rows.

use std::ops::Range;

use super::convolution::filter_of;
use super::error::{RecogniseError, refuse};
use super::label::{Label, Labels};
use super::path::{Known, Path, What};
use crate::model::proto::NodeProto;
use crate::model::slide::convolution::network::Taken;

/// Pooling of the columns from some step to the last; `None` where it is another operator, or of less.
pub(super) fn pool(
    path: &mut Path<'_>,
    node: &NodeProto,
) -> Result<Option<Labels>, RecogniseError> {
    let Some((labels, number)) = path
        .labels(node, 0)
        .and_then(|labels| Some((labels, filter_of(path, labels)?)))
    else {
        return Ok(None);
    };
    let kind = node.op_type.as_str();
    let Some((axes, keep)) = pooled_axes(path, node, labels)? else {
        return Ok(None);
    };
    let rank = labels.shape.len();
    // The pooled dimensions last: each row of that is one pool.
    let kept: Vec<usize> = (0..rank).filter(|at| !axes.contains(at)).collect();
    let turned = labels.transpose(&[&kept[..], &axes[..]].concat());
    let size: usize = axes.iter().map(|&axis| labels.shape[axis]).product();
    let pools = turned.cells.chunks_exact(size.max(1));
    let shape = (0..rank).filter(|at| keep || !axes.contains(at));
    let shape: Vec<usize> = shape
        .map(|at| {
            if axes.contains(&at) {
                1
            } else {
                labels.shape[at]
            }
        })
        .collect();
    let who = format!("operator {kind}");
    let (mut units, mut span) = (vec![], None);
    for pool in pools {
        let Some(first) = pool.first() else {
            return Ok(None);
        };
        let wanted = (first.step..).map(|step| Label { step, ..*first });
        if !pool.iter().copied().eq(wanted.take(size))
            || *span.get_or_insert(first.step) != first.step
        {
            return refuse(format!("{who} pools numbers that are not one channel's"));
        }
        units.push(first.unit);
    }
    let first = span.unwrap_or(0);
    let taken = match kind {
        "GlobalMaxPool" | "ReduceMax" | "MaxPool" => Taken::Max(size),
        _ => Taken::Mean(size),
    };
    take(path, &who, number, first..first + size, taken)?;
    let stage = path.add(What::Pooled, path.filters[number - 1].channels);
    let step = path.network.steps - 1;
    let cells = units.into_iter().map(|unit| Label { stage, step, unit });
    let cells = cells.collect();
    Ok(Some(Labels { shape, cells }))
}

/// The dimensions that an operator pools, and whether they stay as ones.
fn pooled_axes(
    path: &Path<'_>,
    node: &NodeProto,
    labels: &Labels,
) -> Result<Option<(Vec<usize>, bool)>, RecogniseError> {
    let rank = labels.shape.len();
    let ints = |name: &str| node.setting(name).map(|one| one.ints.clone());
    match node.op_type.as_str() {
        "GlobalAveragePool" | "GlobalMaxPool" => Ok(Some(((2..rank).collect(), true))),
        "ReduceMean" | "ReduceMax" => {
            let axes = match (ints("axes"), path.constant(node, 1)) {
                (Some(axes), _) => axes,
                (None, Some(axes)) => axes.integers()?,
                (None, None) => return Ok(None),
            };
            let axis = |&at: &i64| usize::try_from(if at < 0 { at + rank as i64 } else { at });
            let axes: Option<Vec<usize>> = axes.iter().map(|at| axis(at).ok()).collect();
            let keep = node.integer("keepdims").unwrap_or(1) != 0;
            Ok(axes
                .filter(|axes| axes.iter().all(|&axis| axis < rank))
                .map(|axes| (axes, keep)))
        }
        "AveragePool" | "MaxPool" => {
            let kernel = ints("kernel_shape").unwrap_or_default();
            let sizes = labels.shape.iter().skip(2).map(|&size| size as i64);
            let unpadded = ints("pads").is_none_or(|pads| pads.iter().all(|&pad| pad == 0));
            let whole = sizes.eq(kernel) && unpadded && node.output.len() == 1;
            let plain = node
                .setting("dilations")
                .is_none_or(|one| one.ints.iter().all(|&by| by == 1));
            Ok((whole && plain).then(|| ((2..rank).collect(), true)))
        }
        _ => Ok(None),
    }
}

/// The places that a dense layer's inputs have in a flat row of columns, the oldest first, where it takes
/// several columns of the newest filter.
pub(super) fn flat(
    path: &mut Path<'_>,
    who: &str,
    labels: &Labels,
) -> Result<Option<Vec<usize>>, RecogniseError> {
    let (newest, stage) = path.newest();
    let What::Filter(number) = newest.what else {
        return Ok(None);
    };
    let cells = &labels.cells;
    let steps = || cells.iter().map(|cell| cell.step);
    let (Some(first), Some(last)) = (steps().min(), steps().max()) else {
        return Ok(None);
    };
    let in_one_row = labels.shape.last() == Some(&cells.len());
    if first == last || !in_one_row {
        return Ok(None);
    }
    path.expect_newest(who, cells)?;
    let count = last + 1 - first;
    let place = |label: &Label| (label.step - first) * newest.width + label.unit;
    let places: Vec<usize> = cells.iter().map(place).collect();
    let mut sorted = places.clone();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..count * newest.width) {
        return refuse(format!(
            "{who} takes only some numbers of {}",
            path.name(stage)
        ));
    }
    take(path, who, number, first..last + 1, Taken::Flat(count))?;
    Ok(Some(places))
}

/// The head takes the last column, found at the stage before it or at the output itself.
pub(super) fn last(path: &Path<'_>, output: &str) -> Result<Taken, RecogniseError> {
    let step = path.tensor(output).and_then(|labels| labels.cells.first());
    let step = step.map_or(0, |label| label.step);
    let number = path.filters.len();
    let Known { stage, clean, .. } = path.known[number - 1];
    let (all, name) = (path.network.steps, path.name(stage));
    if step >= all {
        return refuse(path.padded_behind("the output", stage));
    }
    if clean >= all {
        return refuse(sees_start(&name, clean, 1));
    }
    Ok(Taken::Last)
}

/// Notes what the head takes of the last filter; all its columns must be those of any window.
fn take(
    path: &mut Path<'_>,
    who: &str,
    number: usize,
    steps: Range<usize>,
    taken: Taken,
) -> Result<(), RecogniseError> {
    let Known { stage, clean, .. } = path.known[number - 1];
    let (all, name) = (path.network.steps, path.name(stage));
    if stage != path.newest().1 {
        return refuse(format!("{who} takes {name}, although other layers follow"));
    }
    if steps.end > all {
        return refuse(path.padded_behind(who, stage));
    }
    if steps.end < all {
        return refuse(format!(
            "{who} takes {name} up to step {} of {all}",
            steps.end
        ));
    }
    if steps.start < clean {
        return refuse(sees_start(&name, clean, all - steps.start));
    }
    path.taken = Some(taken);
    Ok(())
}

fn sees_start(name: &str, clean: usize, columns: usize) -> String {
    let rows = clean + columns;
    format!(
        "what is taken of {name} reaches back over {rows} rows and sees the padding before the window's \
         first: the columns differ from window to window; with windows of {rows} rows or more they would not"
    )
}
