//! Vector arithmetic of sliding windows: the same bits on every processor.
//!
//! Every output is one sum of fused multiply-adds in one order, `start + Σ weight[k] · input[k]` with k
//! ascending; activations are polynomials of our own (`math`). A lane is an output, so the bits depend
//! neither on the width of a register, nor on the number of rows in a pass, nor on the processor. All
//! `unsafe` code of the library is in this module; its public functions check lengths and places first.
//! Knows no model and no window.

#![allow(unsafe_code)]

mod aligned;
mod dense;
mod isa;
mod lanes;
mod math;
mod plain;
mod step;
mod weights;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use self::aligned::Aligned;
pub use self::dense::DenseStep;
pub use self::isa::Isa;
pub use self::step::{GateSum, LayerStep, StepKind};
pub use self::weights::{InputRows, PackedWeights};

#[cfg(test)]
mod tests;
