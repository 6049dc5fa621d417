//! ONNX models through ONNX Runtime: windows `[N, T, F]` of f32 in, one tensor of scores out.
//!
//! One thread and one session per shard. Every run has the same N, padded with zeros, because the scores of
//! a kernel depend on N in their last bits. The caller reads the file and passes its bytes, so that the hash
//! is that of what runs; weights in external data files are refused.

mod batch_check;
mod contract;
mod interface;
pub mod library;
mod session;

use std::path::Path;

use ort::session::{Session, SessionInputValue};
use ort::value::Tensor;

use self::interface::{GraphInput, GraphInterface};
use self::library::environment;
use super::contract::{Contract, DeclaredContract};
use super::provider::{Active, Execution, Provider};
use super::{Model, ModelError};

/// A loaded model and its input buffers.
pub struct Onnx {
    session: Session,
    /// Each input, and its buffer.
    inputs: Vec<(GraphInput, Tensor<f32>)>,
    active: Active,
    steps: usize,
    /// Numbers in a window.
    cells: usize,
    /// Numbers that a window gives.
    outputs: usize,
    /// The outputs that are read, scores first, then reasons: the index of each, and numbers per window.
    outputs_read: Vec<(usize, usize)>,
}

impl Onnx {
    /// Loads a model from its bytes and reads its contract from `metadata_props`.
    ///
    /// # Errors
    /// [`ModelError`] when the runtime, the provider or the model cannot be loaded, when the graph has other
    /// inputs and outputs than its contract, or when a score depends on the other windows of a batch.
    pub fn parse(
        path: &Path,
        bytes: &[u8],
        sha256: String,
        execution: Execution,
    ) -> Result<(Self, Contract), ModelError> {
        Self::parse_declared(path, bytes, sha256, execution, &DeclaredContract::default())
    }

    /// The same for a file that carries no contract, or a part of one; `declared` has the rest.
    ///
    /// # Errors
    /// As [`Onnx::parse`]; also where the file and `declared` differ.
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
        let interface =
            GraphInterface::of(&plain, &contract, &declared.inputs, output).map_err(fail)?;
        let active = interface.active(Provider::Cpu, execution).map_err(fail)?;
        // Also where a GPU is configured: a fault of the graph itself is then not reported as one of the
        // GPU.
        let mut onnx = Self::start(plain, &interface, active)?;
        if let Provider::Cuda { device } = execution.provider {
            let active = interface
                .active(execution.provider, execution)
                .map_err(fail)?;
            match Self::on_gpu(bytes, device, &interface, active) {
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
        let [takes, columns] = interface::declared_window(&session);
        if takes != 0 && takes != steps {
            return Err(ModelError::Window {
                takes,
                requested: steps,
            });
        }
        let contract = Contract {
            steps,
            features: vec![String::new(); columns],
            ..Contract::default()
        };
        let interface = GraphInterface::of(&session, &contract, &[], None).map_err(fail)?;
        let mut onnx = Self::prepare(session, &interface, Active::default())?;
        onnx.outputs = onnx.scores_of_a_run()?;
        onnx.outputs_read[0].1 = onnx.outputs;
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

    fn on_gpu(
        bytes: &[u8],
        device: u16,
        interface: &GraphInterface,
        active: Active,
    ) -> Result<Self, String> {
        let environment = environment().map_err(|error| error.to_string())?;
        let sizes = interface.dimension_sizes(active.batch_max);
        session::on_cuda(environment, bytes, device, &sizes)
            .and_then(|session| {
                Self::start(session, interface, active).map_err(|error| error.to_string())
            })
            .map_err(|message| session::explain(&message, device))
    }

    fn start(
        session: Session,
        interface: &GraphInterface,
        active: Active,
    ) -> Result<Self, ModelError> {
        let mut onnx = Self::prepare(session, interface, active)?;
        // The first run allocates; the first signal should not wait for that.
        onnx.run(onnx.active.batch_max, &mut Vec::new())?;
        Ok(onnx)
    }

    fn prepare(
        session: Session,
        interface: &GraphInterface,
        active: Active,
    ) -> Result<Self, ModelError> {
        let (batch, cells) = (active.batch_max, interface.steps * interface.columns);
        let buffer = |input: &GraphInput| {
            let dimensions = input.dimensions(batch);
            let zeros = vec![0.0_f32; dimensions.iter().product()];
            let tensor = Tensor::from_array((dimensions, zeros));
            let tensor = tensor.map_err(|error| ModelError::Run(error.to_string()))?;
            Ok((input.clone(), tensor))
        };
        let inputs: Result<_, ModelError> = interface.inputs.iter().map(buffer).collect();
        Ok(Self {
            session,
            inputs: inputs?,
            active,
            steps: interface.steps,
            cells,
            outputs: interface.outputs,
            outputs_read: interface.outputs_read.clone(),
        })
    }

    /// Runs once and counts the numbers of the scores.
    fn scores_of_a_run(&mut self) -> Result<usize, ModelError> {
        let failed = |error: ort::Error| ModelError::Run(error.to_string());
        let outputs = self
            .session
            .run(input_values(&self.inputs))
            .map_err(failed)?;
        let (output, _) = self.outputs_read[0];
        let (_, values) = outputs[output]
            .try_extract_tensor::<f32>()
            .map_err(failed)?;
        Ok(values.len())
    }

    /// Runs on the input buffers, and appends the scores of the first `windows` in them.
    fn run(&mut self, windows: usize, scores: &mut Vec<f64>) -> Result<(), ModelError> {
        let failed = |error: ort::Error| ModelError::Run(error.to_string());
        let outputs = self
            .session
            .run(input_values(&self.inputs))
            .map_err(failed)?;
        let batch = self.active.batch_max;
        let mut parts = [(&[][..], 0); 2];
        let names = ["scores", "reasons"];
        for ((part, &(output, count)), name) in parts.iter_mut().zip(&self.outputs_read).zip(names)
        {
            let (shape, values) = outputs[output]
                .try_extract_tensor::<f32>()
                .map_err(failed)?;
            // A single window may come without the dimension of the batch.
            let in_rows = batch == 1 || shape.first() == Some(&(batch as i64));
            if values.len() != batch * count || !in_rows {
                return Err(ModelError::Run(format!(
                    "output {output} has shape {shape:?}, but {count} {name} are expected for each of \
                     {batch} windows"
                )));
            }
            *part = (values, count);
        }
        for window in 0..windows {
            for (values, count) in parts {
                let of_window = &values[window * count..(window + 1) * count];
                scores.extend(of_window.iter().map(|&value| f64::from(value)));
            }
        }
        Ok(())
    }
}

/// The buffers by the names of their inputs.
fn input_values(inputs: &[(GraphInput, Tensor<f32>)]) -> Vec<(&str, SessionInputValue<'_>)> {
    let mut all = Vec::with_capacity(inputs.len());
    for (input, tensor) in inputs {
        all.push((&*input.name, tensor.into()));
    }
    all
}

impl Model for Onnx {
    fn score(&mut self, windows: &[f64], scores: &mut Vec<f64>) -> Result<(), ModelError> {
        let width = self.cells / self.steps;
        for batch in windows.chunks(self.active.batch_max * self.cells) {
            for (input, tensor) in &mut self.inputs {
                let (_, cells) = tensor.extract_tensor_mut();
                let (per_window, mut rest) = (input.rows * input.columns.len(), cells);
                for window in batch.chunks_exact(self.cells) {
                    let (cells, after) = rest.split_at_mut(per_window);
                    input.fill(window, width, cells);
                    rest = after;
                }
                rest.fill(0.0);
            }
            self.run(batch.len() / self.cells, scores)?;
        }
        Ok(())
    }
}
