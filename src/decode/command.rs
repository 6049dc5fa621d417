//! Commands about alerts: `alerts.control.v1`.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::DecodeError;
use super::ahead::{AHEAD_NS, is_ahead};
use super::field::{Field, parse_fields};
use crate::alert::command::AlertCommand;
use crate::units::Nanos;

/// Parses a record that was received at this time; none where it is not a command.
///
/// # Errors
/// [`DecodeError`] inside the option, where it is a command that cannot be executed.
#[must_use]
pub fn parse_command(bytes: &[u8], ts_recv: Nanos) -> Option<Result<AlertCommand, DecodeError>> {
    let may_be =
        memchr::memmem::find(bytes, b"action").is_some() || memchr::memchr(b'\\', bytes).is_some();
    if !may_be {
        return None;
    }
    // A statement may have an item of that name.
    let kind: Discriminator = serde_json::from_slice(bytes).ok()?;
    if kind.action.is_none() || kind.items.is_some() || kind.fields.is_some() {
        return None;
    }
    Some(parse(bytes, ts_recv))
}

fn parse(bytes: &[u8], ts_recv: Nanos) -> Result<AlertCommand, DecodeError> {
    let wire: WireCommand<'_> = parse_fields(bytes, &NAMES)?;
    let command = json!({
        "action": wire.action.text("action")?,
        "dedup_key": wire.dedup_key.optional_text("dedup_key")?,
        "obligor": wire.obligor.optional_text("obligor")?,
        "rule": wire.rule.optional_text("rule")?,
        "until": until(&wire.until)?,
        "ts_event": wire.ts_event.optional_time("ts_event")?,
    });
    let command = serde_json::from_value::<AlertCommand>(command);
    let command = command.map_err(|_| DecodeError::OutOfRange("action"))?;
    if let Some(field) = command.missing() {
        return Err(DecodeError::MissingField(field));
    }
    // A tick cannot be undone, so a time that is far ahead is refused.
    match command.ts_event() {
        Some(ts) if is_ahead(ts, [ts_recv; 2], AHEAD_NS) => Err(DecodeError::TimeAhead("ts_event")),
        _ => Ok(command),
    }
}

/// The end of a silence, which may be past any event.
fn until(field: &Field<'_>) -> Result<Option<Nanos>, DecodeError> {
    if !field.has_value() {
        return Ok(None);
    }
    let nanos = field.nanos("until")?;
    match Nanos::plausible(nanos) {
        // A year after 2099 means that it never ends; one before 1971 would silence nothing.
        Err(error) if error.likely.is_some() || nanos < YEAR_2100 => {
            Err(DecodeError::ImplausibleTime("until", error.likely))
        }
        _ => Ok(Some(Nanos(nanos))),
    }
}

/// Begins where no time is plausible any more.
const YEAR_2100: i64 = 4_102_444_800_000_000_000;

/// The fields that distinguish a command from a statement or an application.
#[derive(Deserialize)]
struct Discriminator {
    action: Option<IgnoredAny>,
    items: Option<IgnoredAny>,
    fields: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireCommand<'a> {
    #[serde(borrow)]
    action: Field<'a>,
    #[serde(borrow)]
    dedup_key: Field<'a>,
    #[serde(borrow)]
    obligor: Field<'a>,
    #[serde(borrow)]
    rule: Field<'a>,
    #[serde(borrow)]
    until: Field<'a>,
    #[serde(borrow)]
    ts_event: Field<'a>,
}

const NAMES: [&str; 6] = [
    "action",
    "dedup_key",
    "obligor",
    "rule",
    "until",
    "ts_event",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::LikelyUnit;

    #[test]
    fn a_command_names_an_alert_and_a_silence_its_end() {
        let good = [
            r#"{"ts_event":1700000000000000000,"action":"acknowledge","dedup_key":"C1/level/1","by":"me"}"#,
            r#"{"ts_event":1700000000000000000,"action":"silence","obligor":"C1","rule":"level","until":"1.7e18"}"#,
            r#"{"ts_event":1700000000000000000,"action":"tick"}"#,
            r#"{"action":"silence","obligor":"C1","rule":"level","until":9223372036854775806}"#,
        ];
        assert!(
            good.iter()
                .all(|line| parse_command(line.as_bytes(), Nanos(5)).is_some_and(|c| c.is_ok()))
        );
        for (line, error) in [
            (
                r#"{"action":"silence","obligor":"C1","rule":"level"}"#,
                DecodeError::MissingField("until"),
            ),
            (
                r#"{"action":"acknowledge","obligor":"C1"}"#,
                DecodeError::MissingField("rule"),
            ),
            (
                r#"{"action":"silence","obligor":"C1","rule":"level","until":7}"#,
                DecodeError::ImplausibleTime("until", None),
            ),
            (
                r#"{"action":"silence","obligor":"C1","rule":"level","until":"1970-06-01"}"#,
                DecodeError::ImplausibleTime("until", None),
            ),
            (
                r#"{"action":"tick"}"#,
                DecodeError::MissingField("ts_event"),
            ),
            (
                r#"{"action":"Forget","dedup_key":"C1/level/1"}"#,
                DecodeError::OutOfRange("action"),
            ),
            (
                r#"{"action":"tick","ts_event":1700086400000000006}"#,
                DecodeError::TimeAhead("ts_event"),
            ),
            (
                r#"{"action":"tick","ts_event":1700000000000}"#,
                DecodeError::ImplausibleTime("ts_event", Some(LikelyUnit::Milliseconds)),
            ),
        ] {
            let parsed = parse_command(line.as_bytes(), Nanos(1_700_000_000_000_000_005));
            assert_eq!(parsed, Some(Err(error)), "{line}");
        }
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
