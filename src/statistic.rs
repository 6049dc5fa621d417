//! Statistics of scores and outcomes: correlation, ranking, calibration, errors, and how far each may be off.
//!
//! Pure arithmetic over slices: knows no signal, no file and no model. A figure that rows do not define, like
//! the correlation of a constant, is `None` and never 0. Rows may count more or less than one: see
//! [`weights::RowWeights`].

pub mod bootstrap;
pub mod correlation;
pub mod decay;
pub mod least_squares;
pub mod ranking;
pub mod recalibration;
pub mod reliability;
#[cfg(test)]
mod tests;
pub mod weights;
