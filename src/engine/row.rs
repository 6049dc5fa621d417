//! Events in, rows out: books, windows and features up to the row that a model is given.
//!
//! Each row has a quality: how far it can be trusted. Depends on the events alone: no clock, no I/O, no
//! order between instruments.

mod at;
mod behind;
mod clock_lead;
mod context;
mod counts;
mod effect;
mod gap_record;
mod gaps;
mod halt;
mod heard;
mod label_price;
mod lateness;
mod market;
mod quote_numbers;
mod rules;
mod suspicion;
mod top;
mod trade_numbers;
mod trust;

pub use self::at::Row;
pub use self::context::Figures;
pub use self::counts::EventCounts;
pub(crate) use self::effect::{Effect, SnapshotNeed};
pub use self::gap_record::{GapChange, GapInput, GapRecord};
pub use self::market::MarketState;
pub use self::rules::{LatePolicy, RowRules, RowTrigger};
pub use self::trade_numbers::{TradeNumber, TradeNumbers};
