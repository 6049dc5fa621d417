//! `[[alert]]` as written: when an alert opens, fires and is resolved, and how bad it is.
//!
//! Judges one PD at a time; how long it has been so is `key`'s part.

use serde::Deserialize;

use super::Severity;

/// `[[alert]]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The rule's name, in every alert: small letters, digits, `_` and `-`.
    pub name: String,
    /// `on.level` or `on.change`: what opens and ends an episode.
    pub on: Trigger,
    /// `severity`: how bad which PD is.
    pub severity: Borders,
    /// How long it must hold before an alert fires, in milliseconds of event time; 0 fires at once.
    #[serde(default)]
    pub for_ms: u64,
    /// How long it must be clear before a firing alert is resolved, in milliseconds of event time; 0
    /// resolves at once.
    #[serde(default)]
    pub keep_firing_for_ms: u64,
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The PD itself.
    Level(Level),
    /// The PD against an earlier one of the same obligor.
    Change(Change),
}

/// `on.level`
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// A PD from here up opens an episode.
    pub enter: f64,
    /// A PD below ends one.
    pub exit: f64,
}

/// `on.change`. The earlier PD moves on with time, as with `offset` in Prometheus: where a PD went up and
/// stays there, the ratio is 1 again after `since_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// A ratio from here up opens an episode.
    pub enter_ratio: f64,
    /// A ratio below ends one.
    pub exit_ratio: f64,
    /// The earlier PD is the one known so many milliseconds before; 0 takes the last one before. Until one
    /// is that old, nothing is judged.
    #[serde(default)]
    pub since_ms: u64,
    /// PDs below count as this: from nothing to very little is no change. The default is the lowest PD
    /// that Basel (CRE32.4) lets a bank use for a firm.
    #[serde(default = "floor")]
    pub floor: f64,
}

/// `severity`: below both borders an alert is `info`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Borders {
    /// A PD from here up is a `warning`.
    pub warning: f64,
    /// A PD from here up is `critical`.
    pub critical: f64,
}

/// What a rule makes of a PD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// At or above the upper threshold.
    Holds,
    /// Between both thresholds, or nothing to compare with: what fires goes on, and nothing new begins.
    Between,
    /// Below the lower threshold.
    Clear,
}

fn floor() -> f64 {
    0.0005
}

impl Rule {
    /// Whether the values fit each other.
    ///
    /// # Errors
    /// A sentence that names the rule and the key at fault.
    pub fn check(&self) -> Result<(), String> {
        let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        if self.name.is_empty() || !self.name.chars().all(known) {
            return Err(format!(
                "alert \"{}\": `name` must be of small letters, digits, `_` and `-`: it is part of the \
                 dedup key",
                self.name
            ));
        }
        let fault = match self.on {
            Trigger::Level(level) => level.fault(),
            Trigger::Change(change) => change.fault(),
        };
        match fault.or_else(|| self.severity.fault()) {
            Some(fault) => Err(format!("alert \"{}\": {fault}", self.name)),
            None => Ok(()),
        }
    }

    pub(super) fn condition(&self, pd: f64, earlier: Option<f64>) -> Condition {
        let (value, enter, exit) = match self.on {
            Trigger::Level(level) => (pd, level.enter, level.exit),
            Trigger::Change(change) => {
                let Some(earlier) = earlier else {
                    return Condition::Between;
                };
                let ratio = pd.max(change.floor) / earlier.max(change.floor);
                (ratio, change.enter_ratio, change.exit_ratio)
            }
        };
        if value >= enter {
            Condition::Holds
        } else if value < exit {
            Condition::Clear
        } else {
            Condition::Between
        }
    }

    pub(super) fn severity(&self, pd: f64) -> Severity {
        if pd >= self.severity.critical {
            Severity::Critical
        } else if pd >= self.severity.warning {
            Severity::Warning
        } else {
            Severity::Info
        }
    }

    /// How old the PD must be that the rule compares with: 1 ns for the last one; none where it compares
    /// with no other.
    pub(super) fn reach_ns(&self) -> Option<i64> {
        match self.on {
            Trigger::Level(_) => None,
            Trigger::Change(change) => Some(nanos(change.since_ms).max(1)),
        }
    }

    pub(super) fn for_ns(&self) -> i64 {
        nanos(self.for_ms)
    }

    pub(super) fn keep_firing_for_ns(&self) -> i64 {
        nanos(self.keep_firing_for_ms)
    }
}

impl Level {
    fn fault(&self) -> Option<&'static str> {
        if !(self.enter > 0.0 && self.enter <= 1.0) {
            return Some("`enter` must be above 0 and at most 1: it is a probability");
        }
        if self.exit.is_nan() || self.exit <= 0.0 {
            return Some("`exit` must be above 0: no PD is lower, and no alert would be resolved");
        }
        (self.exit >= self.enter)
            .then_some("`exit` must be below `enter`: between them an alert stays what it is")
    }
}

impl Change {
    fn fault(&self) -> Option<&'static str> {
        if !(self.enter_ratio > 1.0 && self.enter_ratio.is_finite()) {
            return Some("`enter_ratio` must be above 1: a PD that falls is no reason to alert");
        }
        if self.exit_ratio.is_nan() || self.exit_ratio <= 0.0 {
            return Some("`exit_ratio` must be above 0: no alert would be resolved");
        }
        if self.exit_ratio >= self.enter_ratio {
            return Some(
                "`exit_ratio` must be below `enter_ratio`: between them an alert stays what it is",
            );
        }
        (!(self.floor > 0.0 && self.floor < 1.0))
            .then_some("`floor` must be above 0 and below 1: PDs are divided by it")
    }
}

impl Borders {
    fn fault(&self) -> Option<&'static str> {
        if !(0.0..=1.0).contains(&self.warning) {
            return Some("`severity.warning` must be in 0..1: it is a PD");
        }
        if !(0.0..=1.0).contains(&self.critical) {
            return Some("`severity.critical` must be in 0..1: it is a PD");
        }
        (self.warning > self.critical)
            .then_some("`severity.warning` must not be above `severity.critical`")
    }
}

fn nanos(millis: u64) -> i64 {
    i64::try_from(millis).map_or(i64::MAX, |millis| millis.saturating_mul(1_000_000))
}
