//! Exports training sets: history in, a Parquet file of rows with labels and splits out.
//!
//! The rows are those that the engine would score, made by the same code from the same events. The labels
//! alone look ahead ([`crate::label`]). Rows are written as their labels come due: what is held are the rows
//! of the longest horizon, twice (`held`), and what the writer gathers.

mod columns;
mod exported;
mod failures;
mod folds;
mod held;
mod known;
mod output;
mod set;
mod set_row;
mod span;
mod split;
mod table;
mod text_groups;
mod weight;
mod window;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::FxHashMap;

pub use self::exported::{Exported, NoRows};
use self::failures::read_failures;
use self::folds::{FoldPurge, Folds};
use self::held::HeldRows;
use self::known::KnownTimes;
use self::output::SetOutput;
use self::set::longest_horizon;
use self::set_row::{FinishedRow, RowGroup, SetRow};
use self::span::InputSpan;
use self::text_groups::TextGroups;
use self::window::{WindowRules, WindowTrack};
use crate::config::{GroupBy, NormaliseBy, RowOn};
use crate::engine::row::Row;
use crate::engine::row_maker::RowMaker;
use crate::event::Event;
use crate::frame::Origin;
use crate::instrument::{InstrumentId, Instruments};
use crate::label::{Failures, LabelKind, LabelPoint, LabelSpec, Labels};
use crate::model::normalise::{Expanding, Normalise};
use crate::news::fold::number;
use crate::pipeline::Pipeline;
use crate::run::intake::Intake;
use crate::run::observer::{ObservedStep, Observer};
use crate::run::replay::{ReplayError, observe_events, stream_names};
use crate::sink::SinkError;

/// Writes the rows of captures to a Parquet file.
///
/// # Errors
/// [`ReplayError`] where rows of trades, quotes or books have no `[label]`, two columns have one name, an
/// input cannot be read, or the file cannot be written.
pub fn export(
    pipeline: &Pipeline,
    inputs: &[PathBuf],
    output: &Path,
) -> Result<Exported, ReplayError> {
    let key = pipeline
        .form
        .as_ref()
        .map_or("instrument", |form| form.kind().key());
    let on = pipeline.file.row.on;
    if pipeline.labels.is_empty() && matches!(on, RowOn::Trade | RowOn::Quote | RowOn::Book) {
        let what = "a [label] table is needed: kind, horizon_ms, threshold_bps";
        return Err(ReplayError::Pipeline(pipeline.error("label", what).into()));
    }
    let refused = |key: &str, what: String| ReplayError::Pipeline(pipeline.error(key, what).into());
    let failures = failures(pipeline).map_err(|what| refused("label.outcomes", what))?;
    let known = KnownTimes::new(&pipeline.file.features, &pipeline.plan);
    let folds = folds(pipeline, inputs)?;
    let streams = stream_names(inputs);
    let output =
        SetOutput::create(pipeline, key, &known, (folds, streams), output).map_err(|fault| {
            match fault {
                output::OutputFault::Config(fault) => refused(&fault.key, fault.what),
                output::OutputFault::Sink(error) => error.into(),
            }
        })?;
    let mut rows = SetRows {
        rows: RowMaker::new(Arc::clone(&pipeline.plan), pipeline.rules),
        cells: vec![0.0; pipeline.plan.len()],
        expands: pipeline.file.model.normalise == NormaliseBy::Expanding,
        windows: WindowRules::of(pipeline),
        labels: pipeline.labels.clone(),
        failures,
        group_by: pipeline.split.group_by,
        groups: FxHashMap::default(),
        texts: TextGroups::new(
            pipeline
                .news
                .as_ref()
                .map_or(1.0, |news| news.rule.similarity),
        ),
        known,
        instruments: vec![],
        held: 0,
        output,
    };
    let intake = Intake::new(pipeline.decoder());
    let intake = observe_events(pipeline.open(inputs, None)?, intake, &mut rows)?.intake;
    rows.finish(&intake)
}

/// The failures of each label that looks for them.
fn failures(pipeline: &Pipeline) -> Result<Vec<Arc<Failures>>, String> {
    let read = |label: &LabelSpec| match &label.kind {
        LabelKind::DefaultWithin {
            outcomes,
            known_until,
            ..
        } => Some(read_failures(outcomes, *known_until).map(Arc::new)),
        _ => None,
    };
    pipeline.labels.iter().filter_map(read).collect()
}

/// The folds that `[split.folds]` asks for. Where its borders are not written, the inputs are read once more.
fn folds(pipeline: &Pipeline, inputs: &[PathBuf]) -> Result<Option<Folds>, ReplayError> {
    let Some(settings) = pipeline.split.folds else {
        return Ok(None);
    };
    let mut span = InputSpan::default();
    if settings.from.is_none() || settings.to.is_none() {
        let intake = Intake::new(pipeline.decoder());
        observe_events(pipeline.open(inputs, None)?, intake, &mut span)?;
    }
    let found = span.ends();
    let from = settings
        .from
        .map(|ts| ts.0)
        .or(found.map(|(first, _)| first));
    let to = settings.to.map(|ts| ts.0).or(found.map(|(_, last)| last));
    let (Some(from), Some(to)) = (from, to) else {
        return Ok(None);
    };
    if from >= to {
        let what = "no event of the inputs is in the time of the folds; set `from` and `to`";
        let error = pipeline.error("split.folds", what);
        return Err(ReplayError::Pipeline(error.into()));
    }
    let purge = FoldPurge {
        horizon_ns: longest_horizon(&pipeline.labels),
        purge_ns: pipeline.split.purge_ns,
        embargo_ns: pipeline.split.embargo_ns,
    };
    Ok(Some(Folds::new(settings, from, to, purge)))
}

/// Makes the rows of a replay, labels them once their horizon has passed, and writes them.
struct SetRows {
    rows: RowMaker,
    cells: Vec<f64>,
    /// Whether rows are normalised by the earlier rows of their instrument.
    expands: bool,
    windows: WindowRules,
    labels: Vec<LabelSpec>,
    failures: Vec<Arc<Failures>>,
    group_by: Option<GroupBy>,
    /// When each group was seen first.
    groups: FxHashMap<u64, i64>,
    texts: TextGroups,
    known: KnownTimes,
    instruments: Vec<InstrumentRows>,
    /// Rows that wait, of all instruments.
    held: u64,
    output: SetOutput,
}

/// What is remembered of an instrument's rows.
#[derive(Default)]
struct InstrumentRows {
    so_far: Expanding,
    window: WindowTrack,
    held: Option<HeldRows>,
}

impl SetRows {
    fn finish(mut self, intake: &Intake) -> Result<Exported, ReplayError> {
        let mut written = Ok(());
        for held in self.instruments.into_iter().filter_map(|one| one.held) {
            held.finish(|row| {
                if written.is_ok() {
                    written = self.output.push(&row, intake.instruments());
                }
            });
        }
        written?;
        let exported = &mut self.output.exported;
        exported.unread = intake.account().dropped;
        exported.frames = intake.account().clone();
        exported.readability = intake.readability().clone();
        exported.features_sha256 = self.rows.plan().sha256().to_owned();
        Ok(self.output.close()?)
    }

    /// Hands over the rows whose labels are known with what an event has left.
    fn pass_time(&mut self, id: InstrumentId, names: &Instruments) -> Result<(), SinkError> {
        let held = self.instruments.get_mut(id.index());
        let Some(held) = held.and_then(|one| one.held.as_mut()) else {
            return Ok(());
        };
        let Some(point) = self.rows.label_point(id) else {
            return Ok(());
        };
        let (output, before) = (&mut self.output, held.len());
        let mut written = Ok(());
        held.point(&point, &mut |row| {
            if written.is_ok() {
                written = output.push(&row, names);
            }
        });
        self.held -= (before - held.len()) as u64;
        written
    }

    fn take(&mut self, at: Row, origin: Origin, names: &Instruments) -> Result<(), SinkError> {
        let known = self.known.of_row(&at);
        let group = self.group(&at, names);
        // Of an applicant nothing is kept.
        let is_alone = names.are_per_batch();
        let (window_start, excluded) = match is_alone {
            true => self.windows.alone(&at),
            false => self.window(&at),
        };
        let row = SetRow {
            at,
            origin,
            cells: self.cells.as_slice().into(),
            known,
            window_start,
            excluded,
            group,
        };
        match is_alone || self.labels.is_empty() {
            true => self.write(row, names),
            false => self.wait(row, names),
        }
    }

    /// The window of its instrument that ends with a row; normalises the row by those before it, where the
    /// model does.
    fn window(&mut self, at: &Row) -> (Option<i64>, Option<&'static str>) {
        let index = at.instrument.index();
        if index >= self.instruments.len() {
            self.instruments.resize_with(index + 1, Default::default);
        }
        let instrument = &mut self.instruments[index];
        if self.expands {
            Normalise::Expanding.apply(&mut instrument.so_far, &mut self.cells);
        }
        instrument.window.take(at, &self.windows)
    }

    /// Writes a row that has no label to wait for.
    fn write(&mut self, row: SetRow, names: &Instruments) -> Result<(), SinkError> {
        let finished = FinishedRow {
            row,
            outcomes: Box::default(),
            weight: 1.0,
        };
        self.output.push(&finished, names)
    }

    fn wait(&mut self, row: SetRow, names: &Instruments) -> Result<(), SinkError> {
        let (labels, failures, output) = (&self.labels, &self.failures, &mut self.output);
        let id = row.at.instrument;
        // A record has no market.
        let point = self.rows.label_point(id).unwrap_or(LabelPoint {
            now: row.at.ts_event,
            mid: None,
            price: None,
            breaks: 0,
            trade_breaks: 0,
        });
        let is_new = self.instruments[id.index()].held.is_none();
        let held = self.instruments[id.index()].held.get_or_insert_with(|| {
            let labels_of = Labels::new(labels, names.name(id), failures);
            HeldRows::new(labels_of, labels.len())
        });
        let mut written = Ok(());
        let mut out = |finished: FinishedRow| {
            if written.is_ok() {
                written = output.push(&finished, names);
            }
        };
        let before = held.len();
        if is_new {
            held.point(&point, &mut out);
        }
        held.row(row, &point, &mut out);
        self.held = self.held + held.len() as u64 - before as u64;
        self.output.exported.held = self.output.exported.held.max(self.held);
        written
    }

    /// What a row shares with others, and when that was seen first.
    fn group(&mut self, at: &Row, names: &Instruments) -> Option<RowGroup> {
        let number = match self.group_by? {
            GroupBy::Key => number(names.name(at.instrument)),
            GroupBy::Text => self.texts.group(at.item?, &self.cells),
        };
        let since = self.groups.entry(number).or_insert(at.ts_event.0);
        *since = at.ts_event.0.min(*since);
        Some(RowGroup {
            number,
            since: *since,
        })
    }

    fn event(&mut self, step: &ObservedStep<'_>, event: &Event) -> Result<(), SinkError> {
        self.known.take(event);
        let row = self.rows.apply(step.batch, event, &mut self.cells);
        // A row is labelled after the price of its own event, and before any later one.
        self.pass_time(event.instrument, step.instruments)?;
        match row {
            None => Ok(()),
            Some(at) => {
                let origin = step.batch.origins[event.frame as usize];
                self.take(at, origin, step.instruments)
            }
        }
    }
}

impl Observer for SetRows {
    fn step(&mut self, step: &ObservedStep<'_>) -> Result<(), SinkError> {
        for event in &step.batch.events {
            self.event(step, event)?;
        }
        Ok(())
    }
}
