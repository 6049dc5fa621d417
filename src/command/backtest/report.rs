//! What a backtest found, for people and as one JSON object. The same input and terms give the same bytes.

pub(super) mod figures;
mod finding;
mod split;
mod terms;
mod text;

use std::collections::BTreeMap;

use serde::Serialize;

use self::figures::{
    ByFee, ByLatency, BySize, Exposure, HoldingTimes, OpenFigures, OrderCounts, PartFigures,
    ResultFigures, SweptFigures, holding_times, result,
};
use self::finding::Finding;
pub(super) use self::finding::unknown_sizes;
use self::finding::{Facts, findings};
use self::split::SplitFigures;
use self::split::split;
use self::terms::TermsFigures;
use super::input_digest::InputFigures;
use super::sensitivity::{FEES_BPS, Sensitivities};
use super::study::{MoveLabel, StudyFigures, StudyOutcome};
use super::sweep::Combination;
use super::tables::side;
use crate::backtest::statistics::{Trials, deflated_sharpe, sharpe_of_step, variance};
use crate::backtest::{
    FillOn, InputCounts, OpenPosition, Tally, TradeFigures, TradedSpan, TrialOutcome,
};
use crate::pipeline::BacktestSettings;
use crate::run::summary::Summary;
use crate::signal::model::ModelIdentity;

/// What a backtest found. Money is in the quote currency.
#[derive(Clone, Debug, Serialize)]
pub struct BacktestReport {
    /// The pipeline's name.
    pub pipeline: String,
    /// The model's name.
    pub model_name: String,
    /// The model's version.
    pub model_version: String,
    /// SHA-256 of the model's file.
    pub model_sha256: String,
    /// SHA-256 of the definitions of its features.
    pub features_sha256: String,
    /// The input, in the order in which it was named.
    pub inputs: Vec<InputFigures>,
    /// The digest of the signals, as `replay` gives it.
    pub digest: String,
    /// Signals.
    pub signals: u64,
    /// Signals after the last update of their market, which were not acted on.
    pub signals_left: u64,
    /// The time that was traded, in nanoseconds: from `--from`, or the first update of a market, to `--to`,
    /// the last exit where that is later, or the last update of a market.
    pub span: Option<(i64, i64)>,
    /// What orders were filled on.
    pub fill_on: &'static str,
    /// The terms on which signals were traded.
    pub terms: TermsFigures,
    /// The result of the pipeline's own terms.
    #[serde(flatten)]
    pub result: ResultFigures,
    /// The deflated Sharpe ratio: see `backtest::statistics`.
    pub deflated_sharpe: Option<f64>,
    /// How many terms were tried, by which the Sharpe ratio was deflated.
    pub trials: u64,
    /// How long positions were held, in milliseconds.
    pub holding_ms: Option<HoldingTimes>,
    /// What was held over time.
    pub exposure: Exposure,
    /// The largest size of those tried that still wins after costs; none where none does.
    pub capacity: Option<f64>,
    /// By instrument.
    pub by_instrument: BTreeMap<String, PartFigures>,
    /// By the hour in UTC in which positions were opened.
    pub by_hour: BTreeMap<String, PartFigures>,
    /// By the quality of the signal that opened them.
    pub by_quality: BTreeMap<&'static str, PartFigures>,
    /// How many were closed for what reason.
    pub by_exit: BTreeMap<&'static str, u64>,
    /// With other latencies.
    pub by_latency: Vec<ByLatency>,
    /// With other sizes.
    pub by_size: Vec<BySize>,
    /// With other fees.
    pub by_fee: Vec<ByFee>,
    /// What became of orders.
    pub orders: OrderCounts,
    /// Signals that asked for nothing, by reason.
    pub passed_over: BTreeMap<&'static str, u64>,
    /// Positions that were open at the end: in no sum over trades.
    pub open_positions: Vec<OpenFigures>,
    /// The combinations of a sweep, in the order of their values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sweep: Vec<SweptFigures>,
    /// What the signals are worth beside their trades.
    #[serde(flatten)]
    pub study: StudyFigures,
    /// Training and test period; null without `[label] test_from`.
    pub split: Option<SplitFigures>,
    /// What bears on what the figures mean.
    pub findings: Vec<Finding>,
    /// What the replay did.
    #[serde(skip)]
    pub summary: Summary,
}

/// What was backtested.
pub(super) struct Given<'a> {
    pub(super) pipeline: &'a str,
    pub(super) model: &'a ModelIdentity,
    pub(super) inputs: Vec<InputFigures>,
    pub(super) labelling: Option<MoveLabel>,
    pub(super) settings: &'a BacktestSettings,
    pub(super) trials: u64,
    /// When signals are acted on.
    pub(super) traded: TradedSpan,
    pub(super) names: &'a [String],
}

/// What was tried.
pub(super) struct Tried<'a> {
    /// The pipeline's own terms.
    pub(super) base: &'a TrialOutcome,
    pub(super) swept: &'a [(Combination, TrialOutcome)],
    pub(super) sensitivities: &'a Sensitivities,
    /// The outcomes of the sensitivities, in their order.
    pub(super) varied: &'a [TrialOutcome],
    pub(super) study: &'a StudyOutcome,
}

impl BacktestReport {
    pub(super) fn new(
        given: Given<'_>,
        tried: &Tried<'_>,
        summary: Summary,
        counts: InputCounts,
    ) -> Self {
        let Tried {
            base,
            swept,
            sensitivities,
            varied,
            study,
        } = tried;
        let (tally, step_ns) = (&base.tally, given.settings.step_ns);
        let ratios = swept
            .iter()
            .filter_map(|(_, outcome)| sharpe_of_step(&outcome.equity.changes));
        let trials = Trials {
            count: given.trials.max(swept.len() as u64),
            variance: variance(ratios),
        };
        let name = |at: usize| given.names.get(at).cloned().unwrap_or_default();
        let (late, large) = varied.split_at(sensitivities.latencies.len());
        let by_size = by_size(sensitivities, large);
        let wins = by_size.iter().filter(|one| one.figures.pnl_net > 0.0);
        let by_instrument = tally.by_instrument.iter();
        let span = traded_span(given.traded, base, counts);
        let mut report = Self {
            pipeline: given.pipeline.to_owned(),
            model_name: given.model.name.clone(),
            model_version: given.model.version.clone(),
            model_sha256: given.model.sha256.clone(),
            features_sha256: given.model.features_sha256.clone(),
            inputs: given.inputs,
            digest: summary.digest.clone(),
            signals: counts.signals,
            signals_left: counts.signals_left,
            span,
            fill_on: match given.settings.on {
                FillOn::Book => "book",
                FillOn::Quotes => "quotes",
                FillOn::Bars { .. } => "bars",
            },
            terms: (&given.settings.terms).into(),
            result: result(tally, &base.equity, step_ns),
            deflated_sharpe: deflated_sharpe(&base.equity.changes, trials),
            trials: trials.count,
            holding_ms: holding_times(tally),
            exposure: Exposure {
                mean: base.equity.mean_exposure(),
                max: base.equity.exposure.1,
                time_in_market: base.equity.time_in_market(),
            },
            capacity: wins.map(|one| one.size).reduce(f64::max),
            by_instrument: by_instrument
                .map(|(id, part)| (name(id.index()), part.into()))
                .collect(),
            by_hour: by_hour(tally),
            by_quality: tally
                .by_quality
                .iter()
                .map(|(of, part)| (of.word(), part.into()))
                .collect(),
            by_exit: tally
                .by_exit
                .iter()
                .map(|(reason, count)| (reason.word(), *count))
                .collect(),
            by_latency: by_latency(sensitivities, late),
            by_size,
            by_fee: FEES_BPS.map(|fee_bps| by_fee(&tally.all, fee_bps)).to_vec(),
            orders: orders(base),
            passed_over: tally
                .passed_over
                .iter()
                .map(|(why, count)| (why.word(), *count))
                .collect(),
            open_positions: base
                .open
                .iter()
                .map(|open| open_figures(open, &name))
                .collect(),
            sweep: swept
                .iter()
                .map(|(set, outcome)| swept_figures(set, outcome, step_ns))
                .collect(),
            study: study.figures.clone(),
            split: split(
                given.labelling,
                study.splits,
                tally.trips.as_deref().unwrap_or_default(),
            ),
            findings: vec![],
            summary,
        };
        report.findings = findings(&report.facts(counts.times));
        report
    }
}

impl BacktestReport {
    fn facts(&self, known: Option<(i64, i64)>) -> Facts<'_> {
        Facts {
            split: self.split.as_ref(),
            terms: &self.terms,
            drift: &self.study.drift,
            trades: self.result.trades,
            swept: self.sweep.len(),
            open: self.open_positions.len(),
            signals_left: self.signals_left,
            span: self.span.zip(known),
        }
    }
}

/// The time that was traded; none without an update of a market.
fn traded_span(
    TradedSpan { from, to }: TradedSpan,
    base: &TrialOutcome,
    counts: InputCounts,
) -> Option<(i64, i64)> {
    let (first, last) = counts.times?;
    let exits = base.tally.trips.iter().flatten().map(|trip| trip.exited);
    let end = match (to, base.open.is_empty()) {
        (Some(to), true) => exits.fold(to, i64::max),
        (Some(to), false) => to.max(last),
        (None, _) => last,
    };
    Some((from.unwrap_or(first), end))
}

fn by_hour(tally: &Tally) -> BTreeMap<String, PartFigures> {
    let hours = tally.by_hour.iter().enumerate();
    let hours = hours.filter(|(_, part)| part.trades > 0);
    hours
        .map(|(hour, part)| (format!("{hour:02}"), part.into()))
        .collect()
}

fn by_latency(tried: &Sensitivities, outcomes: &[TrialOutcome]) -> Vec<ByLatency> {
    let pairs = tried.latencies.iter().zip(outcomes);
    let row = |((latency_ms, _), outcome): (&(i64, _), &TrialOutcome)| ByLatency {
        latency_ms: *latency_ms,
        figures: (&outcome.tally.all).into(),
    };
    pairs.map(row).collect()
}

fn by_size(tried: &Sensitivities, outcomes: &[TrialOutcome]) -> Vec<BySize> {
    let pairs = tried.sizes.iter().zip(outcomes);
    let rows = pairs.map(|((_, terms), outcome)| BySize {
        size: terms.rule.size.to_f64(),
        not_filled: outcome.tally.unfilled + outcome.tally.partly_filled,
        figures: (&outcome.tally.all).into(),
    });
    rows.collect()
}

fn by_fee(all: &TradeFigures, fee_bps: f64) -> ByFee {
    ByFee {
        fee_bps,
        pnl_net: all.gross - all.carry - all.turnover * fee_bps / BASIS_POINTS,
    }
}

fn orders(outcome: &TrialOutcome) -> OrderCounts {
    let tally = &outcome.tally;
    OrderCounts {
        sent: tally.orders,
        unfilled: tally.unfilled,
        partly_filled: tally.partly_filled,
        cancelled: tally.cancelled,
        delayed_exits: tally.delayed_exits,
        left: outcome.orders_left,
    }
}

fn open_figures(open: &OpenPosition, name: &impl Fn(usize) -> String) -> OpenFigures {
    OpenFigures {
        instrument: name(open.trip.signal.instrument.index()),
        side: side(open.position.sign()),
        quantity: open.position.abs().to_f64(),
        ts_entry: open.trip.entered,
        pnl_gross: open.gross_at(open.mid),
        fees: open.trip.fees,
    }
}

fn swept_figures(set: &Combination, outcome: &TrialOutcome, step_ns: i64) -> SweptFigures {
    SweptFigures {
        set: set.set.iter().cloned().collect(),
        result: result(&outcome.tally, &outcome.equity, step_ns),
    }
}

/// Basis points in one.
const BASIS_POINTS: f64 = 10_000.0;
