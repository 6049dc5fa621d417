//! What a shard holds of one partition of the input: saved, forgotten, restored.

use super::shard::Shard;
use crate::engine::saved::{SavedStates, SavedStatesError};
use crate::instrument::InstrumentId;

impl Shard {
    /// What it holds of a partition of the input, to be asked between two batches: the states, and of how
    /// many instruments they are. None where states are not kept by partition.
    ///
    /// # Errors
    /// [`SavedStatesError::Write`].
    pub fn save(&self, partition: i32) -> Result<Option<(Vec<u8>, usize)>, SavedStatesError> {
        let Some(homes) = &self.homes else {
            return Ok(None);
        };
        let names = self.intake.instruments();
        let of = homes.of(partition).map(|id| (id, names.name(id)));
        let of: Vec<_> = of.collect();
        let items = self.intake.saved_items(partition, &of);
        let states = self.engine.save(&of, homes.has_figures(partition), items)?;
        Ok(Some((states, of.len())))
    }

    /// Forgets what it holds of a partition.
    pub fn forget(&mut self, partition: i32) {
        let Some(homes) = &mut self.homes else {
            return;
        };
        let ids: Vec<InstrumentId> = homes.of(partition).collect();
        homes.forget(partition);
        self.intake.forget_items(partition, &ids);
        ids.into_iter().for_each(|id| self.engine.evict(id));
    }

    /// Goes on from what was saved of a partition.
    ///
    /// # Errors
    /// [`SavedStatesError`]: the partition then begins without a past.
    pub fn restore(&mut self, partition: i32, states: SavedStates) -> Result<(), SavedStatesError> {
        let (states, figures, items) = states.into_parts();
        for (name, state) in states {
            let Ok(id) = self.intake.intern_name(&name) else {
                tracing::warn!(
                    instrument = name,
                    "a saved instrument is left out: the pipeline does not list it any more, or \
                     `source.max_instruments` is reached"
                );
                continue;
            };
            if let Err(error) = self.engine.adopt(id, state) {
                self.forget(partition);
                return Err(error.into());
            }
            self.homes.get_or_insert_default().set(id, partition);
        }
        if let Some(items) = items {
            self.intake.restore_items(partition, items);
        }
        if let Some(figures) = figures {
            self.engine.adopt_figures(figures);
            self.homes.get_or_insert_default().set_figures(partition);
        }
        Ok(())
    }
}
