//! The states of a live run: what brings them back, what hands them to shards, and what saves them.

use std::sync::Arc;
use std::time::Duration;

use super::keeper::StateKeeper;
use super::recovery::StateRecovery;
use crate::alert::AlertsSnapshot;
use crate::config::SourceKind;
use crate::pipeline::{Loaded, Pipeline, Recovery};
use crate::run::delivery::{PartitionState, SavedPartition};
use crate::run::error::RunError;
use crate::run::state_counts::StateCounts;
use crate::run::state_inbox::StateInbox;
use crate::source::kafka::Progress;
use crate::source::kafka::starts::{ReadAgain, Starts};

/// The states of a run; of one that reads no Kafka nothing is kept.
pub(super) struct RunStates {
    how: Recovery,
    inboxes: Vec<Arc<StateInbox>>,
    keeper: Option<StateKeeper>,
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
                counts,
            });
        }
        let every = match how {
            Recovery::Snapshots(_) => Duration::from_millis(file.state.every_ms),
            _ => Duration::ZERO,
        };
        let inbox = || Arc::new(StateInbox::saving_every(every));
        let inboxes: Vec<_> = (0..file.engine.shards).map(|_| inbox()).collect();
        let keeper = match &how {
            Recovery::Snapshots(folder) => {
                let topics = (file.source.topics.clone(), 0);
                let (all, identity) = (inboxes.clone(), loaded.state_identity(file));
                let counts = Arc::clone(&counts);
                Some(StateKeeper::start(
                    folder.clone(),
                    identity,
                    topics,
                    all,
                    counts,
                )?)
            }
            _ => None,
        };
        tracing::info!(state = how.sentence(), "how state comes back");
        Ok(Self {
            how,
            inboxes,
            keeper,
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
        Arc::new(StateRecovery::new(
            self.how.clone(),
            loaded.state_identity(file),
            (file.source.topics.clone(), 0),
            self.inboxes.clone(),
            Box::new(ReadAgain { rebuild }),
        ))
    }

    /// Notes what a shard has said of a partition.
    pub(super) fn note(&mut self, state: &PartitionState) {
        if let (
            PartitionState::Begun { partition, .. } | PartitionState::Ended { partition },
            Some(keeper),
        ) = (state, &mut self.keeper)
        {
            keeper.forget(*partition);
        }
    }

    /// Takes what is to be saved.
    pub(super) fn take(&mut self, saved: SavedPartition, alerts: Option<AlertsSnapshot>) {
        if let Some(keeper) = &mut self.keeper {
            keeper.take(saved, alerts);
        }
    }

    /// Saves what belongs to committed offsets.
    pub(super) fn save_committed(&mut self, progress: &Progress) {
        if let Some(keeper) = &mut self.keeper {
            keeper.save_committed(progress);
        }
    }

    /// Saves what is left and may be saved.
    pub(super) fn close(self, progress: &Progress) {
        if let Some(keeper) = self.keeper {
            keeper.close(progress);
        }
    }
}
