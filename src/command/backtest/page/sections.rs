//! The sections of the page.

use super::charts;
use super::content::PageContent;
use super::document::Section;
use super::heat;
use super::lineage::lineage;
use super::parts::{ROWS_MAX, costs, parts, split};
use super::predictions::{drawn, drift, predictions};
use super::table::{Table, push};
use super::text::{JsonFigures, escaped};
use super::words::words;
use crate::command::backtest::study::DrawnInstrument;

/// Instruments whose market is drawn.
const MARKETS_MAX: usize = 3;

/// The sections, in their order.
pub(super) fn sections(content: &PageContent<'_>) -> Vec<Section> {
    let figures = JsonFigures(content.json);
    let section = Section::new;
    let mut all = vec![
        section("findings", "What to know first", findings(content)),
        section("result", "Result", result(figures)),
        section("equity", "Equity", drawn(&charts::equity(content))),
        section("market", "Signals on price", market(content)),
        section("predictions", "Predictions", predictions(content, figures)),
        section("parts", "Where it was won", parts(content, figures)),
        section("costs", "Latency, fees and size", costs(content, figures)),
        section(
            "durations",
            "Latencies and holding times",
            durations(content, figures),
        ),
        section("sweep", "Sweep", sweep(content, figures)),
        section("drift", "Drift of the features", drift(content, figures)),
        section("split", "Training and test period", split(content, figures)),
        section("further", "Further figures", further(figures)),
        section("terms", "Terms", terms(content, figures)),
        section("orders", "Orders", orders(content, figures)),
        section(
            "lineage",
            "Lineage",
            lineage(figures, &content.report.inputs, content.command),
        ),
    ];
    all.retain(|section| !section.is_empty());
    all
}

fn findings(content: &PageContent<'_>) -> String {
    let mut html = String::new();
    for finding in &content.report.findings {
        let (severity, text) = (finding.severity, escaped(&finding.text));
        push(
            &mut html,
            format_args!("<div class=\"finding {severity}\"><b>{severity}</b>{text}</div>\n"),
        );
    }
    html
}

fn result(figures: JsonFigures<'_>) -> String {
    let mut html = "<div class=\"tiles\">\n".to_owned();
    for (path, name) in TILES {
        let shown = match path.starts_with("pnl") {
            true => figures.signed(path),
            false => figures.figure(path),
        };
        push(
            &mut html,
            format_args!("<div class=\"tile\"><span>{name}</span>{shown}</div>\n"),
        );
    }
    html.push_str("</div>\n");
    html
}

fn further(figures: JsonFigures<'_>) -> String {
    let mut table = Table::of_facts("Of all trades", &["", "figure"]);
    for (path, name) in FURTHER {
        table.row(name, [figures.figure(path)]);
    }
    table.html()
}

fn terms(content: &PageContent<'_>, figures: JsonFigures<'_>) -> String {
    let mut table = Table::of_facts("Of the rule", &["[backtest]", "value"]);
    if let Some(terms) = content.json["terms"].as_object() {
        for key in terms.keys() {
            table.row(key, [figures.figure(&format!("terms/{key}"))]);
        }
    }
    table.html()
}

/// The figures that come first, with their names.
const TILES: [(&str, &str); 11] = [
    ("pnl_net", "won after costs"),
    ("pnl_gross", "won before costs"),
    ("fees", "fees"),
    ("carry", "funding and borrowing"),
    ("trades", "trades"),
    ("hit_rate", "share that won, after costs"),
    ("sharpe", "Sharpe ratio a year"),
    ("deflated_sharpe", "deflated Sharpe ratio"),
    ("max_drawdown", "largest drawdown"),
    ("breakeven_bps", "break-even fee, bps"),
    ("turnover", "turnover"),
];

/// Those that come next.
const FURTHER: [(&str, &str); 14] = [
    ("hit_rate_gross", "share that won, before costs"),
    ("sharpe_step", "Sharpe ratio of a step"),
    ("sortino", "Sortino ratio a year"),
    ("calmar", "Calmar ratio"),
    (
        "trials",
        "terms tried, by which the Sharpe ratio is deflated",
    ),
    ("exposure/mean", "mean exposure"),
    ("exposure/max", "largest exposure"),
    (
        "exposure/time_in_market",
        "share of the time with a position",
    ),
    ("capacity", "largest size tried that wins after costs"),
    ("holding_ms/mean", "mean holding time, ms"),
    ("holding_ms/median", "median holding time, ms"),
    ("holding_ms/min", "shortest holding time, ms"),
    ("holding_ms/max", "longest holding time, ms"),
    (
        "signals_left",
        "signals after the last update of their market",
    ),
];

/// The markets of the instruments with the most trades.
fn market(content: &PageContent<'_>) -> String {
    let trades = |drawn: &&DrawnInstrument| {
        let figures = content.base.tally.by_instrument.get(&drawn.instrument);
        figures.map_or(0, |figures| figures.trades)
    };
    let mut most: Vec<&DrawnInstrument> = content.study.drawn.iter().collect();
    most.sort_by_key(|drawn| std::cmp::Reverse(trades(drawn)));
    let mut html = String::new();
    if most.len() > MARKETS_MAX {
        let text = format!("<p>The {MARKETS_MAX} instruments with the most trades.</p>\n");
        html.push_str(&text);
    }
    for (number, one) in most.into_iter().take(MARKETS_MAX).enumerate() {
        let name = content.names.get(one.instrument.index());
        let name = name.map_or("", String::as_str);
        html.push_str(&drawn(&charts::market(content, one, name, number)));
    }
    html
}

fn durations(content: &PageContent<'_>, figures: JsonFigures<'_>) -> String {
    let study = &content.report.study;
    let held = content.report.holding_ms.as_ref();
    let held = held.and_then(|held| held.distribution.as_ref());
    let of = [
        (
            "order_latency_ms",
            "Latency of orders",
            "From the event of a signal until an order of it takes effect; signals, by their latency.",
            study.order_latency_ms.as_ref(),
        ),
        (
            "feed_latency_ms",
            "Latency of the feed",
            "From the event of a signal until its message was received, by the input, where it has receive \
             times. What the engine itself takes is measured live, not here.",
            study.feed_latency_ms.as_ref(),
        ),
        (
            "holding_ms/distribution",
            "Holding times",
            "Trades, by how long they were held.",
            held,
        ),
    ];
    let mut html = String::new();
    let found = of.iter().filter(|(_, _, _, found)| found.is_some());
    let heads = found.clone().map(|(_, title, _, _)| *title);
    let heads: Vec<&str> = [""].into_iter().chain(heads).collect();
    for (path, title, about, found) in of {
        if let Some(found) = found {
            let id = path.replace(['_', '/'], "-");
            html.push_str(&charts::histogram(&id, title, about, found).html());
        }
    }
    let mut table = Table::of_facts("Numbers, and times in milliseconds", &heads);
    for key in QUANTILES {
        let cells = found
            .clone()
            .map(|(path, _, _, _)| figures.figure(&format!("{path}/{key}")));
        table.row(words(key), cells);
    }
    html.push_str(&table.html());
    html
}

/// What is told of durations.
const QUANTILES: [&str; 10] = [
    "count",
    "below_zero",
    "min",
    "p10",
    "p25",
    "p50",
    "p75",
    "p90",
    "p99",
    "max",
];

fn sweep(content: &PageContent<'_>, figures: JsonFigures<'_>) -> String {
    let Some(first) = content.report.sweep.first() else {
        return String::new();
    };
    let mut html = heat::sweep(content.report, figures);
    let result = [
        "trades",
        "pnl_gross",
        "fees",
        "pnl_net",
        "hit_rate",
        "sharpe",
        "max_drawdown",
    ];
    let short = |key: &String| key.trim_start_matches("backtest.").to_owned();
    let keys: Vec<String> = first.set.keys().map(short).collect();
    let heads: Vec<&str> = keys.iter().map(String::as_str).chain(result).collect();
    let count = content.report.sweep.len();
    let caption = match count > ROWS_MAX {
        true => format!("The first {ROWS_MAX} of {count} combinations"),
        false => format!("{count} combinations"),
    };
    let mut table = Table::new(&caption, &heads);
    for (at, one) in content.report.sweep.iter().take(ROWS_MAX).enumerate() {
        let mut values = one.set.values();
        let name = values.next().map_or("", String::as_str);
        let others = values.map(|value| escaped(value).into_owned());
        let cells = result.iter().map(|head| {
            let path = format!("sweep/{at}/{head}");
            match head.starts_with("pnl") {
                true => figures.signed(&path),
                false => figures.figure(&path),
            }
        });
        table.row(name, others.chain(cells));
    }
    html.push_str(&table.html());
    html
}

fn orders(content: &PageContent<'_>, figures: JsonFigures<'_>) -> String {
    let mut table = Table::new("Orders", &["", "count"]);
    for key in [
        "sent",
        "unfilled",
        "partly_filled",
        "cancelled",
        "delayed_exits",
        "left",
    ] {
        table.row(words(key), [figures.figure(&format!("orders/{key}"))]);
    }
    let mut html = table.html();
    let mut table = Table::new(
        "Signals that asked for nothing, by reason",
        &["", "signals"],
    );
    for reason in content.report.passed_over.keys() {
        table.row(
            words(reason),
            [figures.figure(&format!("passed_over/{reason}"))],
        );
    }
    html.push_str(&table.html());
    let heads = ["instrument", "side", "quantity", "pnl_gross", "fees"];
    let mut table = Table::new(
        "Positions that are open at the end: in no sum over trades",
        &heads,
    );
    for (at, open) in content
        .report
        .open_positions
        .iter()
        .take(ROWS_MAX)
        .enumerate()
    {
        let cells = heads[1..]
            .iter()
            .map(|head| figures.figure(&format!("open_positions/{at}/{head}")));
        table.row(&open.instrument, cells);
    }
    html.push_str(&table.html());
    html
}
