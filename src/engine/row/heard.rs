//! When each input of an instrument was received last: a dead stream beside a live one shows.

use serde::{Deserialize, Serialize};

use crate::engine::feature::FeaturePlan;
use crate::event::Body;
use crate::units::Nanos;

/// When each input was received last; undefined before the first.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Heard {
    any: Nanos,
    /// Best bid and offer, from a quote or from the book.
    top: Nanos,
    book: Nanos,
}

impl Default for Heard {
    fn default() -> Self {
        Self {
            any: Nanos::UNDEFINED,
            top: Nanos::UNDEFINED,
            book: Nanos::UNDEFINED,
        }
    }
}

impl Heard {
    /// Takes an event received at `ts`.
    pub(crate) fn take(&mut self, body: &Body, ts: Nanos) {
        self.any = ts;
        let (is_book, is_quote) = (
            matches!(body, Body::Depth(_)),
            matches!(body, Body::Quote(_)),
        );
        if is_book {
            self.book = ts;
        }
        if is_book || is_quote {
            self.top = ts;
        }
    }

    /// When anything was received last.
    pub(crate) fn last(self) -> Nanos {
        self.any
    }

    /// When the input was received last that is the oldest of those that the features need. An input that
    /// never came is not missed: no row was made without it.
    pub(crate) fn oldest(self, plan: &FeaturePlan) -> Nanos {
        let needed = [
            (plan.uses_book(), self.book),
            (plan.uses_top(), self.top),
            (true, self.any),
        ];
        let came = |&(is_needed, ts): &(bool, Nanos)| is_needed && ts != Nanos::UNDEFINED;
        let all = needed.into_iter().filter(came).map(|(_, ts)| ts);
        all.min().unwrap_or(Nanos::UNDEFINED)
    }
}
