//! The declared inputs and outputs of a graph, checked against its contract.
//!
//! Looks at declarations only; the first run shows whether the graph keeps to them.

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

use crate::model::contract::Contract;
use crate::model::provider::{Active, Execution, Provider};

/// The inputs and outputs of a graph. An input is a tensor `[N, T, F]`, N open or 1; where T is 1, or the
/// graph takes a window flat, `[N, T · F]` too.
#[derive(Debug)]
pub(super) struct GraphInterface {
    /// The inputs.
    pub(super) inputs: Vec<GraphInput>,
    /// Rows in a window.
    pub(super) steps: usize,
    /// Numbers in a row.
    pub(super) columns: usize,
    /// Numbers that a window gives.
    pub(super) outputs: usize,
    /// The outputs that are read, scores first, then reasons: the index of each, and numbers per window.
    pub(super) outputs_read: Vec<(usize, usize)>,
}

/// One input.
#[derive(Clone, Debug)]
pub(super) struct GraphInput {
    /// Its name.
    pub(super) name: String,
    /// The columns of a row that it takes, in its order.
    pub(super) columns: Vec<usize>,
    /// The rows of a window that it takes, counted from the newest.
    pub(super) rows: usize,
    /// Whether it takes any number of windows.
    open: bool,
    /// Whether it has no dimension of rows.
    flat: bool,
    /// Names of the dimensions that the graph leaves open.
    symbols: Vec<String>,
}

impl GraphInterface {
    /// The interface of a session. `inputs` has the columns of each input, where there are several; a single
    /// input takes all. `output` names the output with the scores.
    ///
    /// # Errors
    /// The first input or output that is not as the contract says, and what to do.
    pub(super) fn of(
        session: &Session,
        contract: &Contract,
        inputs: &[(String, Vec<String>)],
        output: Option<&str>,
    ) -> Result<Self, String> {
        let (steps, columns) = (contract.steps, contract.features.len());
        let declared = session.inputs();
        if let Some((name, _)) = inputs
            .iter()
            .find(|(name, _)| !declared.iter().any(|input| input.name() == name))
        {
            return Err(format!(
                "it has no input `{name}`; take its [[model.input]] out"
            ));
        }
        let columns_of = |input: &Outlet| -> Result<Vec<usize>, String> {
            let Some((_, features)) = inputs.iter().find(|(name, _)| name == input.name()) else {
                return match (declared.len(), inputs) {
                    (1, []) => Ok((0..columns).collect()),
                    (several, []) => Err(format!(
                        "it has {several} inputs ({}); write a [[model.input]] with its features for each",
                        declared
                            .iter()
                            .map(Outlet::name)
                            .collect::<Vec<_>>()
                            .join(", ")
                    )),
                    _ => Err(format!(
                        "its input `{}` has no [[model.input]]",
                        input.name()
                    )),
                };
            };
            let column = |feature: &String| {
                let column = contract.features.iter().position(|name| name == feature);
                column.ok_or_else(|| {
                    format!(
                        "[[model.input]] of `{}` lists `{feature}`, which is not a feature of the pipeline",
                        input.name()
                    )
                })
            };
            features.iter().map(column).collect()
        };
        let has_contract = session
            .metadata()
            .is_ok_and(|metadata| metadata.custom("foretick.features").is_some());
        let author = if has_contract {
            "its metadata promises"
        } else {
            "the pipeline promises"
        };
        let inputs = declared
            .iter()
            .map(|input| GraphInput::of(input, columns_of(input)?, steps, author));
        Ok(Self {
            inputs: inputs.collect::<Result<_, String>>()?,
            steps,
            columns,
            outputs: contract.outputs(),
            outputs_read: outputs_read(session, contract, output)?,
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

impl GraphInput {
    /// An input for these columns, as the graph declares it; `author` wrote that it takes them.
    fn of(input: &Outlet, columns: Vec<usize>, steps: usize, author: &str) -> Result<Self, String> {
        let ValueType::Tensor {
            ty: TensorElementType::Float32,
            shape,
            dimension_symbols,
        } = input.dtype()
        else {
            return Err(format!(
                "its input `{}` is {}; a float32 tensor [1, T, F] is expected",
                input.name(),
                input.dtype()
            ));
        };
        let width = columns.len();
        let fits = |wanted: &[usize]| {
            let same = |(&has, &want): (&i64, &usize)| has == -1 || has == want as i64;
            shape.len() == wanted.len() && shape.iter().zip(wanted).all(same)
        };
        let (rows, flat) = match () {
            () if steps == 0 || width == 0 => (0, false),
            () if fits(&[1, steps, width]) => (steps, false),
            () if fits(&[1, steps * width]) => (steps, true),
            // Columns that do not change within a window: those of the newest row.
            () if fits(&[1, width]) => (1, true),
            () => (0, false),
        };
        if rows == 0 {
            return Err(format!(
                "its input `{}` has shape {shape:?}, but {author} {steps} steps of {width} features: [1, {steps}, \
                 {width}]",
                input.name()
            ));
        }
        Ok(Self {
            name: input.name().to_owned(),
            columns,
            rows,
            open: shape[0] == -1,
            flat,
            symbols: dimension_symbols.to_vec(),
        })
    }

    /// Its dimensions for so many windows.
    pub(super) fn dimensions(&self, batch: usize) -> Vec<usize> {
        if self.flat {
            vec![batch, self.rows * self.columns.len()]
        } else {
            vec![batch, self.rows, self.columns.len()]
        }
    }

    /// Writes its part of a window, whose rows have `width` numbers, to `cells`.
    pub(super) fn fill(&self, window: &[f64], width: usize, cells: &mut [f32]) {
        let skipped = window.len() / width - self.rows;
        let rows = window.chunks_exact(width).skip(skipped);
        for (row, cells) in rows.zip(cells.chunks_exact_mut(self.columns.len())) {
            for (cell, &column) in cells.iter_mut().zip(&self.columns) {
                *cell = row[column] as f32;
            }
        }
    }
}

/// The outputs with the scores and the reasons.
fn outputs_read(
    session: &Session,
    contract: &Contract,
    output: Option<&str>,
) -> Result<Vec<(usize, usize)>, String> {
    let outputs = session.outputs();
    let is_float = |outlet: &Outlet| {
        matches!(
            outlet.dtype(),
            ValueType::Tensor {
                ty: TensorElementType::Float32,
                ..
            }
        )
    };
    let all: Vec<&str> = outputs.iter().map(Outlet::name).collect();
    let position = |name: &str| outputs.iter().position(|outlet| outlet.name() == name);
    let scores = match output {
        Some(name) => position(name)
            .ok_or_else(|| format!("it has no output `{name}`; it has {}", all.join(", ")))?,
        None => outputs.iter().position(is_float).unwrap_or(0),
    };
    if !outputs.get(scores).is_some_and(is_float) {
        return Err(format!(
            "its output `{}` is not a float32 tensor; export it with one (scikit-learn and LightGBM: \
             `zipmap=False`), or name another in `[model] output`: it has {}",
            all.get(scores).unwrap_or(&"0"),
            all.join(", ")
        ));
    }
    let reasons = contract.reasons.len();
    let mut read = vec![(scores, contract.labels.len().max(1))];
    if reasons > 0 {
        let index = position("reasons").ok_or_else(|| {
            "its metadata names reasons, but it has no output `reasons`".to_owned()
        })?;
        read.push((index, reasons));
    }
    Ok(read)
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
