//! One side of a book: a list of levels with the best last.

use crate::event::Level;
use crate::units::Size;

/// Sets, adds or takes away one level of a side that is sorted with the best last.
pub(super) fn set(
    side: &mut Vec<Level>,
    level: Level,
    order: impl Fn(&Level) -> std::cmp::Ordering,
) {
    match (side.binary_search_by(order), level.size) {
        (Ok(at), Size::ZERO) => {
            side.remove(at);
        }
        (Ok(at), _) => side[at] = level,
        // Deleting a level that is not known is routine: it lay below the snapshot.
        (Err(_), Size::ZERO) => {}
        (Err(at), _) => {
            side.insert(at, level);
            if side.len() > MAX_LEVELS {
                side.remove(0);
            }
        }
    }
}

/// Levels kept a side. Binance sends 5,000; the levels farthest from the best are dropped first.
const MAX_LEVELS: usize = 50_000;
