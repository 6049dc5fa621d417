//! `alerts.control.v1`: what people say of alerts, and that time has passed. Read from the topics of the
//! statements, in their order.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Alert, Alerts, Target};
use crate::decode::{AHEAD_NS, DecodeError};
use crate::units::Nanos;

/// What is to be done with an alert.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Command {
    action: Action,
    dedup_key: Option<String>,
    obligor: Option<String>,
    rule: Option<String>,
    until: Option<Nanos>,
    ts_event: Option<Nanos>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Acknowledge,
    Silence,
    Tick,
}

/// What tells a command from a record.
#[derive(Deserialize)]
struct Kind {
    action: Option<IgnoredAny>,
    items: Option<IgnoredAny>,
    fields: Option<IgnoredAny>,
}

impl Command {
    /// Reads a record that was received at this time; nothing where it is none of this topic.
    #[must_use]
    pub fn parse(bytes: &[u8], ts_recv: Nanos) -> Option<Result<Self, DecodeError>> {
        memchr::memmem::find(bytes, b"\"action\"")?;
        // A statement may have such an item, or a field that nobody asked for.
        let kind: Kind = serde_json::from_slice(bytes).ok()?;
        if kind.action.is_none() || kind.items.is_some() || kind.fields.is_some() {
            return None;
        }
        let wrong = |_| DecodeError::WrongShape;
        let parsed: Result<Self, _> = serde_json::from_slice(bytes).map_err(wrong);
        Some(parsed.and_then(|command| {
            let targeted = command.target().is_some();
            let whole = match command.action {
                Action::Acknowledge => targeted,
                Action::Silence => targeted && command.until.is_some(),
                Action::Tick => command.ts_event.is_some(),
            };
            if !whole {
                return Err(DecodeError::WrongShape);
            }
            // Time that has passed for all does not come back.
            let ahead = command
                .ts_event
                .is_some_and(|ts| ts.since(ts_recv) > AHEAD_NS);
            (!ahead)
                .then_some(command)
                .ok_or(DecodeError::OutOfRange("ts_event"))
        }))
    }

    /// Applies it, and gives the alerts that become due by it; none where it names no open alert.
    pub fn apply(&self, alerts: &mut Alerts) -> Option<Vec<Alert>> {
        let done = |found: bool| found.then(Vec::new);
        match (self.action, self.target(), self.until, self.ts_event) {
            (Action::Acknowledge, Some(target), ..) => done(alerts.acknowledge(target)),
            (Action::Silence, Some(target), Some(until), _) => done(alerts.silence(target, until)),
            (Action::Tick, .., Some(ts)) => Some(alerts.tick(ts)),
            _ => None,
        }
    }

    fn target(&self) -> Option<Target<'_>> {
        match self {
            Self {
                dedup_key: Some(key),
                ..
            } => Some(Target::Episode(key)),
            Self {
                obligor: Some(obligor),
                rule: Some(rule),
                ..
            } => Some(Target::Rule { obligor, rule }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_an_alert_and_a_silence_its_end() {
        let good = [
            r#"{"ts_event":1,"action":"acknowledge","dedup_key":"C1/level/1","by":"me"}"#,
            r#"{"ts_event":1,"action":"silence","obligor":"C1","rule":"level","until":9}"#,
            r#"{"ts_event":1,"action":"tick"}"#,
        ];
        assert!(
            good.iter()
                .all(|line| Command::parse(line.as_bytes(), Nanos(5)).is_some_and(|c| c.is_ok()))
        );
        for line in [
            r#"{"action":"silence","obligor":"C1","rule":"level"}"#,
            r#"{"action":"acknowledge","obligor":"C1"}"#,
            r#"{"action":"tick"}"#,
            r#"{"action":"forget","dedup_key":"C1/level/1"}"#,
        ] {
            let parsed = Command::parse(line.as_bytes(), Nanos(5));
            assert_eq!(parsed, Some(Err(DecodeError::WrongShape)), "{line}");
        }
        let far = br#"{"action":"tick","ts_event":86400000000006}"#;
        let ahead = Some(Err(DecodeError::OutOfRange("ts_event")));
        assert_eq!(Command::parse(far, Nanos(5)), ahead);
        for line in [
            r#"{"obligor":"C1","items":{}}"#,
            r#"{"obligor":"C1","items":{"action":1}}"#,
            r#"{"obligor":"C1","items":{},"action":"acquired"}"#,
            r#"{"action":"#,
        ] {
            assert_eq!(Command::parse(line.as_bytes(), Nanos(5)), None, "{line}");
        }
    }
}
