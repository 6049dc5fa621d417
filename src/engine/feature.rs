//! Features of one instrument: a small program, run top to bottom at each event, that ends in a row.
//!
//! The program is the [`FeaturePlan`], compiled once from the pipeline's `[[feature]]` tables and shared;
//! the state is [`FeatureState`], one per instrument. Formulas, units and warm-ups are documented at
//! [`FeatureKind`]. Prices become floats here and nowhere before. All arithmetic is IEEE or the crate `libm`,
//! so a row has the same bits on every machine.

mod check;
mod depth;
mod error;
mod fired;
mod formula;
mod hole;
mod inputs;
mod kind;
mod memory;
mod order_flow;
mod plan;
mod program;
mod quote;
mod range;
mod recursion;
mod row_value;
mod spec;
mod state;
mod unit;
mod update;
mod window_state;

pub use self::error::FeatureError;
pub use self::fired::Fired;
pub use self::inputs::Inputs;
pub use self::kind::FeatureKind;
pub use self::plan::FeaturePlan;
pub use self::quote::TopOfBook;
pub use self::spec::FeatureSpec;
pub use self::state::FeatureState;
pub use self::unit::{FlowSource, Overnight, Phase, RangeEstimator, Unit};
pub use self::update::MarketUpdate;
