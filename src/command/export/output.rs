//! Where finished rows go: each is divided, counted and written.

use std::path::Path;

use super::columns::Columns;
use super::exported::Exported;
use super::folds::{BlockEnds, Folds};
use super::known::KnownTimes;
use super::set_row::FinishedRow;
use super::split::{Extent, place_of, split_of};
use super::table::{PlacedRow, SetTable};
use crate::config::{ConfigFault, GroupBy};
use crate::instrument::Instruments;
use crate::pipeline::{Pipeline, SplitSettings};
use crate::sink::SinkError;

/// Divides, counts and writes rows.
pub(super) struct SetOutput {
    table: SetTable,
    split: SplitSettings,
    /// Whether rows have labels.
    is_labelled: bool,
    folds: Option<Folds>,
    /// Of each instrument.
    block_ends: Vec<BlockEnds>,
    streams: Vec<String>,
    /// The counts so far.
    pub(super) exported: Exported,
}

/// Why a set cannot be begun.
pub(super) enum OutputFault {
    /// Two columns have one name.
    Config(ConfigFault),
    /// The file.
    Sink(SinkError),
}

impl SetOutput {
    /// Creates the file. `streams` are the names of the inputs.
    pub(super) fn create(
        pipeline: &Pipeline,
        key: &str,
        known: &KnownTimes,
        (folds, streams): (Option<Folds>, Vec<String>),
        path: &Path,
    ) -> Result<Self, OutputFault> {
        let columns = Columns::of(pipeline, key, known, folds.as_ref());
        let columns = columns.map_err(OutputFault::Config)?;
        Ok(Self {
            table: SetTable::create(columns, path).map_err(OutputFault::Sink)?,
            split: pipeline.split.clone(),
            is_labelled: !pipeline.labels.is_empty(),
            exported: Exported {
                folds: folds.as_ref().map_or(0, Folds::len) as u64,
                ..Exported::default()
            },
            folds,
            block_ends: vec![],
            streams,
        })
    }

    /// Writes a row.
    ///
    /// # Errors
    /// [`SinkError`] where the file cannot be written.
    pub(super) fn push(
        &mut self,
        finished: &FinishedRow,
        names: &Instruments,
    ) -> Result<(), SinkError> {
        let row = &finished.row;
        let end = finished.end();
        let is_unlabelled = self.is_labelled && end.is_none();
        let why = row.excluded.or(is_unlabelled.then_some("unlabelled"));
        let key = names.name(row.at.instrument);
        let group = row.group.map(|group| match self.split.group_by {
            Some(GroupBy::Text) => format!("{:016x}", group.number),
            _ => key.to_owned(),
        });
        let extent = Extent {
            at: row.at.ts_event.0,
            window_start: row.window_start,
            end,
            excluded: why.is_some(),
            group_since: row.group.map(|group| group.since),
            group_place: match self.split.shares {
                Some(_) => group.as_deref().map(place_of),
                None => None,
            },
        };
        let split = split_of(&self.split, &extent);
        let is_held_out = self.split.shares.is_some() && matches!(split, "validation" | "test");
        let folds = match is_held_out {
            true => self.no_roles(),
            false => self.roles(row.at.instrument.index(), &extent, names),
        };
        self.exported.count(split, why);
        self.exported.unlabelled += u64::from(end.is_none());
        let stream = self.streams.get(usize::from(row.origin.stream));
        let place = PlacedRow {
            key,
            stream: stream.map_or("", |name| name),
            group: group.as_deref(),
            split,
            folds: &folds,
        };
        self.table.push(finished, &place)
    }

    /// A row that no fold uses: of a group that is held out, whose times are those of all others.
    fn no_roles(&self) -> Vec<Option<&'static str>> {
        vec![None; self.folds.as_ref().map_or(0, Folds::len)]
    }

    /// What a row is for each fold.
    fn roles(
        &mut self,
        instrument: usize,
        extent: &Extent,
        names: &Instruments,
    ) -> Vec<Option<&'static str>> {
        let Some(folds) = &self.folds else {
            return vec![];
        };
        let mut alone = BlockEnds::default();
        let ends = match names.are_per_batch() {
            true => &mut alone,
            false => {
                if instrument >= self.block_ends.len() {
                    self.block_ends
                        .resize_with(instrument + 1, Default::default);
                }
                &mut self.block_ends[instrument]
            }
        };
        folds.note(ends, extent);
        let roles = (0..folds.len()).map(|fold| folds.role(fold, extent, ends));
        roles.collect()
    }

    /// Writes the end of the file.
    ///
    /// # Errors
    /// [`SinkError`] where the file cannot be written.
    pub(super) fn close(self) -> Result<Exported, SinkError> {
        self.table.close()?;
        Ok(self.exported)
    }
}
