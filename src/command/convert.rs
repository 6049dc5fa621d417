//! Converts archives, captures and topics: trades, quotes, book changes and bars to Parquet, to JSON lines of
//! the topics, or to the topics themselves. Gaps are kept where the output is JSON.
//!
//! Needs no pipeline but for columns or a feed that one describes. Reads and writes in one pass, in bounded
//! memory.

mod as_json;
mod error;
mod row_order;
mod topics;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use self::as_json::JsonForm;
pub use self::error::{ConvertError, ConvertFault};
use self::row_order::RowOrder;
pub use self::row_order::{EarlyRow, OutOfOrder};
pub use self::topics::TopicFault;
use self::topics::{EventTopics, TopicTarget};
use super::arguments::ConvertArguments;
use super::inputs::check_inputs;
use super::outputs::{OutputContent, check_outputs, outputs_of};
use crate::decode::{Decoder, Venues};
use crate::event::{Body, Event};
use crate::instrument::{InstrumentId, Instruments};
use crate::pipeline::Pipeline;
use crate::run::account::Account;
use crate::run::intake::Intake;
use crate::run::observer::{ObservedStep, Observer};
use crate::run::readability::Readability;
use crate::run::replay::{CLOCKS_DIFFER_NS, ReplayError, observe_events};
use crate::sink::SinkError;
use crate::sink::event::{
    EventLines, EventPartitions, NamedEvent, check_folder, is_json_event, is_written,
};
use crate::sink::open::is_parquet;
use crate::source::compression::is_compressed;
use crate::source::file::{FileOptions, FileSource, SpanEnd};
use crate::source::input_paths::{expanded, is_topic};
use crate::units::Nanos;

/// What to convert.
#[derive(Clone, Debug)]
pub struct ConvertOptions {
    /// The files.
    pub inputs: Vec<PathBuf>,
    /// A folder, a file or topics: see [`OutputForm::of`].
    pub output: PathBuf,
    /// Whether an earlier conversion is replaced, and records are written behind those that a topic holds.
    pub force: bool,
    /// Events of an earlier time are left out, if they have a time; and so are those of this time or later.
    pub span: (Option<Nanos>, Option<Nanos>),
    /// Whether decimals are written as text, which keeps every digit, and not as float64.
    pub is_exact: bool,
    /// How the files are read.
    pub files: FileOptions,
    /// The venues whose messages are read.
    pub venues: Venues,
}

impl ConvertOptions {
    /// What the arguments ask for. Changes no file.
    ///
    /// # Errors
    /// [`ConvertFault`] with what to do.
    pub fn of(args: &ConvertArguments) -> Result<Self, ConvertFault> {
        let inputs = expanded(&args.inputs)?;
        check_inputs("the input", &inputs)?;
        let described = Pipeline::described(args.pipeline.as_deref(), &args.set)?;
        if args.json && is_stdout(&args.output) {
            return Err(ConvertFault::Stdout);
        }
        if args.from.zip(args.to).is_some_and(|(from, to)| from >= to) {
            return Err(ConvertFault::Span);
        }
        if let Some(target) = TopicTarget::of(&args.output)? {
            target.check_inputs(&inputs)?;
        } else if OutputForm::of(&args.output) == OutputForm::Folder {
            check_folder(&args.output, &inputs, args.force)?;
        } else {
            let output = Some(args.output.clone());
            let outputs = outputs_of([("--output", output, OutputContent::Signals)]);
            let read: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
            check_outputs(&outputs, &read, args.force)?;
        }
        Ok(Self {
            inputs,
            output: args.output.clone(),
            force: args.force,
            span: (args.from, args.to),
            is_exact: args.exact,
            files: FileOptions {
                max_frame_bytes: args.max_frame_bytes,
                tables: described.tables,
                begin: args.from,
                end: args.to.map(|to| SpanEnd::new(to, CLOCKS_DIFFER_NS)),
                max_jump_ns: None,
                kafka: described.kafka,
            },
            venues: described.venues,
        })
    }
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputForm {
    /// A folder of Parquet files, by instrument and day.
    Folder,
    /// A Parquet file.
    Parquet,
    /// JSON lines.
    Lines,
    /// Kafka topics.
    Topics,
}

impl OutputForm {
    /// Topics by `kafka://`; JSON lines for `-`, standard output; else by the end of the name: `.parquet`, `.jsonl` (also `.jsonl.gz`,
    /// `.jsonl.zst`), else a folder.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        if is_topic(path) {
            return Self::Topics;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if is_stdout(path) {
            Self::Lines
        } else if is_parquet(path) {
            Self::Parquet
        } else if is_compressed(path) || name.to_ascii_lowercase().ends_with(".jsonl") {
            Self::Lines
        } else {
            Self::Folder
        }
    }
}

/// Whether an output is standard output.
#[must_use]
pub fn is_stdout(output: &Path) -> bool {
    output.as_os_str() == "-"
}

/// What was converted.
#[derive(Clone, Debug, Serialize)]
pub struct Converted {
    /// Rows written, by kind.
    pub rows: BTreeMap<&'static str, u64>,
    /// Events of kinds that are not written, by kind.
    pub left_out: BTreeMap<&'static str, u64>,
    /// Files written.
    pub files: u64,
    /// Records that topics have taken; a gap may be several.
    pub records: u64,
    /// Rows that are earlier than one before them in their file; of a folder: than one of their instrument.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_order: Option<OutOfOrder>,
    /// The instruments.
    pub instruments: Vec<String>,
    /// What became of the frames.
    pub frames: Account,
    /// Whether the inputs could be read.
    #[serde(skip)]
    pub readability: Readability,
}

/// Converts files.
///
/// # Errors
/// [`ConvertError`] where an input cannot be read, or the output not be written.
pub fn convert(options: &ConvertOptions) -> Result<Converted, ConvertError> {
    let topics = TopicTarget::of(&options.output).map_err(ConvertFault::from)?;
    if let (Some(target), false) = (&topics, options.force)
        && let Some(fault) = target.check_empty(&options.files.kafka)?
    {
        return Err(ConvertFault::from(fault).into());
    }
    let source = FileSource::open_with(&options.inputs, &options.files)?;
    let form = OutputForm::of(&options.output);
    let instruments = Instruments::new(&[], usize::MAX);
    let decoder = Decoder::new(instruments, options.files.max_frame_bytes)
        .with_venues(options.venues.clone());
    let mut conversion = Conversion {
        span: options.span,
        out: match (form, topics) {
            (_, Some(target)) => Out::Topics(Box::new(
                EventTopics::connect(target, &options.files.kafka).map_err(ReplayError::from)?,
            )),
            (OutputForm::Lines, None) => Out::Lines(Box::new(
                EventLines::create(&options.output).map_err(ReplayError::from)?,
            )),
            (OutputForm::Folder, None) => {
                let (replaces, exact) = (options.force, options.is_exact);
                let folder = EventPartitions::folder(&options.output, replaces, exact);
                Out::Parquet(folder.map_err(ReplayError::from)?)
            }
            (OutputForm::Parquet | OutputForm::Topics, None) => {
                Out::Parquet(EventPartitions::file(&options.output, options.is_exact))
            }
        },
        form: JsonForm::default(),
        order: RowOrder::new(&options.inputs, form == OutputForm::Folder),
        rows: BTreeMap::new(),
        left_out: BTreeMap::new(),
    };
    let observed = observe_events(source, Intake::new(decoder), &mut conversion)?;
    let (files, records) = match conversion.out {
        Out::Lines(lines) => {
            lines.finish().map_err(ReplayError::from)?;
            (u64::from(!is_stdout(&options.output)), 0)
        }
        Out::Parquet(partitions) => (partitions.finish().map_err(ReplayError::from)?, 0),
        Out::Topics(topics) => (0, topics.finish().map_err(ReplayError::from)?),
    };
    let table = observed.intake.instruments();
    let ids = 0..table.len() as u32;
    Ok(Converted {
        rows: conversion.rows,
        left_out: conversion.left_out,
        files,
        records,
        out_of_order: conversion.order.found,
        instruments: ids
            .map(|id| table.name(InstrumentId(id)).to_owned())
            .collect(),
        frames: observed.intake.account().clone(),
        readability: observed.intake.readability().clone(),
    })
}

enum Out {
    Lines(Box<EventLines>),
    Parquet(EventPartitions),
    Topics(Box<EventTopics>),
}

impl Out {
    /// Whether an event is written as a record of JSON.
    fn is_json(&self) -> bool {
        !matches!(self, Self::Parquet(_))
    }

    /// Whether an event is written.
    fn has(&self, body: &Body) -> bool {
        match self {
            Self::Lines(_) => is_json_event(body),
            Self::Parquet(_) => is_written(body),
            Self::Topics(_) => EventTopics::has(body),
        }
    }
}

/// A conversion on its way.
struct Conversion {
    span: (Option<Nanos>, Option<Nanos>),
    out: Out,
    form: JsonForm,
    order: RowOrder,
    rows: BTreeMap<&'static str, u64>,
    left_out: BTreeMap<&'static str, u64>,
}

impl Observer for Conversion {
    fn step(&mut self, step: &ObservedStep<'_>) -> Result<(), SinkError> {
        for event in &step.batch.events {
            if !self.is_within(event.ts_event) {
                continue;
            }
            let form = match self.out.is_json() {
                true => self.form.of(event),
                false => Some((event.ts_event, event.body)),
            };
            let Some((ts_event, body)) = form else {
                if matches!(event.body, Body::Trade(_)) {
                    *self.left_out.entry("trade_told_twice").or_default() += 1;
                }
                continue;
            };
            let is_written = self.out.has(&body);
            let counts = match is_written {
                true => &mut self.rows,
                false => &mut self.left_out,
            };
            *counts.entry(kind_of(event)).or_default() += 1;
            if !is_written {
                continue;
            }
            let (bids, asks) = match &body {
                Body::Depth(depth) => step.batch.levels(depth),
                _ => (&[][..], &[][..]),
            };
            let named = NamedEvent {
                ts_event,
                ts_recv: step.batch.origins[event.frame as usize].ts_recv,
                instrument: match event.instrument {
                    InstrumentId::ALL => "",
                    id => step.instruments.name(id),
                },
                body: &body,
                bids,
                asks,
            };
            self.order
                .take(event, &step.batch.origins[event.frame as usize], &named);
            match &mut self.out {
                Out::Lines(lines) => lines.write(&named)?,
                Out::Parquet(partitions) => partitions.write(&named)?,
                Out::Topics(topics) => topics.write(&named)?,
            }
        }
        Ok(())
    }
}

impl Conversion {
    /// Whether an event of this time is asked for. One without a time is.
    fn is_within(&self, ts: Nanos) -> bool {
        let (from, to) = self.span;
        ts == Nanos::UNDEFINED || from.is_none_or(|from| ts >= from) && to.is_none_or(|to| ts < to)
    }
}

fn kind_of(event: &Event) -> &'static str {
    match &event.body {
        Body::Trade(_) => "trade",
        Body::Quote(_) => "quote",
        Body::Depth(_) => "book",
        Body::Bar(_) => "bar",
        Body::SkippedTrade(_) => "skipped_trade",
        Body::Amendment(_) => "amendment",
        Body::Status(_) => "status",
        Body::Gap(_) | Body::FeedGap(_) => "gap",
        Body::Figure(_) => "figure",
        Body::Sentiment(_) => "sentiment",
        Body::Record(_) => "record",
        Body::Withdrawn(_) => "withdrawn",
        Body::Tick => "tick",
    }
}

impl fmt::Display for Converted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |counts: &BTreeMap<&'static str, u64>| {
            let one = |(kind, count): (&&str, &u64)| format!("{count} {kind}");
            counts.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        writeln!(f, "rows         {}", list(&self.rows))?;
        if !self.left_out.is_empty() {
            writeln!(f, "left out     {}", list(&self.left_out))?;
        }
        writeln!(f, "instruments  {}", self.instruments.len())?;
        match self.records {
            0 => writeln!(f, "files        {}", self.files),
            records => writeln!(f, "records      {records}"),
        }?;
        match &self.out_of_order {
            Some(found) => write!(f, "{found}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
