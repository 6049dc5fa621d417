//! Explains a signal: replays the input up to it, and shows the rows of its window, the features with their
//! formulas, the scores, the reasons, and where each row came from.
//!
//! The rows are made once more beside the engine's, which keeps no addresses. The window is then scored for
//! itself, so that the report says whether these rows are the signal's.

mod error;
mod found;
mod places;
mod report;
mod rows;

use std::path::PathBuf;

pub use self::error::ExplainError;
use self::found::Found;
use self::places::FramePlaces;
pub use self::report::Explanation;
use self::rows::WindowRows;
use crate::event::{Batch, Body};
use crate::frame::Origin;
use crate::instrument::{InstrumentId, Instruments};
use crate::pipeline::{Loaded, Pipeline};
use crate::run::observer::{ObservedStep, Observer};
use crate::run::replay::{ReplayError, ReplayOptions, replay_span_observed, stream_names};
use crate::signal::Signal;
use crate::sink::SinkError;
use crate::time::rfc3339;
use crate::units::Nanos;

/// Which signal to explain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WantedSignal {
    /// That with this id.
    Id(String),
    /// The last one of an instrument at a time or before.
    At {
        /// The instrument, obligor or applicant.
        instrument: String,
        /// The time.
        at: Nanos,
        /// Frames that were received more than so many nanoseconds before are not read; none: all are.
        warm_up: Option<i64>,
    },
}

/// Explains a signal that the inputs give.
///
/// # Errors
/// [`ExplainError`], also where there is no such signal.
pub fn explain(
    pipeline: &Pipeline,
    inputs: &[PathBuf],
    wanted: &WantedSignal,
) -> Result<Explanation, ExplainError> {
    // Frame by frame, so that a window is looked at when its signal is made.
    let mut pipeline = pipeline.clone();
    pipeline.file.engine.batch = 1;
    let mut loaded = pipeline.load_model()?;
    loaded.lineage.streams = stream_names(inputs);
    let mut search = Search {
        loaded: &loaded,
        rows: WindowRows::new(&pipeline, &loaded),
        wanted,
        found: None,
        looked: 0,
        names: vec![],
    };
    let options = options(inputs, wanted);
    replay_span_observed(&pipeline, &loaded, &options, &mut search)?;
    let Search {
        found,
        looked,
        names,
        ..
    } = search;
    match found {
        Some(found) => {
            let origins: Vec<Origin> = found.window.iter().map(|row| row.origin).collect();
            let places =
                FramePlaces::find(&pipeline, &options, &origins).map_err(ReplayError::from)?;
            Ok(Explanation::of(&pipeline, &loaded, found, &places)?)
        }
        None => Err(missing(wanted, looked, &names)),
    }
}

/// What is replayed to find a signal.
fn options(inputs: &[PathBuf], wanted: &WantedSignal) -> ReplayOptions {
    let all = ReplayOptions {
        inputs: inputs.to_vec(),
        ..ReplayOptions::default()
    };
    match wanted {
        WantedSignal::Id(_) => all,
        WantedSignal::At { at, warm_up, .. } => ReplayOptions {
            from: warm_up.map(|warm_up| Nanos(at.0.saturating_sub(warm_up))),
            warm_up: warm_up.map(|_| 0),
            to: Some(Nanos(at.0.saturating_add(1))),
            ..all
        },
    }
}

/// Why no signal was found.
fn missing(wanted: &WantedSignal, looked: u64, names: &[String]) -> ExplainError {
    match wanted {
        WantedSignal::Id(id) => ExplainError::NoSuchId {
            id: id.clone(),
            looked,
        },
        WantedSignal::At { instrument, at, .. } => ExplainError::NoneAt {
            instrument: instrument.clone(),
            at: rfc3339(*at),
            what: match names {
                [] => "the input gives no signal so early".into(),
                names => format!(
                    "there is no signal of it; there are some of {}",
                    names.join(", ")
                ),
            },
            looked,
        },
    }
}

/// Looks for a signal while the input is replayed.
struct Search<'a> {
    loaded: &'a Loaded,
    rows: WindowRows,
    wanted: &'a WantedSignal,
    found: Option<Found>,
    /// Signals so far.
    looked: u64,
    /// Whom they were about, where that is looked for.
    names: Vec<String>,
}

impl Observer for Search<'_> {
    fn step(&mut self, step: &ObservedStep<'_>) -> Result<(), SinkError> {
        let mut signals: Vec<&Signal> = step.signals.iter().collect();
        for number in 0..step.batch.events.len() {
            self.rows.apply(step.batch, &step.batch.events[number]);
            signals.retain(|signal| {
                let is_of = is_of_event(signal, step.batch, number);
                if is_of {
                    self.look(signal, step.instruments);
                }
                !is_of
            });
        }
        // Corrections, whose event came long ago.
        for signal in signals {
            self.look(signal, step.instruments);
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        let corrects = self.loaded.lineage.corrects;
        matches!(self.wanted, WantedSignal::Id(_)) && self.found.is_some() && !corrects
    }
}

impl Search<'_> {
    /// Looks at a signal when it is made.
    fn look(&mut self, signal: &Signal, instruments: &Instruments) {
        self.looked += 1;
        let name = instruments.name(signal.instrument);
        let is_wanted = match self.wanted {
            WantedSignal::Id(id) => *id == self.loaded.lineage.signal_id(signal, name),
            WantedSignal::At { instrument, at, .. } => {
                if self.names.len() < NAMES_MAX && !self.names.iter().any(|known| known == name) {
                    self.names.push(name.to_owned());
                }
                let last = self.found.as_ref().map(|found| found.signal.ts_event);
                let is_last = last.is_none_or(|last| signal.ts_event >= last);
                instrument == name && signal.ts_event <= *at && is_last
            }
        };
        if is_wanted {
            self.found = Some(Found {
                signal: *signal,
                instrument: name.to_owned(),
                window: self.rows.window(signal.instrument),
            });
        }
    }
}

/// Names that are remembered, for the error that names some.
const NAMES_MAX: usize = 10;

/// Whether a signal is of the event of this number: of its row, or a repetition at a tick of the clock.
fn is_of_event(signal: &Signal, batch: &Batch, number: usize) -> bool {
    let event = &batch.events[number];
    let origin = batch.origins[event.frame as usize];
    let address = |origin: &Origin| (origin.stream, origin.partition, origin.offset);
    if address(&signal.origin) != address(&origin) {
        return false;
    }
    if matches!(event.body, Body::Tick) {
        return event.instrument == InstrumentId::ALL || event.instrument == signal.instrument;
    }
    let before = batch.events[..number].iter().rev();
    let of_frame = before.take_while(|other| other.frame == event.frame);
    let part = of_frame
        .filter(|other| other.instrument == event.instrument)
        .count();
    signal.instrument == event.instrument && usize::from(signal.part) == part
}
