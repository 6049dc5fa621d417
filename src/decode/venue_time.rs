//! Times of venues: whole numbers since the epoch, in milliseconds or microseconds.

use super::error::DecodeError;
use crate::time::of_venue;
use crate::units::Nanos;

/// Reads a time in milliseconds or microseconds, told apart by its size; `field` names it in an error.
pub(super) fn venue_time(field: &'static str, time: i64) -> Result<Nanos, DecodeError> {
    of_venue(time).map_err(|error| DecodeError::ImplausibleTime(field, error.likely))
}
