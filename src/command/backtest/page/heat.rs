//! Tables whose cells are coloured by their figures.

use super::chart::Ink;
use super::table::Table;
use super::text::{JsonFigures, escaped};
use crate::command::backtest::report::BacktestReport;

/// More rows or columns do not fit.
const VALUES_MAX: usize = 40;

/// A coloured cell: what it shows, and how strong it is, from −1 to 1.
pub(super) fn cell(shown: &str, strength: f64) -> String {
    let ink = if strength < 0.0 { Ink::Loss } else { Ink::Gain };
    let much = (strength.abs().min(1.0) * STRONGEST).round();
    let ink = ink.variable();
    format!("<td class=\"heat\" style=\"--of: {ink}; --much: {much}%\">{shown}</td>")
}

/// The share of the colour in the strongest cell, in percent: text stays readable on it.
const STRONGEST: f64 = 45.0;

/// The confusion of the classes.
pub(super) fn confusion(report: &BacktestReport, figures: JsonFigures<'_>) -> String {
    let Some(confusion) = &report.study.confusion else {
        return String::new();
    };
    let heads = confusion.classes.map(|class| format!("said {class}"));
    let heads: Vec<&str> = [""]
        .into_iter()
        .chain(heads.iter().map(String::as_str))
        .collect();
    let mut table = Table::new("Outcomes (rows) and what was said (columns)", &heads);
    for (row, class) in confusion.classes.iter().enumerate() {
        let all: u64 = confusion.counts[row].iter().sum();
        let cells = (0..confusion.classes.len()).map(|column| {
            let share = confusion.counts[row][column] as f64 / all.max(1) as f64;
            let sign = if row == column { 1.0 } else { -1.0 };
            let shown = figures.figure(&format!("confusion/counts/{row}/{column}"));
            cell(&shown, sign * share)
        });
        table.row(&format!("came {class}"), cells);
    }
    table.html()
}

/// The map of a sweep of two keys; nothing of any other.
pub(super) fn sweep(report: &BacktestReport, figures: JsonFigures<'_>) -> String {
    let Some(keys) = report.sweep.first().map(|first| first.set.keys()) else {
        return String::new();
    };
    let keys: Vec<&String> = keys.collect();
    let [down, across] = keys[..] else {
        return String::new();
    };
    let values_of = |key: &String| {
        let mut values: Vec<&String> = vec![];
        for one in &report.sweep {
            let value = &one.set[key];
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    };
    let (rows, columns) = (values_of(down), values_of(across));
    let fits = |count: usize| (2..=VALUES_MAX).contains(&count);
    if !fits(rows.len()) || !fits(columns.len()) {
        return String::new();
    }
    let sizes = report.sweep.iter().map(|one| one.result.pnl_net.abs());
    let largest = sizes.fold(f64::MIN_POSITIVE, f64::max);
    let short = |key: &str| key.trim_start_matches("backtest.").to_owned();
    let caption = format!(
        "Won after costs, by {} (downward) and {} (to the right)",
        short(down),
        short(across)
    );
    let heads = [""]
        .into_iter()
        .chain(columns.iter().map(|value| value.as_str()));
    let mut table = Table::new(&caption, &heads.collect::<Vec<&str>>());
    for row in &rows {
        let cells = columns.iter().map(|column| {
            let is_it = |one: &_| is_at(one, (down, row), (across, column));
            let Some(at) = report.sweep.iter().position(is_it) else {
                return String::new();
            };
            let net = report.sweep[at].result.pnl_net;
            let shown = figures.figure(&format!("sweep/{at}/pnl_net"));
            cell(&shown, net / largest)
        });
        table.row(&escaped(row), cells);
    }
    table.html()
}

type Key<'a> = (&'a String, &'a String);

/// Whether a combination has these values.
fn is_at(
    one: &crate::command::backtest::report::figures::SweptFigures,
    down: Key<'_>,
    across: Key<'_>,
) -> bool {
    one.set[down.0] == *down.1 && one.set[across.0] == *across.1
}
