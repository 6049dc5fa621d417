//! The parts of a result: by hour, instrument, quality, latency, fee, size and period.

use super::charts;
use super::content::PageContent;
use super::table::Table;
use super::text::{JsonFigures, escaped, pointer_part};

/// Rows of the longest tables: all others are in the JSON.
pub(super) const ROWS_MAX: usize = 200;

/// The columns of parts of the result.
const PART_HEADS: [&str; 7] = [
    "trades",
    "pnl_gross",
    "fees",
    "pnl_net",
    "hit_rate",
    "turnover",
    "breakeven_bps",
];

/// The cells of a part of the result, under a path.
fn part(figures: JsonFigures<'_>, path: &str) -> Vec<String> {
    let cell = |head: &&str| {
        let path = format!("{path}/{head}");
        match head.starts_with("pnl") {
            true => figures.signed(&path),
            false => figures.figure(&path),
        }
    };
    PART_HEADS.iter().map(cell).collect()
}

/// A table of parts: the path in the JSON of each, with its name.
fn part_table(
    caption: &str,
    figures: JsonFigures<'_>,
    rows: impl IntoIterator<Item = (String, String)>,
) -> String {
    let heads: Vec<&str> = [""].into_iter().chain(PART_HEADS).collect();
    let mut table = Table::new(caption, &heads);
    for (path, name) in rows {
        table.row(&name, part(figures, &path));
    }
    table.html()
}

pub(super) fn parts(content: &PageContent<'_>, figures: JsonFigures<'_>) -> String {
    let report = content.report;
    if report.result.trades == 0 {
        return "<p>There were no trades.</p>\n".into();
    }
    let mut html = charts::by_hour(content).html();
    let hours = report.by_hour.keys();
    let hours = hours.map(|hour| (format!("by_hour/{hour}"), format!("{hour}:00 UTC")));
    html.push_str(&part_table("By the hour of entry", figures, hours));
    let mut instruments: Vec<_> = report.by_instrument.iter().collect();
    instruments.sort_by_key(|(_, part)| std::cmp::Reverse(part.trades));
    let caption = match instruments.len() > ROWS_MAX {
        true => format!("By instrument: the {ROWS_MAX} with the most trades"),
        false => "By instrument".into(),
    };
    let instruments = instruments.into_iter().take(ROWS_MAX);
    let instruments = instruments.map(|(name, _)| {
        (
            format!("by_instrument/{}", pointer_part(name)),
            name.clone(),
        )
    });
    html.push_str(&part_table(&caption, figures, instruments));
    let qualities = report.by_quality.keys();
    let qualities = qualities.map(|word| (format!("by_quality/{word}"), (*word).to_owned()));
    html.push_str(&part_table(
        "By the quality of the signal",
        figures,
        qualities,
    ));
    let mut table = Table::new("By the reason of the exit", &["", "trades"]);
    for reason in report.by_exit.keys() {
        table.row(reason, [figures.figure(&format!("by_exit/{reason}"))]);
    }
    html.push_str(&table.html());
    html
}

pub(super) fn costs(content: &PageContent<'_>, figures: JsonFigures<'_>) -> String {
    let report = content.report;
    let mut html = charts::by_latency(&report.by_latency).html();
    let rows = report.by_latency.iter().enumerate();
    let rows = rows.map(|(at, one)| (format!("by_latency/{at}"), format!("{} ms", one.latency_ms)));
    html.push_str(&part_table("By latency", figures, rows));
    html.push_str(&charts::by_fee(&report.by_fee).html());
    let mut table = Table::new("By fee", &["fee", "pnl_net"]);
    for (at, one) in report.by_fee.iter().enumerate() {
        let path = format!("by_fee/{at}/pnl_net");
        table.row(&format!("{} bps", one.fee_bps), [figures.signed(&path)]);
    }
    html.push_str(&table.html());
    html.push_str(&charts::by_size(&report.by_size).html());
    let rows = report.by_size.iter().enumerate();
    let rows = rows.map(|(at, one)| (format!("by_size/{at}"), format!("{}", one.size)));
    html.push_str(&part_table("By size of an order", figures, rows));
    html
}

pub(super) fn split(content: &PageContent<'_>, figures: JsonFigures<'_>) -> String {
    let Some(split) = &content.report.split else {
        return "<p>The pipeline has no <code>[label] test_from</code>: what of this input the model was trained on \
                is not known here.</p>\n"
            .into();
    };
    let mut html = format!(
        "<p>Rows before {} are for training, those from it on for the test ([label] test_from).</p>\n",
        escaped(&split.test_from)
    );
    let heads: Vec<&str> = ["", "signals"].into_iter().chain(PART_HEADS).collect();
    let mut table = Table::new("Signals and trades by period", &heads);
    for name in ["training", "border", "test"] {
        let path = format!("split/{name}");
        let signals = figures.figure(&format!("{path}/signals"));
        table.row(name, [signals].into_iter().chain(part(figures, &path)));
    }
    html.push_str(&table.html());
    html
}
