//! LSTM and GRU nodes: their settings, their weights, and what they take and give.
//!
//! Refuses whatever makes a layer more than ONNX's default one that runs forward.

use super::Why;
use super::label::Labels;
use super::path::{Path, What, refuse};
use crate::model::network::{Cell, Layer};
use crate::model::proto::NodeProto;

/// Reads a layer and gives labels to all its outputs and to its last one.
pub(super) fn recurrent(
    path: &mut Path<'_>,
    node: &NodeProto,
    cell: Cell,
) -> Result<Vec<Labels>, Why> {
    let number = path.network.layers.len() + 1;
    let who = format!("layer {number}");
    plain(node, cell, &who)?;
    let inputs = sequence(path, node, &who)?;
    let layer = weights(path, node, cell, inputs, &who)?;
    let (steps, units) = (path.network.steps, layer.units);
    path.network.layers.push(layer);
    let stage = path.add(What::Layer(number), units);
    // Y [T, directions, batch, H], and its last step Y_h [directions, batch, H].
    Ok(vec![
        Labels::of(stage, 0..steps, units, vec![steps, 1, 1, units]),
        Labels::of(stage, steps - 1..steps, units, vec![1, 1, units]),
    ])
}

/// Forward, with default activations, and nothing else switched on.
fn plain(node: &NodeProto, cell: Cell, who: &str) -> Result<(), Why> {
    let direction = node.setting("direction").and_then(|one| one.s.as_deref());
    match direction.unwrap_or(b"forward") {
        b"forward" => {}
        b"bidirectional" => {
            return refuse(format!(
                "{who} is bidirectional: its result at a step depends on later rows"
            ));
        }
        _ => {
            return refuse(format!(
                "{who} runs in reverse: its result at a step depends on later rows"
            ));
        }
    }
    let usual: &[&str] = match cell {
        Cell::Lstm => &["sigmoid", "tanh", "tanh"],
        Cell::Gru { .. } => &["sigmoid", "tanh"],
    };
    if let Some(names) = node.setting("activations") {
        let names = names.strings.iter().map(|name| name.to_ascii_lowercase());
        if !names.eq(usual.iter().map(|name| name.as_bytes())) {
            return refuse(format!("{who} has other activations than sigmoid and tanh"));
        }
    }
    let switches =
        ["layout", "input_forget"].map(|name| (name, node.integer(name).unwrap_or(0) != 0));
    let given = ["clip", "activation_alpha", "activation_beta"];
    let given = given.map(|name| (name, node.setting(name).is_some()));
    match switches.into_iter().chain(given).find(|(_, on)| *on) {
        Some((name, _)) => refuse(format!(
            "{who} has the setting `{name}`, which is not computed here"
        )),
        None => Ok(()),
    }
}

/// Numbers a step of the sequence, which must be the newest stage from the first step to the last.
fn sequence(path: &Path<'_>, node: &NodeProto, who: &str) -> Result<usize, Why> {
    let steps = path.network.steps;
    let Some(labels) = path.labels(node, 0) else {
        return refuse(format!("{who} does not take the rows of the window"));
    };
    path.expect(who, &labels.cells, 0..steps)?;
    let (newest, _) = path.newest();
    if !matches!(newest.what, What::Rows | What::Layer(_)) {
        return refuse(format!("{who} stands behind a dense layer"));
    }
    if labels.shape != [steps, 1, newest.width] {
        return refuse(format!(
            "{who} takes its steps as a batch: {:?}",
            labels.shape
        ));
    }
    Ok(newest.width)
}

/// Arguments: X, W, R, B, sequence_lens, initial_h, and of an LSTM initial_c and P.
fn weights(
    path: &Path<'_>,
    node: &NodeProto,
    cell: Cell,
    inputs: usize,
    who: &str,
) -> Result<Layer, Why> {
    let units = path
        .constant(node, 2)
        .map_or(0, |r| r.shape().last().copied().unwrap_or(0));
    if units == 0 {
        return refuse(format!("{who} has no constant recurrent weights"));
    }
    let sums = cell.gates() * units;
    let of_shape =
        |at, name, shape: &[usize]| match floats(path, node, at, &format!("{name} of {who}"))? {
            Some((found, _)) if found != shape => refuse(format!(
                "{name} of {who} has shape {found:?}, not {shape:?}"
            )),
            found => Ok(found.map(|(_, numbers)| numbers)),
        };
    let needed = |at, name, shape: &[usize]| match of_shape(at, name, shape)? {
        Some(numbers) => Ok(numbers),
        None => refuse(format!("{name} of {who} is missing")),
    };
    let w = needed(1, "W", &[1, sums, inputs])?;
    let r = needed(2, "R", &[1, sums, units])?;
    let b = of_shape(3, "B", &[1, 2 * sums])?.unwrap_or_else(|| vec![0.0; 2 * sums]);
    whole_sequence(path, node, who)?;
    let h = of_shape(5, "initial_h", &[1, 1, units])?;
    let (c, peepholes) = match cell {
        Cell::Lstm => (
            of_shape(6, "initial_c", &[1, 1, units])?,
            of_shape(7, "P", &[1, 3 * units])?,
        ),
        Cell::Gru { .. } => (None, None),
    };
    if peepholes.is_some_and(|numbers| !zero(&numbers)) {
        return refuse(format!("{who} has peepholes, which are not computed here"));
    }
    let start = start(h, c, cell, units);
    Ok(Layer {
        cell,
        inputs,
        units,
        w,
        r,
        b,
        start,
    })
}

fn whole_sequence(path: &Path<'_>, node: &NodeProto, who: &str) -> Result<(), Why> {
    if node.argument(4).is_none() {
        return Ok(());
    }
    let Some(lengths) = path.constant(node, 4) else {
        return refuse(format!(
            "{who} takes a length (`sequence_lens`) that the graph computes"
        ));
    };
    match lengths.integers()?[..] {
        [length] if length == path.network.steps as i64 => Ok(()),
        _ => refuse(format!("{who} ends before the last step (`sequence_lens`)")),
    }
}

fn start(
    h: Option<Vec<f32>>,
    c: Option<Vec<f32>>,
    cell: Cell,
    units: usize,
) -> Option<(Vec<f32>, Vec<f32>)> {
    let h = h.unwrap_or_else(|| vec![0.0; units]);
    let c = match cell {
        Cell::Lstm => c.unwrap_or_else(|| vec![0.0; units]),
        Cell::Gru { .. } => vec![],
    };
    (!zero(&h) || !zero(&c)).then_some((h, c))
}

/// Shape and numbers of an argument, where it is given; it must be constant.
fn floats(
    path: &Path<'_>,
    node: &NodeProto,
    at: usize,
    what: &str,
) -> Result<Option<(Vec<usize>, Vec<f32>)>, Why> {
    match (node.argument(at), path.constant(node, at)) {
        (None, _) => Ok(None),
        (Some(_), Some(tensor)) => Ok(Some((tensor.shape(), tensor.floats()?))),
        (Some(_), None) => refuse(format!("{what} is computed by the graph, not a constant")),
    }
}

fn zero(numbers: &[f32]) -> bool {
    numbers.iter().all(|&number| number == 0.0)
}
