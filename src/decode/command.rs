//! Commands about alerts: `alerts.control.v1`.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::DecodeError;
use super::json::AHEAD_NS;
use crate::alert::command::AlertCommand;
use crate::units::Nanos;

/// Parses a record that was received at this time; none where it is not a command.
///
/// # Errors
/// [`DecodeError`] inside the option, where it is a command that cannot be executed.
#[must_use]
pub fn parse_command(bytes: &[u8], ts_recv: Nanos) -> Option<Result<AlertCommand, DecodeError>> {
    memchr::memmem::find(bytes, b"\"action\"")?;
    // A statement may have an item of that name.
    let kind: Discriminator = serde_json::from_slice(bytes).ok()?;
    if kind.action.is_none() || kind.items.is_some() || kind.fields.is_some() {
        return None;
    }
    Some(parse(bytes, ts_recv))
}

fn parse(bytes: &[u8], ts_recv: Nanos) -> Result<AlertCommand, DecodeError> {
    let parsed = serde_json::from_slice::<AlertCommand>(bytes);
    let command = parsed.map_err(|_| DecodeError::WrongShape)?;
    if !command.is_complete() {
        return Err(DecodeError::WrongShape);
    }
    // A tick cannot be undone, so a time that is far ahead is refused.
    match command.ts_event() {
        Some(ts) if ts.since(ts_recv) > AHEAD_NS => Err(DecodeError::OutOfRange("ts_event")),
        _ => Ok(command),
    }
}

/// The fields that distinguish a command from a statement or an application.
#[derive(Deserialize)]
struct Discriminator {
    action: Option<IgnoredAny>,
    items: Option<IgnoredAny>,
    fields: Option<IgnoredAny>,
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
                .all(|line| parse_command(line.as_bytes(), Nanos(5)).is_some_and(|c| c.is_ok()))
        );
        for line in [
            r#"{"action":"silence","obligor":"C1","rule":"level"}"#,
            r#"{"action":"acknowledge","obligor":"C1"}"#,
            r#"{"action":"tick"}"#,
            r#"{"action":"forget","dedup_key":"C1/level/1"}"#,
        ] {
            let parsed = parse_command(line.as_bytes(), Nanos(5));
            assert_eq!(parsed, Some(Err(DecodeError::WrongShape)), "{line}");
        }
        let far = br#"{"action":"tick","ts_event":86400000000006}"#;
        let ahead = Some(Err(DecodeError::OutOfRange("ts_event")));
        assert_eq!(parse_command(far, Nanos(5)), ahead);
        for line in [
            r#"{"obligor":"C1","items":{}}"#,
            r#"{"obligor":"C1","items":{"action":1}}"#,
            r#"{"obligor":"C1","items":{},"action":"acquired"}"#,
            r#"{"action":"#,
        ] {
            assert_eq!(parse_command(line.as_bytes(), Nanos(5)), None, "{line}");
        }
    }
}
