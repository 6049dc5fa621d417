//! The best bid and offer of an instrument: which quote counts, and which is behind what is known.

use super::counts::EventCounts;
use super::effect::Effect;
use super::gap_record::GapInput;
use super::market::MarketState;
use super::quote_numbers::QuoteNumbers;
use super::suspicion::time_of;
use crate::engine::feature::{Inputs, TopOfBook};
use crate::event::{GapReason, Quote};
use crate::signal::quality::Quality;
use crate::units::Nanos;

impl MarketState {
    /// Takes a quote; `ts` is its own time, or undefined. A side that it lacks has been withdrawn.
    pub(crate) fn quote(
        &mut self,
        quote: &Quote,
        ts: Nanos,
        received: Nanos,
        counts: &mut EventCounts,
    ) -> Effect<'static> {
        if quote.sequence > 0 && quote.sequence < self.top_sequence {
            // An old quote has a time of before.
            let anew = match ts {
                Nanos::UNDEFINED => self.quote_numbers.has_fallen_twice(quote.sequence),
                ts => ts.0 > self.topped,
            };
            if !anew {
                counts.stale += 1;
                return Effect::default();
            }
            counts.gaps += 1;
            counts.renumbered += 1;
            self.mark_gap(Quality::Gap, Inputs::QUOTES);
            self.note_gap_ended(
                GapInput::Quotes,
                GapReason::Renumbered,
                0,
                time_of(self.topped),
            );
        }
        // Without a number of its own it is older than what is known where its time is. Where a venue's clock
        // was put back, the quotes that follow are the newest.
        let (top_ts, is_of_book) = self.top_by;
        if quote.sequence == 0 && ts != Nanos::UNDEFINED && ts.0 < top_ts && !self.top_broken {
            let mut is_newest = || {
                self.quotes_behind
                    .is_sustained(ts.0.cast_unsigned(), received)
            };
            if is_of_book || !is_newest() {
                counts.stale += 1;
                return Effect::default();
            }
        }
        self.quotes_behind.end();
        counts.quotes += 1;
        self.end_gap_by_quote();
        self.quote_numbers.take(quote.sequence);
        self.top_sequence = quote.sequence;
        self.set_top(TopOfBook::of_quote(quote), ts, false);
        counts.crossed += u64::from(self.top.is_some_and(|top| top.is_crossed()));
        Effect {
            top_set: true,
            ..Effect::default()
        }
    }

    /// Holds no later quote against the numbers so far.
    pub(super) fn forget_quote_numbers(&mut self) {
        self.top_sequence = 0;
        self.quote_numbers = QuoteNumbers::default();
    }

    pub(super) fn set_top(&mut self, top: Option<TopOfBook>, ts: Nanos, is_of_book: bool) {
        (self.top, self.topped, self.top_broken) = (top, self.now, false);
        let own = if ts == Nanos::UNDEFINED {
            self.now
        } else {
            ts.0
        };
        self.top_by = (own, is_of_book);
        if top.is_some() {
            self.quoted = self.now;
        }
    }
}
