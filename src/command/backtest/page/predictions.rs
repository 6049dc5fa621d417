//! What was predicted and what came, and how far the features are from those of the training.

use super::axis::duration;
use super::chart::Chart;
use super::charts;
use super::content::PageContent;
use super::heat;
use super::table::{Table, push};
use super::text::JsonFigures;

pub(super) fn drawn(charts: &[Chart]) -> String {
    charts.iter().map(Chart::html).collect()
}

pub(super) fn predictions(content: &PageContent<'_>, figures: JsonFigures<'_>) -> String {
    let study = &content.report.study;
    let mut html = String::new();
    match &study.confusion {
        Some(confusion) => {
            push(
                &mut html,
                format_args!(
                    "<p>Outcomes are moves of the recorded mid over {} ms; a move of more than {} bps is up \
                     or down. What is said is the {}'s. {} of the predictions came true, where always saying \
                     the most frequent outcome reaches {}. {} signals have a known outcome, {} have none.</p>\n",
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
        table.row(&duration(one.horizon_ms), cells);
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

pub(super) fn drift(content: &PageContent<'_>, figures: JsonFigures<'_>) -> String {
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
