//! ONNX models through ONNX Runtime: windows `[N, T, F]` of f32 in, one tensor of scores out.
//!
//! One thread and one session a shard. Every run has the same N, padded with zeros, since kernels differ
//! by N in the last bits. The library is found by `ORT_DYLIB_PATH`, or where `make onnxruntime` unpacks
//! it. The file is read once and handed over as bytes, so that the hash is that of what runs and no
//! external data file is followed.

mod batch_check;
mod contract;
pub mod library;
mod session;
mod shape;

use std::path::Path;

use ort::session::{Session, SessionInputValue};
use ort::value::Tensor;

use self::library::environment;
use self::shape::{Input, Shape};
use super::contract::{Contract, DeclaredContract};
use super::provider::{Active, Execution, Provider};
use super::{Model, ModelError};

/// A loaded model with its input buffers.
pub struct Onnx {
    session: Session,
    /// What it takes, and the buffers for it.
    inputs: Vec<(Input, Tensor<f32>)>,
    active: Active,
    steps: usize,
    /// Numbers in a window.
    cells: usize,
    outputs: usize,
    /// The outputs that hold the scores, and the reasons behind them: place, and how many a window.
    taken: Vec<(usize, usize)>,
}

impl Onnx {
    /// Loads a model from its bytes and reads its contract from `metadata_props`.
    ///
    /// # Errors
    /// [`ModelError`] when the runtime, the provider or the model cannot be loaded, when the graph has
    /// other inputs and outputs than f32 tensors of windows and one of scores, or mixes its windows.
    pub fn parse(
        path: &Path,
        bytes: &[u8],
        sha256: String,
        execution: Execution,
    ) -> Result<(Self, Contract), ModelError> {
        Self::parse_declared(path, bytes, sha256, execution, &DeclaredContract::default())
    }

    /// The same for a file that carries no contract, or not all of one: the pipeline says the rest.
    ///
    /// # Errors
    /// As [`Onnx::parse`]; also where file and pipeline say different things.
    pub fn parse_declared(
        path: &Path,
        bytes: &[u8],
        sha256: String,
        execution: Execution,
        declared: &DeclaredContract,
    ) -> Result<(Self, Contract), ModelError> {
        let fail = |what: String| ModelError::Load {
            path: path.to_owned(),
            what,
        };
        let plain = session::on_cpu(environment()?, bytes).map_err(|error| {
            fail(format!(
                "{error}; is it an ONNX file, whole and self-contained?"
            ))
        })?;
        let contract = contract::read(&plain, path, sha256, declared)?;
        let output = declared.output.as_deref();
        let shape = Shape::of(&plain, &contract, &declared.inputs, output).map_err(fail)?;
        let active = shape.active(Provider::Cpu, execution).map_err(fail)?;
        // Where a GPU is wanted too: what the graph itself does wrong is not laid at its door.
        let mut onnx = Self::start(plain, &shape, active)?;
        if let Provider::Cuda { device } = execution.provider {
            let active = shape.active(execution.provider, execution).map_err(fail)?;
            match Self::on_gpu(bytes, device, &shape, active) {
                Ok(on_gpu) => onnx = on_gpu,
                Err(reason) if execution.fallback => onnx.active.fallback = Some(reason),
                Err(reason) => return Err(ModelError::Cuda(reason)),
            }
        }
        if onnx.active.batch_max > 1 {
            let sizes = [onnx.active.batch_max, onnx.cells, onnx.outputs];
            batch_check::check(&mut onnx, sizes).map_err(fail)?;
        }
        Ok((onnx, contract))
    }

    /// Loads a file without a contract, for windows of so many steps, one at a time on the processor.
    ///
    /// # Errors
    /// [`ModelError`] when the runtime or the model cannot be loaded, or the graph takes no such window.
    pub fn bare(bytes: &[u8], steps: usize) -> Result<Self, ModelError> {
        let fail = |what: String| ModelError::Load {
            path: "this file".into(),
            what,
        };
        let session = session::on_cpu(environment()?, bytes).map_err(|e| fail(e.to_string()))?;
        let [takes, columns] = shape::declared(&session);
        if takes != 0 && takes != steps {
            return Err(ModelError::Window {
                takes,
                asked: steps,
            });
        }
        let contract = Contract {
            steps,
            features: vec![String::new(); columns],
            ..Contract::default()
        };
        let shape = Shape::of(&session, &contract, &[], None).map_err(fail)?;
        let mut onnx = Self::prepare(session, &shape, Active::default())?;
        onnx.outputs = onnx.scores_of_a_run()?;
        onnx.taken[0].1 = onnx.outputs;
        Ok(onnx)
    }

    /// Numbers in a row of its windows.
    #[must_use]
    pub fn features(&self) -> usize {
        self.cells / self.steps
    }

    /// Numbers that a window gives.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Where it computes.
    #[must_use]
    pub fn active(&self) -> &Active {
        &self.active
    }

    fn on_gpu(bytes: &[u8], device: u16, shape: &Shape, active: Active) -> Result<Self, String> {
        let environment = environment().map_err(|error| error.to_string())?;
        let sizes = shape.sizes(active.batch_max);
        session::on_cuda(environment, bytes, device, &sizes)
            .and_then(|session| {
                Self::start(session, shape, active).map_err(|error| error.to_string())
            })
            .map_err(|said| session::explain(&said, device))
    }

    fn start(session: Session, shape: &Shape, active: Active) -> Result<Self, ModelError> {
        let mut onnx = Self::prepare(session, shape, active)?;
        // The first run allocates: not on the first signal.
        onnx.run(onnx.active.batch_max, &mut Vec::new())?;
        Ok(onnx)
    }

    fn prepare(session: Session, shape: &Shape, active: Active) -> Result<Self, ModelError> {
        let (batch, cells) = (active.batch_max, shape.steps * shape.columns);
        let buffer = |input: &Input| {
            let dimensions = input.dimensions(batch);
            let zeros = vec![0.0_f32; dimensions.iter().product()];
            let tensor = Tensor::from_array((dimensions, zeros));
            let tensor = tensor.map_err(|error| ModelError::Run(error.to_string()))?;
            Ok((input.clone(), tensor))
        };
        let inputs: Result<_, ModelError> = shape.inputs.iter().map(buffer).collect();
        Ok(Self {
            session,
            inputs: inputs?,
            active,
            steps: shape.steps,
            cells,
            outputs: shape.outputs,
            taken: shape.taken.clone(),
        })
    }

    /// How many numbers a run gives.
    fn scores_of_a_run(&mut self) -> Result<usize, ModelError> {
        let failed = |error: ort::Error| ModelError::Run(error.to_string());
        let outputs = self.session.run(fed(&self.inputs)).map_err(failed)?;
        let (place, _) = self.taken[0];
        let (_, values) = outputs[place].try_extract_tensor::<f32>().map_err(failed)?;
        Ok(values.len())
    }

    /// Appends the scores of the first `windows` in the input.
    fn run(&mut self, windows: usize, scores: &mut Vec<f64>) -> Result<(), ModelError> {
        let failed = |error: ort::Error| ModelError::Run(error.to_string());
        let outputs = self.session.run(fed(&self.inputs)).map_err(failed)?;
        let batch = self.active.batch_max;
        let mut parts = [(&[][..], 0); 2];
        let whats = ["scores", "reasons"];
        for ((part, &(place, wanted)), what) in parts.iter_mut().zip(&self.taken).zip(whats) {
            let (shape, values) = outputs[place].try_extract_tensor::<f32>().map_err(failed)?;
            // A single window may come without the dimension of the batch.
            let in_rows = batch == 1 || shape.first() == Some(&(batch as i64));
            if values.len() != batch * wanted || !in_rows {
                return Err(ModelError::Run(format!(
                    "output {place} has shape {shape:?}, but {wanted} {what} were promised for each of \
                     {batch} windows"
                )));
            }
            *part = (values, wanted);
        }
        for window in 0..windows {
            for (values, wanted) in parts {
                let of_window = &values[window * wanted..(window + 1) * wanted];
                scores.extend(of_window.iter().map(|&value| f64::from(value)));
            }
        }
        Ok(())
    }
}

/// The buffers by the names of their inputs.
fn fed(inputs: &[(Input, Tensor<f32>)]) -> Vec<(&str, SessionInputValue<'_>)> {
    let mut all = Vec::with_capacity(inputs.len());
    for (input, tensor) in inputs {
        all.push((&*input.name, tensor.into()));
    }
    all
}

impl Model for Onnx {
    fn score(&mut self, windows: &[f64], scores: &mut Vec<f64>) -> Result<(), ModelError> {
        let width = self.cells / self.steps;
        for some in windows.chunks(self.active.batch_max * self.cells) {
            for (input, tensor) in &mut self.inputs {
                let (_, cells) = tensor.extract_tensor_mut();
                let (of_window, mut rest) = (input.rows * input.columns.len(), cells);
                for window in some.chunks_exact(self.cells) {
                    let (cells, behind) = rest.split_at_mut(of_window);
                    input.fill(window, width, cells);
                    rest = behind;
                }
                rest.fill(0.0);
            }
            self.run(some.len() / self.cells, scores)?;
        }
        Ok(())
    }
}
