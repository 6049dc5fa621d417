//! Numbers and names of the configuration that mean nothing.

use crate::config::{ConfigFault, PipelineFile, WebsocketConfig};
use crate::kafka::instance::may_stand_in_name;

/// More than any machine has cores.
const SHARDS_MAX: usize = 1_024;

/// The shortest silence after which a connection may be given up: a ping needs its time.
const SILENCE_MIN_MS: u64 = 500;

/// Refuses zero where it means nothing, and more threads than there can be.
///
/// # Errors
/// The key at fault.
pub(super) fn check(file: &PipelineFile) -> Result<(), ConfigFault> {
    if let Some(name) = &file.kafka.instance
        && (name.is_empty() || !name.chars().all(may_stand_in_name))
    {
        let advice = "`instance` must be of letters, digits, `.`, `_` and `-`";
        return Err(ConfigFault::at("kafka.instance", advice));
    }
    for (key, is_zero) in [
        ("engine.shards", file.engine.shards == 0),
        ("engine.batch", file.engine.batch == 0),
        ("engine.ring_frames", file.engine.ring_frames == 0),
        ("row.every", file.row.every == 0),
        ("row.max_gap_ms", file.row.max_gap_ms() <= 0),
        ("row.stale_after_ms", file.row.stale_after_ms <= 0),
        ("source.max_frame_bytes", file.source.max_frame_bytes == 0),
        ("source.max_instruments", file.source.max_instruments == 0),
    ] {
        if is_zero {
            let name = key.rsplit('.').next().unwrap_or(key);
            return Err(ConfigFault::at(key, format!("`{name}` must be above zero")));
        }
    }
    check_silences(&file.source.websocket)?;
    if file.engine.shards > SHARDS_MAX {
        let what = format!("each shard has a thread; write at most {SHARDS_MAX}");
        return Err(ConfigFault::at("engine.shards", what));
    }
    Ok(())
}

/// Refuses silences that a connection that lives has too.
fn check_silences(websocket: &WebsocketConfig) -> Result<(), ConfigFault> {
    for (key, millis, never) in [
        ("idle_ms", websocket.idle_ms, None),
        ("silent_ms", websocket.silent_ms, Some(0)),
    ] {
        if millis < SILENCE_MIN_MS && Some(millis) != never {
            let what = format!(
                "a connection that lives would be given up again and again after {millis} ms; write at least \
                 {SILENCE_MIN_MS}"
            );
            return Err(ConfigFault::at(format!("source.websocket.{key}"), what));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_that_no_connection_outlives_is_refused() {
        for (key, millis, is_refused) in [
            ("idle_ms", 0, true),
            ("idle_ms", 499, true),
            ("idle_ms", 500, false),
            ("silent_ms", 0, false),
            ("silent_ms", 1, true),
            ("silent_ms", 500, false),
        ] {
            let mut websocket = WebsocketConfig::default();
            match key {
                "idle_ms" => websocket.idle_ms = millis,
                _ => websocket.silent_ms = millis,
            }
            let fault = check_silences(&websocket).err().map(|fault| fault.key);
            let expected = is_refused.then(|| format!("source.websocket.{key}"));
            assert_eq!(fault, expected, "{key} = {millis}");
        }
    }
}
