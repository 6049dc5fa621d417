//! Alerts: a probability of default (PD) rises, an episode opens, fires, and is resolved.
//!
//! The terms are those of Prometheus: a rule's condition must hold for a while before an alert fires, and
//! be clear for a while before it is resolved. A state machine without a clock, a socket or a file: time is
//! that of the observations and of [`Alerts::tick`].
//!
//! A PD holds until the next one of its obligor. An event that becomes due in between has the time at which
//! it was due, not the time at which that was noticed: ticks make alerts sooner, never different. A rule
//! on the change is judged anew whenever the PD that it compares with changes, which is `since_ms` after an
//! observation.
//!
//! An observation is judged before what becomes due at its very time: a condition that ends when `for_ms` is
//! over does not fire. A tick says that nothing of its time is still to come, so what is due then is told.
//!
//! An observation older than the newest one of its obligor is ignored and counted. One that is the newest,
//! but older than the last tick, is judged at the time of the tick, so that published events stay valid.
//! Repeating the newest observation changes nothing.

pub mod command;
mod episode;
mod observation;
mod past;
pub mod record;
pub mod rule;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::units::Nanos;

use episode::{Outbox, RuleState};
use observation::Observation;
use rule::{AlertRule, check_rules};

/// One change of an episode, to be published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The obligor that it is about.
    pub obligor: String,
    /// The rule's name.
    pub rule: String,
    /// The number of the episode of this obligor and rule, from 1.
    pub episode: u64,
    /// The number of the event of this obligor and rule, from 1, over all episodes.
    pub sequence: u64,
    /// The state of the episode.
    pub state: AlertState,
    /// The worst severity of the episode since it fired; it never falls within an episode.
    pub severity: Severity,
    /// The newest PD.
    pub pd: f64,
    /// When the episode got this state or severity, in event time.
    pub ts_event: Nanos,
    /// When the condition began to hold, in event time.
    pub since: Nanos,
    /// When the episode fired; none where it is pending, or was resolved before it fired.
    pub fired: Option<Nanos>,
    /// Whether the episode was acknowledged.
    pub acknowledged: bool,
    /// Whether the episode was resolved because its rule was taken out of the configuration: then nothing is
    /// said of the PD.
    #[serde(default)]
    pub rule_removed: bool,
}

/// The state of an episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// The condition holds, but not yet for `for_ms`.
    Pending,
    /// The condition has held for `for_ms`, and has not been clear for `keep_firing_for_ms` since.
    Firing,
    /// Over.
    Resolved,
}

/// How severe a PD is, least severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Below both thresholds.
    Info,
    /// At or above the threshold of warnings.
    Warning,
    /// At or above the threshold of critical alerts.
    Critical,
}

/// The alert that a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertTarget<'a> {
    /// One episode, by its [`Alert::dedup_key`].
    Episode(&'a str),
    /// The episodes of one rule for one obligor.
    Rule {
        /// The obligor.
        obligor: &'a str,
        /// The rule's name.
        rule: &'a str,
    },
}

/// All rules over all obligors.
#[derive(Debug)]
pub struct Alerts {
    rules: Vec<AlertRule>,
    snapshot: AlertsSnapshot,
    /// The earliest time at which something is due: an earlier tick does nothing.
    next_due: Nanos,
}

/// The state of [`Alerts`] for a restart: with it, no event is published twice or lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertsSnapshot {
    /// By obligor and rule.
    #[serde(rename = "keys")]
    states: BTreeMap<String, BTreeMap<String, RuleState>>,
    /// The latest tick.
    ticked: Nanos,
    counts: AlertCounts,
}

impl AlertsSnapshot {
    /// Its obligors.
    pub fn obligors(&self) -> impl Iterator<Item = &str> {
        self.states.keys().map(String::as_str)
    }
}

/// Observations and events that led to no record, since the first start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertCounts {
    /// Observations older than the newest one of their obligor.
    pub late: u64,
    /// Observations that are not a probability.
    pub refused: u64,
    /// Events that a silence held back.
    pub silenced: u64,
    /// Observations of a quality that must not be acted on.
    #[serde(default)]
    pub untrusted: u64,
}

const LONG_AGO: Nanos = Nanos(i64::MIN);

impl Alert {
    /// The key that all events of an episode share: `OBLIGOR/RULE/EPISODE`. Names of rules contain no `/`,
    /// so it is parsed from the right.
    #[must_use]
    pub fn dedup_key(&self) -> String {
        format!("{}/{}/{}", self.obligor, self.rule, self.episode)
    }
}

impl Alerts {
    /// Alerts without open episodes.
    ///
    /// # Errors
    /// A sentence that names the key at fault.
    pub fn new(rules: Vec<AlertRule>) -> Result<Self, String> {
        Self::restore(rules, AlertsSnapshot::default())
    }

    /// Goes on from a snapshot. Changed rules judge later observations. Call [`Self::resolve_removed`] next.
    ///
    /// # Errors
    /// A sentence that names the key at fault, or the obligor whose state in the snapshot cannot be.
    pub fn restore(rules: Vec<AlertRule>, snapshot: AlertsSnapshot) -> Result<Self, String> {
        check_rules(&rules).map_err(|(_, what)| what)?;
        snapshot.check()?;
        Ok(Self {
            rules,
            snapshot,
            next_due: LONG_AGO,
        })
    }

    /// The state to pass to [`Self::restore`].
    #[must_use]
    pub fn snapshot(&self) -> &AlertsSnapshot {
        &self.snapshot
    }

    /// The part of the state that is about these obligors, for [`Self::add`]. It has no counts.
    #[must_use]
    pub fn snapshot_of<'a>(&self, obligors: impl Iterator<Item = &'a str>) -> AlertsSnapshot {
        let states = &self.snapshot.states;
        let of = obligors.filter_map(|one| Some((one.to_owned(), states.get(one)?.clone())));
        AlertsSnapshot {
            states: of.collect(),
            ticked: self.snapshot.ticked,
            counts: AlertCounts::default(),
        }
    }

    /// Goes on from a part of a state that was saved. Call [`Self::resolve_removed`] next.
    ///
    /// # Errors
    /// As [`AlertsSnapshot::check`].
    pub fn add(&mut self, part: AlertsSnapshot) -> Result<(), String> {
        part.check()?;
        self.snapshot.states.extend(part.states);
        self.snapshot.ticked = self.snapshot.ticked.max(part.ticked);
        self.next_due = LONG_AGO;
        Ok(())
    }

    /// Forgets an obligor: nothing is published of its open episodes.
    pub fn forget(&mut self, obligor: &str) {
        self.snapshot.states.remove(obligor);
    }

    /// The counts of observations and events that led to no record.
    #[must_use]
    pub fn counts(&self) -> AlertCounts {
        self.snapshot.counts
    }

    /// Resolves the open episodes of rules that no longer exist, each at the latest time known of it, and
    /// returns the events to publish.
    pub fn resolve_removed(&mut self) -> Vec<Alert> {
        let mut alerts = vec![];
        for (obligor, states) in &mut self.snapshot.states {
            for (name, state) in states {
                if self.rules.iter().any(|rule| rule.name == *name) {
                    continue;
                }
                let mut outbox = Outbox {
                    obligor,
                    rule: name,
                    alerts: &mut alerts,
                    silenced: &mut self.snapshot.counts.silenced,
                };
                state.withdraw(self.snapshot.ticked, &mut outbox);
            }
        }
        alerts.sort_by_key(|alert| alert.ts_event);
        alerts
    }

    /// Takes an obligor's PD and returns the events to publish, those that became due before it first. The
    /// PD is compared with the one before it; one of a statement: [`Self::observe_period`].
    pub fn observe(&mut self, obligor: &str, ts: Nanos, pd: f64) -> Vec<Alert> {
        self.observe_period(obligor, ts, None, pd)
    }

    /// The same for the PD of a reporting period. A restatement, which has the period of the observation
    /// before it, is compared with the period before that: it replaces its PD and is no change in itself.
    pub fn observe_period(
        &mut self,
        obligor: &str,
        ts: Nanos,
        period: Option<i64>,
        pd: f64,
    ) -> Vec<Alert> {
        let mut alerts = vec![];
        let counts = &mut self.snapshot.counts;
        if !(0.0..=1.0).contains(&pd) {
            counts.refused += 1;
            return alerts;
        }
        let states = entry(&mut self.snapshot.states, obligor);
        let now = ts.max(self.snapshot.ticked);
        let mut late = false;
        for rule in &self.rules {
            let state = entry(states, &rule.name);
            let mut outbox = Outbox {
                obligor,
                rule: &rule.name,
                alerts: &mut alerts,
                silenced: &mut counts.silenced,
            };
            let observation = Observation { ts, pd };
            late |= !state.observe(rule, observation, period, now, &mut outbox);
            self.next_due = self.next_due.min(state.next_due(rule));
        }
        counts.late += u64::from(late);
        alerts
    }

    /// Counts an observation that must not be acted on, and is passed over: the PD before it holds.
    pub fn pass_over(&mut self) {
        self.snapshot.counts.untrusted += 1;
    }

    /// Lets event time pass for all obligors and returns the events that became due, in the order of their
    /// times.
    pub fn tick(&mut self, ts: Nanos) -> Vec<Alert> {
        let mut alerts = vec![];
        self.snapshot.ticked = self.snapshot.ticked.max(ts);
        if ts < self.next_due {
            return alerts;
        }
        self.next_due = Nanos::UNDEFINED;
        for (obligor, states) in &mut self.snapshot.states {
            for (name, state) in states {
                let mut outbox = Outbox {
                    obligor,
                    rule: name,
                    alerts: &mut alerts,
                    silenced: &mut self.snapshot.counts.silenced,
                };
                if let Some(rule) = self.rules.iter().find(|rule| rule.name == *name) {
                    state.advance(rule, ts, &mut outbox);
                    self.next_due = self.next_due.min(state.next_due(rule));
                }
            }
        }
        alerts.sort_by_key(|alert| alert.ts_event);
        alerts
    }

    /// Acknowledges the open episode: until it is resolved, only its rise to critical is published. False
    /// where no such episode is open.
    pub fn acknowledge(&mut self, target: AlertTarget<'_>) -> bool {
        self.state(target).is_some_and(RuleState::acknowledge)
    }

    /// Holds back all events of an obligor's rule while event time is before `until`, those of later
    /// episodes included. At `until` the open episode is published if it has changed, and so is the end of
    /// an episode whose beginning was published. A time in the past ends a silence. False where the episode
    /// is not open, or the rule does not exist.
    pub fn silence(&mut self, target: AlertTarget<'_>, until: Nanos) -> bool {
        if let AlertTarget::Rule { obligor, rule } = target
            && self.rules.iter().any(|other| other.name == rule)
        {
            entry(entry(&mut self.snapshot.states, obligor), rule);
        }
        let until = until.max(self.snapshot.ticked);
        let Some(state) = self.state(target) else {
            return false;
        };
        state.silence(until);
        self.next_due = self.next_due.min(until);
        true
    }

    fn state(&mut self, target: AlertTarget<'_>) -> Option<&mut RuleState> {
        let (obligor, rule, episode) = match target {
            AlertTarget::Rule { obligor, rule } => (obligor, rule, None),
            AlertTarget::Episode(dedup_key) => {
                let (rest, episode) = dedup_key.rsplit_once('/')?;
                let (obligor, rule) = rest.rsplit_once('/')?;
                (obligor, rule, Some(episode.parse::<u64>().ok()?))
            }
        };
        let state = self.snapshot.states.get_mut(obligor)?.get_mut(rule)?;
        (episode.is_none() || episode == state.open_episode()).then_some(state)
    }
}

impl AlertsSnapshot {
    /// Checks what a damaged file may lack.
    ///
    /// # Errors
    /// A sentence that names the obligor whose state cannot be.
    pub fn check(&self) -> Result<(), String> {
        for (obligor, states) in &self.states {
            if let Some((rule, _)) = states.iter().find(|(_, state)| !state.is_sound()) {
                return Err(format!(
                    "the alerts of `{obligor}` under the rule `{rule}` lack the PD that they are about; restore \
                     the file from a copy, or remove it to begin anew"
                ));
            }
        }
        Ok(())
    }
}

impl Default for AlertsSnapshot {
    fn default() -> Self {
        Self {
            states: BTreeMap::new(),
            ticked: LONG_AGO,
            counts: AlertCounts::default(),
        }
    }
}

/// The value under this name; the name is copied only where it is new.
fn entry<'a, T: Default>(map: &'a mut BTreeMap<String, T>, name: &str) -> &'a mut T {
    if !map.contains_key(name) {
        map.insert(name.to_owned(), T::default());
    }
    map.get_mut(name).expect("it is there or was put there")
}
