//! The scores and the alerts of a replay, as an evaluation needs them.

use std::collections::HashMap;

use super::error::EvaluateError;
use super::options::EvaluationOptions;
use super::prices::{PriceRecorder, Prices};
use super::scored::Scored;
use crate::alert::command::AlertCommand;
use crate::alert::{Alert, Alerts};
use crate::pipeline::{Loaded, Pipeline};
use crate::run::observer::{ObservedStep, Observer};
use crate::run::replay::{ReplayOptions, replay_span_observed, stream_names};
use crate::run::summary::Summary;
use crate::signal::lineage::Lineage;
use crate::sink::SinkError;
use crate::units::Nanos;

/// What is wanted of signals, beside their scores.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CollectOptions {
    /// Their ids, because labels name them.
    pub(super) ids: bool,
    /// The prices of their instruments.
    pub(super) prices: bool,
}

/// The signals of an input.
pub(super) struct Collected {
    /// Of all signals.
    pub(super) lineage: Lineage,
    /// In the order in which they were given.
    pub(super) scored: Vec<Scored>,
    /// The alerts; none where they cannot be known.
    pub(super) alerts: Option<Vec<Alert>>,
    /// The prices, where they were wanted.
    pub(super) prices: Option<Prices>,
    /// What the replay counted; none for stored signals.
    pub(super) summary: Option<Summary>,
    /// Stored signals that were left out, as they repeat one, or are of another model; 0 of a replay.
    pub(super) left_out: u64,
}

/// Replays the events through the pipeline.
pub(super) fn replayed(
    pipeline: &Pipeline,
    options: &EvaluationOptions,
    wanted: CollectOptions,
) -> Result<Collected, EvaluateError> {
    let mut loaded: Loaded = pipeline.load_model()?;
    // As `replay --output` writes them: ids depend on the names of streams.
    loaded.lineage.streams = stream_names(&options.inputs);
    let alerts = Alerts::new(pipeline.file.alerts.clone());
    let mut collector = Collector {
        lineage: &loaded.lineage,
        wanted,
        scored: vec![],
        places: HashMap::new(),
        alerts: alerts.map_err(|what| pipeline.error("[[alert]]", what))?,
        fired: vec![],
        latest: Nanos(i64::MIN),
        prices: wanted.prices.then(|| PriceRecorder::new(pipeline)),
    };
    let span = ReplayOptions {
        inputs: options.inputs.clone(),
        from: options.from,
        warm_up: options.warm_up,
        to: options.to,
        reads_on: wanted.prices,
        ..ReplayOptions::default()
    };
    let summary = replay_span_observed(pipeline, &loaded, &span, &mut collector)?;
    summary.span.check()?;
    // Time has passed for all, as if a tick had come at the end.
    let due = collector.alerts.tick(collector.latest);
    collector.fired.extend(due);
    let Collector {
        scored,
        fired,
        prices,
        ..
    } = collector;
    Ok(Collected {
        scored,
        alerts: Some(fired),
        prices: prices.map(PriceRecorder::finish),
        summary: Some(summary),
        left_out: 0,
        lineage: loaded.lineage,
    })
}

/// Collects the scores and the alerts of a replay.
struct Collector<'a> {
    lineage: &'a Lineage,
    wanted: CollectOptions,
    scored: Vec<Scored>,
    /// Where signals are corrected: the place of each, by its id. Its last revision counts.
    places: HashMap<String, usize>,
    alerts: Alerts,
    fired: Vec<Alert>,
    /// The latest time of a signal.
    latest: Nanos,
    prices: Option<PriceRecorder>,
}

impl Observer for Collector<'_> {
    fn step(&mut self, step: &ObservedStep<'_>) -> Result<(), SinkError> {
        if let Some(prices) = &mut self.prices {
            prices.step(step.batch, step.instruments);
        }
        for signal in step.signals {
            let classes = self.lineage.model(signal).labels.len().max(1);
            let name = step.instruments.name(signal.instrument);
            let score = self.lineage.score(signal);
            let (ts, period) = (signal.ts_event, signal.period);
            let fired = self.alerts.observe_period(name, ts, period, score);
            self.fired.extend(fired);
            self.latest = self.latest.max(ts);
            let needs_id = self.wanted.ids || self.lineage.corrects;
            let id = needs_id.then(|| self.lineage.signal_id(signal, name));
            let place = id.clone().filter(|_| self.lineage.corrects);
            let prices = self.prices.as_mut();
            let start = prices.and_then(|prices| prices.start_of(signal));
            let mut scored = Scored {
                key: name.into(),
                id,
                ts_event: signal.ts_event.0,
                probabilities: signal.outputs[..classes].to_vec(),
                score,
                start,
            };
            if let Some(id) = place {
                if let Some(&place) = self.places.get(&id).filter(|_| signal.revision > 0) {
                    // The price was known when the first one was made.
                    scored.start = self.scored[place].start;
                    self.scored[place] = scored;
                    continue;
                }
                self.places.insert(id, self.scored.len());
            }
            self.scored.push(scored);
        }
        Ok(())
    }

    fn command(&mut self, command: &AlertCommand) {
        self.fired
            .extend(command.apply(&mut self.alerts).unwrap_or_default());
    }
}
