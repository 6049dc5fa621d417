//! LSTM and GRU nodes: their settings, their weights, and what they take and give.
//!
//! Refuses whatever makes a layer more than ONNX's default one that runs forward.

use super::error::{RecogniseError, refuse};
use super::label::Labels;
use super::path::{Path, What};
use crate::model::proto::NodeProto;
use crate::model::slide::recurrent::network::{Cell, Layer};

/// Reads a layer and gives labels to all its outputs and to its last one.
pub(super) fn recurrent(
    path: &mut Path<'_>,
    node: &NodeProto,
    cell: Cell,
) -> Result<Vec<Labels>, RecogniseError> {
    let number = path.network.layers.len() + 1;
    let who = format!("layer {number}");
    plain(node, cell, &who)?;
    let inputs = sequence(path, node, &who)?;
    let arguments = Arguments {
        path,
        node,
        who: &who,
    };
    let layer = arguments.layer(cell, inputs)?;
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
fn plain(node: &NodeProto, cell: Cell, who: &str) -> Result<(), RecogniseError> {
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
fn sequence(path: &Path<'_>, node: &NodeProto, who: &str) -> Result<usize, RecogniseError> {
    let steps = path.network.steps;
    let Some(labels) = path.labels(node, 0) else {
        return refuse(format!("{who} does not take the rows of the window"));
    };
    let (newest, number) = path.newest();
    if !matches!(newest.what, What::Rows | What::Layer(_)) {
        return refuse(format!("{who} stands behind {}", path.name(number)));
    }
    path.expect(who, &labels.cells, 0..steps)?;
    if labels.shape != [steps, 1, newest.width] {
        return refuse(format!(
            "{who} takes its steps as a batch: {:?}",
            labels.shape
        ));
    }
    Ok(newest.width)
}

/// [`Layer::start`].
type Start = Option<(Vec<f32>, Vec<f32>)>;

/// A layer's constant arguments.
struct Arguments<'p, 'g> {
    path: &'p Path<'g>,
    node: &'p NodeProto,
    who: &'p str,
}

impl Arguments<'_, '_> {
    /// X, W, R, B, sequence_lens, initial_h, and of an LSTM initial_c and P.
    fn layer(&self, cell: Cell, inputs: usize) -> Result<Layer, RecogniseError> {
        let r = self.path.constant(self.node, 2);
        let units = r.and_then(|r| r.shape().last().copied()).unwrap_or(0);
        if units == 0 {
            return refuse(format!("{} has no constant recurrent weights", self.who));
        }
        let sums = cell.gates() * units;
        let b = self.floats(3, "B", &[1, 2 * sums])?;
        let peepholes = match cell {
            Cell::Lstm => self.floats(7, "P", &[1, 3 * units])?,
            Cell::Gru { .. } => None,
        };
        if peepholes.is_some_and(|numbers| !zero(&numbers)) {
            return refuse(format!(
                "{} has peepholes, which are not computed here",
                self.who
            ));
        }
        self.whole_sequence()?;
        Ok(Layer {
            cell,
            inputs,
            units,
            w: self.needed(1, "W", &[1, sums, inputs])?,
            r: self.needed(2, "R", &[1, sums, units])?,
            b: b.unwrap_or_else(|| vec![0.0; 2 * sums]),
            start: self.start(cell, units)?,
        })
    }

    /// The state before the first step, where it is not zero.
    fn start(&self, cell: Cell, units: usize) -> Result<Start, RecogniseError> {
        let state = |at, name| {
            let numbers = self.floats(at, name, &[1, 1, units])?;
            Ok::<_, RecogniseError>(numbers.unwrap_or_else(|| vec![0.0; units]))
        };
        let h = state(5, "initial_h")?;
        let c = match cell {
            Cell::Lstm => state(6, "initial_c")?,
            Cell::Gru { .. } => vec![],
        };
        Ok((!zero(&h) || !zero(&c)).then_some((h, c)))
    }

    fn whole_sequence(&self) -> Result<(), RecogniseError> {
        let who = self.who;
        if self.node.argument(4).is_none() {
            return Ok(());
        }
        let Some(lengths) = self.path.constant(self.node, 4) else {
            return refuse(format!(
                "{who} takes a length (`sequence_lens`) that the graph computes"
            ));
        };
        match lengths.integers()?[..] {
            [length] if length == self.path.network.steps as i64 => Ok(()),
            _ => refuse(format!("{who} ends before the last step (`sequence_lens`)")),
        }
    }

    fn needed(&self, at: usize, name: &str, shape: &[usize]) -> Result<Vec<f32>, RecogniseError> {
        match self.floats(at, name, shape)? {
            Some(numbers) => Ok(numbers),
            None => refuse(format!("{} has no {name}", self.who)),
        }
    }

    /// The numbers of an argument, where it is given; it must be constant and of this shape.
    fn floats(
        &self,
        at: usize,
        name: &str,
        shape: &[usize],
    ) -> Result<Option<Vec<f32>>, RecogniseError> {
        let who = self.who;
        if self.node.argument(at).is_none() {
            return Ok(None);
        }
        let Some(tensor) = self.path.constant(self.node, at) else {
            return refuse(format!("{name} of {who} is computed by the graph"));
        };
        let found = tensor.shape();
        if found != shape {
            return refuse(format!(
                "{name} of {who} has shape {found:?}, not {shape:?}"
            ));
        }
        Ok(Some(tensor.floats()?))
    }
}

fn zero(numbers: &[f32]) -> bool {
    numbers.iter().all(|&number| number == 0.0)
}
