//! Evaluates a pipeline: replays events through the engine that runs live, or reads signals that a sink
//! wrote, and compares the scores with the outcomes in a file of labels, and with the moves of the price.
//!
//! Computes no feature and no score of its own. The labels never reach the engine.

pub mod alerts;
mod baselines;
mod collected;
mod error;
mod horizons;
mod join;
mod judged;
pub mod metrics;
mod options;
pub mod outcome;
mod prices;
mod redraws;
mod report;
mod scored;
mod stored;

use self::baselines::{Baselines, LINEAR};
use self::collected::{CollectOptions, Collected, replayed};
pub use self::error::{EvaluateError, StoredError};
use self::horizons::ic_decay;
pub use self::horizons::{HorizonIc, IcDecay};
use self::judged::Judged;
pub(crate) use self::judged::scale;
use self::metrics::EvaluationFigures;
pub use self::options::EvaluationOptions;
use self::outcome::Outcomes;
pub use self::redraws::{RedrawnUnit, Redraws};
pub use self::report::{EvaluationReport, LabelRate};
use self::stored::stored;
use crate::pipeline::Pipeline;
use crate::statistic::bootstrap::Bootstrap;

/// Scores the input of a pipeline, or reads scores, and compares them with the labels and with the moves of
/// the price.
///
/// # Errors
/// [`EvaluateError`].
pub fn evaluate(
    pipeline: &Pipeline,
    options: &EvaluationOptions,
) -> Result<EvaluationReport, EvaluateError> {
    let columns = pipeline.columns();
    let read = |path| Outcomes::read(path, columns.as_ref(), options.split.as_deref());
    let outcomes = options.labels.as_deref().map(read).transpose()?;
    let wanted = CollectOptions {
        ids: outcomes.as_ref().is_some_and(Outcomes::name_ids),
        prices: pipeline.form.is_none()
            && pipeline.news.is_none()
            && (!options.horizons.is_empty()
                || outcomes.as_ref().is_some_and(Outcomes::have_training)),
    };
    let collected = match options.signals.is_empty() {
        true => replayed(pipeline, options, wanted)?,
        false => stored(pipeline, &options.signals)?,
    };
    let mut report = EvaluationReport::of(pipeline, &collected);
    if !options.horizons.is_empty() {
        report.ic_decay = Some(moves(&collected, &options.horizons)?);
    }
    if let Some(outcomes) = &outcomes {
        judge(pipeline, options, (&collected, outcomes), &mut report)?;
    }
    Ok(report)
}

/// The information coefficients at each horizon.
fn moves(collected: &Collected, horizons: &[i64]) -> Result<IcDecay, EvaluateError> {
    let scored = &collected.scored;
    let none = |why| EvaluateError::NoMoves {
        signals: scored.len(),
        why,
    };
    let lack = || collected.summary.as_ref()?.lack_of_signals();
    let prices = collected.prices.as_ref();
    let prices = prices.ok_or_else(|| {
        none(
            "moves need the events of a market: name them by --input, for a pipeline of a market"
                .into(),
        )
    })?;
    if scored.is_empty() {
        let other = || "the input gave none; is it the right one, and long enough?".into();
        return Err(none(lack().unwrap_or_else(other)));
    }
    let horizon_ns = collected.lineage.first_model().horizon_ns;
    let decay = ic_decay(scored, prices, horizons, horizon_ns);
    match decay.by_horizon.iter().all(|ic| ic.rows == 0) {
        true => Err(none(
            "none has a price at its time and at a horizon: the input has no quotes, book or trades, or ends before"
                .into(),
        )),
        false => Ok(decay),
    }
}

/// Compares scores with labels.
fn judge(
    pipeline: &Pipeline,
    options: &EvaluationOptions,
    (collected, outcomes): (&Collected, &Outcomes),
    report: &mut EvaluationReport,
) -> Result<(), EvaluateError> {
    let judged = Judged::of(pipeline, collected, outcomes, options)?;
    let sample = judged.sample(options.threshold)?;
    let (redraws, units) = judged.redraws(pipeline.form.is_some());
    let figures = match redraws.units > 1 {
        true => sample.figures_within(&Bootstrap::default(), Some(&units))?,
        false => sample.figures(),
    };
    let mut baselines = Baselines::fit(&judged, &sample)?;
    match linear(pipeline, options, outcomes)? {
        Ok(figures) => {
            baselines.figures.insert(LINEAR, figures);
        }
        Err(Some(why)) => {
            baselines.left_out.insert(LINEAR, why);
        }
        Err(None) => {}
    }
    report.is_weighted = sample.is_weighted();
    report.classes = match figures.confusion.is_empty() {
        true => vec![],
        false => judged.classes(),
    };
    report.figures = Some(figures);
    report.redraws = Some(redraws);
    report.training_rows = baselines.training_rows;
    report.baselines = baselines.figures;
    report.baselines_left_out = baselines.left_out;
    report.by_label = judged.by_label();
    let has_rules = !pipeline.file.alerts.is_empty();
    let alerts = collected.alerts.as_ref().filter(|_| has_rules);
    report.alerts = alerts.map(|alerts| judged.track(alerts));
    report.unscored = judged.joined.unscored;
    report.unknown_outcomes = judged.joined.unknown;
    report.repeated_labels = judged.joined.repeated;
    Ok(())
}

/// The figures of the linear model beside the pipeline, which was fitted when the pipeline was trained; or
/// why there are none, where there is such a model.
fn linear(
    pipeline: &Pipeline,
    options: &EvaluationOptions,
    outcomes: &Outcomes,
) -> Result<Result<EvaluationFigures, Option<String>>, EvaluateError> {
    let Some(linear) = pipeline.linear() else {
        return Ok(Err(None));
    };
    if !options.signals.is_empty() {
        let why = "stored signals have no events that it could score";
        return Ok(Err(Some(why.into())));
    }
    let wanted = CollectOptions {
        ids: outcomes.name_ids(),
        prices: false,
    };
    let collected = replayed(&linear, options, wanted)?;
    let judged = Judged::of(&linear, &collected, outcomes, options);
    let sample = |judged: Judged<'_>| judged.sample(options.threshold);
    match judged.and_then(sample) {
        Ok(sample) => Ok(Ok(sample.figures())),
        // It cannot impute: where every row lacks a field, it has no scores to compare.
        Err(EvaluateError::Nothing { .. }) => Ok(Err(Some("it scored no row".into()))),
        Err(EvaluateError::Outcome(error)) => {
            let why = format!("it has other labels: {error}");
            tracing::warn!("left the linear baseline out: {why}");
            Ok(Err(Some(why)))
        }
        Err(error) => Err(error),
    }
}
