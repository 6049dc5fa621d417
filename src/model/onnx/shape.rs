//! The inputs of a graph: what they declare, held against what its metadata promise.
//!
//! Looks at declarations only; what a graph really gives, its first run shows.

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

use crate::model::contract::Contract;
use crate::model::provider::{Active, Execution, Provider};

/// What a graph takes of a window, and gives for it. Its inputs are tensors `[N, T, F]`, N open or 1; where T
/// is 1, or a window is taken flat, `[N, T · F]` too.
#[derive(Debug)]
pub(super) struct Shape {
    /// What it takes, one entry an input.
    pub(super) inputs: Vec<Input>,
    /// Rows in a window.
    pub(super) steps: usize,
    /// Numbers in a row.
    pub(super) columns: usize,
    /// Numbers that a window gives.
    pub(super) outputs: usize,
    /// The outputs that hold the scores, and the reasons behind them: place, and how many a window.
    pub(super) taken: Vec<(usize, usize)>,
}

/// One input.
#[derive(Clone, Debug)]
pub(super) struct Input {
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

impl Shape {
    /// `inputs` says which columns an input takes, where there are several; a single one takes all.
    ///
    /// # Errors
    /// What the graph takes or gives that is not as its contract promises, and what to do.
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
        let taken_by = |input: &Outlet| -> Result<Vec<usize>, String> {
            let Some((_, features)) = inputs.iter().find(|(name, _)| name == input.name()) else {
                return match (declared.len(), inputs) {
                    (1, []) => Ok((0..columns).collect()),
                    (several, []) => Err(format!(
                        "it has {several} inputs ({}); say by a [[model.input]] each which features it takes",
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
            let place = |feature: &String| {
                let known = contract.features.iter().position(|known| known == feature);
                known.ok_or_else(|| {
                    format!(
                        "[[model.input]] of `{}` names no feature `{feature}`",
                        input.name()
                    )
                })
            };
            features.iter().map(place).collect()
        };
        let told = session
            .metadata()
            .is_ok_and(|metadata| metadata.custom("foretick.features").is_some());
        let who = if told {
            "its metadata promises"
        } else {
            "the pipeline promises"
        };
        let inputs = declared
            .iter()
            .map(|input| Input::of(input, taken_by(input)?, steps, who));
        Ok(Self {
            inputs: inputs.collect::<Result<_, String>>()?,
            steps,
            columns,
            outputs: contract.outputs(),
            taken: taken(session, contract, output)?,
        })
    }

    /// What is asked for, on this provider, with as many windows as the graph allows.
    pub(super) fn active(&self, provider: Provider, asked: Execution) -> Result<Active, String> {
        let closed = self.inputs.iter().find(|input| !input.open);
        let batch_max = match asked.batch_max {
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

    /// The sizes of dimensions that have a name instead.
    pub(super) fn sizes(&self, batch: usize) -> Vec<(String, i64)> {
        let of_input = |input: &Input| {
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

impl Input {
    /// An input of these columns, as the graph declares it; `who` promises that it takes them.
    fn of(input: &Outlet, columns: Vec<usize>, steps: usize, who: &str) -> Result<Self, String> {
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
            // What does not change within a window: as the newest row has it.
            () if fits(&[1, width]) => (1, true),
            () => (0, false),
        };
        if rows == 0 {
            return Err(format!(
                "its input `{}` has shape {shape:?}, but {who} {steps} steps of {width} features: [1, {steps}, \
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

    /// Writes what it takes of a window of rows of `width` numbers.
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

/// The places of scores and reasons among the outputs.
fn taken(
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
    let named = |name: &str| outputs.iter().position(|outlet| outlet.name() == name);
    let scores = match output {
        Some(name) => named(name)
            .ok_or_else(|| format!("it has no output `{name}`; it has {}", all.join(", ")))?,
        None => outputs.iter().position(is_float).unwrap_or(0),
    };
    if !outputs.get(scores).is_some_and(is_float) {
        return Err(format!(
            "its output `{}` is no float32 tensor; export it with one (scikit-learn and LightGBM: \
             `zipmap=False`), or name another in `[model] output`: it has {}",
            all.get(scores).unwrap_or(&"0"),
            all.join(", ")
        ));
    }
    let reasons = contract.reasons.len();
    let mut taken = vec![(scores, contract.labels.len().max(1))];
    if reasons > 0 {
        let place = named("reasons").ok_or_else(|| {
            "its metadata names reasons, but it has no output `reasons`".to_owned()
        })?;
        taken.push((place, reasons));
    }
    Ok(taken)
}

/// Rows and numbers in a row as the first input declares them; 0 where it leaves them open.
pub(super) fn declared(session: &Session) -> [usize; 2] {
    match session.inputs().first().map(Outlet::dtype) {
        Some(ValueType::Tensor { shape, .. }) => match shape[..] {
            [_, steps, columns] => [steps, columns].map(|size| usize::try_from(size).unwrap_or(0)),
            _ => [0, 0],
        },
        _ => [0, 0],
    }
}
