//! Gaps, silences, halts and amended trades in the market of an instrument: which rows and which features
//! they spoil.

use super::counts::EventCounts;
use super::gap_record::GapInput;
use super::market::MarketState;
use super::suspicion::time_of;
use super::trade_numbers::TradeNumber;
use crate::engine::feature::{FeaturePlan, Inputs};
use crate::event::{AmendmentKind, Gap, GapReason, TradingStatus};
use crate::signal::quality::Quality;
use crate::units::Nanos;

impl MarketState {
    /// Takes a gap event of this instrument; returns whether its book needs a new snapshot.
    pub(crate) fn gap(&mut self, gap: Gap, counts: &mut EventCounts) -> bool {
        counts.gaps += 1;
        counts.miss(gap.missing);
        self.doubt(gap);
        self.break_by(gap.reason)
    }

    /// Whether anything is known of the market that a gap could make suspect.
    fn is_known(&self) -> bool {
        self.now != i64::MIN || self.book_known || self.top.is_some()
    }

    /// Notes since when inputs are suspect, because of a gap that a source or a connection has found. Of an
    /// instrument of which nothing is known, nothing is suspect: on several shards each hears of the gap.
    pub(crate) fn doubt(&mut self, gap: Gap) {
        if !self.is_known() {
            return;
        }
        let (input, from) = match gap.reason {
            GapReason::Overflow => (GapInput::Trades, self.trade_numbers.ts()),
            GapReason::Sequence
            | GapReason::Renumbered
            | GapReason::Checksum
            | GapReason::Reconnect
            | GapReason::Retention => (GapInput::All, self.last_proof()),
        };
        let Gap { reason, missing } = gap;
        self.suspicions.begin(input, reason, missing, from);
    }

    /// Notes since when the book is suspect.
    pub(super) fn doubt_book(&mut self, reason: GapReason, missing: u64) {
        let from = self.last_proof();
        self.suspicions.begin(GapInput::Book, reason, missing, from);
    }

    /// Notes a gap that has ended where it was found: what is missing does not come any more.
    pub(super) fn note_gap_ended(
        &mut self,
        input: GapInput,
        reason: GapReason,
        missing: u64,
        from: Nanos,
    ) {
        let span = (from, self.latest());
        self.suspicions.note(input, reason, missing, span);
    }

    /// A trade or a bar ends a gap in the trades, and any other gap of an instrument that has nothing else.
    pub(super) fn end_gap_by_trade(&mut self) {
        self.suspicions.end_trades(self.latest());
        if !self.book_known && self.top.is_none() {
            self.suspicions.end_market(self.latest());
        }
    }

    /// A quote ends a gap of an instrument that has no book.
    pub(super) fn end_gap_by_quote(&mut self) {
        if !self.book_known {
            self.suspicions.end_market(self.latest());
        }
    }

    /// When the book was last shown to be whole; without a book, the time of the last event.
    fn last_proof(&self) -> Nanos {
        match self.book_known {
            true => time_of(self.proved),
            false => self.latest(),
        }
    }

    /// The latest event time; undefined before the first.
    pub(crate) fn latest(&self) -> Nanos {
        time_of(self.now)
    }

    /// Distrusts what was received before a gap; returns whether the book needs a new snapshot that does not
    /// come by itself, as it does after a new connection.
    pub(crate) fn break_by(&mut self, reason: GapReason) -> bool {
        let is_hurt = self.book_known && self.book.is_live();
        match reason {
            // Under overload trades are dropped. Quotes are conflated: the newest is never missing; and the
            // book's own numbers show whether changes of it are, if it has some.
            GapReason::Overflow => {
                self.mark_gap(Quality::Degraded, Inputs::TRADES | Inputs::BARS);
                if is_hurt && !self.book_is_numbered {
                    self.book.freeze();
                    self.break_book();
                }
                is_hurt && !self.book_is_numbered
            }
            GapReason::Sequence
            | GapReason::Renumbered
            | GapReason::Checksum
            | GapReason::Reconnect
            | GapReason::Retention => {
                self.halt.doubt();
                self.book.freeze();
                self.book_broken = self.book_known;
                self.forget_quote_numbers();
                self.top_broken = true;
                self.mark_gap(Quality::Gap, Inputs::ALL);
                is_hurt && reason != GapReason::Reconnect
            }
        }
    }

    /// Takes the number of no trade; `ts` is its own time, or undefined.
    pub(crate) fn skipped_trade(
        &mut self,
        number: u64,
        ts: Nanos,
        received: Nanos,
        counts: &mut EventCounts,
    ) {
        if self.aggregate != Some(true) {
            let before = self.trade_numbers.ts();
            let number = self.trade_numbers.skip(number, ts, received);
            self.follow_number(number, before, counts);
        }
    }

    /// Notes what the number of a trade says; false where it is a copy. `before` is the time of the trade
    /// before it.
    pub(super) fn follow_number(
        &mut self,
        number: TradeNumber,
        before: Nanos,
        counts: &mut EventCounts,
    ) -> bool {
        match number {
            TradeNumber::Next => {}
            TradeNumber::Missing(missing) => {
                counts.gaps += 1;
                counts.miss(missing);
                self.mark_gap(Quality::Gap, Inputs::TRADES);
                self.note_gap_ended(GapInput::Trades, GapReason::Sequence, missing, before);
            }
            TradeNumber::Anew => {
                counts.gaps += 1;
                counts.renumbered += 1;
                self.forget_quote_numbers();
                self.mark_gap(Quality::Gap, Inputs::TRADES);
                self.note_gap_ended(GapInput::Trades, GapReason::Renumbered, 0, before);
            }
            TradeNumber::Copy => {
                counts.duplicates += 1;
                return false;
            }
        }
        true
    }

    /// After a gap the venue may number anew: nothing is held against the numbers from before.
    pub(super) fn break_book(&mut self) {
        self.book_broken = self.book_known;
        self.forget_quote_numbers();
        self.top_broken = true;
        self.mark_gap(Quality::Gap, Inputs::QUOTES);
    }

    /// Takes the time of any event. What was known before a silence of more than `max_gap` nanoseconds is no
    /// base of a label, nor its end.
    pub(crate) fn note_event(&mut self, max_gap: i64) {
        let before = std::mem::replace(&mut self.noted, self.now);
        if before != i64::MIN && self.now.saturating_sub(before) > max_gap && !self.halt.is_on() {
            self.breaks += 1;
            self.label_price.note_break();
            self.top_broken = true;
        }
    }

    /// Takes the time of a row. It is a gap where more than `max_gap` nanoseconds have passed since the one
    /// before, though events came: none of them had all features.
    pub(crate) fn note_row(&mut self, max_gap: i64, counts: &mut EventCounts) {
        let before = std::mem::replace(&mut self.completed, self.now);
        let silent = before != i64::MIN && self.now.saturating_sub(before) > max_gap;
        if silent && !self.halt.is_on() && self.marked < Quality::Gap {
            counts.silences += 1;
            self.marked = Quality::Gap;
        }
    }

    /// Takes the time of an event that makes a row. A silence of more than `max_gap` nanoseconds before it is
    /// a gap.
    pub(crate) fn end_silence(&mut self, max_gap: i64, counts: &mut EventCounts) {
        let before = std::mem::replace(&mut self.rowed, self.now);
        if before != i64::MIN && self.now.saturating_sub(before) > max_gap && !self.halt.is_on() {
            counts.silences += 1;
            let price = self.label_price;
            self.mark_gap(Quality::Gap, Inputs::ALL);
            self.label_price.was_before(price);
        }
    }

    /// Whether features need a book that was whole and is not any more.
    pub(crate) fn is_broken(&self, plan: &FeaturePlan) -> bool {
        let is_lost = match plan.uses_book() {
            true => self.book_known,
            false => self.top.is_some(),
        };
        is_lost && self.is_waiting(plan)
    }

    /// Takes a change of the trading status. A silence while trading is halted is no fault of the feed: the
    /// clocks that measure silence begin anew at its end.
    pub(crate) fn set_status(&mut self, status: TradingStatus, counts: &mut EventCounts) {
        let before = self.halt.set(status);
        counts.halts += u64::from(self.halt.is_on() && !before.is_on());
        if before.is_on() && !self.halt.is_on() {
            for last in [&mut self.noted, &mut self.rowed, &mut self.completed] {
                *last = if *last == i64::MIN { *last } else { self.now };
            }
        }
    }

    /// Takes an amendment: what features have seen of trades rests on one that was not so.
    pub(crate) fn amend(&mut self, kind: AmendmentKind, counts: &mut EventCounts) {
        match kind {
            AmendmentKind::Correction => counts.corrections += 1,
            AmendmentKind::Cancel => counts.cancels += 1,
        }
        self.mark_gap(Quality::Degraded, Inputs::TRADES);
    }

    /// Gaps in book and quotes, and silences, so far: a label over one means nothing.
    pub(crate) fn breaks(&self) -> u64 {
        self.breaks
    }

    /// Marks the next row, and what features have seen of `inputs` so far.
    pub(super) fn mark_gap(&mut self, quality: Quality, inputs: Inputs) {
        self.marked = self.marked.max(quality);
        self.note_gap(quality, inputs);
    }

    pub(super) fn note_gap(&mut self, quality: Quality, inputs: Inputs) {
        self.breaks += u64::from(inputs.meets(Inputs::QUOTES));
        if inputs.meets(Inputs::TRADES | Inputs::BARS) {
            self.label_price.note_break();
        }
        self.gap = Some(match self.gap {
            Some((before, others)) => (quality.max(before), inputs | others),
            None => (quality, inputs),
        });
    }
}
