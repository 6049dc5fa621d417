//! The sections of the page.

use super::chart::Chart;
use super::charts;
use super::content::PageContent;
use super::document::Section;
use super::heat;
use super::lineage::lineage;
use super::table::{Table, push};
use super::text::{Figures, escaped, pointer_part};
use crate::command::backtest::study::DrawnInstrument;

/// Instruments whose market is drawn, and rows of the longest tables: all others are in the JSON.
const MARKETS_MAX: usize = 3;
const ROWS_MAX: usize = 200;

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

/// The sections, in their order.
pub(super) fn sections(content: &PageContent<'_>) -> Vec<Section> {
    let figures = Figures(content.json);
    let section = Section::new;
    let mut all = vec![
        section("findings", "What to know first", findings(content)),
        section("result", "Result", result(content, figures)),
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

fn drawn(charts: &[Chart]) -> String {
    charts.iter().map(Chart::html).collect()
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

fn result(content: &PageContent<'_>, figures: Figures<'_>) -> String {
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
    let mut table = Table::of_texts("Further figures", &["", "figure"]);
    for (path, name) in FURTHER {
        table.row(name, [figures.figure(path)]);
    }
    html.push_str(&table.html());
    let mut table = Table::of_texts("Terms", &["[backtest]", "value"]);
    if let Some(terms) = content.json["terms"].as_object() {
        for key in terms.keys() {
            table.row(key, [figures.figure(&format!("terms/{key}"))]);
        }
    }
    html.push_str(&table.html());
    html
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

fn predictions(content: &PageContent<'_>, figures: Figures<'_>) -> String {
    let study = &content.report.study;
    let mut html = String::new();
    match &study.confusion {
        Some(confusion) => {
            push(
                &mut html,
                format_args!(
                    "<p>Outcomes are moves of the recorded mid over {} ms; a move of more than {} bps is up or \
                     down. What is said is the {}'s. {} of the predictions came true, where always saying the most \
                     frequent outcome reaches {}. {} signals have a known outcome, {} have none.</p>\n",
                    figures.figure("confusion/horizon_ms"),
                    figures.figure("confusion/threshold_bps"),
                    confusion.predicted_by,
                    figures.figure("confusion/accuracy"),
                    figures.figure("confusion/majority"),
                    figures.figure("confusion/labelled"),
                    figures.figure("confusion/unlabelled"),
                ),
            );
            html.push_str(&heat::confusion(content.report, figures));
        }
        None => html.push_str(
            "<p>The pipeline has no <code>[label]</code>, so that there is no outcome to hold predictions \
             against.</p>\n",
        ),
    }
    html.push_str(&drawn(charts::reliability(content).as_slice()));
    let heads = ["class", "from", "to", "count", "predicted", "observed"];
    let mut table = Table::new("Reliability by bin of the probability", &heads);
    for (at, class) in study.reliability.iter().enumerate() {
        for bin in 0..class.bins.len() {
            let cells = heads[1..]
                .iter()
                .map(|head| figures.figure(&format!("reliability/{at}/bins/{bin}/{head}")));
            table.row(class.class, cells);
        }
    }
    html.push_str(&table.html());
    let mut table = Table::new("Expected calibration error", &["class", "error"]);
    for (at, class) in study.reliability.iter().enumerate() {
        let path = format!("reliability/{at}/calibration_error");
        table.row(class.class, [figures.figure(&path)]);
    }
    html.push_str(&table.html());
    html.push_str(&charts::decay(content).html());
    let heads = ["horizon", "count", "every", "pearson", "spearman"];
    let mut table = Table::new("Information coefficient", &heads);
    for (at, one) in study.ic.iter().enumerate() {
        let cells = heads[1..]
            .iter()
            .map(|head| figures.figure(&format!("ic/{at}/{head}")));
        table.row(&charts::duration(one.horizon_ms), cells);
    }
    html.push_str(&table.html());
    let heads = ["quality", "signals", "mean", "deviation", "min", "max"];
    let mut table = Table::new("Scores by the quality of their signals", &heads);
    for quality in study.scores_by_quality.keys() {
        let cells = heads[1..]
            .iter()
            .map(|head| figures.figure(&format!("scores_by_quality/{quality}/{head}")));
        table.row(quality, cells);
    }
    html.push_str(&table.html());
    html
}

/// The cells of a part of the result, under a path.
fn part(figures: Figures<'_>, path: &str) -> Vec<String> {
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
    figures: Figures<'_>,
    rows: impl IntoIterator<Item = (String, String)>,
) -> String {
    let heads: Vec<&str> = [""].into_iter().chain(PART_HEADS).collect();
    let mut table = Table::new(caption, &heads);
    for (path, name) in rows {
        table.row(&name, part(figures, &path));
    }
    table.html()
}

fn parts(content: &PageContent<'_>, figures: Figures<'_>) -> String {
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

fn costs(content: &PageContent<'_>, figures: Figures<'_>) -> String {
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

fn durations(content: &PageContent<'_>, figures: Figures<'_>) -> String {
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
            "From the event of a signal until its message was received, by the input; all 0 where the input has no \
             receive times. What the engine itself takes is measured live, not here.",
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
    let heads = [
        "ms",
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
    let mut table = Table::new("Quantiles, in milliseconds", &heads);
    for (path, title, about, found) in of {
        if let Some(found) = found {
            let id = path.replace(['_', '/'], "-");
            html.push_str(&charts::histogram(&id, title, about, found).html());
            let cells = heads[1..]
                .iter()
                .map(|head| figures.figure(&format!("{path}/{head}")));
            table.row(title, cells);
        }
    }
    html.push_str(&table.html());
    html
}

fn sweep(content: &PageContent<'_>, figures: Figures<'_>) -> String {
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

fn drift(content: &PageContent<'_>, figures: Figures<'_>) -> String {
    let drift = &content.report.study.drift;
    let mut html = match drift.baseline {
        Some(baseline) => format!(
            "<p>{} rows that were scored, against: {baseline} ({} rows).</p>\n",
            figures.figure("drift/rows"),
            figures.figure("drift/baseline_rows")
        ),
        None => "<p>There is no baseline of the training to hold them against: the input has no rows of the \
                 training period beside others, and the model's file keeps none.</p>\n"
            .into(),
    };
    html.push_str(&drawn(charts::drift(content).as_slice()));
    let heads = [
        "feature",
        "psi",
        "shift",
        "mean",
        "deviation",
        "baseline_mean",
        "baseline_deviation",
        "missing",
    ];
    let mut table = Table::new("Features", &heads);
    for (at, feature) in drift.features.iter().enumerate() {
        let cells = heads[1..]
            .iter()
            .map(|head| figures.figure(&format!("drift/features/{at}/{head}")));
        table.row(&format!("{}. {}", at + 1, feature.name), cells);
    }
    html.push_str(&table.html());
    html
}

fn split(content: &PageContent<'_>, figures: Figures<'_>) -> String {
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

fn orders(content: &PageContent<'_>, figures: Figures<'_>) -> String {
    let mut table = Table::new("Orders", &["", "count"]);
    for key in [
        "sent",
        "unfilled",
        "partly_filled",
        "cancelled",
        "delayed_exits",
        "left",
    ] {
        table.row(key, [figures.figure(&format!("orders/{key}"))]);
    }
    let mut html = table.html();
    let mut table = Table::new(
        "Signals that asked for nothing, by reason",
        &["", "signals"],
    );
    for reason in content.report.passed_over.keys() {
        table.row(reason, [figures.figure(&format!("passed_over/{reason}"))]);
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
