//! The path from the rows to the output: one stage after another, each made from the newest one alone.
//!
//! Holds the origins of the numbers in every tensor, by its name. Branches are refused, except those that
//! convolutions add up, and so are stages in another order.

use std::collections::HashMap;
use std::ops::Range;

use super::error::{RecogniseError, refuse};
use super::graph::{window_input, window_shape};
use super::origin::{CellOrigin, Origins};
use crate::model::proto::{GraphProto, NodeProto, TensorProto};
use crate::model::slide::convolution::network::{ConvolutionFilter, HeadInput};
use crate::model::slide::recurrent::network::RecurrentNetwork;

/// The part of the graph that has been read.
pub(super) struct GraphPath<'g> {
    /// The version of the operator set.
    pub(super) opset: i64,
    /// The network so far: its normalisation, its recurrent layers, its head.
    pub(super) network: RecurrentNetwork,
    /// The convolutions so far, and how far each has been read.
    pub(super) filters: Vec<ConvolutionFilter>,
    pub(super) filter_progress: Vec<FilterProgress>,
    /// The columns that the head takes of the last convolution; none while no node has taken any.
    pub(super) head_input: Option<HeadInput>,
    stages: Vec<Stage>,
    constants: HashMap<&'g str, &'g TensorProto>,
    origins: HashMap<&'g str, Origins>,
}

/// How far a convolution has been read.
pub(super) struct FilterProgress {
    /// Its newest stage: its sums, then the result of an activation, or of a sum with another convolution.
    pub(super) stage: usize,
    /// The first step whose column sees no padding.
    pub(super) first_unpadded: usize,
    /// Whether another node has read it, so that no activation or sum may follow.
    pub(super) used: bool,
}

/// A part of the network that makes `width` numbers per step.
#[derive(Clone, Copy)]
pub(super) struct Stage {
    pub(super) kind: StageKind,
    pub(super) width: usize,
}

/// The kinds of stages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum StageKind {
    /// The zeros of padding.
    Padding,
    /// The rows, after the normalisation read so far.
    Rows,
    /// The outputs of a recurrent layer, counted from 1.
    Layer(usize),
    /// The columns of a convolution, counted from 1: its sums, or the result of an activation on them.
    Filter(usize),
    /// The pooled columns of a convolution.
    Pooled,
    /// The sums of a dense layer, counted from 1, before a bias is added.
    Product(usize),
    /// The sums of a dense layer.
    Dense(usize),
    /// The result of the activation of a dense layer.
    Activated(usize),
}

impl<'g> GraphPath<'g> {
    /// A path that begins at the graph's one input, `[1, T, F]`.
    pub(super) fn new(
        graph: &'g GraphProto,
        opset: i64,
        steps: usize,
    ) -> Result<Self, RecogniseError> {
        let input = window_input(graph)?;
        let shape = window_shape(input)?;
        let [Some(1), Some(rows), Some(features)] = shape[..] else {
            return refuse("the input's shape is not folded to [1, T, F]");
        };
        if !(1..=MOST_CELLS).contains(&rows.saturating_mul(features)) {
            return refuse(format!("the window has {rows} rows of {features} features"));
        }
        if rows != steps {
            return refuse(format!("the input has {rows} steps, not {steps}"));
        }
        let constants = graph.initializer.iter();
        let rows = Origins::of(1, 0..steps, features, vec![1, steps, features]);
        let network = RecurrentNetwork {
            features,
            steps,
            scale: vec![],
            layers: vec![],
            head: vec![],
        };
        Ok(Self {
            opset,
            network,
            filters: vec![],
            filter_progress: vec![],
            head_input: None,
            stages: vec![
                Stage {
                    kind: StageKind::Padding,
                    width: 0,
                },
                Stage {
                    kind: StageKind::Rows,
                    width: features,
                },
            ],
            constants: constants
                .map(|tensor| (tensor.name.as_str(), tensor))
                .collect(),
            origins: HashMap::from([(input.name.as_str(), rows)]),
        })
    }

    /// Stores the origins of a node's results, by their names.
    pub(super) fn store(&mut self, node: &'g NodeProto, results: Vec<Origins>) {
        let names = node.output.iter().map(String::as_str);
        self.origins
            .extend(names.zip(results).filter(|(name, _)| !name.is_empty()));
    }

    /// Adds a stage and gives its number.
    pub(super) fn add_stage(&mut self, kind: StageKind, width: usize) -> usize {
        self.stages.push(Stage { kind, width });
        self.stages.len() - 1
    }

    /// The newest stage, and its number.
    pub(super) fn newest(&self) -> (Stage, usize) {
        let number = self.stages.len() - 1;
        (self.stages[number], number)
    }

    /// The kind of a stage.
    pub(super) fn kind(&self, stage: usize) -> StageKind {
        self.stages[stage].kind
    }

    /// Numbers that a stage makes per step.
    pub(super) fn width(&self, stage: usize) -> usize {
        self.stages[stage].width
    }

    /// The stage of the rows after all normalisation read so far.
    pub(super) fn newest_rows(&self) -> usize {
        let rows = |stage: &Stage| stage.kind == StageKind::Rows;
        self.stages.iter().rposition(rows).unwrap_or(PADDING)
    }

    /// The origins of a tensor.
    pub(super) fn tensor(&self, name: &str) -> Option<&Origins> {
        self.origins.get(name)
    }

    /// The origins of an argument that the graph computes.
    pub(super) fn origins(&self, node: &NodeProto, at: usize) -> Option<&Origins> {
        self.origins.get(node.argument(at)?)
    }

    /// A constant argument.
    pub(super) fn constant(&self, node: &NodeProto, at: usize) -> Option<&'g TensorProto> {
        self.constants.get(node.argument(at)?).copied()
    }

    /// Checks that these are all numbers of the newest stage at these steps, in order. `subject` begins the
    /// sentence of an error.
    pub(super) fn expect(
        &self,
        subject: &str,
        cells: &[CellOrigin],
        steps: Range<usize>,
    ) -> Result<(), RecogniseError> {
        let (newest, number) = self.newest();
        let wanted = steps.clone().flat_map(|step| {
            (0..newest.width).map(move |unit| CellOrigin {
                stage: number,
                step,
                unit,
            })
        });
        if cells.iter().copied().eq(wanted) {
            return Ok(());
        }
        self.expect_newest(subject, cells)?;
        let of = self.name(number);
        let all = self.network.steps;
        let found = distinct(cells.iter().map(|cell| cell.step));
        refuse(match (&found[..], steps.len() == 1) {
            ([one], true) if *one != steps.start => {
                format!(
                    "{subject} takes step {} of {all} of {of}, not the last",
                    one + 1
                )
            }
            ([_, _, ..], true) => {
                format!(
                    "{subject} takes {} steps of {of}, not the last alone",
                    found.len()
                )
            }
            (_, false) if found.len() < all => {
                format!("{subject} takes {} of the {all} steps of {of}", found.len())
            }
            (_, false) if found.first() > found.last() => {
                format!("{subject} takes the steps of {of} from the newest to the oldest")
            }
            _ => format!(
                "{subject} takes the numbers of {of} in another order, or only some of them"
            ),
        })
    }

    /// Checks that every number is of the newest stage.
    pub(super) fn expect_newest(
        &self,
        subject: &str,
        cells: &[CellOrigin],
    ) -> Result<(), RecogniseError> {
        let (_, newest) = self.newest();
        let stages = distinct(cells.iter().map(|cell| cell.stage));
        if stages.iter().all(|&stage| stage == newest) {
            return Ok(());
        }
        let names = distinct(stages.iter().map(|&stage| self.name(stage)));
        let names = names.join(" and ");
        refuse(match stages.len() {
            1 => format!(
                "{subject} takes {names}, although {} follows: only one layer after another is computed here",
                self.name(newest)
            ),
            _ => format!(
                "{subject} takes {names} together: only one layer after another is computed here"
            ),
        })
    }

    /// The refusal of an operator at this place.
    pub(super) fn unsupported(&self, node: &NodeProto) -> RecogniseError {
        let kind = &node.op_type;
        let computed: Vec<&Origins> = (0..node.input.len())
            .filter_map(|at| self.origins(node, at))
            .collect();
        let stage = |origins: &&Origins| origins.cells.first().map_or(0, |cell| cell.stage);
        let Some(first) = computed.first() else {
            return RecogniseError::Graph(format!(
                "operator {kind} works on constants alone, but is not folded"
            ));
        };
        let at = self.name(stage(first));
        let over_steps = distinct(first.cells.iter().map(|cell| cell.step)).len() > 1;
        let on_rows = self.stages[stage(first)].kind == StageKind::Rows;
        let pools = kind.starts_with("Reduce") || kind.contains("Pool");
        RecogniseError::Graph(if pools && on_rows {
            format!(
                "operator {kind} on the rows normalises them over the window itself: each row changes \
                 with every window"
            )
        } else if pools && over_steps {
            format!(
                "operator {kind} pools all steps of {at}: the result needs more than the last one"
            )
        } else if over_steps && (kind == "Softmax" || (kind == "MatMul" && computed.len() > 1)) {
            format!(
                "operator {kind} is attention over the steps of {at}: the result needs all of them"
            )
        } else if computed.len() > 1 {
            let names = distinct(computed.iter().map(|origins| self.name(stage(origins))));
            format!(
                "operator {kind} joins branches of the graph ({})",
                names.join(" and ")
            )
        } else {
            format!("operator {kind} after {at} is not one that is computed here")
        })
    }

    /// Checks that every argument is a constant or a tensor whose origins are known: not a cell state, not a
    /// mask.
    pub(super) fn check_arguments(&self, node: &NodeProto) -> Result<(), RecogniseError> {
        for at in 0..node.input.len() {
            let Some(name) = node.argument(at) else {
                continue;
            };
            if self.origins(node, at).is_none() && self.constant(node, at).is_none() {
                return refuse(format!(
                    "operator {} takes `{name}`, which is neither an output of a layer nor a constant (a \
                     cell state?)",
                    node.op_type
                ));
            }
        }
        Ok(())
    }

    /// The refusal of columns that are padded after the last row.
    pub(super) fn padded_after(&self, subject: &str, stage: usize) -> String {
        format!(
            "{subject} takes columns of {} that are padded after the last row: the convolution at a step sees \
             later rows; pad before the first row alone",
            self.name(stage)
        )
    }

    /// The name of a stage in messages.
    pub(super) fn name(&self, stage: usize) -> String {
        match self.stages[stage].kind {
            StageKind::Padding => "padding".into(),
            StageKind::Filter(number) => format!("convolution {number}"),
            StageKind::Pooled => "the pooled columns".into(),
            StageKind::Rows => "the rows".into(),
            StageKind::Layer(number) => format!("layer {number}"),
            StageKind::Product(number)
            | StageKind::Dense(number)
            | StageKind::Activated(number) => {
                format!("dense layer {number}")
            }
        }
    }
}

/// Numbers in a tensor at most, so that a file that declares more is refused before it takes memory.
pub(super) const MOST_CELLS: usize = 1 << 24;

/// The stage of [`CellOrigin::PADDING`].
pub(super) const PADDING: usize = 0;

/// Whether an operator is of ONNX's own set.
pub(super) fn is_own_operator(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

/// Each value once, in the order of its first appearance.
fn distinct<V: PartialEq + Clone>(values: impl Iterator<Item = V>) -> Vec<V> {
    let mut distinct: Vec<V> = Vec::new();
    for value in values {
        // Neighbours are equal most of the time.
        if distinct.last() != Some(&value) && !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}
