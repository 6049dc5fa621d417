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
}

/// Figures in the order of their times. Each instrument goes through them as its own time passes, so that all
/// see the same, whenever they first appear.
#[derive(Debug, Default)]
pub(super) struct Figures(Vec<FigureAt>);

/// Figures remembered; an instrument that appears later has not seen the older ones.
const MOST: usize = 1 << 16;

impl Figures {
    /// Takes one; true where its time lies before that of the one before: it then counts from there on.
    pub(super) fn take(&mut self, ts: i64, told: Figure) -> bool {
        let last = self.0.last().map_or(i64::MIN, |last| last.ts);
        self.0.push(FigureAt {
            ts: ts.max(last),
            figure: told.figure,
            value: told.value,
        });
        ts < last
    }

    /// Those that were known at `now`, after the `seen` first ones, which move on.
    pub(super) fn since(&self, seen: &mut usize, now: i64) -> &[FigureAt] {
        let begin = *seen;
        let known = self.0[begin..].iter().take_while(|told| told.ts <= now);
        *seen += known.count();
        &self.0[begin..*seen]
    }

    /// Drops the older half where there are too many, and says how many.
    pub(super) fn forget(&mut self) -> usize {
        if self.0.len() <= MOST {
            return 0;
        }
        self.0.drain(..MOST / 2).count()
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
        let figure = |value| Figure { figure: 0, value };
        assert!(!figures.take(10, figure(1.0)));
        assert!(!figures.take(20, figure(2.0)));
        assert!(figures.take(15, figure(3.0)), "backwards");
        let mut seen = 0;
        assert!(figures.since(&mut seen, 9).is_empty());
        assert_eq!(figures.since(&mut seen, 19).len(), 1);
        let values: Vec<f64> = figures
            .since(&mut seen, 20)
            .iter()
            .map(|at| at.value)
            .collect();
        assert_eq!(values, [2.0, 3.0]);
        assert!(figures.since(&mut seen, 99).is_empty());
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
        let mut forgotten = 0;
        for ts in 0..200_000 {
            let told = Figure {
                figure: 0,
                value: 1.0,
            };
            figures.take(ts, told);
            forgotten += figures.forget();
            let said = Sentiment {
                average: 0.0,
                weight: 1.0,
                half_life: 1,
            };
            sentiments.take(ts, said);
        }
        assert!(figures.0.len() <= MOST && figures.0.len() + forgotten == 200_000);
        assert_eq!(sentiments.waiting.len(), MOST_WAITING);
    }
}
