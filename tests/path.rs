//! Captures through the whole path, by the library and by the built command: what must always be true.
//!
//! No socket here: `live.rs` has those. What is wrong with the input is in `bad_input.rs`.

mod given;
mod needs;

#[path = "path/amended.rs"]
mod amended;
#[path = "path/batch_wait.rs"]
mod batch_wait;
#[path = "path/batches.rs"]
mod batches;
#[path = "path/broken_book.rs"]
mod broken_book;
#[path = "path/commands.rs"]
mod commands;
#[path = "path/corrected.rs"]
mod corrected;
#[path = "path/diff.rs"]
mod diff;
#[path = "path/explain.rs"]
mod explain;
#[path = "path/export.rs"]
mod export;
#[path = "path/feed.rs"]
mod feed;
#[path = "path/gap_quality.rs"]
mod gap_quality;
#[path = "path/gap_records.rs"]
mod gap_records;
#[path = "path/golden.rs"]
mod golden;
#[path = "path/late.rs"]
mod late;
#[path = "path/moves.rs"]
mod moves;
#[path = "path/oracle.rs"]
mod oracle;
#[path = "path/reconcile.rs"]
mod reconcile;
#[path = "path/replay.rs"]
mod replay;
#[path = "path/restored_state.rs"]
mod restored_state;
#[path = "path/same_path.rs"]
mod same_path;
#[path = "path/saved_states.rs"]
mod saved_states;
#[path = "path/sealed.rs"]
mod sealed;
#[path = "path/slow_twin.rs"]
mod slow_twin;
#[path = "path/span.rs"]
mod span;
#[path = "path/undefined.rs"]
mod undefined;
#[path = "path/warm_up.rs"]
mod warm_up;
#[path = "path/watermark.rs"]
mod watermark;
