//! Backtests alerts: how well the rules of `[[alert]]` would have warned of known failures, as they are and
//! with other thresholds.
//!
//! The probabilities are those of one replay; the rules are those of `alert`, the comparison with failures
//! that of `evaluate`.

mod page;
mod report;
mod thresholds;

use std::collections::HashMap;
use std::path::Path;

pub(super) use self::page::alerts_page;
pub use self::report::AlertsReport;
use self::report::{AlertFacts, RuleFigures, ThresholdFigures, TrackFigures};
use self::thresholds::varied;
use super::error::BacktestError;
use super::input_digest::digest_files;
use super::options::BacktestOptions;
use crate::alert::command::AlertCommand;
use crate::alert::rule::AlertRule;
use crate::alert::{Alert, Alerts};
use crate::command::evaluate::alerts::{Failure, TrackedPeriod, episodes, track};
use crate::command::evaluate::outcome::{Labelled, Outcomes};
use crate::config::ConfigError;
use crate::pipeline::Pipeline;
use crate::run::observer::{ObservedStep, Observer};
use crate::run::replay::{ReplayError, ReplayOptions, replay_span_observed, stream_names};
use crate::signal::lineage::Lineage;
use crate::sink::SinkError;
use crate::units::Nanos;

/// Replays the records, and lets the rules of the pipeline and others like them judge the probabilities.
///
/// # Errors
/// [`BacktestError`].
pub(super) fn backtest_alerts(
    pipeline: &Pipeline,
    labels: &Path,
    options: &BacktestOptions,
) -> Result<AlertsReport, BacktestError> {
    let columns = pipeline.columns();
    let outcomes = Outcomes::read(labels, columns.as_ref(), None)?;
    let mut loaded = pipeline.load_model()?;
    // Ids of signals are made of the names of their files.
    loaded.lineage.streams = stream_names(&options.inputs);
    let digested = digest_files(&options.inputs).map_err(ReplayError::Thread)?;
    let span = ReplayOptions {
        inputs: options.inputs.clone(),
        from: options.from,
        warm_up: options.warm_up,
        to: options.to,
        ..ReplayOptions::default()
    };
    let mut heard = HeardPds {
        lineage: &loaded.lineage,
        all: vec![],
        last: HashMap::new(),
        ids: outcomes.name_ids().then(HashMap::new),
        signals: 0,
    };
    let summary = replay_span_observed(pipeline, &loaded, &span, &mut heard)?;
    let failures = failures(pipeline, &loaded.lineage, &outcomes, &heard)?;
    let rules = &pipeline.file.alerts;
    let tracked = |rules: &[AlertRule]| -> Result<TrackFigures, ConfigError> {
        let fired = fired(pipeline, rules, &heard.all)?;
        let record = track(&episodes(&fired), &failures.all, failures.period);
        Ok(TrackFigures::new(record))
    };
    let mut of_rules = vec![];
    for rule in rules {
        let mut by_threshold = vec![];
        for (enter, exit, varied) in varied(rule) {
            let figures = tracked(&[varied])?;
            by_threshold.push(ThresholdFigures {
                enter,
                exit,
                figures,
            });
        }
        of_rules.push(RuleFigures {
            rule: rule.name.clone(),
            figures: tracked(std::slice::from_ref(rule))?,
            by_threshold,
        });
    }
    Ok(AlertsReport::new(AlertFacts {
        pipeline: &pipeline.file.name,
        model: loaded.lineage.first_model(),
        inputs: digested.join().expect("a digest does not panic"),
        signals: heard.signals,
        unmatched_labels: failures.unmatched,
        period: failures.period,
        all: tracked(rules)?,
        rules: of_rules,
        summary,
    }))
}

/// What the rules are told, in order.
#[derive(Clone, Debug)]
enum HeardByRules {
    Pd {
        obligor: String,
        ts: Nanos,
        period: Option<i64>,
        pd: f64,
    },
    Command(AlertCommand),
}

/// Keeps what the rules are told of a replay.
struct HeardPds<'a> {
    lineage: &'a Lineage,
    all: Vec<HeardByRules>,
    /// The times of the signals of each obligor.
    last: HashMap<String, Vec<i64>>,
    /// The time of each signal by its id, where labels name ids.
    ids: Option<HashMap<String, i64>>,
    signals: u64,
}

impl HeardPds<'_> {
    /// The time of the signal that a label is of.
    fn time_of(&self, label: &Labelled, obligor: &str) -> Option<i64> {
        if let Some(id) = &label.signal_id {
            return self.ids.as_ref()?.get(id).copied();
        }
        let times = self.last.get(obligor)?;
        match label.ts_event {
            Some(ts) => times.contains(&ts).then_some(ts),
            None => times.last().copied(),
        }
    }
}

impl Observer for HeardPds<'_> {
    fn step(&mut self, step: &ObservedStep<'_>) -> Result<(), SinkError> {
        for signal in step.signals {
            if self.lineage.model(signal).shadow {
                continue;
            }
            let obligor = step.instruments.name(signal.instrument);
            let times = self.last.entry(obligor.to_owned()).or_default();
            times.push(signal.ts_event.0);
            self.signals += 1;
            if let Some(ids) = &mut self.ids {
                let id = self.lineage.signal_id(signal, obligor);
                ids.insert(id, signal.ts_event.0);
            }
            // Nothing is said of a signal that must not be acted on.
            if signal.quality.may_be_acted_on() {
                self.all.push(HeardByRules::Pd {
                    obligor: obligor.to_owned(),
                    ts: signal.ts_event,
                    period: signal.period,
                    pd: self.lineage.score(signal),
                });
            }
        }
        Ok(())
    }

    fn command(&mut self, command: &AlertCommand) {
        self.all.push(HeardByRules::Command(command.clone()));
    }
}

/// All events of these rules.
fn fired(
    pipeline: &Pipeline,
    rules: &[AlertRule],
    heard: &[HeardByRules],
) -> Result<Vec<Alert>, ConfigError> {
    let alerts = Alerts::new(rules.to_vec());
    let mut alerts = alerts.map_err(|what| pipeline.error("alert", what))?;
    let mut fired = vec![];
    let mut latest = Nanos(i64::MIN);
    for one in heard {
        match one {
            HeardByRules::Pd {
                obligor,
                ts,
                period,
                pd,
            } => {
                fired.extend(alerts.observe_period(obligor, *ts, *period, *pd));
                latest = latest.max(*ts);
            }
            // A command about a rule that is not tried here finds nothing.
            HeardByRules::Command(command) => {
                fired.extend(command.apply(&mut alerts).unwrap_or_default());
            }
        }
    }
    // Time has passed for all, as if a tick had come at the end.
    fired.extend(alerts.tick(latest));
    Ok(fired)
}

/// The failures that labels tell of, and the period in which they are known.
struct KnownFailures {
    all: Vec<Failure>,
    period: TrackedPeriod,
    /// Labels of no signal.
    unmatched: u64,
}

fn failures(
    pipeline: &Pipeline,
    lineage: &Lineage,
    outcomes: &Outcomes,
    heard: &HeardPds<'_>,
) -> Result<KnownFailures, BacktestError> {
    let model = lineage.first_model();
    let horizon_ns = model.horizon_ns;
    let resolved = outcomes.resolve(&crate::command::evaluate::scale(pipeline, lineage))?;
    let (mut from, mut to) = (i64::MAX, i64::MIN);
    let (mut all, mut unmatched) = (vec![], 0);
    for (label, outcome) in outcomes.all.iter().zip(resolved) {
        let obligor = match &pipeline.form {
            Some(form) => form.public_name(&label.key).into_owned(),
            None => label.key.clone(),
        };
        let ts = heard.time_of(label, &obligor);
        let (Some(ts), Some(outcome)) = (ts, outcome) else {
            unmatched += u64::from(ts.is_none());
            continue;
        };
        let end = ts.saturating_add(horizon_ns);
        (from, to) = (from.min(ts), to.max(end));
        if outcome.happened(&model.labels) {
            all.push(Failure {
                obligor,
                ts: Nanos(label.ts_failure.unwrap_or(end)),
            });
        }
    }
    if from > to {
        let why = "; no label is of a signal of this input: labels are matched by key and ts_event (without one: \
                   the key's last signal)";
        return Err(BacktestError::Nothing { why: why.into() });
    }
    Ok(KnownFailures {
        all,
        unmatched,
        period: TrackedPeriod {
            from: Nanos(from),
            to: Nanos(to),
            horizon_ns,
        },
    })
}
