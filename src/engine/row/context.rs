//! Inputs from outside an instrument's market: economic figures and sentiment. Each is used from its own
//! time on and never before, whenever it arrives.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::event::{Figure, Sentiment};

/// An economic figure, and when it became known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FigureAt {
    /// When it became known.
    pub(crate) ts: i64,
    /// Its number.
    pub(crate) figure: u16,
    /// Its value.
    pub(crate) value: f64,
    /// How many figures arrived before it.
    arrival: u64,
}

/// The figures of all times. Each instrument reads them as its own time passes, so that all instruments see
/// the same ones, whenever their first event comes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Figures {
    /// In the order of their times, and of arrival where these are equal.
    all: Vec<FigureAt>,
    /// The same in the order of arrival: the last of them.
    arrived: VecDeque<FigureAt>,
    arrivals: u64,
}

/// How far an instrument has read the figures.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct FiguresRead {
    /// All figures up to this time have been read ...
    until: i64,
    /// ... of those that had arrived then.
    arrivals: u64,
}

/// Figures kept; an instrument whose first event comes later does not see the older ones.
const FIGURES_MAX: usize = 1 << 16;

impl Default for FiguresRead {
    fn default() -> Self {
        Self {
            until: i64::MIN,
            arrivals: 0,
        }
    }
}

impl Figures {
    /// Adds a figure of any time.
    pub(crate) fn add(&mut self, ts: i64, figure: Figure) {
        let at = FigureAt {
            ts,
            figure: figure.figure,
            value: figure.value,
            arrival: self.arrivals,
        };
        self.arrivals += 1;
        let after = self.all.partition_point(|other| other.ts <= ts);
        self.all.insert(after, at);
        self.arrived.push_back(at);
        if self.all.len() > FIGURES_MAX {
            self.all.drain(..FIGURES_MAX / 2);
            self.arrived.drain(..FIGURES_MAX / 2);
        }
    }

    /// Calls `each` for the figures that have become known since `read`, which moves on to `now`: first
    /// those that came late, unless a newer value has been read, then the others by their times. Returns
    /// how many came too late.
    pub(crate) fn since(
        &self,
        read: &mut FiguresRead,
        now: i64,
        mut each: impl FnMut(&FigureAt),
    ) -> u64 {
        let (until, mut stale) = (read.until, 0);
        if read.arrivals < self.arrivals {
            let old = self
                .arrived
                .partition_point(|figure| figure.arrival < read.arrivals);
            let new = self.arrived.range(old..);
            for late in new.filter(|figure| figure.ts <= until) {
                if self.has_newer(late, until) {
                    stale += 1;
                } else {
                    each(late);
                }
            }
        }
        let begin = self.all.partition_point(|figure| figure.ts <= until);
        let new = self.all[begin..]
            .iter()
            .take_while(|figure| figure.ts <= now);
        new.for_each(each);
        *read = FiguresRead {
            until: until.max(now),
            arrivals: self.arrivals,
        };
        stale
    }

    /// Whether another value of the figure, of a later time up to `until`, has been read.
    fn has_newer(&self, late: &FigureAt, until: i64) -> bool {
        let after = self.all.partition_point(|other| other.ts <= late.ts);
        let later = self.all[after..]
            .iter()
            .take_while(|other| other.ts <= until);
        later.into_iter().any(|other| other.figure == late.figure)
    }
}

/// The sentiment of one instrument's headlines.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Sentiments {
    /// Averages of times that have not come yet, the earliest first.
    waiting: VecDeque<(i64, Sentiment)>,
    /// The time of the one used last.
    used: i64,
}

/// Averages that may wait; those that arrive beyond it are dropped.
const WAITING_MAX: usize = 1 << 12;

impl Sentiments {
    /// Adds an average; false where a later one has been used already, or too many wait.
    pub(crate) fn add(&mut self, ts: i64, sentiment: Sentiment) -> bool {
        if ts < self.used || self.waiting.len() == WAITING_MAX {
            return false;
        }
        let after = self.waiting.partition_point(|(waiting, _)| *waiting <= ts);
        self.waiting.insert(after, (ts, sentiment));
        true
    }

    /// The latest average up to `now`, if it has not been used yet.
    pub(crate) fn until(&mut self, now: i64) -> Option<(i64, Sentiment)> {
        let mut latest = None;
        while self.waiting.front().is_some_and(|(ts, _)| *ts <= now) {
            latest = self.waiting.pop_front();
        }
        self.used = latest.map_or(self.used, |(ts, _)| ts);
        latest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_read_once_its_time_has_come() {
        let mut figures = Figures::default();
        let figure = |figure, value| Figure { figure, value };
        figures.add(10, figure(0, 1.0));
        figures.add(1_000, figure(1, 9.0)); // long before its time
        figures.add(20, figure(0, 2.0));
        figures.add(15, figure(0, 3.0));
        let mut read = FiguresRead::default();
        let mut seen = |figures: &Figures, now| {
            let mut values = vec![];
            let stale = figures.since(&mut read, now, |figure| values.push(figure.value));
            (values, stale)
        };
        assert_eq!(seen(&figures, 9), (vec![], 0));
        assert_eq!(seen(&figures, 16), (vec![1.0, 3.0], 0));
        assert_eq!(seen(&figures, 20), (vec![2.0], 0));
        figures.add(18, figure(0, 4.0)); // late, and older than what is known
        figures.add(17, figure(2, 5.0)); // late, and the first of its kind
        figures.add(21, figure(0, 6.0));
        assert_eq!(seen(&figures, 30), (vec![5.0, 6.0], 1));
        assert_eq!(seen(&figures, 1_000), (vec![9.0], 0));
    }

    #[test]
    fn sentiment_waits_for_its_time_whenever_it_arrives() {
        let sentiment = |average| Sentiment {
            average,
            weight: 1.0,
            half_life: 1,
        };
        let mut sentiments = Sentiments::default();
        assert!(sentiments.add(30, sentiment(3.0)));
        assert!(sentiments.add(10, sentiment(1.0)));
        assert!(sentiments.add(20, sentiment(2.0)));
        assert_eq!(sentiments.until(9), None);
        assert_eq!(sentiments.until(25), Some((20, sentiment(2.0))));
        assert_eq!(sentiments.until(25), None);
        assert!(
            !sentiments.add(15, sentiment(4.0)),
            "a later one has been used"
        );
        assert_eq!(sentiments.until(30), Some((30, sentiment(3.0))));
    }

    #[test]
    fn memory_is_bounded() {
        let (mut figures, mut sentiments) = (Figures::default(), Sentiments::default());
        for ts in 0..200_000 {
            let figure = Figure {
                figure: 0,
                value: 1.0,
            };
            figures.add(ts, figure);
            let sentiment = Sentiment {
                average: 0.0,
                weight: 1.0,
                half_life: 1,
            };
            sentiments.add(ts, sentiment);
        }
        assert!(figures.all.len() <= FIGURES_MAX && figures.all.len() == figures.arrived.len());
        assert_eq!(sentiments.waiting.len(), WAITING_MAX);
    }
}
