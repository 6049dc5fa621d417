//! What comes of the shards on its way out: written, acknowledged, and its state saved, in this order.

use std::sync::Arc;

use super::waiting_states::WaitingStates;
use crate::run::delivery::{Delivery, PartitionState};
use crate::run::error::RunError;
use crate::run::writer::Writer;
use crate::source::kafka::Progress;
use crate::state::StateSnapshot;

/// The writer, with the progress of the source and the states that wait for it.
pub(crate) struct RunOutput {
    pub(super) writer: Writer,
    pub(super) progress: Arc<Progress>,
    /// None where no state is saved.
    waiting: Option<WaitingStates>,
    /// Whether what the sink acknowledges is committed.
    commits_itself: bool,
}

impl RunOutput {
    /// The output of a run; `commits_itself` where what the sink acknowledges is committed.
    pub(crate) fn new(
        writer: Writer,
        progress: Arc<Progress>,
        waiting: Option<WaitingStates>,
        commits_itself: bool,
    ) -> Self {
        Self {
            writer,
            progress,
            waiting,
            commits_itself,
        }
    }

    /// Writes what came of a batch. Its frames stay where they are.
    ///
    /// # Errors
    /// [`RunError`], also where the run must begin again.
    pub(crate) fn deliver(&mut self, delivery: &mut Delivery) -> Result<(), RunError> {
        // What came of partitions that were taken away is not written: their new owner does it.
        if self.progress.is_lost() {
            return Err(RunError::Lost);
        }
        self.mark_begun();
        self.writer.deliver(delivery)?;
        for position in delivery.again.drain(..) {
            self.progress.done_again(position);
        }
        for state in delivery.states.drain(..) {
            if let (
                PartitionState::Begun { partition, .. } | PartitionState::Ended { partition },
                Some(waiting),
            ) = (&state, &mut self.waiting)
            {
                waiting.forget(*partition);
            }
            if let (Some((saved, alerts)), Some(waiting)) =
                (self.writer.partition(state)?, &mut self.waiting)
            {
                waiting.take(saved, alerts);
            }
        }
        Ok(())
    }

    /// Hands the positions that the sink has acknowledged to the source, which commits them. Gives the states
    /// that may be saved now.
    ///
    /// # Errors
    /// [`RunError`], also where the run must begin again.
    pub(crate) fn acknowledge(&mut self) -> Result<Option<Vec<StateSnapshot>>, RunError> {
        self.mark_begun();
        self.pass_positions(false)?;
        if self.progress.is_lost() {
            return Err(RunError::Lost);
        }
        let waiting = self.waiting.as_mut();
        Ok(waiting.and_then(|waiting| waiting.take_committed(&self.progress)))
    }

    /// Writes all to the end, and waits until it has arrived: the source may commit it then.
    ///
    /// # Errors
    /// [`RunError`].
    pub(crate) fn close(&mut self) -> Result<(), RunError> {
        self.mark_begun();
        self.writer.close()?;
        self.pass_positions(true)
    }

    /// The states that may still be saved, behind the last commit.
    pub(crate) fn last_states(&mut self) -> Option<Vec<StateSnapshot>> {
        let waiting = self.waiting.as_mut()?;
        waiting.take_last(&self.progress)
    }

    /// Hands the sink where partitions begin, before the positions of their frames.
    fn mark_begun(&mut self) {
        let begun = self.progress.take_begun();
        if !begun.is_empty() {
            self.writer.mark(&begun);
        }
    }

    fn pass_positions(&mut self, last: bool) -> Result<(), RunError> {
        for position in self.writer.acknowledged(last)? {
            self.progress.done(position);
            if self.commits_itself {
                self.progress.committed_elsewhere(position);
            }
        }
        Ok(())
    }
}
