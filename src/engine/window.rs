//! Sliding windows of one number series, by count and by time, O(1) a value (amortised).
//!
//! Running sums are recomputed from the window's values once all of them have been replaced, so that
//! rounding never builds up. A value leaves a window of `Span::Time(w)` when it is `w` old: the window
//! covers `(now − w, now]`. Windows read no clock; `now` is an event's time. Values must be finite.

mod buckets;
mod extreme;
mod lag;
mod moments;
mod pairs;
mod products;
mod ranks;
mod rolling;
mod shape;
mod span;
mod sums;

pub use self::buckets::Buckets;
pub use self::extreme::Extreme;
pub use self::lag::Lag;
pub use self::moments::Moments;
pub use self::pairs::Pairs;
pub use self::products::Products;
pub use self::ranks::Ranks;
pub use self::rolling::{Aggregate, Rolling};
pub use self::shape::Shape;
pub use self::span::Span;
pub use self::sums::Sums;

#[cfg(test)]
mod tests;
