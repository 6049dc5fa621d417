//! Looks for leaks in a training set: for what a model would learn from it that it could not know live.
//!
//! Reads the set twice, or more often where it is large, in bounded memory, and never writes to it. Each
//! kind of leak has a file, which says how it is found. What a set does not tell is not guessed: a kind that
//! cannot be checked is reported as such.

mod column_finder;
mod columns;
mod description;
mod duplicate_rows;
mod error;
mod examined;
mod finding;
mod group_overlap;
mod hash;
mod hashed_row;
mod held_hashes;
mod label_in_features;
mod label_overlap;
mod late_input;
mod moments;
mod no_release;
mod normaliser;
mod options;
mod reader;
mod report;
mod row_order;
mod rows;
mod same_time;
mod scaling;
mod split_counts;
mod split_role;
mod waiting;

use std::path::Path;

pub use self::error::{LeakageError, WrongColumns};
pub use self::examined::ExaminedSet;
pub use self::finding::{CheckedKind, ExampleRow, Leak, LeakKind};
pub use self::options::{KnownTime, LeakageOptions};
pub use self::report::LeakageReport;

use self::columns::SetColumns;
use self::duplicate_rows::DuplicateRows;
use self::finding::Verdict;
use self::group_overlap::GroupOverlap;
use self::label_in_features::LabelInFeatures;
use self::label_overlap::LabelOverlap;
use self::late_input::LateInput;
use self::no_release::NoRelease;
use self::normaliser::Normaliser;
use self::reader::SetReader;
use self::row_order::RowOrder;
use self::split_counts::SplitCounts;
use self::split_role::SplitRole;

/// Looks for leaks in the set at `path`, a Parquet file. `options` say what it does not say itself.
///
/// # Errors
/// [`LeakageError`] where it cannot be read, has no rows, lacks a column that an option names, or is such
/// that nothing can be checked.
pub fn check(path: &Path, options: &LeakageOptions) -> Result<LeakageReport, LeakageError> {
    let report = look(path, options)?;
    match (report.rows, report.kinds_checked()) {
        (0, _) => Err(failed(path, "it has no rows".into())),
        (_, 0) => Err(nothing_checked(path, &report)),
        _ => Ok(report),
    }
}

/// Looks for leaks in the set at `path`, which was just written and is told of by `summary`.
///
/// # Errors
/// [`LeakageError`] where it cannot be read.
pub fn examine<T>(path: &Path, summary: T) -> Result<ExaminedSet<T>, LeakageError> {
    if !path.is_file() {
        return Ok(ExaminedSet::unread(summary));
    }
    let report = look(path, &LeakageOptions::default())?;
    Ok(ExaminedSet::new(summary, report))
}

fn look(path: &Path, options: &LeakageOptions) -> Result<LeakageReport, LeakageError> {
    let mut reader = SetReader::open(path, options)?;
    let columns = reader.columns.clone();
    let mut counts = SplitCounts::new(&columns);
    let mut order = RowOrder::default();
    let mut late = LateInput::new(&columns);
    let mut normaliser = Normaliser::new(&columns);
    let mut overlap = LabelOverlap::new(&columns);
    let mut release = NoRelease::new(&columns);
    let mut groups = GroupOverlap::new(&columns);
    let mut duplicates = DuplicateRows::new(&columns);
    let mut labels = LabelInFeatures::new(&columns);
    reader.read(|rows| {
        counts.see(rows);
        order.see(rows);
        late.see(rows);
        normaliser.see(rows);
        release.see(rows);
        labels.see(rows);
        groups.note(rows);
    })?;
    overlap.choose(&order);
    duplicates.choose(&order);
    reader.read(|rows| {
        overlap.compare(rows);
        groups.count(rows);
        duplicates.see(rows);
    })?;
    overlap.end_reading();
    while duplicates.end_reading() {
        reader.read(|rows| duplicates.see(rows))?;
    }
    let splits = counts.usable(&columns, &reader.unknown_words);
    let untimed = counts.untimed;
    let untimed =
        (untimed > 0 && columns.time.is_some()).then(|| format!("{untimed} rows without a time"));
    let verdicts = [
        late.verdict().without(untimed.clone()),
        normaliser.verdict(&splits),
        overlap
            .verdict(&columns, &splits, reader.instruments())
            .without(untimed.clone()),
        release.verdict(&order),
        groups.verdict(&splits),
        duplicates
            .verdict(&columns, &splits, reader.instruments())
            .without(untimed),
        labels.verdict(),
    ];
    Ok(report(path, &counts, columns, verdicts))
}

fn report(
    path: &Path,
    counts: &SplitCounts,
    mut columns: SetColumns,
    verdicts: [Verdict; LeakKind::ALL.len()],
) -> LeakageReport {
    let of = |role: SplitRole| counts.roles[role.index()];
    let (mut leakage, mut checked) = (vec![], vec![]);
    for verdict in verdicts {
        leakage.extend(verdict.leaks);
        checked.push(verdict.checked);
    }
    columns.features.truncate(columns.own_features());
    LeakageReport {
        dataset: path.display().to_string(),
        ok: leakage.is_empty(),
        rows: counts.rows,
        train: of(SplitRole::Train),
        validation: of(SplitRole::Validation),
        test: of(SplitRole::Test),
        features: columns.features,
        added: columns.added,
        leakage,
        checked,
    }
}

fn nothing_checked(path: &Path, report: &LeakageReport) -> LeakageError {
    let reasons = report.checked.iter();
    let reasons: Vec<String> = reasons
        .map(|kind| format!("\n  {}: {}", kind.kind.word(), kind.how))
        .collect();
    failed(
        path,
        format!("nothing in it can be checked:{}", reasons.concat()),
    )
}

fn failed(path: &Path, what: String) -> LeakageError {
    LeakageError::File {
        path: path.to_owned(),
        what,
    }
}
