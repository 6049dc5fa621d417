//! The page of a backtest: one HTML file that asks for nothing outside.
//!
//! Computes no figure: all are those of the JSON, by its paths. Text that comes from data is escaped.

mod axis;
mod chart;
mod charts;
mod heat;
mod sections;
mod table;
mod text;

use serde_json::Value;

use self::sections::sections;
use self::table::push;
use self::text::{Figures, escaped};
use super::report::BacktestReport;
use super::study::StudyOutcome;
use crate::backtest::TrialOutcome;
use crate::time::rfc3339;
use crate::units::Nanos;

/// What the page shows.
pub(super) struct PageContent<'a> {
    pub(super) report: &'a BacktestReport,
    /// The report as JSON, as `--json` prints it.
    pub(super) json: &'a Value,
    pub(super) base: &'a TrialOutcome,
    pub(super) study: &'a StudyOutcome,
    pub(super) names: &'a [String],
    /// The command, as it was written.
    pub(super) command: &'a str,
}

/// The page, as HTML.
pub(super) fn page(content: &PageContent<'_>) -> String {
    let report = content.report;
    let title = format!("Backtest of {}", report.pipeline);
    let mut html = String::new();
    push(
        &mut html,
        format_args!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <link rel=\"icon\" href=\"data:,\">\n\
             <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{}</h1>\n",
            escaped(&title),
            escaped(&title)
        ),
    );
    html.push_str(&lead(content));
    let sections = sections(content);
    html.push_str("<nav aria-label=\"Sections\">");
    for section in &sections {
        let (id, name) = (section.id, section.name);
        push(&mut html, format_args!("<a href=\"#{id}\">{name}</a>"));
    }
    html.push_str("</nav>\n<main>\n");
    for section in &sections {
        let (id, name, body) = (section.id, section.name, &section.body);
        push(
            &mut html,
            format_args!("<section id=\"{id}\">\n<h2>{name}</h2>\n{body}</section>\n"),
        );
    }
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

/// What the page is about, in a few sentences.
fn lead(content: &PageContent<'_>) -> String {
    let figures = Figures(content.json);
    let span = content.report.span.map(|(first, last)| {
        let time = |ts| rfc3339(Nanos(ts));
        format!(" from {} to {}", time(first), time(last))
    });
    format!(
        "<p>{} signals{} became {} trades, filled on {}, which won {} before costs and {} after them, in the quote \
         currency.</p>\n<p class=\"faint\">Long figures are cut here, not rounded; their whole values are in the \
         page's source and in the output of <code>--json</code>.</p>\n",
        figures.figure("signals"),
        span.unwrap_or_default(),
        figures.figure("trades"),
        figures.figure("fill_on"),
        figures.signed("pnl_gross"),
        figures.signed("pnl_net"),
    )
}

const STYLE: &str = include_str!("page/style.css");
