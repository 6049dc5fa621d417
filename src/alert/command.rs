//! `alerts.control.v1`: what people say of alerts. Read from the topics of the statements, in their order.

use serde::Deserialize;

use super::{Alerts, Target};
use crate::decode::DecodeError;
use crate::units::Nanos;

/// What is to be done with an alert.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Command {
    action: Action,
    dedup_key: Option<String>,
    obligor: Option<String>,
    rule: Option<String>,
    until: Option<Nanos>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Acknowledge,
    Silence,
}

impl Command {
    /// Reads a record; nothing where it is none of this topic.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Result<Self, DecodeError>> {
        memchr::memmem::find(bytes, b"\"action\"")?;
        let wrong = |_| DecodeError::WrongShape;
        let parsed: Result<Self, _> = serde_json::from_slice(bytes).map_err(wrong);
        Some(parsed.and_then(|command| match command.target() {
            Some(_) if command.action == Action::Acknowledge || command.until.is_some() => {
                Ok(command)
            }
            _ => Err(DecodeError::WrongShape),
        }))
    }

    /// Does it. False where there is no such alert.
    pub(super) fn apply(&self, alerts: &mut Alerts) -> bool {
        match (self.target(), self.action, self.until) {
            (Some(target), Action::Acknowledge, _) => alerts.acknowledge(target),
            (Some(target), Action::Silence, Some(until)) => alerts.silence(target, until),
            _ => false,
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
        ];
        assert!(
            good.iter()
                .all(|line| Command::parse(line.as_bytes()).is_some_and(|c| c.is_ok()))
        );
        for line in [
            r#"{"action":"silence","obligor":"C1","rule":"level"}"#,
            r#"{"action":"acknowledge","obligor":"C1"}"#,
            r#"{"action":"forget","dedup_key":"C1/level/1"}"#,
            r#"{"action":"#,
        ] {
            let parsed = Command::parse(line.as_bytes());
            assert_eq!(parsed, Some(Err(DecodeError::WrongShape)), "{line}");
        }
        assert_eq!(Command::parse(br#"{"obligor":"C1","items":{}}"#), None);
    }
}
