//! Numbers of the configuration that mean nothing.

use crate::config::{ConfigFault, PipelineFile};

/// More than any machine has cores.
const SHARDS_MAX: usize = 1_024;

/// Refuses zero where it means nothing, and more threads than there can be.
///
/// # Errors
/// The key at fault.
pub(super) fn check(file: &PipelineFile) -> Result<(), ConfigFault> {
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
    if file.engine.shards > SHARDS_MAX {
        let what = format!("each shard has a thread; write at most {SHARDS_MAX}");
        return Err(ConfigFault::at("engine.shards", what));
    }
    Ok(())
}
