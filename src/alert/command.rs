//! Commands of `alerts.control.v1`: acknowledge an alert, silence it, or let time pass. They are read from
//! the topics of the statements, in their order.

use serde::Deserialize;

use super::{Alert, AlertTarget, Alerts};
use crate::units::Nanos;

/// A command about an alert.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AlertCommand {
    action: AlertAction,
    dedup_key: Option<String>,
    obligor: Option<String>,
    rule: Option<String>,
    until: Option<Nanos>,
    ts_event: Option<Nanos>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AlertAction {
    Acknowledge,
    Silence,
    Tick,
}

impl AlertCommand {
    /// The first field that its action needs and that it does not have.
    #[must_use]
    pub fn missing(&self) -> Option<&'static str> {
        let target = match (&self.obligor, &self.rule) {
            _ if self.target().is_some() => None,
            (Some(_), None) => Some("rule"),
            (None, Some(_)) => Some("obligor"),
            _ => Some("dedup_key"),
        };
        match self.action {
            AlertAction::Acknowledge => target,
            AlertAction::Silence => target.or_else(|| self.until.is_none().then_some("until")),
            AlertAction::Tick => self.ts_event.is_none().then_some("ts_event"),
        }
    }

    /// When it was given, in event time.
    #[must_use]
    pub fn ts_event(&self) -> Option<Nanos> {
        self.ts_event
    }

    /// Executes the command and returns the events that become due by it; none where it names no known alert.
    pub fn apply(&self, alerts: &mut Alerts) -> Option<Vec<Alert>> {
        let done = |found: bool| found.then(Vec::new);
        match (self.action, self.target(), self.until, self.ts_event) {
            (AlertAction::Acknowledge, Some(target), ..) => done(alerts.acknowledge(target)),
            (AlertAction::Silence, Some(target), Some(until), _) => {
                done(alerts.silence(target, until))
            }
            (AlertAction::Tick, .., Some(ts)) => Some(alerts.tick(ts)),
            _ => None,
        }
    }

    fn target(&self) -> Option<AlertTarget<'_>> {
        match self {
            Self {
                dedup_key: Some(key),
                ..
            } => Some(AlertTarget::Episode(key)),
            Self {
                obligor: Some(obligor),
                rule: Some(rule),
                ..
            } => Some(AlertTarget::Rule { obligor, rule }),
            _ => None,
        }
    }
}
