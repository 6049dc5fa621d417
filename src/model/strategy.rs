//! How the windows of a model are computed: incrementally by our kernels, or whole by ONNX Runtime.
//!
//! A recognised network is packed, and its scores are compared with those of ONNX Runtime before it is used.
//! A recurrent one is compared twice, with its own weights and with long memory: where memory fades within a
//! window, a state that is never reset would pass the first comparison too. Chooses only; `slide` and `onnx`
//! compute.

use std::path::Path;
use std::sync::Arc;

use super::kernel::Isa;
use super::onnx::Onnx;
use super::random_numbers::RandomNumbers;
use super::recognise::error::RecogniseError;
use super::recognise::{long_memory, normal_form, recognise};
use super::slide::recurrent::network::ScaleStep;
use super::slide::recurrent::windows::RecurrentWindows;
use super::slide::request::WindowRequest;
use super::slide::state::SlideStateTable;
use super::slide::{PackedNetwork, RecognisedNetwork, SlidingWindows};
use super::{Model, ModelError};

/// How windows are to be computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WindowMode {
    /// Incrementally where that is exact, else whole.
    #[default]
    Auto,
    /// Whole, by ONNX Runtime.
    Plain,
    /// One state that is never reset, in place of windows: another function than the model's windows,
    /// right only for a model that was trained so.
    Carried,
}

/// The chosen way to compute windows.
#[derive(Clone, Debug)]
pub struct Strategy {
    /// The packed network; none where windows are computed whole.
    pub network: Option<PackedNetwork>,
    /// Whether its state is never reset.
    pub carried: bool,
    /// The reason for the choice.
    pub reason: String,
    /// Largest difference from ONNX Runtime's scores, relative to the largest of those; none where they
    /// were not compared.
    pub max_rel_diff: Option<f64>,
}

/// The largest difference from ONNX Runtime with which windows are computed incrementally.
pub const TOLERANCE: f64 = 1e-5;

impl Strategy {
    /// Windows computed whole, for this reason.
    #[must_use]
    pub fn plain(reason: impl Into<String>) -> Self {
        Self {
            network: None,
            carried: false,
            reason: reason.into(),
            max_rel_diff: None,
        }
    }

    /// Chooses for an ONNX file with windows of so many steps. `path` names the file in errors.
    ///
    /// # Errors
    /// [`ModelError`] where `mode` is [`WindowMode::Carried`] and the network has no such state, or ONNX
    /// Runtime is missing or fails.
    pub fn choose(
        path: &Path,
        bytes: &[u8],
        steps: usize,
        mode: WindowMode,
        isa: Isa,
    ) -> Result<Self, ModelError> {
        if mode == WindowMode::Plain {
            return Ok(Self::plain("configured by `window = \"plain\"`"));
        }
        let strategy = match recognise_and_compare(bytes, steps, isa) {
            Ok(strategy) => strategy,
            Err(RecogniseError::Runtime(error)) => return Err(error),
            Err(error) => Self::plain(error.to_string()),
        };
        if mode == WindowMode::Auto {
            return Ok(strategy);
        }
        let reason = match &strategy.network {
            None => Some(strategy.reason.as_str()),
            Some(PackedNetwork::Convolution(_)) => Some("a convolution has no state to carry"),
            Some(PackedNetwork::Recurrent(_)) => None,
        };
        if let Some(reason) = reason {
            let what = format!(
                "`window = \"carried\"` needs a recognised recurrent network, but {reason}; write \
                 `window = \"auto\"`, or export the model again"
            );
            let path = path.to_owned();
            return Err(ModelError::Load { path, what });
        }
        let reason =
            "configured by `window = \"carried\"`: one state that is never reset, no windows"
                .into();
        Ok(Self {
            carried: true,
            reason,
            ..strategy
        })
    }

    /// Its name: `slide`, `carried` or `plain`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match (&self.network, self.carried) {
            (None, _) => "plain",
            (Some(_), false) => "slide",
            (Some(_), true) => "carried",
        }
    }

    /// The windows of a shard's keys, ending at every `stride`-th row, where they are not computed whole.
    #[must_use]
    pub fn sliding_windows(&self, stride: u64) -> Option<SlidingWindows> {
        Some(match self.network.as_ref()? {
            PackedNetwork::Recurrent(network) if self.carried => {
                SlidingWindows::Recurrent(RecurrentWindows::carried(Arc::clone(network)))
            }
            network => network.sliding_windows(stride),
        })
    }
}

/// Recognises the network, and compares its windows with ONNX Runtime's.
fn recognise_and_compare(bytes: &[u8], steps: usize, isa: Isa) -> Result<Strategy, RecogniseError> {
    let folded = normal_form(bytes, steps)?;
    let network = recognise(&folded, steps)?;
    let packed = network.pack(isa);
    let mut worst = largest_difference(&network, &packed, bytes, steps)?;
    if let RecognisedNetwork::Recurrent(_) = network {
        let long = long_memory(&folded);
        let network = recognise(&long, steps)?;
        let packed = network.pack(isa);
        worst = worst.max(largest_difference(&network, &packed, &long.bytes(), steps)?);
    }
    if worst > TOLERANCE {
        let reason = format!(
            "recognised, but its windows differ from ONNX Runtime's by {worst:.1e} relative, more than \
             {TOLERANCE:.0e}"
        );
        return Ok(Strategy {
            max_rel_diff: Some(worst),
            ..Strategy::plain(reason)
        });
    }
    let reason = format!(
        "recognised, and equal to ONNX Runtime's windows within {worst:.1e}; kernels for {}",
        isa.name()
    );
    Ok(Strategy {
        network: Some(packed),
        carried: false,
        reason,
        max_rel_diff: Some(worst),
    })
}

/// The largest difference of a packed network's sliding windows from ONNX Runtime's whole ones.
fn largest_difference(
    network: &RecognisedNetwork,
    packed: &PackedNetwork,
    file: &[u8],
    steps: usize,
) -> Result<f64, RecogniseError> {
    let mut whole = Onnx::bare(file, steps)?;
    let features = network.features();
    let rows = random_rows(network.scale(), features, steps + WINDOWS_COMPARED - 1);
    let (mut ours, mut theirs) = (vec![], vec![]);
    let requests = (1..=rows.len() / features).map(|row| WindowRequest::Row {
        key: 0,
        due: row >= steps,
    });
    let requests: Vec<WindowRequest> = requests.collect();
    let mut states = SlideStateTable::new();
    let mut windows = packed.sliding_windows(1);
    windows.step(&mut states, &requests, &rows, &mut ours);
    for window in rows.windows(steps * features).step_by(features) {
        whole.score(window, &mut theirs)?;
    }
    Ok(difference(&ours, &theirs))
}

/// Windows that are compared.
const WINDOWS_COMPARED: usize = 12;

/// The largest difference of two lists of scores, relative to the largest absolute value of the second. It
/// is infinite where the lists differ in length, or a score is not a number.
#[must_use]
pub fn difference(ours: &[f64], theirs: &[f64]) -> f64 {
    if ours.len() != theirs.len() {
        return f64::INFINITY;
    }
    let most = theirs
        .iter()
        .fold(f64::MIN_POSITIVE, |most, y| most.max(y.abs()));
    let pairs = ours.iter().zip(theirs);
    pairs.fold(0.0, |worst, (x, y)| {
        let far = (x - y).abs() / most;
        if far <= worst {
            worst
        } else if far.is_nan() {
            f64::INFINITY
        } else {
            far
        }
    })
}

/// Rows that look random, spread as the network's normalisation expects them.
pub(crate) fn random_rows(
    scale: &[(ScaleStep, Vec<f32>)],
    features: usize,
    rows: usize,
) -> Vec<f64> {
    let mut numbers = RandomNumbers::new();
    let mut all = Vec::with_capacity(rows * features);
    for _ in 0..rows {
        for feature in 0..features {
            let mut x = numbers.normal();
            // Undo the normalisation, last step first.
            for (step, operands) in scale.iter().rev() {
                let a = f64::from(operands[feature]);
                x = match step {
                    ScaleStep::Sub => x + a,
                    ScaleStep::Add => x - a,
                    ScaleStep::Mul if a != 0.0 => x / a,
                    ScaleStep::Mul => x,
                    ScaleStep::Div => x * a,
                };
            }
            all.push(x);
        }
    }
    all
}
