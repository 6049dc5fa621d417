//! Counters of the events that an engine has taken, by kind and by what became of them.

use std::ops::AddAssign;

use serde::Serialize;

/// Counters of the events that an engine has taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EventCounts {
    /// Trades used.
    pub trades: u64,
    /// Quotes used.
    pub quotes: u64,
    /// Bars used.
    pub bars: u64,
    /// Economic figures used.
    pub figures: u64,
    /// Averages of sentiment used.
    pub sentiments: u64,
    /// Book changes used.
    pub depths: u64,
    /// Rows made.
    pub rows: u64,
    /// Events that would have made a row, but a feature had no value: not yet, or undefined (a division by
    /// zero).
    pub incomplete_rows: u64,
    /// Gaps found in the numbering, and gap events.
    pub gaps: u64,
    /// Falls of a venue's numbers: it began to number anew. They count as gaps, too.
    pub renumbered: u64,
    /// Silences of more than `row.max_gap_ms`.
    pub silences: u64,
    /// Snapshots of books that are older than the changes that wait for them. Another one is requested.
    pub old_snapshots: u64,
    /// Messages known to be missing.
    pub missing: u64,
    /// Records for `md.gaps.v1` that were lost, because too many waited.
    pub unreported_gaps: u64,
    /// Trades that came twice, or both singly and in aggregate, and records that repeat what is known: not
    /// used.
    pub duplicates: u64,
    /// Book changes, quotes, figures and statements older than what is known: not used.
    pub stale: u64,
    /// Book changes held back until their snapshot came.
    pub waited: u64,
    /// Book changes that waited for a snapshot and were dropped, the oldest first, because too many waited.
    pub crowded_out: u64,
    /// Trades that were corrected after they had been reported. Features keep the trade as it was reported.
    pub corrections: u64,
    /// Trades that were cancelled after they had been reported. Features keep them.
    pub cancels: u64,
    /// Halts of trading.
    pub halts: u64,
    /// Events whose time lay before that of the event before; the later of the two times is used.
    pub backwards: u64,
    /// Events whose time lay ahead of their receive time by more than ten seconds above what was known of
    /// their instrument, until the third in a row: they were used at the latest time known.
    pub ahead: u64,
    /// Trades, quotes, bars and book changes that came later than `source.lateness_ms` allows, and were used
    /// at the latest time known.
    pub late_updates: u64,
    /// Trades, quotes and bars that came later than `source.lateness_ms` allows, and were not used.
    pub late_drops: u64,
    /// Trades, quotes and bars that came later than `source.lateness_ms` allows, and were put in their place,
    /// as `row.late = "correct"` says.
    pub late_corrections: u64,
    /// Late events that `row.correct_ms` allows, but that came after too many others: 65,536 events of an
    /// instrument are kept. They count as `late_update`, too.
    pub late_unplaced: u64,
    /// Signals that were made again, because a late event changed them.
    pub corrected_signals: u64,
    /// Book changes that left the book crossed, and quotes whose bid is above the ask.
    pub crossed: u64,
    /// Applications, statements and headlines used; a headline once for each of its instruments.
    pub records: u64,
    /// Fields that records lacked: a model's graph may impute them, a linear model then gives no score.
    pub missing_fields: u64,
    /// Fields of records that the pipeline does not know, and words that the vocabulary cannot spell.
    pub unknown_fields: u64,
    /// Statements that changed a known period, and headlines that revised an item.
    pub restated: u64,
}

impl EventCounts {
    /// Counts missing messages; a venue's numbers may jump by as much as there is.
    pub(crate) fn miss(&mut self, messages: u64) {
        self.missing = self.missing.saturating_add(messages);
    }

    /// Events that were passed over because they came before, or are older than what is known.
    pub(crate) fn passed_over(&self) -> u64 {
        self.duplicates + self.stale
    }
}

impl AddAssign<&Self> for EventCounts {
    fn add_assign(&mut self, other: &Self) {
        self.trades += other.trades;
        self.quotes += other.quotes;
        self.bars += other.bars;
        self.figures += other.figures;
        self.sentiments += other.sentiments;
        self.depths += other.depths;
        self.rows += other.rows;
        self.incomplete_rows += other.incomplete_rows;
        self.gaps += other.gaps;
        self.renumbered += other.renumbered;
        self.silences += other.silences;
        self.old_snapshots += other.old_snapshots;
        self.crowded_out += other.crowded_out;
        self.miss(other.missing);
        self.unreported_gaps += other.unreported_gaps;
        self.duplicates += other.duplicates;
        self.stale += other.stale;
        self.waited += other.waited;
        self.corrections += other.corrections;
        self.cancels += other.cancels;
        self.halts += other.halts;
        self.backwards += other.backwards;
        self.ahead += other.ahead;
        self.late_updates += other.late_updates;
        self.late_drops += other.late_drops;
        self.late_corrections += other.late_corrections;
        self.late_unplaced += other.late_unplaced;
        self.corrected_signals += other.corrected_signals;
        self.crossed += other.crossed;
        self.records += other.records;
        self.missing_fields += other.missing_fields;
        self.unknown_fields += other.unknown_fields;
        self.restated += other.restated;
    }
}
