//! Pairs signals of which a side is in no order: both sides are read and held before the first pair is made.

use std::collections::{BTreeMap, BTreeSet};

use super::error::PairingError;
use super::side::{PairedSide, id_of, is_correction};
use super::{Pair, SignalKey, SignalObject, VisitPairs};
use crate::run::progress_display::ProgressDisplay;

/// Signals in their order, by whom they are about and when.
type Signals = BTreeMap<SignalKey, Vec<SignalObject>>;

/// Pairs the sides, by instrument and then by time.
pub(super) fn pair(
    left: &mut PairedSide,
    right: &mut PairedSide,
    progress: &mut ProgressDisplay,
    visitor: &mut impl VisitPairs,
) -> Result<(), PairingError> {
    let ours = read(left, right, progress)?;
    let theirs = read(right, left, progress)?;
    let keys: BTreeSet<&SignalKey> = ours.keys().chain(theirs.keys()).collect();
    for key in keys {
        let (ours, theirs) = (of_key(&ours, key), of_key(&theirs, key));
        for number in 0..ours.len().max(theirs.len()) {
            visitor.visit(Pair {
                key,
                number: number as u64,
                left: ours.get(number),
                right: theirs.get(number),
            });
        }
    }
    Ok(())
}

fn of_key<'a>(side: &'a Signals, key: &SignalKey) -> &'a [SignalObject] {
    side.get(key).map_or(&[], Vec::as_slice)
}

/// Reads a side to its end. Of a signal that was corrected the last revision counts, at the place of the
/// first.
fn read(
    side: &mut PairedSide,
    other: &mut PairedSide,
    progress: &mut ProgressDisplay,
) -> Result<Signals, PairingError> {
    let mut all = Signals::new();
    while let Some((key, signal)) = side.next_signal()? {
        let count = side.signals + other.signals;
        progress.show(count, || side.reader.progress() + other.reader.progress());
        let known = all.entry(key).or_default();
        let id = id_of(&signal);
        let same = id.and_then(|_| known.iter().position(|other| id_of(other) == id));
        match same {
            Some(at) if is_correction(&signal) => known[at] = signal,
            _ => {
                side.signals += 1;
                side.repeated += u64::from(same.is_some());
                known.push(signal);
            }
        }
    }
    Ok(all)
}
