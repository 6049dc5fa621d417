//! What became of the events, by kind and reason.

use std::ops::AddAssign;

use serde::Serialize;

/// What became of the events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Trades taken.
    pub trades: u64,
    /// Quotes taken.
    pub quotes: u64,
    /// Bars taken.
    pub bars: u64,
    /// Figures of the economy taken.
    pub figures: u64,
    /// Averages of sentiment taken.
    pub sentiments: u64,
    /// Depth events taken.
    pub depths: u64,
    /// Rows made.
    pub rows: u64,
    /// Events that would have made a row, but a feature had no value yet.
    pub incomplete_rows: u64,
    /// Gaps found or told.
    pub gaps: u64,
    /// Messages known to be missing.
    pub missing: u64,
    /// Trades told twice, and trades told both singly and in aggregate: passed over.
    pub duplicates: u64,
    /// Book updates and quotes older than what is known: passed over.
    pub stale: u64,
    /// Diffs held back until their snapshot came.
    pub waited: u64,
    /// Events whose time lay before that of the event before; they count at the later time.
    pub backwards: u64,
    /// Book changes that left the book crossed.
    pub crossed: u64,
    /// Applications, statements and headlines taken, the latter once for each instrument.
    pub records: u64,
    /// Fields of them that were missing: the model's graph imputes them.
    pub missing_fields: u64,
    /// Fields of them that the pipeline does not know: passed over. Words that the vocabulary cannot spell.
    pub unknown_fields: u64,
    /// Statements that told a period otherwise than before, and headlines that told an item anew.
    pub restated: u64,
}

impl AddAssign<&Self> for Counts {
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
        self.missing += other.missing;
        self.duplicates += other.duplicates;
        self.stale += other.stale;
        self.waited += other.waited;
        self.backwards += other.backwards;
        self.crossed += other.crossed;
        self.records += other.records;
        self.missing_fields += other.missing_fields;
        self.unknown_fields += other.unknown_fields;
        self.restated += other.restated;
    }
}
