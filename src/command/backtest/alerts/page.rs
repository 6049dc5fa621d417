//! The page of a backtest of alerts.

use serde_json::Value;

use super::report::{AlertsReport, RuleFigures};
use crate::command::backtest::page::axis::{names, numbers};
use crate::command::backtest::page::chart::{Chart, Ink, Layer};
use crate::command::backtest::page::document::{Section, document};
use crate::command::backtest::page::lineage::lineage;
use crate::command::backtest::page::table::Table;
use crate::command::backtest::page::text::{JsonFigures, escaped};

/// The columns of a table.
const HEADS: [&str; 11] = [
    "episodes",
    "right",
    "undecided",
    "failures",
    "warned",
    "precision",
    "recall",
    "lead_days_median",
    "flaps",
    "load_per_week",
    "load_per_year",
];

/// The page, as HTML.
pub(crate) fn alerts_page(report: &AlertsReport, json: &Value, command: &str) -> String {
    let figures = JsonFigures(json);
    let lead = format!(
        "<p>{} signals from {} to {}. An episode is right where a failure follows within {} ms after it fired, or \
         while it fires.</p>\n",
        figures.figure("signals"),
        figures.figure("from"),
        figures.figure("to"),
        figures.figure("horizon_ms"),
    );
    let mut sections = vec![];
    if report.unmatched_labels > 0 {
        let body = format!(
            "<div class=\"finding warning\"><b>warning</b>Labels that are of no signal of this input, and were not \
             used: {}.</div>\n",
            figures.figure("unmatched_labels")
        );
        sections.push(Section::new("findings", "What to know first", body));
    }
    let heads: Vec<&str> = [""].into_iter().chain(HEADS).collect();
    let mut table = Table::new("Rules as they are", &heads);
    table.row("all rules", cells(figures, "alerts"));
    for (at, rule) in report.rules.iter().enumerate() {
        table.row(&rule.rule, cells(figures, &format!("rules/{at}")));
    }
    sections.push(Section::new("result", "Result", table.html()));
    let body = report.rules.iter().enumerate();
    let body: String = body
        .map(|(at, rule)| thresholds(figures, at, rule))
        .collect();
    sections.push(Section::new("thresholds", "By threshold", body));
    let body = lineage(figures, &report.inputs, command);
    sections.push(Section::new("lineage", "Lineage", body));
    document(
        &format!("Backtest of the alerts of {}", report.pipeline),
        &lead,
        &sections,
    )
}

fn cells(figures: JsonFigures<'_>, path: &str) -> Vec<String> {
    let cell = |head: &&str| figures.figure(&format!("{path}/{head}"));
    HEADS.iter().map(cell).collect()
}

/// A rule with other thresholds: precision, recall and load.
fn thresholds(figures: JsonFigures<'_>, at: usize, rule: &RuleFigures) -> String {
    let tried = &rule.by_threshold;
    let axis = || names(tried.iter().map(|one| one.enter.to_string()), 0);
    let line = |value: &dyn Fn(usize) -> Option<f64>| -> Vec<(f64, f64)> {
        (0..tried.len())
            .filter_map(|at| Some((at as f64, value(at)?)))
            .collect()
    };
    let share = Chart {
        id: format!("shares-{at}"),
        title: format!("Precision and recall of {}", rule.rule),
        about: "By the threshold that opens an episode; the one that ends it moves along.".into(),
        keys: vec![(Ink::One, "precision"), (Ink::Two, "recall")],
        height: 260,
        x: axis(),
        y: numbers([0.0, 1.0], true),
        layers: vec![
            Layer::DottedLine(Ink::One, line(&|at| tried[at].figures.record.precision)),
            Layer::DottedLine(Ink::Two, line(&|at| tried[at].figures.record.recall)),
        ],
    };
    let loads = line(&|at| tried[at].figures.load_per_week);
    let load = Chart {
        id: format!("load-{at}"),
        title: format!("Load of {}", rule.rule),
        about: "Episodes in a week, by the same threshold.".into(),
        keys: vec![],
        height: 200,
        x: axis(),
        y: numbers(loads.iter().map(|point| point.1), true),
        layers: vec![Layer::DottedLine(Ink::Three, loads)],
    };
    let heads: Vec<&str> = ["enter", "exit"].into_iter().chain(HEADS).collect();
    let mut table = Table::new(&format!("{} by threshold", rule.rule), &heads);
    for (number, one) in tried.iter().enumerate() {
        let path = format!("rules/{at}/by_threshold/{number}");
        let exit = figures.figure(&format!("{path}/exit"));
        let name = one.enter.to_string();
        table.row(
            &escaped(&name),
            [exit].into_iter().chain(cells(figures, &path)),
        );
    }
    share.html() + &load.html() + &table.html()
}
