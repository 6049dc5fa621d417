//! A long series as few points: the least and the greatest value of each of many equal spans of time.
//!
//! No extreme is dropped, and memory is bounded however long the series is.

/// A series whose points are kept by spans of time, which grow as the series does.
#[derive(Clone, Debug)]
pub(super) struct ThinnedSeries {
    spans: Vec<SeriesSpan>,
    /// A span is 2 to the power of this many nanoseconds long.
    power: u32,
    most: usize,
}

#[derive(Clone, Copy, Debug)]
struct SeriesSpan {
    number: i64,
    least: (i64, f64),
    greatest: (i64, f64),
}

impl SeriesSpan {
    fn add(&mut self, point: (i64, f64)) {
        if point.1 < self.least.1 {
            self.least = point;
        }
        if point.1 > self.greatest.1 {
            self.greatest = point;
        }
    }
}

/// The shortest span: about a millisecond.
const FIRST_POWER: u32 = 20;

impl ThinnedSeries {
    /// A series of at most `most` spans with points.
    pub(super) fn new(most: usize) -> Self {
        Self {
            spans: vec![],
            power: FIRST_POWER,
            most,
        }
    }

    /// Adds a point; one that is earlier than the last is put into the last span.
    pub(super) fn add(&mut self, ts: i64, value: f64) {
        let point = (ts, value);
        let number = ts >> self.power;
        match self.spans.last_mut() {
            Some(last) if last.number >= number => last.add(point),
            _ => {
                self.spans.push(SeriesSpan {
                    number,
                    least: point,
                    greatest: point,
                });
                while self.spans.len() > self.most {
                    self.widen();
                }
            }
        }
    }

    /// Makes spans twice as long.
    fn widen(&mut self) {
        self.power += 1;
        let mut wider: Vec<SeriesSpan> = vec![];
        for span in self.spans.drain(..) {
            let number = span.number >> 1;
            match wider.last_mut() {
                Some(last) if last.number == number => {
                    last.add(span.least);
                    last.add(span.greatest);
                }
                _ => wider.push(SeriesSpan { number, ..span }),
            }
        }
        self.spans = wider;
    }

    /// The least and the greatest point of each span, in the order of their times.
    pub(super) fn points(&self) -> Vec<(i64, f64)> {
        let mut points = vec![];
        for span in &self.spans {
            let (first, second) = match span.least.0 <= span.greatest.0 {
                true => (span.least, span.greatest),
                false => (span.greatest, span.least),
            };
            points.push(first);
            if first.0 != second.0 {
                points.push(second);
            }
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_stay_however_long_the_series_is() {
        let mut series = ThinnedSeries::new(16);
        for number in 0..100_000_i64 {
            let value = match number {
                12_345 => 1e6,
                54_321 => -1e6,
                _ => (number % 7) as f64,
            };
            series.add(number * 1_000_000, value);
        }
        let points = series.points();
        assert!(points.len() <= 32, "{}", points.len());
        assert!(points.contains(&(12_345_000_000, 1e6)));
        assert!(points.contains(&(54_321_000_000, -1e6)));
        assert!(points.is_sorted_by_key(|point| point.0));
    }
}
