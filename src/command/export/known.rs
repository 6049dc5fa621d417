//! When the features became known that are taken as of another time: economic figures and sentiment.

use std::collections::VecDeque;

use serde::Serialize;

use crate::engine::feature::{FeatureKind, FeaturePlan, FeatureSpec};
use crate::engine::row::Row;
use crate::event::{Body, Event};

/// The columns that depend on figures or sentiment, and when those came.
#[derive(Debug)]
pub(super) struct KnownTimes {
    features: Vec<Dependent>,
    figures: Vec<String>,
    /// Of each figure the times so far, in order.
    times: Vec<Vec<i64>>,
    /// Of each instrument.
    sentiments: Vec<SentimentTimes>,
}

/// A column that depends on figures or sentiment.
#[derive(Debug)]
struct Dependent {
    name: String,
    figures: Vec<usize>,
    sentiment: bool,
}

#[derive(Debug, Default)]
struct SentimentTimes {
    /// Times that have not come yet.
    waiting: VecDeque<i64>,
    used: Option<i64>,
}

/// An input that is taken as of another time, as it is described beside the rows.
#[derive(Debug, Serialize)]
pub(super) struct DescribedInput {
    feature: String,
    figure: String,
    known_column: Option<String>,
    release: Option<&'static str>,
}

/// Times kept of a figure, as many as the engine keeps.
const TIMES_MAX: usize = 1 << 16;

impl KnownTimes {
    /// Those of a plan that was made of these tables.
    pub(super) fn new(specs: &[FeatureSpec], plan: &FeaturePlan) -> Self {
        let figures = plan.figures().to_vec();
        let dependent = |spec: &FeatureSpec| {
            let (mut of, mut sentiment) = (vec![], false);
            gather(specs, &spec.name, &figures, &mut of, &mut sentiment);
            let depends = !of.is_empty() || sentiment;
            let is_column = plan.names().contains(&spec.name);
            (depends && is_column).then(|| Dependent {
                name: spec.name.clone(),
                figures: of,
                sentiment,
            })
        };
        Self {
            features: specs.iter().filter_map(dependent).collect(),
            times: vec![vec![]; figures.len()],
            figures,
            sentiments: vec![],
        }
    }

    /// The columns of times, in their order.
    pub(super) fn columns(&self) -> Vec<String> {
        let name = |one: &Dependent| format!("{}_known", one.name);
        self.features.iter().map(name).collect()
    }

    /// The inputs as they are described beside the rows. Figures and sentiment are taken by the time at which
    /// they were released, which is their `ts_event`.
    pub(super) fn described(&self) -> Vec<DescribedInput> {
        let mut all = vec![];
        for one in &self.features {
            let figures = one.figures.iter().map(|at| self.figures[*at].clone());
            let sentiment = one.sentiment.then(|| "sentiment".to_owned());
            all.extend(figures.chain(sentiment).map(|figure| DescribedInput {
                feature: one.name.clone(),
                figure,
                known_column: Some(format!("{}_known", one.name)),
                release: Some("ts_event"),
            }));
        }
        all
    }

    /// Notes the time of a figure or of sentiment.
    pub(super) fn take(&mut self, event: &Event) {
        if self.features.is_empty() {
            return;
        }
        match event.body {
            Body::Figure(figure) => {
                let Some(times) = self.times.get_mut(usize::from(figure.figure)) else {
                    return;
                };
                let place = times.partition_point(|ts| *ts <= event.ts_event.0);
                times.insert(place, event.ts_event.0);
                if times.len() > TIMES_MAX {
                    times.drain(..TIMES_MAX / 2);
                }
            }
            Body::Sentiment(_) => {
                let at = event.instrument.index();
                if at >= self.sentiments.len() {
                    self.sentiments.resize_with(at + 1, Default::default);
                }
                let waiting = &mut self.sentiments[at].waiting;
                let place = waiting.partition_point(|ts| *ts <= event.ts_event.0);
                waiting.insert(place, event.ts_event.0);
            }
            _ => {}
        }
    }

    /// When the inputs of each column became known that a row holds; none where nothing came yet.
    pub(super) fn of_row(&mut self, row: &Row) -> Box<[Option<i64>]> {
        if self.features.is_empty() {
            return Box::default();
        }
        let now = row.ts_event.0;
        let sentiment = self.sentiments.get_mut(row.instrument.index());
        let sentiment = sentiment.and_then(|times| {
            while times.waiting.front().is_some_and(|ts| *ts <= now) {
                times.used = times.used.max(times.waiting.pop_front());
            }
            times.used
        });
        let known = |one: &Dependent| {
            let figures = one.figures.iter().filter_map(|figure| {
                let times = &self.times[*figure];
                times[..times.partition_point(|ts| *ts <= now)]
                    .last()
                    .copied()
            });
            figures.chain(sentiment.filter(|_| one.sentiment)).max()
        };
        self.features.iter().map(known).collect()
    }
}

/// Finds the figures, and whether sentiment, that a feature is computed from, by way of others.
fn gather(
    specs: &[FeatureSpec],
    name: &str,
    figures: &[String],
    of: &mut Vec<usize>,
    sentiment: &mut bool,
) {
    let Some(spec) = specs.iter().find(|spec| spec.name == name) else {
        return;
    };
    *sentiment |= spec.kind == FeatureKind::Sentiment;
    if spec.kind == FeatureKind::Figure {
        let place = figures
            .iter()
            .position(|known| Some(known) == spec.figure.as_ref());
        of.extend(place.filter(|place| !of.contains(place)));
    }
    for other in [&spec.of, &spec.to].into_iter().flatten() {
        // A feature is made of those above it, so that this ends.
        if other != name {
            gather(specs, other, figures, of, sentiment);
        }
    }
}
