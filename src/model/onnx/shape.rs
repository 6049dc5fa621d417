//! The input of a graph: what it declares, held against what its metadata promise.
//!
//! Looks at declarations only; what a graph really gives, its first run shows.

use ort::session::Session;
use ort::value::{TensorElementType, ValueType};

use crate::model::Contract;
use crate::model::provider::{Active, Execution, Provider};

/// One tensor `[N, T, F]`, N open or 1.
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
}

impl Shape {
    pub(super) fn of(session: &Session, contract: &Contract) -> Result<Self, String> {
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
        let wanted = [1, steps as i64, columns as i64];
        let fits = shape.len() == 3
            && shape
                .iter()
                .zip(wanted)
                .all(|(&has, want)| has == -1 || has == want);
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

    /// The sizes of dimensions that have a name instead.
    pub(super) fn sizes(&self, batch: usize) -> Vec<(String, i64)> {
        let sizes = [batch, self.steps, self.columns].map(|size| size as i64);
        let all = self.symbols.iter().cloned().zip(sizes);
        all.filter(|(name, _)| !name.is_empty()).collect()
    }
}

/// Rows and numbers in a row as the first input declares them; 0 where it leaves them open.
pub(super) fn declared(session: &Session) -> [usize; 2] {
    match session.inputs().first().map(ort::value::Outlet::dtype) {
        Some(ValueType::Tensor { shape, .. }) => match shape[..] {
            [_, steps, columns] => [steps, columns].map(|size| usize::try_from(size).unwrap_or(0)),
            _ => [0, 0],
        },
        _ => [0, 0],
    }
}
