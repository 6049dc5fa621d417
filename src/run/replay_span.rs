//! The span of event times that a replay is asked for, and what was read of it.

use crate::event::{Batch, Body};
use crate::time::rfc3339;
use crate::units::Nanos;

/// A span of event times, and the events that were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplaySpan {
    from: Nanos,
    to: Nanos,
    /// Events of the market, or records, in it.
    within: u64,
    /// The first and the last time of all that were read.
    known: Option<(Nanos, Nanos)>,
}

/// Nothing was read of the span that was asked for.
#[derive(Debug, thiserror::Error)]
#[error("while reading the input: it has no event in the span of time that was asked for; {what}")]
pub struct EmptySpan {
    what: String,
}

impl Default for ReplaySpan {
    fn default() -> Self {
        Self {
            from: Nanos(i64::MIN),
            to: Nanos(i64::MAX),
            within: 0,
            known: None,
        }
    }
}

impl ReplaySpan {
    /// From `from` on and before `to`; without one of them, without that bound.
    #[must_use]
    pub fn new(from: Option<Nanos>, to: Option<Nanos>) -> Self {
        let all = Self::default();
        Self {
            from: from.unwrap_or(all.from),
            to: to.unwrap_or(all.to),
            ..all
        }
    }

    /// Whether it has no bounds.
    #[must_use]
    pub fn is_unbounded(&self) -> bool {
        (self.from, self.to) == (Nanos(i64::MIN), Nanos(i64::MAX))
    }

    /// Whether a time lies in it.
    #[must_use]
    pub fn contains(&self, ts: Nanos) -> bool {
        ts >= self.from && (ts < self.to || self.to == Nanos(i64::MAX))
    }

    /// Notes the events of a batch, if there are bounds.
    pub(super) fn note(&mut self, batch: &Batch) {
        if self.is_unbounded() {
            return;
        }
        let tells = |body: &Body| !matches!(body, Body::Gap(_) | Body::FeedGap(_) | Body::Tick);
        let told = batch.events.iter().filter(|event| tells(&event.body));
        for ts in told.map(|event| event.ts_event) {
            if ts != Nanos::UNDEFINED {
                let (first, last) = self.known.unwrap_or((ts, ts));
                self.known = Some((first.min(ts), last.max(ts)));
                self.within += u64::from(self.contains(ts));
            }
        }
    }

    /// Adds what another shard has read of the same span.
    pub(super) fn merge(&mut self, other: &Self) {
        (self.from, self.to) = (other.from, other.to);
        self.within += other.within;
        let both = self.known.into_iter().chain(other.known);
        self.known = both.reduce(|(first, last), (other_first, other_last)| {
            (first.min(other_first), last.max(other_last))
        });
    }

    /// Whether any event lies in the span, if it has bounds.
    ///
    /// # Errors
    /// [`EmptySpan`], which says what times the input has.
    pub fn check(&self) -> Result<(), EmptySpan> {
        if self.is_unbounded() || self.within > 0 {
            return Ok(());
        }
        let what = match self.known {
            Some((first, last)) => format!(
                "what was read of it is from {} to {}: correct --from and --to",
                rfc3339(first),
                rfc3339(last)
            ),
            None => "nothing was read of it: correct --from and --to, or give other files".into(),
        };
        Err(EmptySpan { what })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Event;
    use crate::instrument::InstrumentId;

    fn batch(events: &[(i64, Body)]) -> Batch {
        let event = |&(ts, body): &(i64, Body)| Event {
            ts_event: Nanos(ts),
            instrument: InstrumentId(0),
            frame: 0,
            body,
        };
        Batch {
            events: events.iter().map(event).collect(),
            ..Batch::default()
        }
    }

    #[test]
    fn a_span_without_events_says_what_times_there_are() {
        let span = |from, to| ReplaySpan::new(Some(Nanos(from)), Some(Nanos(to)));
        let (mut one, mut other) = (span(20, 30), span(20, 30));
        assert!(
            one.check()
                .unwrap_err()
                .to_string()
                .contains("nothing was read")
        );
        one.note(&batch(&[(10, Body::SkippedTrade(1)), (25, Body::Tick)]));
        other.note(&batch(&[
            (40, Body::SkippedTrade(2)),
            (i64::MAX, Body::SkippedTrade(2)),
        ]));
        one.merge(&other);
        let error = one.check().unwrap_err().to_string();
        let times = "from 1970-01-01T00:00:00.000000010Z to 1970-01-01T00:00:00.000000040Z";
        assert!(error.contains(times), "{error}");
        one.note(&batch(&[(29, Body::SkippedTrade(3))]));
        assert!(one.check().is_ok() && ReplaySpan::default().check().is_ok());
    }
}
