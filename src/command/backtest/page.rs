//! The page of a backtest: one HTML file that asks for nothing outside.
//!
//! Computes no figure: all are those of the JSON, by its paths. Text that comes from data is escaped.

pub(super) mod axis;
pub(super) mod chart;
mod charts;
mod content;
pub(super) mod document;
mod heat;
pub(super) mod lineage;
mod parts;
mod predictions;
mod sections;
pub(super) mod table;
pub(super) mod text;
mod words;

pub(super) use self::content::PageContent;
use self::document::document;
use self::sections::sections;
use self::text::JsonFigures;
use crate::time::rfc3339;
use crate::units::Nanos;

/// The page, as HTML.
pub(super) fn page(content: &PageContent<'_>) -> String {
    let title = format!("Backtest of {}", content.report.pipeline);
    document(&title, &lead(content), &sections(content))
}

/// What the page is about, in a sentence.
fn lead(content: &PageContent<'_>) -> String {
    let figures = JsonFigures(content.json);
    let span = content.report.span.map(|(first, last)| {
        let time = |ts| rfc3339(Nanos(ts));
        format!(" from {} to {}", time(first), time(last))
    });
    format!(
        "<p>{} signals{} became {} trades, filled on {}, which won {} before costs and {} after them, in the quote \
         currency.</p>\n",
        figures.figure("signals"),
        span.unwrap_or_default(),
        figures.figure("trades"),
        figures.figure("fill_on"),
        figures.signed("pnl_gross"),
        figures.signed("pnl_net"),
    )
}
