//! The columns of the last convolution that the head takes: some columns up to the last, flat or pooled.
//!
//! Every window must share them: a column that sees the padding before the first row would differ in the
//! next window, and one that is padded after the last row would see later rows.

use std::ops::Range;

use super::convolution::filter_of;
use super::error::{RecogniseError, refuse};
use super::origin::{CellOrigin, Origins};
use super::path::{FilterProgress, GraphPath, StageKind};
use crate::model::proto::NodeProto;
use crate::model::slide::convolution::network::HeadInput;

/// Reads a pooling of all columns from some step to the last; `None` where the operator is another, or pools
/// less.
pub(super) fn pool(
    path: &mut GraphPath<'_>,
    node: &NodeProto,
) -> Result<Option<Origins>, RecogniseError> {
    let Some((origins, number)) = path
        .origins(node, 0)
        .and_then(|origins| Some((origins, filter_of(path, origins)?)))
    else {
        return Ok(None);
    };
    let kind = node.op_type.as_str();
    let Some((axes, keep)) = pooled_axes(path, node, origins)? else {
        return Ok(None);
    };
    let rank = origins.shape.len();
    // With the pooled dimensions last, each row is one pool.
    let kept: Vec<usize> = (0..rank).filter(|at| !axes.contains(at)).collect();
    let transposed = origins.transpose(&[&kept[..], &axes[..]].concat());
    let size: usize = axes.iter().map(|&axis| origins.shape[axis]).product();
    let pools = transposed.cells.chunks_exact(size.max(1));
    let shape = (0..rank).filter(|at| keep || !axes.contains(at));
    let shape: Vec<usize> = shape
        .map(|at| {
            if axes.contains(&at) {
                1
            } else {
                origins.shape[at]
            }
        })
        .collect();
    let subject = format!("operator {kind}");
    let (mut units, mut span) = (vec![], None);
    for pool in pools {
        let Some(first) = pool.first() else {
            return Ok(None);
        };
        let wanted = (first.step..).map(|step| CellOrigin { step, ..*first });
        if !pool.iter().copied().eq(wanted.take(size))
            || *span.get_or_insert(first.step) != first.step
        {
            return refuse(format!("{subject} pools numbers of more than one channel"));
        }
        units.push(first.unit);
    }
    let first = span.unwrap_or(0);
    let taken = match kind {
        "GlobalMaxPool" | "ReduceMax" | "MaxPool" => HeadInput::Max(size),
        _ => HeadInput::Mean(size),
    };
    take(path, &subject, number, first..first + size, taken)?;
    let stage = path.add_stage(StageKind::Pooled, path.filters[number - 1].channels);
    let step = path.network.steps - 1;
    let cells = units
        .into_iter()
        .map(|unit| CellOrigin { stage, step, unit });
    let cells = cells.collect();
    Ok(Some(Origins { shape, cells }))
}

/// The dimensions that an operator pools, and whether they stay with size one.
fn pooled_axes(
    path: &GraphPath<'_>,
    node: &NodeProto,
    origins: &Origins,
) -> Result<Option<(Vec<usize>, bool)>, RecogniseError> {
    let rank = origins.shape.len();
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
            let sizes = origins.shape.iter().skip(2).map(|&size| size as i64);
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

/// For a dense layer over several columns of the newest convolution: the place of each of its inputs in
/// these columns, one after the other, the oldest first.
pub(super) fn flat(
    path: &mut GraphPath<'_>,
    subject: &str,
    origins: &Origins,
) -> Result<Option<Vec<usize>>, RecogniseError> {
    let (newest, stage) = path.newest();
    let StageKind::Filter(number) = newest.kind else {
        return Ok(None);
    };
    let cells = &origins.cells;
    let steps = || cells.iter().map(|cell| cell.step);
    let (Some(first), Some(last)) = (steps().min(), steps().max()) else {
        return Ok(None);
    };
    let in_one_row = origins.shape.last() == Some(&cells.len());
    if first == last || !in_one_row {
        return Ok(None);
    }
    path.expect_newest(subject, cells)?;
    let count = last + 1 - first;
    let place = |origin: &CellOrigin| (origin.step - first) * newest.width + origin.unit;
    let places: Vec<usize> = cells.iter().map(place).collect();
    let mut sorted = places.clone();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..count * newest.width) {
        return refuse(format!(
            "{subject} takes only some numbers of {}",
            path.name(stage)
        ));
    }
    take(
        path,
        subject,
        number,
        first..last + 1,
        HeadInput::Flat(count),
    )?;
    Ok(Some(places))
}

/// Checks that the head takes the last column alone, where it neither pools nor flattens.
pub(super) fn last(path: &GraphPath<'_>, output: &str) -> Result<HeadInput, RecogniseError> {
    let step = path
        .tensor(output)
        .and_then(|origins| origins.cells.first());
    let step = step.map_or(0, |origin| origin.step);
    let number = path.filters.len();
    let FilterProgress {
        stage,
        first_unpadded,
        ..
    } = path.filter_progress[number - 1];
    let (all, name) = (path.network.steps, path.name(stage));
    if step >= all {
        return refuse(path.padded_after("the output", stage));
    }
    if first_unpadded >= all {
        return refuse(sees_start(&name, first_unpadded, 1));
    }
    Ok(HeadInput::Last)
}

/// Stores which columns the head takes of the last convolution. Every window must share them.
fn take(
    path: &mut GraphPath<'_>,
    subject: &str,
    number: usize,
    steps: Range<usize>,
    taken: HeadInput,
) -> Result<(), RecogniseError> {
    let FilterProgress {
        stage,
        first_unpadded,
        ..
    } = path.filter_progress[number - 1];
    let (all, name) = (path.network.steps, path.name(stage));
    if stage != path.newest().1 {
        return refuse(format!(
            "{subject} takes {name}, although other layers follow"
        ));
    }
    if steps.end > all {
        return refuse(path.padded_after(subject, stage));
    }
    if steps.end < all {
        return refuse(format!(
            "{subject} takes {name} up to step {} of {all}",
            steps.end
        ));
    }
    if steps.start < first_unpadded {
        return refuse(sees_start(&name, first_unpadded, all - steps.start));
    }
    path.head_input = Some(taken);
    Ok(())
}

fn sees_start(name: &str, first_unpadded: usize, columns: usize) -> String {
    let rows = first_unpadded + columns;
    format!(
        "the output of {name} depends on {rows} rows and sees the padding before the window's first \
         row: its columns differ from window to window; with windows of {rows} rows or more they would not"
    )
}
