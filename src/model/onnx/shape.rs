//! The input of a graph: what it declares, held against what its metadata promise.
//!
//! Looks at declarations only; what a graph really gives, its first run shows.

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

use crate::model::Contract;
use crate::model::provider::{Active, Execution, Provider};

/// One tensor `[N, T, F]`, N open or 1; where T is 1, or a window is taken flat, `[N, T · F]` too.
#[derive(Debug)]
pub(super) struct Shape {
    /// The input's name.
    pub(super) name: String,
    /// Whether it takes any number of windows.
    open: bool,
    /// Names of the dimensions that the graph leaves open.
    symbols: Vec<String>,
    /// Rows in a window.
    pub(super) steps: usize,
    /// Numbers in a row.
    pub(super) columns: usize,
    /// Numbers that a window gives.
    pub(super) outputs: usize,
    /// The outputs that hold the scores, and the reasons behind them: place, and how many a window.
    pub(super) taken: Vec<(usize, usize)>,
    /// Whether the input has no dimension of rows.
    flat: bool,
}

impl Shape {
    /// # Errors
    /// What the graph takes or gives that is not as its contract promises, and what to do.
    pub(super) fn of(
        session: &Session,
        contract: &Contract,
        output: Option<&str>,
    ) -> Result<Self, String> {
        let (steps, columns) = (contract.steps, contract.features.len());
        let [input] = session.inputs() else {
            return Err(format!(
                "it has {} inputs; one window [1, T, F] is expected",
                session.inputs().len()
            ));
        };
        let ValueType::Tensor {
            ty: TensorElementType::Float32,
            shape,
            dimension_symbols,
        } = input.dtype()
        else {
            return Err(format!(
                "its input is {}; a float32 tensor [1, T, F] is expected",
                input.dtype()
            ));
        };
        let flat = shape.len() == 2;
        let wanted: &[i64] = if flat {
            &[1, (steps * columns) as i64]
        } else {
            &[1, steps as i64, columns as i64]
        };
        let fits = shape.len() == wanted.len()
            && shape
                .iter()
                .zip(wanted)
                .all(|(&has, &want)| has == -1 || has == want);
        if !fits || steps == 0 || columns == 0 {
            return Err(format!(
                "its input `{}` has shape {shape:?}, but its metadata promises {steps} steps of {columns} \
                 features: [1, {steps}, {columns}]",
                input.name()
            ));
        }
        Ok(Self {
            name: input.name().to_owned(),
            open: shape[0] == -1,
            symbols: dimension_symbols.to_vec(),
            steps,
            columns,
            outputs: contract.outputs(),
            taken: taken(session, contract, output)?,
            flat,
        })
    }

    /// What is asked for, on this provider, with as many windows as the graph allows.
    pub(super) fn active(&self, provider: Provider, asked: Execution) -> Result<Active, String> {
        let batch_max = match asked.batch_max {
            Some(batch) if batch > 1 && !self.open => {
                return Err(format!(
                    "`batch_max` is {batch}, but its input `{}` takes one window at a time; export it \
                     with an open batch dimension, or take `batch_max` out",
                    self.name
                ));
            }
            Some(batch) => batch,
            None if self.open => provider.batch_max(),
            None => 1,
        };
        Ok(Active {
            provider,
            batch_max,
            fallback: None,
        })
    }

    /// Its input for so many windows.
    pub(super) fn dimensions(&self, batch: usize) -> Vec<usize> {
        if self.flat {
            vec![batch, self.steps * self.columns]
        } else {
            vec![batch, self.steps, self.columns]
        }
    }

    /// The sizes of dimensions that have a name instead.
    pub(super) fn sizes(&self, batch: usize) -> Vec<(String, i64)> {
        let sizes = self.dimensions(batch).into_iter().map(|size| size as i64);
        let all = self.symbols.iter().cloned().zip(sizes);
        all.filter(|(name, _)| !name.is_empty()).collect()
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
