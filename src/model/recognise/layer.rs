//! LSTM and GRU nodes: their attributes, their weights, their input and their outputs.
//!
//! Refuses every attribute and argument by which a layer differs from ONNX's default forward one.

use super::error::{RecogniseError, refuse};
use super::origin::Origins;
use super::path::{GraphPath, StageKind};
use crate::model::proto::NodeProto;
use crate::model::slide::recurrent::network::{CellKind, RecurrentLayer};

/// Reads a layer. Returns the origins of its outputs at all steps, and at the last step.
pub(super) fn recurrent(
    path: &mut GraphPath<'_>,
    node: &NodeProto,
    cell: CellKind,
) -> Result<Vec<Origins>, RecogniseError> {
    let number = path.network.layers.len() + 1;
    let subject = format!("layer {number}");
    check_attributes(node, cell, &subject)?;
    let inputs = sequence(path, node, &subject)?;
    let arguments = Arguments {
        path,
        node,
        subject: &subject,
    };
    let layer = arguments.layer(cell, inputs)?;
    let (steps, units) = (path.network.steps, layer.units);
    path.network.layers.push(layer);
    let stage = path.add_stage(StageKind::Layer(number), units);
    // Y [T, directions, batch, H], and its last step Y_h [directions, batch, H].
    Ok(vec![
        Origins::of(stage, 0..steps, units, vec![steps, 1, 1, units]),
        Origins::of(stage, steps - 1..steps, units, vec![1, 1, units]),
    ])
}

/// Checks that a layer runs forward, with default activations and no other attribute.
fn check_attributes(node: &NodeProto, cell: CellKind, subject: &str) -> Result<(), RecogniseError> {
    let direction = node.setting("direction").and_then(|one| one.s.as_deref());
    match direction.unwrap_or(b"forward") {
        b"forward" => {}
        b"bidirectional" => {
            return refuse(format!(
                "{subject} is bidirectional: its result at a step depends on later rows"
            ));
        }
        _ => {
            return refuse(format!(
                "{subject} runs in reverse: its result at a step depends on later rows"
            ));
        }
    }
    let usual: &[&str] = match cell {
        CellKind::Lstm => &["sigmoid", "tanh", "tanh"],
        CellKind::Gru { .. } => &["sigmoid", "tanh"],
    };
    if let Some(names) = node.setting("activations") {
        let names = names.strings.iter().map(|name| name.to_ascii_lowercase());
        if !names.eq(usual.iter().map(|name| name.as_bytes())) {
            return refuse(format!(
                "{subject} has other activations than sigmoid and tanh"
            ));
        }
    }
    let switches =
        ["layout", "input_forget"].map(|name| (name, node.integer(name).unwrap_or(0) != 0));
    let values = ["clip", "activation_alpha", "activation_beta"];
    let values = values.map(|name| (name, node.setting(name).is_some()));
    match switches.into_iter().chain(values).find(|(_, on)| *on) {
        Some((name, _)) => refuse(format!(
            "{subject} has the setting `{name}`, which is not computed here"
        )),
        None => Ok(()),
    }
}

/// Numbers per step of the input, which must be the newest stage from the first step to the last.
fn sequence(
    path: &GraphPath<'_>,
    node: &NodeProto,
    subject: &str,
) -> Result<usize, RecogniseError> {
    let steps = path.network.steps;
    let Some(origins) = path.origins(node, 0) else {
        return refuse(format!("{subject} does not take the rows of the window"));
    };
    let (newest, number) = path.newest();
    if !matches!(newest.kind, StageKind::Rows | StageKind::Layer(_)) {
        return refuse(format!("{subject} follows {}", path.name(number)));
    }
    path.expect(subject, &origins.cells, 0..steps)?;
    if origins.shape != [steps, 1, newest.width] {
        return refuse(format!(
            "{subject} takes its steps as a batch: {:?}",
            origins.shape
        ));
    }
    Ok(newest.width)
}

/// [`RecurrentLayer::start`].
type InitialState = Option<(Vec<f32>, Vec<f32>)>;

/// A layer's constant arguments.
struct Arguments<'p, 'g> {
    path: &'p GraphPath<'g>,
    node: &'p NodeProto,
    subject: &'p str,
}

impl Arguments<'_, '_> {
    /// Reads X, W, R, B, sequence_lens, initial_h, and for an LSTM initial_c and P.
    fn layer(&self, cell: CellKind, inputs: usize) -> Result<RecurrentLayer, RecogniseError> {
        let r = self.path.constant(self.node, 2);
        let units = r.and_then(|r| r.shape().last().copied()).unwrap_or(0);
        if units == 0 {
            return refuse(format!(
                "{} has no constant recurrent weights",
                self.subject
            ));
        }
        let sums = cell.gates() * units;
        let b = self.floats(3, "B", &[1, 2 * sums])?;
        let peepholes = match cell {
            CellKind::Lstm => self.floats(7, "P", &[1, 3 * units])?,
            CellKind::Gru { .. } => None,
        };
        if peepholes.is_some_and(|numbers| !zero(&numbers)) {
            return refuse(format!(
                "{} has peepholes, which are not computed here",
                self.subject
            ));
        }
        self.check_sequence_length()?;
        Ok(RecurrentLayer {
            cell,
            inputs,
            units,
            w: self.required(1, "W", &[1, sums, inputs])?,
            r: self.required(2, "R", &[1, sums, units])?,
            b: b.unwrap_or_else(|| vec![0.0; 2 * sums]),
            start: self.start(cell, units)?,
        })
    }

    /// The state before the first step; none where it is zero.
    fn start(&self, cell: CellKind, units: usize) -> Result<InitialState, RecogniseError> {
        let state = |at, name| {
            let numbers = self.floats(at, name, &[1, 1, units])?;
            Ok::<_, RecogniseError>(numbers.unwrap_or_else(|| vec![0.0; units]))
        };
        let h = state(5, "initial_h")?;
        let c = match cell {
            CellKind::Lstm => state(6, "initial_c")?,
            CellKind::Gru { .. } => vec![],
        };
        Ok((!zero(&h) || !zero(&c)).then_some((h, c)))
    }

    fn check_sequence_length(&self) -> Result<(), RecogniseError> {
        let subject = self.subject;
        if self.node.argument(4).is_none() {
            return Ok(());
        }
        let Some(lengths) = self.path.constant(self.node, 4) else {
            return refuse(format!(
                "{subject} takes a length (`sequence_lens`) that the graph computes"
            ));
        };
        match lengths.integers()?[..] {
            [length] if length == self.path.network.steps as i64 => Ok(()),
            _ => refuse(format!(
                "{subject} ends before the last step (`sequence_lens`)"
            )),
        }
    }

    fn required(&self, at: usize, name: &str, shape: &[usize]) -> Result<Vec<f32>, RecogniseError> {
        match self.floats(at, name, shape)? {
            Some(numbers) => Ok(numbers),
            None => refuse(format!("{} has no {name}", self.subject)),
        }
    }

    /// The numbers of an argument, which must be constant and of this shape; none where it is left out.
    fn floats(
        &self,
        at: usize,
        name: &str,
        shape: &[usize],
    ) -> Result<Option<Vec<f32>>, RecogniseError> {
        let subject = self.subject;
        if self.node.argument(at).is_none() {
            return Ok(None);
        }
        let Some(tensor) = self.path.constant(self.node, at) else {
            return refuse(format!("{name} of {subject} is computed by the graph"));
        };
        let found = tensor.shape();
        if found != shape {
            return refuse(format!(
                "{name} of {subject} has shape {found:?}, not {shape:?}"
            ));
        }
        Ok(Some(tensor.floats()?))
    }
}

fn zero(numbers: &[f32]) -> bool {
    numbers.iter().all(|&number| number == 0.0)
}
