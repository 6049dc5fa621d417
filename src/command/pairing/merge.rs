//! Pairs signals of which each side has those of an instrument in the order of their times.
//!
//! The side of which fewer signals wait for their partners is read next, so that as many are held as the one
//! side has and the other side lacks, and little more. In what order instruments come on a side does not
//! matter.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::error::PairingError;
use super::side::{PairedSide, id_of, is_correction};
use super::{Pair, SignalKey, SignalObject, VisitPairs};
use crate::run::progress_display::ProgressDisplay;

/// Whether a merge came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MergeOutcome {
    /// All signals are paired.
    Done,
    /// An instrument's time went back on a side, or a signal replaces one that came before: the pairs that
    /// were made may be wrong.
    OutOfOrder,
}

/// Pairs the sides.
pub(super) fn pair(
    left: &mut PairedSide,
    right: &mut PairedSide,
    progress: &mut ProgressDisplay,
    visitor: &mut impl VisitPairs,
) -> Result<MergeOutcome, PairingError> {
    let mut instruments: FxHashMap<String, Waiting> = FxHashMap::default();
    let mut waiting = [0_usize; 2];
    while !(left.has_ended && right.has_ended) {
        let at = usize::from(left.has_ended || !right.has_ended && waiting[1] < waiting[0]);
        let side = if at == 0 { &mut *left } else { &mut *right };
        let Some(((instrument, ts), signal)) = side.next_signal()? else {
            let ended = [left.has_ended, right.has_ended];
            for (instrument, one) in &mut instruments {
                one.pair(instrument, ended, &mut waiting, visitor);
            }
            continue;
        };
        let one = match instruments.get_mut(&instrument) {
            Some(one) => one,
            None => instruments.entry(instrument.clone()).or_default(),
        };
        let queue = &mut one.queues[at];
        if queue.last.is_some_and(|last| ts < last) || is_correction(&signal) {
            return Ok(MergeOutcome::OutOfOrder);
        }
        side.signals += 1;
        side.repeated += u64::from(queue.is_repeated(ts, &signal));
        queue.signals.push_back((ts, signal));
        waiting[at] += 1;
        one.pair(
            &instrument,
            [left.has_ended, right.has_ended],
            &mut waiting,
            visitor,
        );
        let read = left.signals + right.signals;
        progress.show(read, || left.reader.progress() + right.reader.progress());
    }
    Ok(MergeOutcome::Done)
}

/// The signals of an instrument that wait for their partners.
#[derive(Default)]
struct Waiting {
    queues: [SideQueue; 2],
    /// The time of the last pair, and its number among those of that time.
    last: Option<(Option<i64>, u64)>,
}

/// Those of one side.
#[derive(Default)]
struct SideQueue {
    signals: VecDeque<(Option<i64>, SignalObject)>,
    /// The time of the last signal that was read.
    last: Option<Option<i64>>,
    /// The ids of the signals of that time.
    ids: Vec<Box<str>>,
}

impl SideQueue {
    /// Notes a signal; whether another one of its time has its id.
    fn is_repeated(&mut self, ts: Option<i64>, signal: &SignalObject) -> bool {
        if self.last != Some(ts) {
            self.last = Some(ts);
            self.ids.clear();
        }
        let Some(id) = id_of(signal) else {
            return false;
        };
        let is_known = self.ids.iter().any(|known| &**known == id);
        if !is_known {
            self.ids.push(id.into());
        }
        is_known
    }
}

impl Waiting {
    /// Makes the pairs that nothing which is read later can change.
    fn pair(
        &mut self,
        instrument: &str,
        ended: [bool; 2],
        waiting: &mut [usize; 2],
        visitor: &mut impl VisitPairs,
    ) {
        loop {
            let [left, right] = &self.queues;
            let fronts = [left, right].map(|queue| queue.signals.front().map(|front| front.0));
            let takes = match fronts {
                [Some(a), Some(b)] => [a <= b, b <= a],
                [Some(_), None] if ended[1] => [true, false],
                [None, Some(_)] if ended[0] => [false, true],
                _ => return,
            };
            let mut pair = [None, None];
            for at in [0, 1] {
                if takes[at] {
                    pair[at] = self.queues[at].signals.pop_front();
                    waiting[at] -= 1;
                }
            }
            let [left, right] = pair;
            let ts = left.as_ref().or(right.as_ref()).and_then(|one| one.0);
            let number = match self.last {
                Some((last, number)) if last == ts => number + 1,
                _ => 0,
            };
            self.last = Some((ts, number));
            let key: SignalKey = (instrument.to_owned(), ts);
            visitor.visit(Pair {
                key: &key,
                number,
                left: left.as_ref().map(|one| &one.1),
                right: right.as_ref().map(|one| &one.1),
            });
        }
    }
}
