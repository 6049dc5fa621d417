//! `label_overlap`: the interval of a train row, from the begin of its window to the end of its label, meets
//! that of a held-out row of the same instrument (Lopez de Prado 2018, ch. 7: purging and embargo).
//!
//! Rows come in the order of their times, instrument by instrument or not. A train row then meets an earlier
//! held-out row exactly where the latest end of those is not before its begin: one time a split is kept. It
//! meets a later one exactly where the earliest begin of those is not after its end: it waits until rows
//! begin after its end (`waiting`). So memory grows with the rows that overlap at one time, not with the set.
//! Rows in another order are sorted first, up to [`ROWS_SORTED_MAX`].

use std::collections::VecDeque;

use super::columns::SetColumns;
use super::finding::{ExampleRow, Leak, LeakKind, Verdict};
use super::row_order::RowOrder;
use super::rows::{SetRows, shown_time};
use super::split_counts::UsableSplits;
use super::split_role::bits;
use super::waiting::{RowInterval, WaitingRows};

/// Looks for train rows that overlap held-out rows.
pub(super) struct LabelOverlap {
    steps: usize,
    has_window_column: bool,
    embargo_ns: i64,
    instruments: Vec<InstrumentRows>,
    overlaps: Vec<Overlaps>,
    embargoes: Vec<Overlaps>,
    /// Rows, of which the windows begin before those of the row before: not found by this method.
    backward: u64,
    /// Train and held-out rows that say when their label was known, and those that do not, or say a time that
    /// is not after the row.
    ended: u64,
    endless: u64,
    /// Rows that are to be sorted, where they are out of order.
    unsorted: Option<Vec<UnsortedRow>>,
    /// Whether they are too many.
    is_too_long: bool,
}

/// A row that is sorted first.
struct UnsortedRow {
    instrument: u32,
    interval: RowInterval,
    has_window: bool,
    train: u64,
    held: u64,
}

/// What is kept of an instrument.
#[derive(Default)]
struct InstrumentRows {
    /// The times of the last rows, where windows are told by their number of rows.
    times: VecDeque<i64>,
    last_start: Option<i64>,
    /// Of each split the held-out row whose label ends latest.
    latest: Vec<Option<RowInterval>>,
    waiting: WaitingRows,
}

/// Train rows of a split that overlap.
#[derive(Clone, Default)]
struct Overlaps {
    rows: u64,
    /// The train row, a held-out row, the instrument.
    example: Option<(RowInterval, RowInterval, u32)>,
}

/// So many rows are sorted in memory: 0.6 GB.
const ROWS_SORTED_MAX: u64 = 1 << 23;

impl Overlaps {
    fn add(&mut self, train: RowInterval, held: RowInterval, instrument: u32) {
        self.rows += 1;
        self.example.get_or_insert((train, held, instrument));
    }
}

impl LabelOverlap {
    pub(super) fn new(columns: &SetColumns) -> Self {
        Self {
            steps: columns.steps,
            has_window_column: columns.window_start.is_some(),
            embargo_ns: columns.embargo_ns,
            instruments: vec![],
            overlaps: vec![Overlaps::default(); columns.splits.len()],
            embargoes: vec![Overlaps::default(); columns.splits.len()],
            backward: 0,
            ended: 0,
            endless: 0,
            unsorted: None,
            is_too_long: false,
        }
    }

    /// Chooses whether rows are sorted first, once their order is known.
    pub(super) fn choose(&mut self, order: &RowOrder) {
        self.is_too_long = order.is_broken && order.rows > ROWS_SORTED_MAX;
        self.unsorted = order.is_broken.then(Vec::new);
    }

    /// Compares the rows, once it was chosen how.
    pub(super) fn compare(&mut self, rows: &SetRows<'_>) {
        if self.is_too_long {
            return;
        }
        for row in 0..rows.len() {
            let is_used = rows.train[row] | rows.held[row] != 0;
            let Some((time, end)) = rows.time[row].zip(rows.end[row]) else {
                continue;
            };
            self.ended += u64::from(is_used && end > time);
            self.endless += u64::from(is_used && end <= time);
            let start = rows.window_start[row];
            let row = UnsortedRow {
                instrument: rows.instrument[row],
                has_window: start.is_some() || !self.has_window_column,
                interval: RowInterval {
                    row: rows.first + row as u64,
                    time,
                    start: start.unwrap_or(time),
                    end,
                },
                train: rows.train[row],
                held: rows.held[row],
            };
            match &mut self.unsorted {
                Some(rows) => rows.push(row),
                None => self.take(row),
            }
        }
    }

    /// Compares the rows that had to be sorted.
    pub(super) fn end_reading(&mut self) {
        let mut rows = self.unsorted.take().unwrap_or_default();
        rows.sort_by_key(|row| (row.instrument, row.interval.time, row.interval.row));
        rows.into_iter().for_each(|row| self.take(row));
    }

    /// Takes the next row of its instrument.
    fn take(&mut self, row: UnsortedRow) {
        let UnsortedRow {
            instrument,
            mut interval,
            has_window,
            train,
            held,
        } = row;
        let at = instrument as usize;
        if at >= self.instruments.len() {
            self.instruments
                .resize_with(at + 1, InstrumentRows::default);
        }
        let own = &mut self.instruments[at];
        own.latest.resize(self.overlaps.len(), None);
        if !self.has_window_column {
            interval.start = own.window_start(interval.time, self.steps);
        }
        if has_window {
            self.backward += u64::from(own.last_start.is_some_and(|last| interval.start < last));
            own.last_start = Some(interval.start);
            own.waiting.forget_before(interval.start);
        }
        let mut undecided = train;
        for split in bits(train) {
            let Some(before) = own.latest[split] else {
                continue;
            };
            if before.end >= interval.start {
                self.overlaps[split].add(interval, before, instrument);
                undecided &= !(1 << split);
            } else if interval.time < before.end.saturating_add(self.embargo_ns) {
                self.embargoes[split].add(interval, before, instrument);
            }
        }
        // A row without a window is not scored, so that no window of it can be met.
        if held != 0 && has_window {
            let overlaps = &mut self.overlaps;
            own.waiting.meet(held, interval.start, |split, train| {
                overlaps[split].add(train, interval, instrument);
            });
        }
        for split in bits(held) {
            let latest = &mut own.latest[split];
            if latest.is_none_or(|latest| latest.end < interval.end) {
                *latest = Some(interval);
            }
        }
        own.waiting.push(undecided, interval);
    }

    pub(super) fn verdict(
        self,
        columns: &SetColumns,
        splits: &UsableSplits,
        instruments: &[String],
    ) -> Verdict {
        let kind = LeakKind::LabelOverlap;
        if columns.time.is_none() {
            return Verdict::unchecked(kind, "there is no column of times; name it with --time");
        }
        if columns.ends.is_empty() && columns.horizon_ns.is_none() {
            let why = "no column says when a label was known: name it with --label-end, or write --horizon-ms";
            return Verdict::unchecked(kind, why);
        }
        if let Some(why) = splits.lacks() {
            return Verdict::unchecked(kind, why);
        }
        if self.is_too_long {
            let why = "the rows of an instrument are not in the order of their times; sort them by instrument \
                       and time";
            return Verdict::unchecked(kind, why);
        }
        if self.ended == 0 {
            let why = "no row says that its label was known after it";
            return Verdict::unchecked(kind, why);
        }
        let how = format!("{} in {}", interval_by(columns), splits.listed());
        let endless = self.endless;
        let untold = (endless > 0).then(|| {
            format!("{endless} rows that do not say that their label was known after them")
        });
        let backward = self.backward;
        let backward = (backward > 0)
            .then(|| format!("{backward} rows whose window begins before that of the row before"));
        let mut leaks = vec![];
        for (split, name) in splits.names.iter().enumerate() {
            let parts = [
                (&self.overlaps[split], true),
                (&self.embargoes[split], false),
            ];
            for (found, is_overlap) in parts {
                leaks.extend(leak(found, name, is_overlap, columns, instruments));
            }
        }
        Verdict::checked(kind, how, leaks)
            .without(splits.others.iter().cloned().chain(backward).chain(untold))
    }
}

impl InstrumentRows {
    /// When the window began that ends with a row of this time, by its number of rows.
    fn window_start(&mut self, time: i64, steps: usize) -> i64 {
        if self.times.len() == steps {
            self.times.pop_front();
        }
        self.times.push_back(time);
        self.times.front().copied().unwrap_or(time)
    }
}

/// From where to where a row's interval reaches.
fn interval_by(columns: &SetColumns) -> String {
    let start = match (&columns.window_start, columns.steps) {
        (Some(name), _) => format!("`{name}`"),
        (None, 1) => "the time of the row (windows of one row; --steps says otherwise)".into(),
        (None, steps) => format!("the row {} before", steps - 1),
    };
    let end = match (columns.ends.as_slice(), columns.horizon_ns) {
        ([], Some(horizon)) => format!("{} ms after the row", horizon / 1_000_000),
        (ends, _) => ends.join(", "),
    };
    format!("intervals from {start} to {end}")
}

fn leak(
    found: &Overlaps,
    split: &str,
    is_overlap: bool,
    columns: &SetColumns,
    instruments: &[String],
) -> Option<Leak> {
    let (train, held, instrument) = found.example?;
    let name = |name: Option<&String>, or: &str| name.map_or(or, String::as_str).to_owned();
    let (start, end) = (
        name(columns.window_start.as_ref(), "window_start"),
        name(columns.ends.first(), "label_end"),
    );
    let times = [
        (start.clone(), train.start),
        (end.clone(), train.end),
        ("held_out_ts_event".into(), held.time),
        (format!("held_out_{start}"), held.start),
        (format!("held_out_{end}"), held.end),
    ];
    let mut values: serde_json::Map<_, _> = times
        .into_iter()
        .map(|(name, time)| (name, shown_time(time).into()))
        .collect();
    values.insert("held_out_row".into(), held.row.into());
    let (what, advice) = if is_overlap {
        (
            format!(
                "train rows of `{split}` overlap validation or test rows: window and label share their time"
            ),
            "purge train rows within horizon and window of the border, on both sides of what is held out",
        )
    } else {
        let embargo = columns.embargo_ns / 1_000_000;
        (
            format!(
                "train rows of `{split}` are within the stated embargo of {embargo} ms after held-out rows"
            ),
            "leave them out of train, or state the embargo that was kept",
        )
    };
    Some(Leak {
        kind: LeakKind::LabelOverlap,
        column: split.to_owned(),
        what,
        rows: found.rows,
        example: Some(ExampleRow {
            row: train.row,
            instrument: instruments.get(instrument as usize).cloned(),
            ts_event: Some(shown_time(train.time)),
            values,
        }),
        advice: advice.into(),
    })
}
