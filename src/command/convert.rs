//! Converts archives and captures: trades, quotes, book changes and bars to Parquet, or to JSON lines of the
//! topics.
//!
//! Needs no pipeline but for columns or a feed that one describes. Reads and writes in one pass, in bounded
//! memory.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::arguments::ConvertArguments;
use super::inputs::{RepeatedInput, check_inputs};
use super::outputs::{OutputContent, OutputError, check_outputs, outputs_of};
use crate::config::ConfigError;
use crate::decode::{Decoder, Venues};
use crate::event::{Body, Event};
use crate::instrument::{InstrumentId, Instruments};
use crate::pipeline::Pipeline;
use crate::run::account::Account;
use crate::run::intake::Intake;
use crate::run::observer::{ObservedStep, Observer};
use crate::run::readability::Readability;
use crate::run::replay::{ReplayError, observe_events};
use crate::sink::SinkError;
use crate::sink::event::{
    EventLines, EventPartitions, NamedEvent, PartitionFault, check_folder, is_written,
};
use crate::sink::open::is_parquet;
use crate::source::compression::is_compressed;
use crate::source::file::{FileOptions, FileSource};
use crate::source::input_paths::{InputPathError, expanded};

/// What to convert.
#[derive(Clone, Debug)]
pub struct ConvertOptions {
    /// The files.
    pub inputs: Vec<PathBuf>,
    /// A folder, or a file: see [`OutputForm::of`].
    pub output: PathBuf,
    /// Whether decimals are written as text, which keeps every digit, and not as float64.
    pub is_exact: bool,
    /// How the files are read.
    pub files: FileOptions,
    /// The venues whose messages are read.
    pub venues: Venues,
}

/// Why nothing is converted: the command is used wrongly.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum ConvertFault {
    /// An input names no files.
    Inputs(#[from] InputPathError),
    /// A file is given twice.
    Repeated(#[from] RepeatedInput),
    /// The folder must not be written to.
    Folder(#[from] PartitionFault),
    /// The file must not be written.
    Output(#[from] OutputError),
    /// The pipeline is wrong.
    Config(#[from] ConfigError),
}

impl ConvertOptions {
    /// What the arguments ask for. With `--force` an earlier conversion is removed from a folder.
    ///
    /// # Errors
    /// [`ConvertFault`] with what to do.
    pub fn of(args: &ConvertArguments) -> Result<Self, ConvertFault> {
        let inputs = expanded(&args.inputs)?;
        check_inputs("the input", &inputs)?;
        let (venues, tables) = Pipeline::described(args.pipeline.as_deref(), &args.set)?;
        if OutputForm::of(&args.output) == OutputForm::Folder {
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
            is_exact: args.exact,
            files: FileOptions {
                max_frame_bytes: args.max_frame_bytes,
                tables,
                begin: args.from,
                end: None,
                max_jump_ns: None,
            },
            venues,
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
}

impl OutputForm {
    /// By the end of the name: `.parquet`, `.jsonl` (also `.jsonl.gz`, `.jsonl.zst`), else a folder.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if is_parquet(path) {
            Self::Parquet
        } else if is_compressed(path) || name.to_ascii_lowercase().ends_with(".jsonl") {
            Self::Lines
        } else {
            Self::Folder
        }
    }
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
/// [`ReplayError`] where a file cannot be read or written.
pub fn convert(options: &ConvertOptions) -> Result<Converted, ReplayError> {
    let source = FileSource::open_with(&options.inputs, &options.files)?;
    let form = OutputForm::of(&options.output);
    let instruments = Instruments::new(&[], usize::MAX);
    let decoder = Decoder::new(instruments, options.files.max_frame_bytes)
        .with_venues(options.venues.clone());
    let mut conversion = Conversion {
        out: match form {
            OutputForm::Lines => {
                let lines = EventLines::create(&options.output);
                Out::Lines(Box::new(
                    lines.map_err(|cause| file_error(&options.output, cause))?,
                ))
            }
            OutputForm::Folder | OutputForm::Parquet => {
                let is_folder = form == OutputForm::Folder;
                let exact = options.is_exact;
                Out::Parquet(EventPartitions::new(&options.output, is_folder, exact))
            }
        },
        output: options.output.clone(),
        rows: BTreeMap::new(),
        left_out: BTreeMap::new(),
    };
    let observed = observe_events(source, Intake::new(decoder), &mut conversion)?;
    let files = match conversion.out {
        Out::Lines(lines) => {
            let finished = lines.finish();
            finished.map_err(|cause| file_error(&options.output, cause))?;
            1
        }
        Out::Parquet(partitions) => partitions.finish()?,
    };
    let table = observed.intake.instruments();
    let ids = 0..table.len() as u32;
    Ok(Converted {
        rows: conversion.rows,
        left_out: conversion.left_out,
        files,
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
}

/// A conversion on its way.
struct Conversion {
    out: Out,
    output: PathBuf,
    rows: BTreeMap<&'static str, u64>,
    left_out: BTreeMap<&'static str, u64>,
}

impl Observer for Conversion {
    fn step(&mut self, step: &ObservedStep<'_>) -> Result<(), SinkError> {
        for event in &step.batch.events {
            let counts = match is_written(&event.body) {
                true => &mut self.rows,
                false => &mut self.left_out,
            };
            *counts.entry(kind_of(event)).or_default() += 1;
            if !is_written(&event.body) {
                continue;
            }
            let (bids, asks) = match &event.body {
                Body::Depth(depth) => step.batch.levels(depth),
                _ => (&[][..], &[][..]),
            };
            let named = NamedEvent {
                ts_event: event.ts_event,
                ts_recv: step.batch.origins[event.frame as usize].ts_recv,
                instrument: step.instruments.name(event.instrument),
                body: &event.body,
                bids,
                asks,
            };
            match &mut self.out {
                Out::Lines(lines) => {
                    let written = lines.write(&named);
                    written.map_err(|cause| SinkError::File {
                        path: self.output.clone(),
                        cause,
                    })?;
                }
                Out::Parquet(partitions) => partitions.write(&named)?,
            }
        }
        Ok(())
    }
}

fn file_error(path: &Path, cause: std::io::Error) -> ReplayError {
    ReplayError::Sink(SinkError::File {
        path: path.to_owned(),
        cause,
    })
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
        writeln!(f, "files        {}", self.files)
    }
}

#[cfg(test)]
mod tests;
