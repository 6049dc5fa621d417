//! How well alerts warned of failures, computed once the failures are known.
//!
//! Reads the alerts of a finished run; makes none.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::alert::{Alert, AlertState};
use crate::units::Nanos;

/// An episode that fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Episode {
    /// The obligor.
    pub obligor: String,
    /// The rule's name.
    pub rule: String,
    /// When it fired.
    pub fired: Nanos,
    /// When it was resolved; none where it was not.
    pub resolved: Option<Nanos>,
}

/// A known failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The obligor that failed.
    pub obligor: String,
    /// When.
    pub ts: Nanos,
}

/// The period whose episodes and failures are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackedPeriod {
    /// Its first moment.
    pub from: Nanos,
    /// Its last moment: failures are known up to here.
    pub to: Nanos,
    /// An episode warns of a failure that comes no later than this after it fired, or while it fires.
    pub horizon_ns: i64,
}

/// How well the alerts of a period warned of its failures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TrackRecord {
    /// Episodes that fired.
    pub episodes: u64,
    /// Episodes that a failure followed.
    pub right: u64,
    /// Episodes without a failure whose horizon is not over.
    pub undecided: u64,
    /// Failures.
    pub failures: u64,
    /// Failures that an episode had warned of.
    pub warned: u64,
    /// `right` among the episodes that are decided.
    pub precision: Option<f64>,
    /// `warned` among the failures.
    pub recall: Option<f64>,
    /// From the first episode that warned of a failure to the failure, in nanoseconds: the median.
    pub lead_ns_median: Option<i64>,
    /// Episodes that fired within a year after the one before them, of their obligor and rule, was
    /// resolved.
    pub flaps: u64,
    /// Episodes in a year.
    pub load_per_year: Option<f64>,
}

/// A year of 365.25 days.
const YEAR_NS: i64 = 31_557_600 * 1_000_000_000;

/// The episodes that fired, in the order in which they did, from all events of a run in any order.
#[must_use]
pub fn episodes(alerts: &[Alert]) -> Vec<Episode> {
    let mut found = BTreeMap::new();
    for alert in alerts {
        let Some(fired) = alert.fired else {
            continue;
        };
        let key = (fired, &alert.obligor, &alert.rule, alert.episode);
        let episode = found.entry(key).or_insert_with(|| Episode {
            obligor: alert.obligor.clone(),
            rule: alert.rule.clone(),
            fired,
            resolved: None,
        });
        if alert.state == AlertState::Resolved {
            episode.resolved = Some(alert.ts_event);
        }
    }
    found.into_values().collect()
}

/// Compares the episodes that fired in the period with its failures.
#[must_use]
pub fn track(episodes: &[Episode], failures: &[Failure], period: TrackedPeriod) -> TrackRecord {
    let inside = |ts: Nanos| period.from <= ts && ts <= period.to;
    let episodes: Vec<&Episode> = episodes.iter().filter(|e| inside(e.fired)).collect();
    let failures: Vec<&Failure> = failures.iter().filter(|f| inside(f.ts)).collect();
    let is_over = |episode: &Episode| period.to.since(episode.fired) >= period.horizon_ns;

    let mut leads: Vec<i64> = failures
        .iter()
        .filter_map(|failure| {
            let warning = episodes
                .iter()
                .filter(|episode| period.warns(episode, failure));
            warning.map(|episode| failure.ts.since(episode.fired)).max()
        })
        .collect();
    let right = |episode: &&&Episode| {
        failures
            .iter()
            .any(|failure| period.warns(episode, failure))
    };
    let (right, wrong): (Vec<&Episode>, Vec<&Episode>) = episodes.iter().partition(right);
    let undecided = wrong.iter().filter(|episode| !is_over(episode)).count();
    let years = period.to.since(period.from) as f64 / YEAR_NS as f64;
    TrackRecord {
        episodes: episodes.len() as u64,
        right: right.len() as u64,
        undecided: undecided as u64,
        failures: failures.len() as u64,
        warned: leads.len() as u64,
        precision: share(right.len(), episodes.len() - undecided),
        recall: share(leads.len(), failures.len()),
        lead_ns_median: median(&mut leads),
        flaps: flaps(&episodes),
        load_per_year: (years > 0.0).then(|| episodes.len() as f64 / years),
    }
}

impl TrackedPeriod {
    fn warns(&self, episode: &Episode, failure: &Failure) -> bool {
        let lead = failure.ts.since(episode.fired);
        let still_firing = episode
            .resolved
            .is_none_or(|resolved| failure.ts <= resolved);
        episode.obligor == failure.obligor && lead > 0 && (lead <= self.horizon_ns || still_firing)
    }
}

fn flaps(episodes: &[&Episode]) -> u64 {
    let mut sorted = episodes.to_vec();
    sorted.sort_by_key(|episode| episode.fired);
    let mut before = HashMap::new();
    let mut flaps = 0;
    for episode in sorted {
        let resolved = before.insert((&episode.obligor, &episode.rule), episode.resolved);
        if let Some(Some(resolved)) = resolved {
            flaps += u64::from(episode.fired.since(resolved) <= YEAR_NS);
        }
    }
    flaps
}

fn median(values: &mut [i64]) -> Option<i64> {
    values.sort_unstable();
    let half = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[half]),
        _ => Some(values[half - 1].midpoint(values[half])),
    }
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
