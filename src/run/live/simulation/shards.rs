//! The shards of a simulated run.

use std::cell::RefCell;
use std::sync::Arc;

use super::plan::Plan;
use crate::run::error::RunError;
use crate::run::shard::Shard;
use crate::run::state_inbox::StateInbox;
use crate::run::worker::{ShardTurns, WorkerSettings};
use crate::source::ring::{Receiver, Sender, ring};

/// What a shard does, one turn at a time.
pub(super) struct ShardSteps {
    /// None once it has ended.
    pub(super) turns: Option<ShardTurns>,
    pub(super) ring: Receiver,
}

/// The shards of a run, one an inbox, and the rings into them.
///
/// # Errors
/// Where the model cannot be loaded.
pub(super) fn shards(
    plan: &Plan,
    inboxes: &[Arc<StateInbox>],
) -> Result<(Vec<Sender>, Vec<RefCell<ShardSteps>>), RunError> {
    let (mut rings, mut shards) = (vec![], vec![]);
    for (number, inbox) in inboxes.iter().enumerate() {
        let engine = plan.loaded.engine()?;
        let decoder = plan.pipeline.decoder();
        let shard = Shard::new(decoder, engine, &plan.loaded.lineage, true).keeping_states();
        let (sender, receiver) = ring(plan.ring);
        let settings = WorkerSettings {
            shard: number,
            batch: 8,
            drops_repeated_offsets: true,
            ..WorkerSettings::default()
        };
        rings.push(sender);
        shards.push(RefCell::new(ShardSteps {
            turns: Some(ShardTurns::new(shard, settings, Some(Arc::clone(inbox)))),
            ring: receiver,
        }));
    }
    Ok((rings, shards))
}
