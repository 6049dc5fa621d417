//! The arguments of `foretick state`.

#![expect(missing_docs, reason = "a doc comment here is a line of --help")]

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::command::state::StateDetail;

#[derive(Args)]
pub struct StateArguments {
    #[command(subcommand)]
    pub command: StateCommand,
}

#[derive(Subcommand)]
pub enum StateCommand {
    /// List the snapshots of a folder: partition, offsets, instruments, size, age.
    List(StateFiles),
    /// Show what a snapshot says of itself, and the instruments in it.
    Show(StateFiles),
    /// Read each snapshot as a whole: checksum, states, alerts. The exit code is 1 if one is damaged.
    Verify(StateFiles),
}

impl StateCommand {
    // The files, and how much of each is shown.
    #[must_use]
    pub fn split(self) -> (StateFiles, StateDetail) {
        match self {
            Self::List(files) => (files, StateDetail::Line),
            Self::Show(files) => (files, StateDetail::All),
            Self::Verify(files) => (files, StateDetail::Verified),
        }
    }
}

#[derive(Args)]
pub struct StateFiles {
    /// The folder that `[state] dir` names, the folder of a group in it, or a file.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}
