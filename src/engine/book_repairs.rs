//! Which books need a new snapshot, and when each snapshot is requested again.
//!
//! A snapshot can be lost on its way: refused, too large, or dropped because a ring was full. So the request
//! is repeated as long as the book waits, later and later. Time comes with the ticks.

use rustc_hash::FxHashMap;

use crate::instrument::InstrumentId;

/// The requests for snapshots of a shard's books.
#[derive(Debug, Default)]
pub(super) struct BookRepairs {
    due: Vec<InstrumentId>,
    met: Vec<InstrumentId>,
    retries: FxHashMap<InstrumentId, Retry>,
}

/// The next request for a book that waits.
#[derive(Debug)]
struct Retry {
    /// When it is due, in nanoseconds; none before the first tick.
    at: Option<i64>,
    /// The time between the last request and this one.
    wait: i64,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            at: None,
            wait: FIRST_RETRY_NS,
        }
    }
}

impl BookRepairs {
    /// Requests a snapshot now: the book has just lost an update.
    pub(super) fn request(&mut self, instrument: InstrumentId) {
        self.met.retain(|&met| met != instrument);
        self.due.push(instrument);
        self.retries.insert(instrument, Retry::default());
    }

    /// Requests a snapshot again, at a tick: the last one was too old, and the next may be as old.
    pub(super) fn request_later(&mut self, instrument: InstrumentId) {
        self.retries.entry(instrument).or_default();
    }

    /// Notes at a tick whether a book waits for a snapshot; requests it again where that is due.
    pub(super) fn tick(&mut self, ts: i64, instrument: InstrumentId, waits: bool) {
        if !waits {
            // Most books are whole, and most of the time all are.
            if !self.retries.is_empty() {
                self.retries.remove(&instrument);
            }
            return;
        }
        let retry = self.retries.entry(instrument).or_default();
        let at = *retry.at.get_or_insert(ts.saturating_add(retry.wait));
        if ts >= at {
            self.due.push(instrument);
            retry.wait = (2 * retry.wait).min(LAST_RETRY_NS);
            retry.at = Some(ts.saturating_add(retry.wait));
        }
    }

    /// The book of an instrument is whole.
    pub(super) fn met(&mut self, instrument: InstrumentId) {
        self.due.retain(|&due| due != instrument);
        self.met.push(instrument);
        self.retries.remove(&instrument);
    }

    /// Appends the instruments whose book is whole now.
    pub(super) fn take_met(&mut self, met: &mut Vec<InstrumentId>) {
        met.append(&mut self.met);
    }

    /// Appends the instruments whose snapshot is to be requested now.
    pub(super) fn take(&mut self, requests: &mut Vec<InstrumentId>) {
        requests.append(&mut self.due);
    }
}

/// Time before the first repetition: more than a snapshot usually takes.
const FIRST_RETRY_NS: i64 = 2_000_000_000;
/// Longest time between two requests.
const LAST_RETRY_NS: i64 = 60_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const BOOK: InstrumentId = InstrumentId(7);

    /// The seconds at which a snapshot is requested, of ticks at whole seconds.
    fn requests(repairs: &mut BookRepairs, seconds: std::ops::Range<i64>, waits: bool) -> Vec<i64> {
        let mut all = vec![];
        for second in seconds {
            repairs.tick(second * 1_000_000_000, BOOK, waits);
            let mut due = vec![];
            repairs.take(&mut due);
            assert!(due.iter().all(|&instrument| instrument == BOOK));
            all.extend(due.iter().map(|_| second));
        }
        all
    }

    #[test]
    fn of_several_changes_between_two_looks_the_last_one_counts() {
        for is_whole in [false, true] {
            let mut repairs = BookRepairs::default();
            for is_whole in [!is_whole, is_whole, !is_whole, is_whole] {
                match is_whole {
                    true => repairs.met(BOOK),
                    false => repairs.request(BOOK),
                }
            }
            let (mut due, mut met) = (vec![], vec![]);
            repairs.take(&mut due);
            repairs.take_met(&mut met);
            let expected = [vec![BOOK], vec![]];
            let [whole, broken] = if is_whole { [met, due] } else { [due, met] };
            assert_eq!([whole, broken], expected, "{is_whole}");
        }
    }

    #[test]
    fn a_request_is_repeated_as_long_as_the_book_waits() {
        let mut repairs = BookRepairs::default();
        repairs.request(BOOK);
        let waiting = requests(&mut repairs, 0..200, true);
        assert_eq!(waiting, [0, 2, 6, 14, 30, 62, 122, 182]);
        repairs.request_later(BOOK);
        let mut due = vec![];
        repairs.take(&mut due);
        assert!(due.is_empty(), "a snapshot that was too old is no hurry");
        assert!(requests(&mut repairs, 200..300, false).is_empty());
        assert_eq!(
            requests(&mut repairs, 300..303, true),
            [302],
            "from the beginning"
        );
    }
}
