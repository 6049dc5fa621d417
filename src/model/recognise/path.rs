//! The path from the rows to the output: one stage after another, each made of the newest one alone.
//!
//! Holds what is known of every tensor by name; branches, other than those that convolutions add up, and
//! stages in another order are refused.

use std::collections::HashMap;
use std::ops::Range;

use super::error::{RecogniseError, refuse};
use super::graph::{window_input, window_shape};
use super::label::{Label, Labels};
use crate::model::proto::{GraphProto, NodeProto, TensorProto};
use crate::model::slide::convolution::network::{Filter, Taken};
use crate::model::slide::recurrent::network::Network;

/// What has been read so far.
pub(super) struct Path<'g> {
    /// Version of the operators.
    pub(super) opset: i64,
    /// What the graph is, up to here.
    pub(super) network: Network,
    /// The convolutions in it, and what is known of each.
    pub(super) filters: Vec<Filter>,
    pub(super) known: Vec<Known>,
    /// What the head takes of them.
    pub(super) taken: Option<Taken>,
    stages: Vec<Stage>,
    constants: HashMap<&'g str, &'g TensorProto>,
    labels: HashMap<&'g str, Labels>,
}

/// A filter while the graph is read.
pub(super) struct Known {
    /// The stage that it is at: its sums, then behind an activation or a sum with another.
    pub(super) stage: usize,
    /// The first step whose column sees no padding.
    pub(super) clean: usize,
    /// Whether another node has read it, so that it stays as it is.
    pub(super) used: bool,
}

/// Something that made numbers, `width` of them a step.
#[derive(Clone, Copy)]
pub(super) struct Stage {
    pub(super) what: What,
    pub(super) width: usize,
}

/// The kinds of stages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// Zeros around other numbers.
    Padding,
    /// The rows, normalised up to here.
    Rows,
    /// The outputs of a recurrent layer, counted from 1.
    Layer(usize),
    /// The columns of a convolution, counted from 1: its sums, or those behind an activation.
    Filter(usize),
    /// Columns pooled.
    Pooled,
    /// The sums of a dense layer to which no bias was added yet.
    Product(usize),
    /// The sums of a dense layer.
    Dense(usize),
    /// A dense layer behind its activation.
    Activated(usize),
}

impl<'g> Path<'g> {
    /// Begins at the graph's one input, `[1, T, F]`.
    pub(super) fn enter(
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
            return refuse(format!(
                "the window is of {rows} rows of {features} features"
            ));
        }
        if rows != steps {
            return refuse(format!("the input has {rows} steps, not {steps}"));
        }
        let constants = graph.initializer.iter();
        let rows = Labels::of(1, 0..steps, features, vec![1, steps, features]);
        let network = Network {
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
            known: vec![],
            taken: None,
            stages: vec![
                Stage {
                    what: What::Padding,
                    width: 0,
                },
                Stage {
                    what: What::Rows,
                    width: features,
                },
            ],
            constants: constants
                .map(|tensor| (tensor.name.as_str(), tensor))
                .collect(),
            labels: HashMap::from([(input.name.as_str(), rows)]),
        })
    }

    /// Notes the origins of a node's results, by their names.
    pub(super) fn note(&mut self, node: &'g NodeProto, results: Vec<Labels>) {
        let names = node.output.iter().map(String::as_str);
        self.labels
            .extend(names.zip(results).filter(|(name, _)| !name.is_empty()));
    }

    /// Adds a stage and gives its number.
    pub(super) fn add(&mut self, what: What, width: usize) -> usize {
        self.stages.push(Stage { what, width });
        self.stages.len() - 1
    }

    /// The newest stage, and its number.
    pub(super) fn newest(&self) -> (Stage, usize) {
        let number = self.stages.len() - 1;
        (self.stages[number], number)
    }

    /// What a stage is.
    pub(super) fn what(&self, stage: usize) -> What {
        self.stages[stage].what
    }

    /// Numbers that a stage makes at a step.
    pub(super) fn width(&self, stage: usize) -> usize {
        self.stages[stage].width
    }

    /// The rows behind all normalisation read so far.
    pub(super) fn newest_rows(&self) -> usize {
        let rows = |stage: &Stage| stage.what == What::Rows;
        self.stages.iter().rposition(rows).unwrap_or(PADDING)
    }

    /// What is known of a tensor.
    pub(super) fn tensor(&self, name: &str) -> Option<&Labels> {
        self.labels.get(name)
    }

    /// What is known of an argument that the graph computes.
    pub(super) fn labels(&self, node: &NodeProto, at: usize) -> Option<&Labels> {
        self.labels.get(node.argument(at)?)
    }

    /// An argument that is constant.
    pub(super) fn constant(&self, node: &NodeProto, at: usize) -> Option<&'g TensorProto> {
        self.constants.get(node.argument(at)?).copied()
    }

    /// Holds labels against all units of the newest stage at these steps, in order.
    pub(super) fn expect(
        &self,
        who: &str,
        cells: &[Label],
        steps: Range<usize>,
    ) -> Result<(), RecogniseError> {
        let (newest, number) = self.newest();
        let wanted = steps.clone().flat_map(|step| {
            (0..newest.width).map(move |unit| Label {
                stage: number,
                step,
                unit,
            })
        });
        if cells.iter().copied().eq(wanted) {
            return Ok(());
        }
        self.expect_newest(who, cells)?;
        let of = self.name(number);
        let all = self.network.steps;
        let found = distinct(cells.iter().map(|cell| cell.step));
        refuse(match (&found[..], steps.len() == 1) {
            ([one], true) if *one != steps.start => {
                format!(
                    "{who} takes step {} of {all} of {of}, not the last",
                    one + 1
                )
            }
            ([_, _, ..], true) => {
                format!(
                    "{who} takes {} steps of {of}, not the last alone",
                    found.len()
                )
            }
            (_, false) if found.len() < all => {
                format!("{who} takes {} of the {all} steps of {of}", found.len())
            }
            (_, false) if found.first() > found.last() => {
                format!("{who} takes the steps of {of} from the newest to the oldest")
            }
            _ => format!("{who} takes the numbers of {of} in another order, or only some of them"),
        })
    }

    /// Every label must be of the newest stage.
    pub(super) fn expect_newest(&self, who: &str, cells: &[Label]) -> Result<(), RecogniseError> {
        let (_, newest) = self.newest();
        let stages = distinct(cells.iter().map(|cell| cell.stage));
        if stages.iter().all(|&stage| stage == newest) {
            return Ok(());
        }
        let names = distinct(stages.iter().map(|&stage| self.name(stage)));
        let names = names.join(" and ");
        refuse(match stages.len() {
            1 => format!(
                "{who} takes {names}, although {} follows: only one layer after another is computed here",
                self.name(newest)
            ),
            _ => format!(
                "{who} takes {names} together: only one layer after another is computed here"
            ),
        })
    }

    /// Why an operator cannot be followed here.
    pub(super) fn unknown(&self, node: &NodeProto) -> RecogniseError {
        let kind = &node.op_type;
        let computed: Vec<&Labels> = (0..node.input.len())
            .filter_map(|at| self.labels(node, at))
            .collect();
        let stage = |labels: &&Labels| labels.cells.first().map_or(0, |cell| cell.stage);
        let Some(first) = computed.first() else {
            return RecogniseError::Graph(format!(
                "operator {kind} works on constants alone, but is not folded"
            ));
        };
        let at = self.name(stage(first));
        let over_steps = distinct(first.cells.iter().map(|cell| cell.step)).len() > 1;
        let on_rows = self.stages[stage(first)].what == What::Rows;
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
            let names = distinct(computed.iter().map(|labels| self.name(stage(labels))));
            format!(
                "operator {kind} joins branches of the graph ({})",
                names.join(" and ")
            )
        } else {
            format!("operator {kind} behind {at} is not one that is computed here")
        })
    }

    /// An argument is a constant or a followed tensor: not a cell state, not a mask.
    pub(super) fn knows_arguments(&self, node: &NodeProto) -> Result<(), RecogniseError> {
        for at in 0..node.input.len() {
            let Some(name) = node.argument(at) else {
                continue;
            };
            if self.labels(node, at).is_none() && self.constant(node, at).is_none() {
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
    pub(super) fn padded_behind(&self, who: &str, stage: usize) -> String {
        format!(
            "{who} takes columns of {} that are padded after the last row: the convolution at a step sees \
             later rows; pad before the first row alone",
            self.name(stage)
        )
    }

    /// A stage in words.
    pub(super) fn name(&self, stage: usize) -> String {
        match self.stages[stage].what {
            What::Padding => "padding".into(),
            What::Filter(number) => format!("convolution {number}"),
            What::Pooled => "the pooled columns".into(),
            What::Rows => "the rows".into(),
            What::Layer(number) => format!("layer {number}"),
            What::Product(number) | What::Dense(number) | What::Activated(number) => {
                format!("dense layer {number}")
            }
        }
    }
}

/// Numbers in a window that are labelled at most: a file that claims more costs no memory.
pub(super) const MOST_CELLS: usize = 1 << 24;

/// The stage of [`Label::PADDING`].
pub(super) const PADDING: usize = 0;

/// Whether an operator is one of ONNX's own.
pub(super) fn own(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

/// Each value once, in the order of its first appearance.
fn distinct<V: PartialEq + Clone>(values: impl Iterator<Item = V>) -> Vec<V> {
    let mut distinct: Vec<V> = Vec::new();
    for value in values {
        // Neighbours are mostly equal.
        if distinct.last() != Some(&value) && !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}
