//! `[[alert]]` as written: when an alert opens, fires and is resolved, and how severe it is.
//!
//! Judges one PD (probability of default) at a time; how long a condition has held is `episode`'s part.

use serde::Deserialize;

use super::Severity;

/// `[[alert]]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertRule {
    /// The rule's name, which stands in every alert: lower-case letters, digits, `_` and `-`. Required.
    pub name: String,
    /// The condition that opens and ends an episode: `on.level` (the PD itself) or `on.change` (the PD
    /// against an earlier one). Required.
    pub on: AlertCondition,
    /// The PDs from which an alert is a `warning`, and `critical`. Required.
    pub severity: SeverityThresholds,
    /// How long the condition must hold before an alert fires, in milliseconds of event time. Default: `0`,
    /// which fires at once.
    #[serde(default)]
    pub for_ms: u64,
    /// How long the condition must be clear before a firing alert is resolved, in milliseconds of event
    /// time. Default: `0`, which resolves at once.
    #[serde(default)]
    pub keep_firing_for_ms: u64,
}

/// What opens and ends an episode.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertCondition {
    /// The PD itself.
    Level(LevelCondition),
    /// The PD against an earlier one of the same obligor.
    Change(ChangeCondition),
}

/// `on.level`
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelCondition {
    /// A PD at or above this opens an episode. Required; above 0 and at most 1.
    pub enter: f64,
    /// A PD below this ends the episode. Required; above 0 and below `enter`.
    pub exit: f64,
}

/// `on.change`. The earlier PD moves on with time, as with `offset` in Prometheus: where a PD rose and
/// stays there, the ratio is 1 again after `since_ms`. The rule is judged at each statement, and whenever
/// the earlier PD becomes another one, which a statement or a tick notices.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeCondition {
    /// A ratio of the PD to the earlier one at or above this opens an episode. Required; above 1.
    pub enter_ratio: f64,
    /// A ratio below this ends the episode. Required; above 0 and below `enter_ratio`.
    pub exit_ratio: f64,
    /// The earlier PD is the one known this long before, in milliseconds of event time; where over 1,024
    /// fall into that time, one that is younger by at most 1/256 of it. While none is that old, nothing is
    /// judged. Default: `0`, which compares with the last PD of the period before: a restatement is compared
    /// with the same one as the statement that it replaces.
    #[serde(default)]
    pub since_ms: u64,
    /// A lower PD counts as this one, so that a rise from almost nothing to very little is no change.
    /// Default: `0.0005`, the lowest PD that Basel (CRE32.4) lets a bank use for a firm.
    #[serde(default = "floor")]
    pub floor: f64,
}

/// `severity`. An alert below both thresholds is `info`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeverityThresholds {
    /// A PD at or above this is a `warning`. Required; 0 to 1.
    pub warning: f64,
    /// A PD at or above this is `critical`. Required; `warning` to 1.
    pub critical: f64,
}

/// How a rule judges a PD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// At or above the upper threshold.
    Holds,
    /// Between both thresholds, or there is nothing to compare with: a firing alert goes on, and none opens.
    Between,
    /// Below the lower threshold.
    Clear,
}

fn floor() -> f64 {
    0.0005
}

/// Checks the rules of a pipeline: each by itself, and their names.
///
/// # Errors
/// The index of the rule at fault, and a sentence that names the key.
pub fn check_rules(rules: &[AlertRule]) -> Result<(), (usize, String)> {
    for (at, rule) in rules.iter().enumerate() {
        rule.check().map_err(|what| (at, what))?;
        let name = &rule.name;
        if rules[..at].iter().any(|other| other.name == *name) {
            let what = format!(
                "two alerts have the `name` \"{name}\": their episodes would mix; rename one"
            );
            return Err((at, what));
        }
    }
    Ok(())
}

impl AlertRule {
    /// Checks the values against each other.
    ///
    /// # Errors
    /// A sentence that names the rule and the key at fault.
    pub fn check(&self) -> Result<(), String> {
        let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
        if self.name.is_empty() || !self.name.chars().all(known) {
            return Err(format!(
                "alert \"{}\": `name` must consist of lower-case letters, digits, `_` and `-`: it is part of the \
                 dedup key",
                self.name
            ));
        }
        let fault = match self.on {
            AlertCondition::Level(level) => level.fault(),
            AlertCondition::Change(change) => change.fault(),
        };
        match fault.or_else(|| self.severity.fault()) {
            Some(fault) => Err(format!("alert \"{}\": {fault}", self.name)),
            None => Ok(()),
        }
    }

    pub(super) fn judge(&self, pd: f64, earlier: Option<f64>) -> Judgement {
        let (value, enter, exit) = match self.on {
            AlertCondition::Level(level) => (pd, level.enter, level.exit),
            AlertCondition::Change(change) => {
                let Some(earlier) = earlier else {
                    return Judgement::Between;
                };
                let ratio = pd.max(change.floor) / earlier.max(change.floor);
                (ratio, change.enter_ratio, change.exit_ratio)
            }
        };
        if value >= enter {
            Judgement::Holds
        } else if value < exit {
            Judgement::Clear
        } else {
            Judgement::Between
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

    /// How long before the PD must have been known that the rule compares with; none for a rule on the
    /// level, and for one that compares with the period before.
    pub(super) fn lookback_ns(&self) -> Option<i64> {
        match self.on {
            AlertCondition::Change(change) if change.since_ms > 0 => Some(nanos(change.since_ms)),
            AlertCondition::Level(_) | AlertCondition::Change(_) => None,
        }
    }

    pub(super) fn for_ns(&self) -> i64 {
        nanos(self.for_ms)
    }

    pub(super) fn keep_firing_for_ns(&self) -> i64 {
        nanos(self.keep_firing_for_ms)
    }
}

impl LevelCondition {
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

impl ChangeCondition {
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

impl SeverityThresholds {
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
