//! Sliding windows by count and by time, O(1) a value (amortised).
//!
//! Sums are running sums; every window recomputes them from its values once they have all been
//! replaced, so that rounding never builds up. A value leaves a window of `Span::Time(w)` when it is `w`
//! old: the window covers `(now − w, now]`. Windows read no clock; `now` is an event's time.

use std::collections::VecDeque;

/// How far back a window reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// The last so many values.
    Count(usize),
    /// The values of the last so many nanoseconds.
    Time(i64),
}

impl Span {
    /// Whether a value of time `ts` still belongs, with `behind` values after it.
    fn keeps(self, ts: i64, now: i64, behind: usize) -> bool {
        match self {
            Self::Count(most) => behind < most,
            Self::Time(span) => ts > now.saturating_sub(span),
        }
    }

    /// Whether a window that got its first value at `first`, and `count` in all, has seen its span.
    fn is_full(self, first: Option<i64>, count: u64, now: i64) -> bool {
        match self {
            Self::Count(most) => count >= most as u64,
            Self::Time(span) => first.is_some_and(|first| first <= now.saturating_sub(span)),
        }
    }
}

/// Sums of `K` numbers an entry over a window.
#[derive(Clone, Debug)]
pub struct Sums<const K: usize> {
    span: Span,
    entries: VecDeque<(i64, [f64; K])>,
    sums: [f64; K],
    gone: usize,
    seen: Seen,
}

/// Mean and variance of a number over a window.
///
/// Sums are kept about a shift near the mean, so that the variance of prices far from zero keeps its
/// digits (Chan, Golub, LeVeque 1983, "Algorithms for computing the sample variance", shifted data).
#[derive(Clone, Debug)]
pub struct Moments {
    span: Span,
    entries: VecDeque<(i64, f64)>,
    shift: f64,
    sum: f64,
    squares: f64,
    gone: usize,
    seen: Seen,
}

/// The smallest or largest number of a window: a monotonic queue (Lemire 2006, "Streaming
/// maximum-minimum filter using no more than three comparisons per element").
#[derive(Clone, Debug)]
pub struct Extreme {
    span: Span,
    largest: bool,
    /// Candidates: time, running number, value; each beats all behind it.
    queue: VecDeque<(i64, u64, f64)>,
    seen: Seen,
}

/// What a window remembers of its whole life.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    first: Option<i64>,
    count: u64,
}

impl Seen {
    fn one(&mut self, now: i64) {
        self.first = self.first.or(Some(now));
        self.count += 1;
    }
}

impl<const K: usize> Sums<K> {
    /// An empty window.
    #[must_use]
    pub fn new(span: Span) -> Self {
        Self {
            span,
            entries: VecDeque::new(),
            sums: [0.0; K],
            gone: 0,
            seen: Seen::default(),
        }
    }

    /// Adds an entry at `now`, and lets go what has become too old.
    pub fn push(&mut self, now: i64, entry: [f64; K]) {
        self.seen.one(now);
        self.entries.push_back((now, entry));
        for (sum, value) in self.sums.iter_mut().zip(entry) {
            *sum += value;
        }
        self.advance(now);
    }

    /// Lets go what has become too old at `now`.
    pub fn advance(&mut self, now: i64) {
        let mut dwarfed = false;
        while let Some(&(ts, entry)) = self.entries.front() {
            if self.span.keeps(ts, now, self.entries.len() - 1) {
                break;
            }
            self.entries.pop_front();
            self.gone += 1;
            for (sum, value) in self.sums.iter_mut().zip(entry) {
                *sum -= value;
                dwarfed |= value.abs() > 1e3 * sum.abs();
            }
        }
        // A value that leaves much smaller ones behind takes their digits along.
        if dwarfed || self.gone > self.entries.len() {
            self.recompute();
        }
    }

    /// The entry that came last, if it is still there.
    #[must_use]
    pub fn last(&self) -> Option<[f64; K]> {
        self.entries.back().map(|entry| entry.1)
    }

    /// Entries per second: over the span, or since the oldest entry where the window counts.
    #[must_use]
    pub fn rate(&self, now: i64) -> f64 {
        let nanos = match (self.span, self.entries.front()) {
            (Span::Time(span), _) => span,
            (Span::Count(_), Some(&(oldest, _))) => now - oldest,
            (Span::Count(_), None) => 0,
        };
        if nanos > 0 {
            self.entries.len() as f64 / (nanos as f64 * 1e-9)
        } else {
            0.0
        }
    }

    /// The sums; zeros for an empty window.
    #[must_use]
    pub fn sums(&self) -> [f64; K] {
        self.sums
    }

    /// Entries in the window.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the window holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the window has ever covered its whole span by `now`.
    #[must_use]
    pub fn is_full(&self, now: i64) -> bool {
        self.span.is_full(self.seen.first, self.seen.count, now)
    }

    fn recompute(&mut self) {
        self.gone = 0;
        self.sums = [0.0; K];
        for (_, entry) in &self.entries {
            for (sum, value) in self.sums.iter_mut().zip(entry) {
                *sum += value;
            }
        }
    }
}

impl Moments {
    /// An empty window.
    #[must_use]
    pub fn new(span: Span) -> Self {
        let (entries, seen) = (VecDeque::new(), Seen::default());
        Self {
            span,
            entries,
            shift: 0.0,
            sum: 0.0,
            squares: 0.0,
            gone: 0,
            seen,
        }
    }

    /// Adds a value at `now`, and lets go what has become too old.
    pub fn push(&mut self, now: i64, value: f64) {
        self.seen.one(now);
        if self.entries.is_empty() {
            (self.shift, self.sum, self.squares) = (value, 0.0, 0.0);
        }
        self.entries.push_back((now, value));
        let shifted = value - self.shift;
        self.sum += shifted;
        self.squares += shifted * shifted;
        self.advance(now);
    }

    /// Lets go what has become too old at `now`.
    pub fn advance(&mut self, now: i64) {
        let mut largest_gone = 0.0_f64;
        while let Some(&(ts, value)) = self.entries.front() {
            if self.span.keeps(ts, now, self.entries.len() - 1) {
                break;
            }
            self.entries.pop_front();
            let shifted = value - self.shift;
            self.sum -= shifted;
            self.squares -= shifted * shifted;
            largest_gone = largest_gone.max(shifted * shifted);
            self.gone += 1;
        }
        // An outlier that leaves takes the digits of the small values along, and so does a shift that
        // lies far from the mean (30 standard deviations).
        let far = self.sum * self.sum * 1.001 > self.squares * self.entries.len() as f64;
        if far || self.gone > self.entries.len() || largest_gone > 1e3 * self.squares {
            self.recompute();
        }
    }

    /// The mean; `None` for an empty window.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let count = self.entries.len();
        (count > 0).then(|| self.shift + self.sum / count as f64)
    }

    /// The standard deviation, divided by n (ddof 0); 0 below two values.
    #[must_use]
    pub fn std(&self) -> f64 {
        let count = self.entries.len() as f64;
        if count < 2.0 {
            return 0.0;
        }
        let mean = self.sum / count;
        (self.squares / count - mean * mean).max(0.0).sqrt()
    }

    /// Whether the window has ever covered its whole span by `now`.
    #[must_use]
    pub fn is_full(&self, now: i64) -> bool {
        self.span.is_full(self.seen.first, self.seen.count, now)
    }

    fn recompute(&mut self) {
        let count = self.entries.len().max(1) as f64;
        self.shift = self.entries.iter().map(|entry| entry.1).sum::<f64>() / count;
        (self.sum, self.squares, self.gone) = (0.0, 0.0, 0);
        for (_, value) in &self.entries {
            let shifted = value - self.shift;
            self.sum += shifted;
            self.squares += shifted * shifted;
        }
    }
}

impl Extreme {
    /// An empty window for the smallest value.
    #[must_use]
    pub fn smallest(span: Span) -> Self {
        Self {
            span,
            largest: false,
            queue: VecDeque::new(),
            seen: Seen::default(),
        }
    }

    /// An empty window for the largest value.
    #[must_use]
    pub fn largest(span: Span) -> Self {
        Self {
            largest: true,
            ..Self::smallest(span)
        }
    }

    /// Adds a value at `now`, and lets go what has become too old.
    pub fn push(&mut self, now: i64, value: f64) {
        let beaten = |last: f64| {
            if self.largest {
                last <= value
            } else {
                last >= value
            }
        };
        while self.queue.back().is_some_and(|&(_, _, last)| beaten(last)) {
            self.queue.pop_back();
        }
        self.queue.push_back((now, self.seen.count, value));
        self.seen.one(now);
        self.advance(now);
    }

    /// Lets go what has become too old at `now`.
    pub fn advance(&mut self, now: i64) {
        while let Some(&(ts, number, _)) = self.queue.front() {
            if self
                .span
                .keeps(ts, now, (self.seen.count - number) as usize - 1)
            {
                break;
            }
            self.queue.pop_front();
        }
    }

    /// The extreme value; `None` for an empty window.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        self.queue.front().map(|entry| entry.2)
    }

    /// Whether the window has ever covered its whole span by `now`.
    #[must_use]
    pub fn is_full(&self, now: i64) -> bool {
        self.span.is_full(self.seen.first, self.seen.count, now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The slow twin: keeps everything, looks at everything.
    fn slow(history: &[(i64, f64)], span: Span, now: i64) -> Vec<f64> {
        let kept = match span {
            Span::Count(n) => &history[history.len().saturating_sub(n)..],
            Span::Time(_) => history,
        };
        let young = |ts: i64| matches!(span, Span::Count(_)) || span.keeps(ts, now, 0);
        kept.iter()
            .filter(|(ts, _)| young(*ts))
            .map(|(_, value)| *value)
            .collect()
    }

    fn close(a: f64, b: f64, scale: f64) -> bool {
        (a - b).abs() <= 1e-9 * scale.max(1e-12)
    }

    proptest! {
        #[test]
        fn windows_equal_their_slow_twin(
            steps in prop::collection::vec((0_i64..40, -1.0_f64..1.0, 0_u8..30), 1..400),
            by_time in any::<bool>(),
            length in 1_i64..90,
            offset in prop::sample::select(vec![0.0, 60_000.0]),
        ) {
            let span = if by_time { Span::Time(length) } else { Span::Count(length as usize) };
            let (mut moments, mut sums) = (Moments::new(span), Sums::<1>::new(span));
            let (mut least, mut most) = (Extreme::smallest(span), Extreme::largest(span));
            let (mut now, mut history) = (0, Vec::new());
            for (wait, value, outlier) in steps {
                now += wait;
                let value = offset + if outlier == 0 { value * 1e6 } else { value };
                history.push((now, value));
                moments.push(now, value);
                sums.push(now, [value]);
                least.push(now, value);
                most.push(now, value);
                let twin = slow(&history, span, now);
                let n = twin.len() as f64;
                let mean = twin.iter().sum::<f64>() / n;
                let std = (twin.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt();
                let scale = twin.iter().fold(0.0_f64, |a, x| a.max(x.abs()));
                prop_assert!(close(moments.mean().unwrap(), mean, scale));
                prop_assert!(close(moments.std(), std, scale), "{} {}", moments.std(), std);
                prop_assert!(close(sums.sums()[0], mean * n, 1e6 * n));
                prop_assert_eq!(least.value(), twin.iter().copied().reduce(f64::min));
                prop_assert_eq!(most.value(), twin.iter().copied().reduce(f64::max));
            }
        }
    }

    #[test]
    fn a_time_window_empties_without_new_values() {
        let mut moments = Moments::new(Span::Time(10));
        moments.push(100, 3.0);
        moments.advance(109);
        assert_eq!(moments.mean(), Some(3.0));
        moments.advance(110);
        assert_eq!(
            moments.mean(),
            None,
            "a value leaves when it is exactly as old as the window"
        );
        assert!(moments.is_full(110) && !Moments::new(Span::Time(10)).is_full(1_000));
    }

    #[test]
    fn millions_of_values_do_not_drift() {
        let mut sums = Sums::<1>::new(Span::Count(3));
        let mut moments = Moments::new(Span::Count(3));
        for step in 0..2_000_000_i64 {
            let value = 0.1 * (step % 7) as f64 + 1e5;
            sums.push(step, [value]);
            moments.push(step, value);
        }
        // The last three: 1999997 % 7 = 1, 2, 3 in turn.
        let last: Vec<f64> = (1_999_997..2_000_000)
            .map(|s| 0.1 * (s % 7) as f64 + 1e5)
            .collect();
        let mean = last.iter().sum::<f64>() / 3.0;
        let std = (last.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 3.0).sqrt();
        assert!((sums.sums()[0] - 3.0 * mean).abs() < 1e-9);
        assert!(
            (moments.std() - std).abs() < 1e-9,
            "{} {std}",
            moments.std()
        );
    }
}
