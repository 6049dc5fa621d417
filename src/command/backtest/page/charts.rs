//! The charts of the page.

use super::axis::{duration, names, numbers, seconds, times};
use super::chart::{Axis, Chart, Ink, Layer, WIDE};
use super::content::PageContent;
use crate::backtest::RoundTrip;
use crate::command::backtest::report::figures::{ByFee, ByLatency, BySize};
use crate::command::backtest::study::{DrawnInstrument, DurationFigures};

/// Points of a line, by the columns in which the least and the greatest are kept.
const COLUMNS: usize = WIDE as usize / 2;

/// Marks of trades on one chart, by the columns in which one of each kind is kept.
const MARK_COLUMNS: f64 = 160.0;

/// A line as few points: the least and the greatest of each column of the chart, in their order.
fn thinned(points: Vec<(f64, f64)>, x: &Axis) -> Vec<(f64, f64)> {
    if points.len() <= 2 * COLUMNS {
        return points;
    }
    let column = |at: f64| ((at - x.from) / (x.to - x.from) * COLUMNS as f64) as usize;
    let by_value = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
    let columns = points.chunk_by(|left, right| column(left.0) == column(right.0));
    let mut kept = vec![];
    for points in columns {
        let least = points.iter().min_by(by_value).copied();
        let greatest = points.iter().max_by(by_value).copied();
        let mut both: Vec<(f64, f64)> = least.into_iter().chain(greatest).collect();
        both.sort_by(|a, b| a.0.total_cmp(&b.0));
        both.dedup();
        kept.extend(both);
    }
    kept
}

/// The same line, level between its points.
fn stepped(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut steps: Vec<(f64, f64)> = Vec::with_capacity(2 * points.len());
    for point in points {
        if let Some(last) = steps.last().copied() {
            steps.push((point.0, last.1));
        }
        steps.push(*point);
    }
    steps
}

fn values<'a>(lines: impl IntoIterator<Item = &'a [(f64, f64)]>) -> Vec<f64> {
    let lines = lines.into_iter();
    lines
        .flat_map(|line| line.iter().map(|point| point.1))
        .collect()
}

/// Equity and drawdown over time.
pub(super) fn equity(content: &PageContent<'_>) -> Vec<Chart> {
    let points = content.base.equity.points.as_deref().unwrap_or_default();
    let Some(first) = points.first() else {
        return vec![];
    };
    let last = content.base.equity.last.map_or(first.ts, |last| last.ts);
    let (from, to) = content.report.span.unwrap_or((first.ts, last));
    let x = times(from, to.max(last));
    let line = |value: &dyn Fn(usize) -> f64| {
        let at = |number: usize| (seconds(from, points[number].ts), value(number));
        let places = (0..points.len()).map(at);
        let mut line: Vec<(f64, f64)> = [(0.0, 0.0)].into_iter().chain(places).collect();
        line.push((x.to, line[line.len() - 1].1));
        thinned(stepped(&line), &x)
    };
    let net = line(&|at| points[at].net());
    let gross = line(&|at| points[at].gross);
    let mut peak = 0.0_f64;
    let drawdowns: Vec<f64> = points
        .iter()
        .map(|point| {
            peak = peak.max(point.net());
            point.net() - peak
        })
        .collect();
    let drawdown = line(&|at| drawdowns[at]);
    vec![
        Chart {
            id: "equity".into(),
            title: "Equity".into(),
            about:
                "What was won so far, open positions at the middle of their market; times in UTC."
                    .into(),
            keys: vec![(Ink::One, "after costs"), (Ink::Two, "before costs")],
            height: 300,
            y: numbers(values([&net[..], &gross]), true),
            layers: vec![Layer::Line(Ink::Two, gross), Layer::Line(Ink::One, net)],
            x: x.clone(),
        },
        Chart {
            id: "drawdown".into(),
            title: "Drawdown".into(),
            about: "How far the equity after costs is below its peak.".into(),
            keys: vec![],
            height: 180,
            y: numbers(values([&drawdown[..]]), true),
            layers: vec![Layer::Area(Ink::Loss, drawdown)],
            x,
        },
    ]
}

/// The price of an instrument with its trades, and its scores.
pub(super) fn market(
    content: &PageContent<'_>,
    drawn: &DrawnInstrument,
    name: &str,
    number: usize,
) -> Vec<Chart> {
    let Some((from, to)) = content.report.span else {
        return vec![];
    };
    let x = times(from, to);
    let line = |points: &[(i64, f64)]| {
        let points = points.iter().filter(|point| (from..=to).contains(&point.0));
        let places = points.map(|point| (seconds(from, point.0), point.1));
        thinned(places.collect(), &x)
    };
    let (mids, scores) = (line(&drawn.mids), line(&drawn.scores));
    let trips = content.base.tally.trips.iter().flatten();
    let own = trips.filter(|trip| trip.signal.instrument == drawn.instrument);
    let (marks, all) = marks(own, from, &x);
    let shown = marks.len();
    let about = format!(
        "The middle of the market, and the fills that opened positions: {shown} of {all} are marked; where many \
         lie in one place, one of each side."
    );
    let enter = content.report.terms.enter;
    let guide = |at: f64| Layer::Guide((x.from, at), (x.to, at));
    let mut charts = vec![];
    if !mids.is_empty() {
        let prices = marks.iter().filter_map(|mark| match mark {
            Layer::Mark(_, at, _) => Some(at.1),
            _ => None,
        });
        charts.push(Chart {
            id: format!("price-{number}"),
            title: format!("Trades of {name}"),
            about,
            keys: vec![
                (Ink::Text, "middle of the market"),
                (Ink::One, "▲ long"),
                (Ink::Two, "▼ short"),
            ],
            height: 300,
            y: numbers(values([&mids[..]]).into_iter().chain(prices), false),
            layers: [Layer::Line(Ink::Text, mids)]
                .into_iter()
                .chain(marks)
                .collect(),
            x: x.clone(),
        });
    }
    charts.push(Chart {
        id: format!("score-{number}"),
        title: format!("Scores of {name}"),
        about: format!(
            "Scores of the signals that are acted on; lines at ±{enter}, from which they enter."
        ),
        keys: vec![],
        height: 180,
        y: numbers(
            values([&scores[..]]).into_iter().chain([enter, -enter]),
            true,
        ),
        layers: vec![Layer::Line(Ink::Three, scores), guide(enter), guide(-enter)],
        x,
    });
    charts
}

/// Marks at the entries of trades, one of each side in a column; and how many trades there are.
fn marks<'a>(
    trips: impl Iterator<Item = &'a RoundTrip>,
    from: i64,
    x: &Axis,
) -> (Vec<Layer>, usize) {
    let mut marks = vec![];
    let mut last = [-1.0; 2];
    let mut all = 0;
    for trip in trips {
        all += 1;
        let at = seconds(from, trip.entered);
        let column = ((at - x.from) / (x.to - x.from) * MARK_COLUMNS).floor();
        let side = usize::from(trip.sign > 0);
        let price = trip.entry_notional / trip.quantity.to_f64();
        if column != last[side] && price.is_finite() && (x.from..=x.to).contains(&at) {
            last[side] = column;
            let ink = if trip.sign > 0 { Ink::One } else { Ink::Two };
            marks.push(Layer::Mark(ink, (at, price), trip.sign > 0));
        }
    }
    (marks, all)
}

/// How often a class came, by its probability.
pub(super) fn reliability(content: &PageContent<'_>) -> Option<Chart> {
    let classes = &content.report.study.reliability;
    let inks = [Ink::Two, Ink::Three, Ink::One];
    let lines = classes.iter().zip(inks).map(|(class, ink)| {
        let bins = class.bins.iter();
        Layer::DottedLine(ink, bins.map(|bin| (bin.predicted, bin.observed)).collect())
    });
    let guide = Layer::Guide((0.0, 0.0), (1.0, 1.0));
    (!classes.is_empty()).then(|| Chart {
        id: "reliability".into(),
        title: "Reliability".into(),
        about: "How often a class came (upward), by the probability that the model gave it (to the right). On the \
                thin line both are equal."
            .into(),
        keys: classes.iter().zip(inks).map(|(class, ink)| (ink, class.class)).collect(),
        height: 320,
        x: numbers([0.0, 1.0], true),
        y: numbers([0.0, 1.0], true),
        layers: [guide].into_iter().chain(lines).collect(),
    })
}

/// The information coefficient by horizon.
pub(super) fn decay(content: &PageContent<'_>) -> Chart {
    let ic = &content.report.study.ic;
    let line = |value: fn(usize, &PageContent<'_>) -> Option<f64>| -> Vec<(f64, f64)> {
        let places = (0..ic.len()).filter_map(|at| Some((at as f64, value(at, content)?)));
        places.collect()
    };
    let pearson = line(|at, content| content.report.study.ic[at].pearson);
    let spearman = line(|at, content| content.report.study.ic[at].spearman);
    Chart {
        id: "ic".into(),
        title: "Information coefficient by horizon".into(),
        about: "The correlation of scores with the moves of the mid over each horizon.".into(),
        keys: vec![(Ink::One, "Pearson"), (Ink::Two, "Spearman (ranks)")],
        height: 260,
        x: names(ic.iter().map(|one| duration(one.horizon_ms)), 0),
        y: numbers(values([&pearson[..], &spearman]), true),
        layers: vec![
            Layer::Line(Ink::One, pearson),
            Layer::Line(Ink::Two, spearman),
        ],
    }
}

/// Bars of things with names.
fn bars(id: &str, title: &str, about: &str, of: Vec<(String, f64)>) -> Chart {
    let layers = of.iter().enumerate().map(|(at, (_, value))| {
        let ink = if *value < 0.0 { Ink::Loss } else { Ink::Gain };
        let (left, right) = (at as f64 - 0.35, at as f64 + 0.35);
        Layer::Bar(ink, (left, value.max(0.0)), (right, value.min(0.0)))
    });
    Chart {
        id: id.into(),
        title: title.into(),
        about: about.into(),
        keys: vec![],
        height: 240,
        y: numbers(of.iter().map(|one| one.1), true),
        layers: layers.collect(),
        x: names(of.into_iter().map(|one| one.0), BARS_MIN),
    }
}

/// PnL by the hour of entry.
pub(super) fn by_hour(content: &PageContent<'_>) -> Chart {
    let hours = content.report.by_hour.iter();
    let of = hours.map(|(hour, part)| (hour.clone(), part.pnl_net));
    let about = "Won after costs, by the hour in UTC in which positions were opened.";
    bars("by-hour", "PnL by hour", about, of.collect())
}

/// A line for the result before costs, and one for that after them.
fn results(id: &str, title: &str, about: &str, of: &[(f64, f64, f64)]) -> Chart {
    let gross: Vec<(f64, f64)> = of.iter().map(|one| (one.0, one.1)).collect();
    let net: Vec<(f64, f64)> = of.iter().map(|one| (one.0, one.2)).collect();
    Chart {
        id: id.into(),
        title: title.into(),
        about: about.into(),
        keys: vec![(Ink::One, "after costs"), (Ink::Two, "before costs")],
        height: 240,
        x: numbers(of.iter().map(|one| one.0), false),
        y: numbers(values([&gross[..], &net]), true),
        layers: vec![
            Layer::DottedLine(Ink::Two, gross),
            Layer::DottedLine(Ink::One, net),
        ],
    }
}

/// PnL by latency.
pub(super) fn by_latency(rows: &[ByLatency]) -> Chart {
    let point = |row: &ByLatency| {
        let figures = &row.figures;
        (row.latency_ms as f64, figures.pnl_gross, figures.pnl_net)
    };
    let of: Vec<(f64, f64, f64)> = rows.iter().map(point).collect();
    let about = "The whole result with another constant latency, in milliseconds.";
    results("by-latency", "PnL by latency", about, &of)
}

/// PnL by size.
pub(super) fn by_size(rows: &[BySize]) -> Chart {
    let each = |row: &BySize| {
        let notional = row.figures.turnover;
        let bps = |money: f64| {
            if notional > 0.0 {
                money / notional * 1e4
            } else {
                0.0
            }
        };
        (
            row.size,
            bps(row.figures.pnl_gross),
            bps(row.figures.pnl_net),
        )
    };
    let of: Vec<(f64, f64, f64)> = rows.iter().map(each).collect();
    let about = "Won for each notional traded, in basis points, by the size of an order: larger orders walk deeper.";
    results("by-size", "Capacity", about, &of)
}

/// PnL by fee.
pub(super) fn by_fee(rows: &[ByFee]) -> Chart {
    let net: Vec<(f64, f64)> = rows.iter().map(|row| (row.fee_bps, row.pnl_net)).collect();
    Chart {
        id: "by-fee".into(),
        title: "PnL by fee".into(),
        about: "Won after costs with another fee of each notional, in basis points.".into(),
        keys: vec![],
        height: 240,
        x: numbers(net.iter().map(|one| one.0), false),
        y: numbers(values([&net[..]]), true),
        layers: vec![Layer::DottedLine(Ink::One, net)],
    }
}

/// Bars for which there is room at least: a few are not wider than many.
const BARS_MIN: usize = 8;

/// A histogram of durations.
pub(super) fn histogram(id: &str, title: &str, about: &str, of: &DurationFigures) -> Chart {
    let below = ("below 0".to_owned(), of.below_zero as f64);
    let below = (of.below_zero > 0).then_some(below).into_iter();
    let bins = of.bins.iter();
    let bins = bins.map(|bin| (format!("≥ {}", duration(bin.from_ms)), bin.count as f64));
    bars(id, title, about, below.chain(bins).collect())
}

/// The drift of the features.
pub(super) fn drift(content: &PageContent<'_>) -> Option<Chart> {
    let features = &content.report.study.drift.features;
    let has_index = features.iter().any(|feature| feature.psi.is_some());
    let of = features.iter().filter_map(|feature| {
        let value = if has_index {
            feature.psi
        } else {
            feature.shift
        };
        Some((feature.name.clone(), value?))
    });
    let of: Vec<(String, f64)> = of.take(FEATURES_MAX).collect();
    let about = match has_index {
        true => {
            "The population stability index of each feature, in the order of the table: below 0.1 is no change to \
             speak of, above 0.25 a large one."
        }
        false => {
            "The difference of the means of each feature, in standard deviations of the training."
        }
    };
    let mut chart = bars("drift", "Drift of the features", about, of);
    // Names of features are too long for an axis: the table has them.
    for (at, tick) in chart.x.ticks.iter_mut().enumerate() {
        tick.1 = (at + 1).to_string();
    }
    (!chart.layers.is_empty()).then_some(chart)
}

/// More bars cannot be told apart.
const FEATURES_MAX: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_extremes() {
        let x = numbers([0.0, 100_000.0], true);
        let mut points: Vec<(f64, f64)> = (0..100_000).map(|at| (f64::from(at), 0.0)).collect();
        points[777].1 = 5.0;
        points[77_777].1 = -5.0;
        let kept = thinned(points.clone(), &x);
        assert!(kept.len() <= 2 * COLUMNS + 2, "{}", kept.len());
        assert!(kept.contains(&points[777]) && kept.contains(&points[77_777]));
        assert!(kept.is_sorted_by(|a, b| a.0 <= b.0));
    }

    #[test]
    fn a_line_is_level_between_its_points() {
        let line = stepped(&[(0.0, 1.0), (2.0, 5.0)]);
        assert_eq!(line, [(0.0, 1.0), (2.0, 1.0), (2.0, 5.0)]);
    }
}
