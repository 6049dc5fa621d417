//! The declared inputs and outputs of a graph, checked against its contract.
//!
//! Looks at declarations only; the first run shows whether the graph keeps to them.

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

use super::admit::{Admitted, Classes};
use super::input::GraphInput;
use crate::model::contract::{ColumnKind, Contract, DeclaredContract};
use crate::model::provider::{Active, Execution, Provider};

/// The inputs and outputs of a graph.
#[derive(Debug)]
pub(super) struct GraphInterface {
    /// The inputs.
    pub(super) inputs: Vec<GraphInput>,
    /// Rows in a window.
    pub(super) steps: usize,
    /// Numbers in a row.
    pub(super) columns: usize,
    /// The outputs that are read, scores first, then reasons.
    pub(super) outputs: Vec<GraphOutput>,
}

/// An output that is read.
#[derive(Clone, Debug)]
pub(super) struct GraphOutput {
    /// Its index.
    pub(super) index: usize,
    /// Numbers per window.
    pub(super) count: usize,
    /// The place of each label's number; empty where they come in the order of the labels.
    pub(super) order: Vec<usize>,
}

impl GraphInterface {
    /// The interface of a session. A single input takes all columns, unless `declared` says otherwise.
    ///
    /// # Errors
    /// The first input or output that is not as the contract says, and what to do.
    pub(super) fn of(
        session: &Session,
        admitted: &Admitted<'_>,
        contract: &Contract,
        declared: &DeclaredContract,
    ) -> Result<Self, String> {
        let (steps, columns) = (contract.steps, contract.features.len());
        let inputs = session.inputs();
        if let Some((name, _)) = declared
            .inputs
            .iter()
            .find(|(name, _)| !inputs.iter().any(|input| input.name() == name))
        {
            return Err(format!(
                "it has no input `{name}`; take its [[model.input]] out"
            ));
        }
        let has_contract = session
            .metadata()
            .is_ok_and(|metadata| metadata.custom("foretick.features").is_some());
        let author = if has_contract {
            "its metadata promises"
        } else {
            "the pipeline promises"
        };
        let inputs = inputs.iter().map(|input| {
            let columns = columns_of(input, inputs, contract, declared)?;
            GraphInput::of(input, columns, &declared.kinds, steps, author)
        });
        Ok(Self {
            inputs: inputs.collect::<Result<_, String>>()?,
            steps,
            columns,
            outputs: outputs_read(session, admitted, contract, declared.output.as_deref())?,
        })
    }

    /// The execution on a provider: the configured batch size, or as many windows as the graph allows.
    pub(super) fn active(&self, provider: Provider, wanted: Execution) -> Result<Active, String> {
        let closed = self.inputs.iter().find(|input| !input.open);
        let batch_max = match wanted.batch_max {
            Some(batch) if batch > 1 && closed.is_some() => {
                return Err(format!(
                    "`batch_max` is {batch}, but its input `{}` takes one window at a time; export it \
                     with an open batch dimension, or take `batch_max` out",
                    closed.map_or("", |input| &input.name)
                ));
            }
            Some(batch) => batch,
            None if closed.is_none() => provider.batch_max(),
            None => 1,
        };
        Ok(Active {
            provider,
            batch_max,
            fallback: None,
        })
    }

    /// The sizes for dimensions that the graph gives a name instead of a size.
    pub(super) fn dimension_sizes(&self, batch: usize) -> Vec<(String, i64)> {
        let of_input = |input: &GraphInput| {
            let sizes = input.dimensions(batch).into_iter();
            let named: Vec<(String, i64)> = input
                .symbols
                .iter()
                .cloned()
                .zip(sizes.map(|size| size as i64))
                .collect();
            named
        };
        let all = self.inputs.iter().flat_map(of_input);
        all.filter(|(name, _)| !name.is_empty()).collect()
    }
}

/// The columns of a row that an input takes: those of its [[model.input]]; else all, where it is the only one
/// or one of those that go with tokens; else the feature of its name.
fn columns_of(
    input: &Outlet,
    all: &[Outlet],
    contract: &Contract,
    declared: &DeclaredContract,
) -> Result<Vec<usize>, String> {
    let listed = &declared.inputs;
    let column = |feature: &str| contract.features.iter().position(|name| name == feature);
    if let Some((_, features)) = listed.iter().find(|(name, _)| name == input.name()) {
        let place = |feature: &String| {
            column(feature).ok_or_else(|| {
                format!(
                    "[[model.input]] of `{}` lists `{feature}`, which is not a feature of the pipeline",
                    input.name()
                )
            })
        };
        return features.iter().map(place).collect();
    }
    let every = || (0..contract.features.len()).collect();
    let of_tokens = declared.kinds.contains(&ColumnKind::Token);
    if of_tokens && all.iter().all(|one| GraphInput::is_of_tokens(one.name())) {
        return Ok(every());
    }
    match (all.len(), &listed[..]) {
        (1, []) => Ok(every()),
        (_, []) if all.iter().all(|one| column(one.name()).is_some()) => {
            Ok(column(input.name()).into_iter().collect())
        }
        (several, []) => {
            let names: Vec<&str> = all.iter().map(Outlet::name).collect();
            Err(format!(
                "it has {several} inputs ({}); write a [[model.input]] with its features for each",
                names.join(", ")
            ))
        }
        _ => Err(format!(
            "its input `{}` has no [[model.input]]",
            input.name()
        )),
    }
}

fn is_float(outlet: &Outlet) -> bool {
    use TensorElementType::{Float32, Float64};
    matches!(
        outlet.dtype(),
        ValueType::Tensor {
            ty: Float32 | Float64,
            ..
        }
    )
}

/// Numbers per window, where the declaration says it.
fn numbers_declared(outlet: &Outlet) -> Option<usize> {
    let ValueType::Tensor { shape, .. } = outlet.dtype() else {
        return None;
    };
    match shape[..] {
        [_] => Some(1),
        [_, count] => usize::try_from(count).ok(),
        _ => None,
    }
}

/// The outputs with the scores and the reasons.
fn outputs_read(
    session: &Session,
    admitted: &Admitted<'_>,
    contract: &Contract,
    output: Option<&str>,
) -> Result<Vec<GraphOutput>, String> {
    let outputs = session.outputs();
    let all: Vec<&str> = outputs.iter().map(Outlet::name).collect();
    let position = |name: &str| outputs.iter().position(|outlet| outlet.name() == name);
    let index = match output {
        Some(name) => position(name)
            .ok_or_else(|| format!("it has no output `{name}`; it has {}", all.join(", ")))?,
        None => outputs.iter().position(is_float).unwrap_or(0),
    };
    let Some(scores) = outputs.get(index).filter(|outlet| is_float(outlet)) else {
        return Err(format!(
            "its output `{}` is not a tensor of float32 or float64; export it with one (scikit-learn: \
             `to_onnx(model, x, options={{\"zipmap\": False}})`, PyTorch: `model.float()`), or name another in \
             `[model] output`: it has {}",
            all.get(index).unwrap_or(&"0"),
            all.join(", ")
        ));
    };
    let labels = &contract.labels;
    let numbers = numbers_declared(scores);
    let alike = outputs
        .iter()
        .filter(|one| is_float(one) && numbers_declared(one) == Some(1))
        .count();
    if output.is_none() && labels.len() > 1 && numbers == Some(1) && alike > 1 {
        return Err(format!(
            "it has several outputs of one number ({}); export probabilities as one tensor (scikit-learn: \
             `to_onnx(model, x, options={{\"zipmap\": False}})`), or name the one with the probability of the \
             last label in `[model] output`",
            all.join(", ")
        ));
    }
    let mut read = vec![GraphOutput {
        index,
        count: contract.given,
        order: order(admitted, scores.name(), labels)?,
    }];
    let reasons = contract.reasons.len();
    if reasons > 0 {
        let index = position("reasons").ok_or_else(|| {
            "its metadata names reasons, but it has no output `reasons`".to_owned()
        })?;
        read.push(GraphOutput {
            index,
            count: reasons,
            order: vec![],
        });
    }
    Ok(read)
}

/// The place of each label's number in an output, where the file names its classes.
fn order(admitted: &Admitted<'_>, output: &str, labels: &[String]) -> Result<Vec<usize>, String> {
    let map = admitted.maps.iter().find(|(name, _)| name == output);
    let wanted = |classes: &[String]| {
        format!(
            "its classes are {classes:?}; write `labels = {classes:?}` in [model], and `values` where the score \
             is not to rise with their order"
        )
    };
    let place = |classes: &[String]| -> Option<Vec<usize>> {
        let place = |label: &String| classes.iter().position(|class| class == label);
        let places: Option<Vec<usize>> = labels.iter().map(place).collect();
        places.filter(|places| places.len() == classes.len())
    };
    match map {
        Some((_, classes)) if labels.is_empty() || labels.len() != classes.list().len() => {
            Err(wanted(classes.list()))
        }
        Some((_, Classes::Names(names))) => place(names).ok_or_else(|| wanted(names)),
        // Numbers have an order of their own, so that labels may be other names for them.
        Some((_, Classes::Numbers(numbers))) => Ok(place(numbers).unwrap_or_default()),
        None => match &admitted.names {
            Some(names) if !labels.is_empty() && names != labels && place(names).is_some() => {
                Err(wanted(names))
            }
            _ => Ok(vec![]),
        },
    }
}

/// Rows, and numbers in a row, as the first input declares them; 0 where it leaves them open.
pub(super) fn declared_window(session: &Session) -> [usize; 2] {
    match session.inputs().first().map(Outlet::dtype) {
        Some(ValueType::Tensor { shape, .. }) => match shape[..] {
            [_, steps, columns] => [steps, columns].map(|size| usize::try_from(size).unwrap_or(0)),
            _ => [0, 0],
        },
        _ => [0, 0],
    }
}
