//! Backtests a pipeline: the engine that runs live gives signals of recorded events, and a rule trades them
//! on the recorded market.
//!
//! Computes no feature, score or fill of its own. The signals are those of `replay`, and so is their digest.

mod alerts;
mod answer;
mod error;
mod input_digest;
mod options;
mod page;
mod report;
mod sensitivity;
mod study;
mod sweep;
mod tables;
mod tape;

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

pub use self::alerts::AlertsReport;
use self::alerts::{alerts_page, backtest_alerts};
pub use self::answer::BacktestAnswer;
pub use self::error::BacktestError;
use self::input_digest::digest_files;
pub use self::options::BacktestOptions;
use self::page::{PageContent, page};
pub use self::report::BacktestReport;
use self::report::{Given, Tried, unknown_sizes};
use self::sensitivity::Sensitivities;
use self::study::MoveLabel;
use self::sweep::Combination;
pub use self::sweep::SweepError;
use self::tape::{Recorded, play};
use crate::backtest::{FillOn, InputCounts, Keep, TradedSpan, TrialOutcome};
use crate::pipeline::Pipeline;
use crate::run::replay::{ReplayError, ReplayOptions, stream_names};
use crate::sink::output_file::OutputFile;

/// Replays the events through the pipeline and trades its signals; or, where it has rules of alerts, holds
/// their episodes against failures.
///
/// # Errors
/// [`BacktestError`].
pub fn backtest(
    pipeline: &Pipeline,
    options: &BacktestOptions,
) -> Result<BacktestAnswer, BacktestError> {
    let has_rules = !pipeline.file.alerts.is_empty();
    match (&options.labels, has_rules) {
        (None, false) => {
            let report = trade(pipeline, options)?;
            Ok(BacktestAnswer::Trades(Box::new(report)))
        }
        (Some(labels), true) => {
            let report = judge_alerts(pipeline, labels, options)?;
            Ok(BacktestAnswer::Alerts(Box::new(report)))
        }
        (None, true) => {
            let what = "a backtest of alerts needs the failures: add --labels FILE, as `evaluate` takes it";
            Err(pipeline.error("alert", what).into())
        }
        (Some(_), false) => {
            let what = "--labels are the failures that rules of [[alert]] are to warn of, and there are none; \
                        leave it out to trade the signals";
            Err(pipeline.error("alert", what).into())
        }
    }
}

/// Backtests the alerts, and writes what was asked for.
fn judge_alerts(
    pipeline: &Pipeline,
    labels: &Path,
    options: &BacktestOptions,
) -> Result<AlertsReport, BacktestError> {
    let report = backtest_alerts(pipeline, labels, options)?;
    if let Some(folder) = &options.folder {
        std::fs::create_dir_all(folder).map_err(|cause| file_error(folder, cause))?;
    }
    if let Some(path) = &options.report {
        write_report(path, &report).map_err(|cause| file_error(path, cause))?;
    }
    if let Some(path) = &options.page {
        let json = serde_json::to_value(&report).map_err(|cause| file_error(path, cause.into()))?;
        let html = alerts_page(&report, &json, &options.command);
        write_page(path, &html).map_err(|cause| file_error(path, cause))?;
    }
    Ok(report)
}

/// Trades the signals, and writes what was asked for.
fn trade(pipeline: &Pipeline, options: &BacktestOptions) -> Result<BacktestReport, BacktestError> {
    let settings = pipeline.backtest()?;
    let combinations = sweep::combinations(pipeline, options)?;
    let mut loaded = pipeline.load_model()?;
    if let Some(folder) = &options.folder {
        std::fs::create_dir_all(folder).map_err(|cause| file_error(folder, cause))?;
    }
    // Ids of signals are made of the names of their files.
    loaded.lineage.streams = stream_names(&options.inputs);
    let sensitivities = Sensitivities::of(&settings.terms);
    let mut terms = vec![(settings.terms.clone(), Keep::All)];
    terms.extend(
        combinations
            .iter()
            .map(|one| (one.terms.clone(), Keep::Sums)),
    );
    terms.extend(sensitivities.terms().map(|terms| (terms, Keep::Sums)));
    let span = ReplayOptions {
        inputs: options.inputs.clone(),
        from: options.from,
        warm_up: options.warm_up,
        to: options.to,
        reads_on: true,
        ..ReplayOptions::default()
    };
    let traded = TradedSpan {
        from: options.from.map(|from| from.0),
        to: options.to.map(|to| to.0),
    };
    let digested = digest_files(&options.inputs).map_err(ReplayError::Thread)?;
    let played = play(pipeline, &loaded, (&span, traded), &settings, terms)?;
    let Recorded {
        summary,
        names,
        outcomes,
        counts,
        study,
    } = played;
    check_market(settings.on, counts)?;
    let mut outcomes = outcomes.into_iter();
    let base = outcomes
        .next()
        .expect("the pipeline's own terms are tried first");
    let swept: Vec<(Combination, TrialOutcome)> =
        combinations.into_iter().zip(outcomes.by_ref()).collect();
    let varied: Vec<TrialOutcome> = outcomes.collect();
    if let Some(path) = &options.trades {
        tables::write_trades(path, &base.tally, &names)?;
    }
    if let Some(path) = &options.equity {
        tables::write_equity(path, &base.equity)?;
    }
    let given = Given {
        pipeline: &pipeline.file.name,
        model: loaded.lineage.first_model(),
        inputs: digested.join().expect("a digest does not panic"),
        labelling: MoveLabel::of(pipeline),
        settings: &settings,
        trials: options.trials,
        traded,
        names: &names,
    };
    let tried = Tried {
        base: &base,
        swept: &swept,
        sensitivities: &sensitivities,
        varied: &varied,
        study: &study,
    };
    let mut report = BacktestReport::new(given, &tried, summary, counts);
    report
        .findings
        .extend(unknown_sizes(&settings.terms, &names));
    if let Some(path) = &options.report {
        write_report(path, &report).map_err(|cause| file_error(path, cause))?;
    }
    if let Some(path) = &options.page {
        let json = serde_json::to_value(&report).map_err(|cause| file_error(path, cause.into()))?;
        let content = PageContent {
            report: &report,
            json: &json,
            base: &base,
            study: &study,
            names: &names,
            command: &options.command,
        };
        write_page(path, &page(&content)).map_err(|cause| file_error(path, cause))?;
    }
    Ok(report)
}

fn write_page(path: &Path, html: &str) -> io::Result<()> {
    let mut file = OutputFile::create(path)?;
    file.write_all(html.as_bytes())?;
    file.finish()
}

fn write_report(path: &Path, report: &impl Serialize) -> io::Result<()> {
    let mut file = OutputFile::create(path)?;
    serde_json::to_writer_pretty(&mut file, report)?;
    file.write_all(b"\n")?;
    file.finish()
}

fn file_error(path: &Path, cause: io::Error) -> BacktestError {
    let path = path.to_owned();
    BacktestError::File { path, cause }
}

/// Refuses an input without anything to fill orders on.
fn check_market(on: FillOn, counts: InputCounts) -> Result<(), BacktestError> {
    let InputCounts {
        depths,
        quotes,
        bars,
        signals,
        ..
    } = counts;
    let (missing, instead) = match on {
        FillOn::Book => (depths == 0, ("books", quotes, "quotes")),
        FillOn::Quotes => (quotes == 0, ("quotes", depths, "book")),
        FillOn::Bars { .. } => (bars == 0, ("bars", quotes, "quotes")),
    };
    if !missing || signals == 0 {
        return Ok(());
    }
    let (name, others, word) = instead;
    let advice = match others {
        0 if bars > 0 => {
            "it has bars; write fill_on = \"bars\" and bar_ms in [backtest]".to_owned()
        }
        0 => "it has nothing that orders are filled on; add an input that has".to_owned(),
        _ => format!(
            "it has {others} messages of the other kind; write fill_on = \"{word}\" in [backtest]"
        ),
    };
    Err(BacktestError::NoMarket {
        what: format!("{name}: the input gave {signals} signals and has no {name}: {advice}"),
    })
}
