//! What is told of an instrument from outside its market, each from its own time on and never before:
//! figures of the economy, and sentiment.

use std::collections::VecDeque;

use crate::event::{Figure, Sentiment};

/// A figure and when it became known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FigureAt {
    /// When it became known.
    pub(super) ts: i64,
    /// Its number.
    pub(super) figure: u16,
    /// What it was.
    pub(super) value: f64,
    /// How many arrived before it.
    arrival: u64,
}

/// Figures of all times. Each instrument goes through them as its own time passes, so that all see the same,
/// whenever they first appear.
#[derive(Debug, Default)]
pub(super) struct Figures {
    /// In the order of their times, and of arrival where these are equal.
    all: Vec<FigureAt>,
    /// The same in the order of arrival: the last of them.
    arrived: VecDeque<FigureAt>,
    arrivals: u64,
}

/// How far an instrument has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// All of this time and before has been seen ...
    until: i64,
    /// ... of what had arrived then.
    arrivals: u64,
}

/// Figures remembered; an instrument that appears later has not seen the older ones.
const MOST: usize = 1 << 16;

impl Default for Place {
    fn default() -> Self {
        Self {
            until: i64::MIN,
            arrivals: 0,
        }
    }
}

impl Figures {
    /// Takes one, of whatever time.
    pub(super) fn take(&mut self, ts: i64, told: Figure) {
        let at = FigureAt {
            ts,
            figure: told.figure,
            value: told.value,
            arrival: self.arrivals,
        };
        self.arrivals += 1;
        let after = self.all.partition_point(|other| other.ts <= ts);
        self.all.insert(after, at);
        self.arrived.push_back(at);
        if self.all.len() > MOST {
            self.all.drain(..MOST / 2);
            self.arrived.drain(..MOST / 2);
        }
    }

    /// Hands on those that have become known since `place`, which moves on to `now`: first what came late and
    /// nothing newer has been seen of, then the others by their times. Says how many came too late.
    pub(super) fn since(
        &self,
        place: &mut Place,
        now: i64,
        mut each: impl FnMut(&FigureAt),
    ) -> u64 {
        let (until, mut stale) = (place.until, 0);
        if place.arrivals < self.arrivals {
            let seen = self
                .arrived
                .partition_point(|told| told.arrival < place.arrivals);
            let late = self.arrived.range(seen..).filter(|told| told.ts <= until);
            for told in late {
                if self.has_newer(told, until) {
                    stale += 1;
                } else {
                    each(told);
                }
            }
        }
        let begin = self.all.partition_point(|told| told.ts <= until);
        let new = self.all[begin..].iter().take_while(|told| told.ts <= now);
        new.for_each(each);
        *place = Place {
            until: until.max(now),
            arrivals: self.arrivals,
        };
        stale
    }

    /// Whether another value of the figure, of a later time up to `until`, has been seen.
    fn has_newer(&self, told: &FigureAt, until: i64) -> bool {
        let after = self.all.partition_point(|other| other.ts <= told.ts);
        let later = self.all[after..]
            .iter()
            .take_while(|other| other.ts <= until);
        later.into_iter().any(|other| other.figure == told.figure)
    }
}

/// What was said of one instrument.
#[derive(Debug, Default)]
pub(super) struct Sentiments {
    /// Of times that have not come yet, the earliest first.
    waiting: VecDeque<(i64, Sentiment)>,
    /// The time of the one told last.
    told: i64,
}

/// Averages that may wait; the latest of those that arrive beyond it are dropped.
const MOST_WAITING: usize = 1 << 12;

impl Sentiments {
    /// Takes one; false where a later one has been told already, or too many wait.
    pub(super) fn take(&mut self, ts: i64, sentiment: Sentiment) -> bool {
        if ts < self.told || self.waiting.len() == MOST_WAITING {
            return false;
        }
        let after = self.waiting.partition_point(|(waiting, _)| *waiting <= ts);
        self.waiting.insert(after, (ts, sentiment));
        true
    }

    /// The one known at `now`, if it is news.
    pub(super) fn until(&mut self, now: i64) -> Option<(i64, Sentiment)> {
        let mut latest = None;
        while self.waiting.front().is_some_and(|(ts, _)| *ts <= now) {
            latest = self.waiting.pop_front();
        }
        self.told = latest.map_or(self.told, |(ts, _)| ts);
        latest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_seen_once_its_time_has_come() {
        let mut figures = Figures::default();
        let figure = |figure, value| Figure { figure, value };
        figures.take(10, figure(0, 1.0));
        figures.take(1_000, figure(1, 9.0)); // long before its time
        figures.take(20, figure(0, 2.0));
        figures.take(15, figure(0, 3.0));
        let mut place = Place::default();
        let mut seen = |figures: &Figures, now| {
            let mut values = vec![];
            let stale = figures.since(&mut place, now, |told| values.push(told.value));
            (values, stale)
        };
        assert_eq!(seen(&figures, 9), (vec![], 0));
        assert_eq!(seen(&figures, 16), (vec![1.0, 3.0], 0));
        assert_eq!(seen(&figures, 20), (vec![2.0], 0));
        figures.take(18, figure(0, 4.0)); // late, and older than what is known
        figures.take(17, figure(2, 5.0)); // late, and the first of its kind
        figures.take(21, figure(0, 6.0));
        assert_eq!(seen(&figures, 30), (vec![5.0, 6.0], 1));
        assert_eq!(seen(&figures, 1_000), (vec![9.0], 0));
    }

    #[test]
    fn sentiment_waits_for_its_time_whenever_it_arrives() {
        let said = |average| Sentiment {
            average,
            weight: 1.0,
            half_life: 1,
        };
        let mut sentiments = Sentiments::default();
        assert!(sentiments.take(30, said(3.0)));
        assert!(sentiments.take(10, said(1.0)));
        assert!(sentiments.take(20, said(2.0)));
        assert_eq!(sentiments.until(9), None);
        assert_eq!(sentiments.until(25), Some((20, said(2.0))));
        assert_eq!(sentiments.until(25), None);
        assert!(!sentiments.take(15, said(4.0)), "a later one has been told");
        assert_eq!(sentiments.until(30), Some((30, said(3.0))));
    }

    #[test]
    fn memory_is_bounded() {
        let (mut figures, mut sentiments) = (Figures::default(), Sentiments::default());
        for ts in 0..200_000 {
            let told = Figure {
                figure: 0,
                value: 1.0,
            };
            figures.take(ts, told);
            let said = Sentiment {
                average: 0.0,
                weight: 1.0,
                half_life: 1,
            };
            sentiments.take(ts, said);
        }
        assert!(figures.all.len() <= MOST && figures.all.len() == figures.arrived.len());
        assert_eq!(sentiments.waiting.len(), MOST_WAITING);
    }
}
