//! ONNX models through ONNX Runtime: windows `[N, T, F]` of f32 in, one tensor of scores out.
//!
//! One thread and one session per shard. Every run has the same N, padded with zeros, because the scores of
//! a kernel depend on N in their last bits. The caller reads the file and passes its bytes, so that the hash
//! is that of what runs; weights in external data files are refused.

mod admit;
mod batch_check;
mod contract;
mod input;
mod interface;
pub mod library;
mod session;

use std::path::Path;

use std::sync::Arc;

use ort::session::{RunOptions, Session, SessionInputValue, SessionOutputs};
use ort::value::{DynValue, TensorElementType};

use self::admit::admit;
use self::input::{GraphInput, InputBuffer};
use self::interface::{GraphInterface, GraphOutput};
use self::library::environment;
use super::contract::{Contract, DeclaredContract};
use super::deadline::{Allowed, Watchdog, Watched};
use super::provider::{Active, Execution, Provider};
use super::{Model, ModelError};

/// A loaded model and its input buffers.
pub struct Onnx {
    session: Session,
    /// What ends a run.
    options: Arc<RunOptions>,
    watched: Arc<Watched>,
    runs: u64,
    /// Each input, and its buffer.
    inputs: Vec<(GraphInput, InputBuffer)>,
    /// Windows of a run that have a number which an input cannot take.
    wrong: Vec<bool>,
    active: Active,
    steps: usize,
    /// Numbers in a window.
    cells: usize,
    /// The outputs that are read, scores first, then reasons.
    outputs: Vec<GraphOutput>,
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
        Self::parse_declared(
            path,
            bytes,
            sha256,
            execution,
            &DeclaredContract::default(),
            None,
        )
    }

    /// The same for a file that carries no contract, or a part of one; `declared` has the rest. `watchdog`
    /// ends a load or a run that takes too long.
    ///
    /// # Errors
    /// As [`Onnx::parse`]; also where the file and `declared` differ.
    pub fn parse_declared(
        path: &Path,
        bytes: &[u8],
        sha256: String,
        execution: Execution,
        declared: &DeclaredContract,
        watchdog: Option<&dyn Watchdog>,
    ) -> Result<(Self, Contract), ModelError> {
        let fail = |what: String| ModelError::Load {
            path: path.to_owned(),
            what,
        };
        let environment = environment()?;
        let admitted = admit(bytes).map_err(fail)?;
        let bytes = &*admitted.bytes;
        let plain = session::on_cpu(environment, bytes, watchdog).map_err(fail)?;
        let mut contract = contract::read(&plain, path, sha256, declared)?;
        let interface = GraphInterface::of(&plain, &admitted, &contract, declared).map_err(fail)?;
        let active = interface.active(Provider::Cpu, execution).map_err(fail)?;
        // Also where a GPU is configured: a fault of the graph itself is then not reported as one of the
        // GPU.
        let mut onnx = Self::prepare(plain, &interface, active, watchdog)?;
        let labels = contract.labels.len();
        contract.given = onnx.count_scores(labels, path)?;
        onnx.warm_up()?;
        if let Provider::Cuda { device } = execution.provider {
            let active = interface
                .active(execution.provider, execution)
                .map_err(fail)?;
            match Self::on_gpu(bytes, device, &interface, (active, &onnx.outputs), watchdog) {
                Ok(on_gpu) => onnx = on_gpu,
                Err(reason) if execution.fallback => onnx.active.fallback = Some(reason),
                Err(reason) => return Err(ModelError::Cuda(reason)),
            }
        }
        if onnx.active.batch_max > 1 {
            let sizes = [onnx.active.batch_max, onnx.cells, onnx.outputs()];
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
        let environment = environment()?;
        let admitted = admit(bytes).map_err(fail)?;
        let session = session::on_cpu(environment, &admitted.bytes, None).map_err(fail)?;
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
            given: 1,
            ..Contract::default()
        };
        let declared = DeclaredContract::default();
        let interface =
            GraphInterface::of(&session, &admitted, &contract, &declared).map_err(fail)?;
        let mut onnx = Self::prepare(session, &interface, Active::default(), None)?;
        onnx.outputs[0].count = onnx.scores_of_a_run()?;
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
        self.outputs.iter().map(|output| output.count).sum()
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
        (active, outputs): (Active, &[GraphOutput]),
        watchdog: Option<&dyn Watchdog>,
    ) -> Result<Self, String> {
        let environment = environment().map_err(|error| error.to_string())?;
        let sizes = interface.dimension_sizes(active.batch_max);
        let started = |session: Session| -> Result<Self, ModelError> {
            // The first run loads libraries, which takes long; the processor has run the same graph before.
            let mut onnx = Self::prepare(session, interface, active, None)?;
            onnx.outputs = outputs.to_vec();
            onnx.warm_up()?;
            onnx.watch(watchdog);
            Ok(onnx)
        };
        session::on_cuda(environment, bytes, device, &sizes)
            .and_then(|session| started(session).map_err(|error| error.to_string()))
            .map_err(|message| session::explain(&message, device))
    }

    fn prepare(
        session: Session,
        interface: &GraphInterface,
        active: Active,
        watchdog: Option<&dyn Watchdog>,
    ) -> Result<Self, ModelError> {
        let (batch, cells) = (active.batch_max, interface.steps * interface.columns);
        let buffer = |input: &GraphInput| Ok((input.clone(), InputBuffer::of(input, batch)?));
        let inputs: Result<_, ModelError> = interface.inputs.iter().map(buffer).collect();
        let options = Arc::new(RunOptions::new().map_err(failed)?);
        Ok(Self {
            session,
            watched: watched(&options, watchdog),
            options,
            runs: 0,
            inputs: inputs?,
            wrong: vec![false; batch],
            active,
            steps: interface.steps,
            cells,
            outputs: interface.outputs.clone(),
        })
    }

    fn watch(&mut self, watchdog: Option<&dyn Watchdog>) {
        self.watched = watched(&self.options, watchdog);
    }

    /// The first run allocates; the first signal should not wait for that.
    fn warm_up(&mut self) -> Result<(), ModelError> {
        self.run(self.active.batch_max, &mut Vec::new())
    }

    /// Runs once and counts the numbers of the scores.
    fn scores_of_a_run(&mut self) -> Result<usize, ModelError> {
        let index = self.outputs[0].index;
        self.run_and_read(|_, outputs| {
            let (_, numbers) = numbers(&outputs[index]).map_err(failed)?;
            Ok(numbers.len())
        })
    }

    /// Finds how many scores a window has: one for each of so many labels, or one for two.
    fn count_scores(&mut self, labels: usize, path: &Path) -> Result<usize, ModelError> {
        let batch = self.active.batch_max;
        let all = self.scores_of_a_run()?;
        let fail = |what: String| {
            let path = path.to_owned();
            Err(ModelError::Load { path, what })
        };
        let found = all / batch;
        if labels == 0 && all == found * batch && found > 1 {
            return fail(format!(
                "it gives {found} numbers for a window, but no labels are named; write the names of its classes \
                 in `[model] labels`, in the order of the numbers"
            ));
        }
        if labels == 2 && all == batch {
            self.outputs[0].count = 1;
        }
        Ok(self.outputs[0].count)
    }

    /// Runs on the input buffers, and appends the scores of the first `windows` in them.
    fn run(&mut self, windows: usize, scores: &mut Vec<f64>) -> Result<(), ModelError> {
        let batch = self.active.batch_max;
        self.run_and_read(|read, outputs| {
            let mut parts = [(Numbers::Float32(&[]), 0, &[][..]); 2];
            let names = ["scores", "reasons"];
            for ((part, output), name) in parts.iter_mut().zip(read).zip(names) {
                let (shape, numbers) = numbers(&outputs[output.index]).map_err(failed)?;
                let count = output.count;
                // A single window may come without the dimension of the batch.
                let in_rows = batch == 1 || shape.first() == Some(&(batch as i64));
                if numbers.len() != batch * count || !in_rows {
                    return Err(ModelError::Run(format!(
                        "output {} has shape {shape:?}, but {count} {name} are expected for each of {batch} \
                         windows",
                        output.index
                    )));
                }
                *part = (numbers, count, &output.order);
            }
            for window in 0..windows {
                for (numbers, count, order) in parts {
                    numbers.append(window * count, count, order, scores);
                }
            }
            Ok(())
        })
    }

    /// Runs on the input buffers, and reads the outputs. A run that is ended because it takes too long is an
    /// error; one that is ended in place of the run before it is run again.
    fn run_and_read<T>(
        &mut self,
        mut read: impl FnMut(&[GraphOutput], &SessionOutputs<'_>) -> Result<T, ModelError>,
    ) -> Result<T, ModelError> {
        let restore = || {
            if let Err(error) = self.options.unterminate() {
                tracing::warn!(%error, "a run cannot be allowed again");
            }
        };
        loop {
            self.runs += 1;
            self.watched.begin(self.runs);
            let outputs = self
                .session
                .run_with_options(input_values(&self.inputs), &*self.options);
            let ended = self.watched.finish(restore);
            return match outputs {
                Ok(outputs) => read(&self.outputs, &outputs),
                Err(_) if ended == Some(self.runs) => Err(ModelError::Deadline),
                Err(_) if ended.is_some() => continue,
                Err(error) => Err(failed(error)),
            };
        }
    }
}

fn failed(error: ort::Error) -> ModelError {
    ModelError::Run(error.to_string())
}

/// Watches the runs with these options.
fn watched(options: &Arc<RunOptions>, watchdog: Option<&dyn Watchdog>) -> Arc<Watched> {
    let options = Arc::clone(options);
    Watched::start(watchdog, Allowed::Run, move || {
        if let Err(error) = options.terminate() {
            tracing::warn!(%error, "a run cannot be ended");
        }
    })
}

/// The buffers by the names of their inputs.
fn input_values(inputs: &[(GraphInput, InputBuffer)]) -> Vec<(&str, SessionInputValue<'_>)> {
    let mut all = Vec::with_capacity(inputs.len());
    for (input, buffer) in inputs {
        all.push((&*input.name, buffer.value()));
    }
    all
}

/// The numbers of an output.
#[derive(Clone, Copy)]
enum Numbers<'a> {
    Float32(&'a [f32]),
    Float64(&'a [f64]),
}

/// The shape of an output, and its numbers.
fn numbers(value: &DynValue) -> ort::Result<(&[i64], Numbers<'_>)> {
    if value.dtype().tensor_type() == Some(TensorElementType::Float64) {
        let (shape, numbers) = value.try_extract_tensor::<f64>()?;
        return Ok((shape, Numbers::Float64(numbers)));
    }
    let (shape, numbers) = value.try_extract_tensor::<f32>()?;
    Ok((shape, Numbers::Float32(numbers)))
}

impl Numbers<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Float32(numbers) => numbers.len(),
            Self::Float64(numbers) => numbers.len(),
        }
    }

    /// Appends `count` numbers from place `from` on, in this order where there is one.
    fn append(&self, from: usize, count: usize, order: &[usize], scores: &mut Vec<f64>) {
        let mut push = |at: usize| {
            scores.push(match self {
                Self::Float32(numbers) => f64::from(numbers[from + at]),
                Self::Float64(numbers) => numbers[from + at],
            });
        };
        if order.is_empty() {
            (0..count).for_each(push);
        } else {
            order.iter().for_each(|&at| push(at));
        }
    }
}

impl Model for Onnx {
    fn score(&mut self, windows: &[f64], scores: &mut Vec<f64>) -> Result<(), ModelError> {
        let width = self.cells / self.steps;
        let (cells, outputs) = (self.cells, self.outputs());
        for batch in windows.chunks(self.active.batch_max * cells) {
            self.wrong.fill(false);
            for (input, buffer) in &mut self.inputs {
                buffer.fill(input, batch, [cells, width], &mut self.wrong)?;
            }
            let from = scores.len();
            self.run(batch.len() / cells, scores)?;
            let of_windows = scores[from..].chunks_exact_mut(outputs);
            for (scores, _) in of_windows.zip(&self.wrong).filter(|(_, wrong)| **wrong) {
                scores.fill(f64::NAN);
            }
        }
        Ok(())
    }
}
