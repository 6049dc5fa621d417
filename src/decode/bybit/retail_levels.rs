//! The levels of `orderbook.rpi`: price, quantity for everybody, and quantity for retail customers alone.

use sonic_rs::LazyValue;

use crate::decode::amount;
use crate::decode::error::DecodeError;
use crate::decode::field::{Field, written};
use crate::decode::json::parse;
use crate::event::{Batch, Level};
use crate::units::Size;

/// Appends the levels of a field to the batch, each with its whole quantity, and says how many.
pub(super) fn push_retail(
    batch: &mut Batch,
    name: &'static str,
    field: &Field<'_>,
) -> Result<u32, DecodeError> {
    let raw = field.needed(name)?.as_raw_str().as_bytes();
    let levels: Vec<[LazyValue<'_>; 3]> = parse(raw).map_err(|_| DecodeError::WrongType(name))?;
    for [price, size, retail] in &levels {
        let price = amount::price("price", written("price", price)?)?;
        let size = amount::size("size", written("size", size)?)?;
        let retail = amount::size("size", written("size", retail)?)?;
        let size = sum(size, retail).ok_or(DecodeError::TooPrecise("size"))?;
        batch.levels.push(Level { price, size });
    }
    Ok(levels.len() as u32)
}

/// The sum, at the first number of decimal places at which it is exact.
fn sum(one: Size, other: Size) -> Option<Size> {
    (0..=PLACES_MAX).find_map(|places| {
        let sum = one.scaled(places)?.checked_add(other.scaled(places)?)?;
        Size::from_scaled(sum, places)
    })
}

/// The most decimal places that a size has.
const PLACES_MAX: i32 = 22;
