//! The states of a live run: what brings them back, what hands them to shards, and what saves them.

use std::sync::Arc;
use std::time::Duration;

use super::keeper::StateKeeper;
use super::recovery::StateRecovery;
use super::waiting_states::WaitingStates;
use crate::config::SourceKind;
use crate::pipeline::{Loaded, Pipeline, Recovery};
use crate::run::error::RunError;
use crate::run::state_counts::StateCounts;
use crate::run::state_inbox::StateInbox;
use crate::source::kafka::starts::{ReadAgain, Starts};
use crate::state::{StateSnapshot, StateStore};

/// The states of a run; of one that reads no Kafka nothing is kept.
pub(super) struct RunStates {
    how: Recovery,
    inboxes: Vec<Arc<StateInbox>>,
    keeper: Option<StateKeeper>,
    /// The snapshots that wait for a commit, until the run's output has them.
    pub(super) waiting: Option<WaitingStates>,
    pub(super) counts: Arc<StateCounts>,
}

impl RunStates {
    /// Those of a run of this pipeline.
    ///
    /// # Errors
    /// Where the folder of snapshots cannot be written.
    pub(super) fn of(pipeline: &Pipeline, loaded: &Loaded) -> Result<Self, RunError> {
        let file = &pipeline.file;
        let how = loaded.recovery(file);
        let counts = Arc::new(StateCounts::default());
        if file.source.kind != SourceKind::Kafka {
            return Ok(Self {
                how,
                inboxes: vec![],
                keeper: None,
                waiting: None,
                counts,
            });
        }
        let every = match how {
            Recovery::Snapshots(_) => Duration::from_millis(file.state.every_ms),
            _ => Duration::ZERO,
        };
        let inbox = || Arc::new(StateInbox::saving_every(every));
        let inboxes: Vec<_> = (0..file.engine.shards).map(|_| inbox()).collect();
        let (mut keeper, mut waiting) = (None, None);
        if let Recovery::Snapshots(folder) = &how {
            let (all, counts) = (inboxes.clone(), Arc::clone(&counts));
            keeper = Some(StateKeeper::start(folder.clone(), all, counts)?);
            let topics = (file.source.topics.clone(), 0);
            let (all, identity) = (inboxes.clone(), loaded.state_identity(file));
            waiting = Some(WaitingStates::new(identity, topics, all));
        }
        tracing::info!(state = how.sentence(), "how state comes back");
        Ok(Self {
            how,
            inboxes,
            keeper,
            waiting,
            counts,
        })
    }

    /// The inbox of a shard; none where the source has no partitions.
    pub(super) fn inbox(&self, shard: usize) -> Option<Arc<StateInbox>> {
        self.inboxes.get(shard).cloned()
    }

    /// Where partitions begin.
    pub(super) fn starts(&self, pipeline: &Pipeline, loaded: &Loaded) -> Arc<dyn Starts> {
        let file = &pipeline.file;
        let rebuild = Duration::from_millis(file.source.rebuild_ms);
        // The embedded broker keeps no timestamps.
        let rebuild = (!rebuild.is_zero() && !file.kafka.embedded).then_some(rebuild);
        let store: Option<Arc<dyn StateStore>> = match &self.how {
            Recovery::Snapshots(folder) => Some(Arc::new(folder.clone())),
            _ => None,
        };
        Arc::new(StateRecovery::new(
            self.how.clone(),
            store,
            loaded.state_identity(file),
            (file.source.topics.clone(), 0),
            self.inboxes.clone(),
            Box::new(ReadAgain { rebuild }),
        ))
    }

    /// Saves snapshots.
    pub(super) fn save(&self, snapshots: Vec<StateSnapshot>) {
        if let Some(keeper) = &self.keeper {
            keeper.save(snapshots);
        }
    }

    /// Saves what is left, and ends.
    pub(super) fn close(self, last: Option<Vec<StateSnapshot>>) {
        if let Some(keeper) = self.keeper {
            keeper.close(last);
        }
    }
}
