//! Loads the states of the next events into the processor's caches, all at once.
//!
//! The states of thousands of instruments do not fit the caches, and an event needs some thirty cache lines
//! of its instrument's, which depend on each other: the state names its windows, a window its values. One
//! event after the other waits for each in turn. Reading a little of the states of several events side by
//! side lets the processor fetch their lines at the same time (group prefetching: Chen, Ailamaki, Gibbons,
//! Mowry 2007, "Improving hash join performance through prefetching"). Changes no state.

use std::hint::black_box;

use super::state::{InstrumentState, InstrumentStates};
use crate::event::Event;

/// Events whose states are loaded together: more lines at once than the processor can wait for gain nothing.
pub(super) const EVENTS: usize = 16;
/// Instruments whose states are held by the second-level cache in any case.
const FEW: usize = 256;

/// Reads a number of each cache line that these events will need.
pub(super) fn load(instruments: &InstrumentStates, events: &[Event]) {
    if instruments.len() <= FEW {
        return;
    }
    let each = |touch: fn(&InstrumentState) -> u64| {
        let states = events
            .iter()
            .filter_map(|event| instruments.state(event.instrument));
        black_box(states.map(touch).fold(0, |all, some| all ^ some));
    };
    each(InstrumentState::touch);
    each(InstrumentState::touch_parts);
    each(InstrumentState::touch_entries);
}
